"""The cost that counts as one unit of reward: of one size at any tariff, and never zero."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.datasets.simulated.trials import PRICE
from tvilling.rl_control.rl.observation import action_size, to_action
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.units import J_PER_KWH
from tvilling.sciml.learning.scaling import nonzero_scale
from tvilling.sciml.systems.example import Example

TRIALS = 64  # steps tried to see how much can be bought
LEVEL_SHARE = 0.25  # of the size of the prices, for tariffs that hardly vary
MIN_SHARE = 0.1  # of the scale over all scenarios, for those of low prices


def reward_scale_dkk(example: Example, scenarios: Scenario) -> Float[Array, " scenario"]:
    """Cost that counts as one unit of reward, by scenario [DKK].

    The most that a step buys, at the spread of the scenario's prices. Where they hardly vary a
    quarter of their root mean square counts, and nowhere less than a tenth of what counts over all
    scenarios; at prices that are zero throughout there is no cost, and the scale is one DKK/kWh.
    """
    price = jnp.asarray(scenarios.drive[PRICE])
    own = _price_scale(price, axis=1)
    floor = MIN_SHARE * _price_scale(price, axis=None)
    return nonzero_scale(jnp.maximum(own, floor), 0.0) * step_kwh(example, scenarios)


def _price_scale(price: Array, axis: int | None) -> Array:
    """Spread of prices [DKK/kWh], or a quarter of their size if that is more."""
    size = jnp.sqrt(jnp.mean(price**2, axis=axis))
    return jnp.maximum(price.std(axis=axis), LEVEL_SHARE * size)


def step_kwh(example: Example, scenarios: Scenario) -> float:
    """The most that a step buys or sells [kWh], over steps tried at the ends of the actions.

    From states and drives of `scenarios`, as far as steps are not flagged; where nothing is
    bought in any, the limits of the channel count.
    """
    channel = next(c for c in example.system.outputs if c.name == example.bought)
    bought_w = np.abs(_tried_w(example, scenarios))
    limit_w = max(abs(channel.low), abs(channel.high))
    most_w = min(float(bought_w.max(initial=0.0)), limit_w)
    if most_w == 0.0:
        most_w = limit_w if np.isfinite(limit_w) else 1e3
    return most_w * scenarios.dt_s / J_PER_KWH


def _tried_w(example: Example, scenarios: Scenario) -> Float[np.ndarray, " trial"]:
    """Power bought in steps that are not flagged [W]; half at a limit of each action."""
    system, random = example.system, np.random.default_rng(0)
    count, steps = jnp.shape(scenarios.drive[PRICE])
    some, when = random.integers(count, size=TRIALS), random.integers(steps, size=TRIALS)
    sign = np.repeat([-1.0, 1.0], TRIALS // 4)[:, None]
    drawn = random.uniform(-1.0, 1.0, (TRIALS // 2, action_size(system.actions)))
    unit = np.concatenate([np.broadcast_to(sign, drawn.shape), drawn])
    state = jax.tree.map(lambda leaf: jnp.asarray(leaf)[some], scenarios.state)
    drive = {c.name: jnp.asarray(scenarios.drive[c.name])[some, when] for c in system.drives}
    action = jax.vmap(lambda row: to_action(system.actions, row))(jnp.asarray(unit))

    def one(state: object, action: dict, drive: dict) -> tuple[Array, Array]:
        _, output = system.step(state, action, drive, scenarios.dt_s)
        return output[example.bought], output["status"] == 0

    bought_w, sound = jax.jit(lambda *inputs: jax.vmap(one)(*inputs))(state, action, drive)
    kept = np.asarray(sound) & np.isfinite(np.asarray(bought_w))
    return np.asarray(bought_w)[kept]
