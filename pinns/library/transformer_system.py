"""A transformer's top oil and hot spot as a system: exact, and answered by networks.

Both have the channels load, air, top oil and hot spot and the state of `TransformerStep`: the
exact one is its physics, to fall back on. Load can be chosen (moved to other transformers), the
weather cannot. Temperatures hold no energy that is worth a balance here: the heat that IEC
60076-7 puts in and takes out is not among its quantities.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from tvilling.pinns.library.transformer_hot_spot import NAMES, hot_spot_degc
from tvilling.pinns.library.transformer_step import STARTS, TransformerStep
from tvilling.pinns.network.network import NetworkSettings
from tvilling.pinns.optimisers.stages import Broyden
from tvilling.pinns.solution.solution import Solution
from tvilling.pinns.surrogate.conversion import PinnSystem, StateMapping, SurrogateOutput, as_system
from tvilling.pinns.training.settings import TrainSettings
from tvilling.pinns.training.trainer import train
from tvilling.sciml.core.physical import channel_status, finite_status, join_status
from tvilling.sciml.core.system import Channel, Values
from tvilling.sciml.systems.example import Example

SETTINGS = TrainSettings(
    NetworkSettings(width=16, depth=2), points=400, stages=(Broyden(600),), check_every=200
)
SEEDS = (0, 1)
LOWEST_DEGC, HIGHEST_DEGC = -40.0, 200.0  # of the outputs
GAUGES = (
    SurrogateOutput("top_oil_degc", "°C", LOWEST_DEGC, HIGHEST_DEGC, "top_oil_degc", {}, "Top oil"),
    SurrogateOutput(
        "hot_spot_degc", "°C", LOWEST_DEGC, HIGHEST_DEGC, hot_spot_degc, {}, "Hot spot"
    ),
)
ACTIONS = {"load": "Load over rated load"}
DRIVES = {"air_degc": "Air temperature"}

State = dict[str, Float[Array, ""]]


def system_of(solutions: Sequence[Solution]) -> PinnSystem:
    """The system of networks that solve the problem of a `TransformerStep`."""
    carried = [StateMapping(start, name) for start, name in zip(STARTS, NAMES, strict=True)]
    return as_system(solutions, GAUGES, ACTIONS, DRIVES, carried, "time_min")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class ExactTransformer:
    """The same with exact exponentials; a step may have any length.

    Attributes
    ----------
    warmth
        Factor on the rise of the top oil over the air, one as in the standard: dirt on the
        coolers raises it.
    """

    warmth: Float[Array, ""]
    step_of: TransformerStep = jax.tree.static(default=TransformerStep())

    @property
    def actions(self) -> tuple[Channel, ...]:
        """The load."""
        limits = self.step_of.low_load, self.step_of.high_load
        return (Channel("load", "1", *limits, description=ACTIONS["load"]),)

    @property
    def drives(self) -> tuple[Channel, ...]:
        """The air."""
        limits = self.step_of.low_air_degc, self.step_of.high_air_degc
        return (Channel("air_degc", "°C", *limits, description=DRIVES["air_degc"]),)

    @property
    def outputs(self) -> tuple[Channel, ...]:
        """Top oil and hot spot at the end of a step."""
        return tuple(
            Channel(it.name, it.unit, it.low, it.high, description=it.description) for it in GAUGES
        )

    def init(self, key: Array) -> State:
        """Settled at a load and an air temperature drawn evenly."""
        shares = jax.random.uniform(key, (2,))
        own = self.step_of
        load = own.low_load + (own.high_load - own.low_load) * shares[0]
        air = own.low_air_degc + (own.high_air_degc - own.low_air_degc) * shares[1]
        return dict(zip(STARTS, own.transformer.settled(load, air), strict=True))

    def step(
        self, state: State, action: Values, drive: Values, dt_s: float
    ) -> tuple[State, Values]:
        """Temperatures after `dt_s` [s]; outputs outside their range are cut and flagged."""
        load, air = action["load"], drive["air_degc"]
        oil, rise, lag = self.step_of.transformer.settled(load, air)
        ends = (air + self.warmth * (oil - air), rise, lag)
        lags = self.step_of.transformer.lags_min
        after = {
            name: end + (state[name] - end) * jnp.exp(-dt_s / 60.0 / lag_min)
            for name, end, lag_min in zip(STARTS, ends, lags, strict=True)
        }
        oil, rise, lag = (after[name] for name in STARTS)
        output = {"top_oil_degc": oil, "hot_spot_degc": oil + rise - lag}
        kept = {name: jnp.clip(x, LOWEST_DEGC, HIGHEST_DEGC) for name, x in output.items()}
        status = join_status(
            finite_status(state, load, air, after), channel_status(output, self.outputs)
        )
        return after, kept | {"status": status}

    def stored_j(self, state: State) -> Float[Array, ""]:
        """None is counted [J]."""
        return jnp.zeros(())

    def net_power_w(self, action: Values, drive: Values, output: Values) -> Float[Array, ""]:
        """None is counted [W]."""
        return jnp.zeros(())


@cache
def trained(seeds: tuple[int, ...] = SEEDS) -> tuple[Solution, ...]:
    """Networks for a quarter of an hour of a 250 MVA transformer, trained when first asked for."""
    problem = TransformerStep().problem()
    found = [train(problem, SETTINGS, seed) for seed in seeds]
    return tuple(one for one in found if isinstance(one, Solution))


def example() -> Example:
    """The 250 MVA transformer at 0.9 of its load in mild air, by two networks."""
    system = system_of(trained())
    return Example(
        system=system,
        action={"load": jnp.asarray(0.9)},
        drive={"air_degc": jnp.asarray(15.0)},
        dt_s=system.dt_s,
    )
