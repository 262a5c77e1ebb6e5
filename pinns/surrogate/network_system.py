"""A family that networks have solved, as a system that says how far it can be trusted.

| | state | a step |
|---|---|---|
| steady family | none, or parameters that stay | values, whatever the length of the step |
| map of one step | start values, which are parameters | values at the end of the time axis |
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from tvilling.pinns.fields.domain import Axis
from tvilling.pinns.network.ansatz import Params
from tvilling.pinns.surrogate.query import REACH, SurrogateQuery
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.physical import finite_status, join_status, range_status
from tvilling.sciml.core.system import Channel, System, Values
from tvilling.sciml.surrogates.guard import TRUST, Guarded
from tvilling.sciml.surrogates.model import BOX_MARGIN, FAR, spread_of

MIDDLE = 0.8  # share of each range from which states are drawn to start from

State = dict[str, Float[Array, ""]]


@dataclass(frozen=True, eq=False)
class Energy:
    """Energy of a state [J] and power entering less leaving [W], where a balance has a meaning."""

    stored_j: Callable[[State], Array]
    net_power_w: Callable[[Values, Values, Values], Array]

    def __repr__(self) -> str:
        return "Energy()"  # the same in every process


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class PinnSystem:
    """A system answered by the mean of an ensemble of networks; made by `as_system`.

    Outputs keep to the limits of their channels, and inputs and states enter the networks no
    farther than a quarter of a half width outside the range of training. An output `trust` says
    how far each answer can be trusted.

    Attributes
    ----------
    params
        Weights, stacked over the ensemble.
    usual_residual, usual_spread
        What 99 of 100 parameters of the family stay below, with an upper limit each.
    question
        What is asked of the networks.
    actions, drives, gauges
        Channels; `gauges` are the outputs but for `trust`.
    carried
        Names of the states.
    steady
        Whether no time passes in the networks; a step may then have any length.
    dt_s
        Length of a step [s].
    energy
        Energy of states and powers of steps; None: taken as zero.
    """

    params: Params
    usual_residual: Float[Array, ""]
    usual_spread: Float[Array, ""]
    question: SurrogateQuery = jax.tree.static()
    actions: tuple[Channel, ...] = jax.tree.static()
    drives: tuple[Channel, ...] = jax.tree.static()
    gauges: tuple[Channel, ...] = jax.tree.static()
    carried: tuple[str, ...] = jax.tree.static()
    steady: bool = jax.tree.static()
    dt_s: float = jax.tree.static()
    energy: Energy | None = jax.tree.static(default=None)

    @property
    def outputs(self) -> tuple[Channel, ...]:
        """The gauges, and how far they can be trusted."""
        told = "How far the networks can be trusted"
        return (*self.gauges, Channel(TRUST, "1", 0.0, 1.0, description=told))

    def init(self, key: Array) -> State:
        """Start values drawn evenly from the middle of their ranges."""
        keys = jax.random.split(key, max(1, len(self.carried)))
        axes = {axis.name: axis for axis in self.question.ranged}
        found = {}
        for name, own in zip(self.carried, keys, strict=False):
            share = 0.5 + MIDDLE * (jax.random.uniform(own) - 0.5)
            found[name] = axes[name].low + (axes[name].high - axes[name].low) * share
        return found

    def step(
        self, state: State, action: Values, drive: Values, dt_s: float
    ) -> tuple[State, Values]:
        """State after `dt_s` [s], and the outputs with `trust`.

        Raises
        ------
        ValueError
            If `dt_s` is not the length of the time axis, for a family that is not steady.
        """
        if not self.steady and dt_s != self.dt_s:
            raise ValueError(
                f"dt_s is {dt_s:g} s, expected {self.dt_s:g} s, the time axis's length"
            )
        (new_state, output), trust = self.answer(state, action, drive)
        return new_state, output | {TRUST: trust}

    def answer(
        self, state: State, action: Values, drive: Values
    ) -> tuple[tuple[State, Values], Float[Array, ""]]:
        """New state and outputs, and how far to trust them."""
        scaled = self.question.scaled({**state, **action, **drive})
        values, residuals = self.question.answers(self.params, scaled)
        count, mean = len(self.carried), values.mean(axis=0)
        axes = {axis.name: axis for axis in self.question.ranged}
        new_state = {
            name: _kept(axes[name], value)
            for name, value in zip(self.carried, mean[:count], strict=True)
        }
        output = {
            channel.name: jnp.clip(value, channel.low, channel.high)
            for channel, value in zip(self.gauges, mean[count:], strict=True)
        }
        trust = self._trust(scaled, *judged(self.question, values, residuals))
        halves = jnp.asarray(self.question.half[count:])
        cut = jnp.abs(mean[count:] - jnp.stack([output[item.name] for item in self.gauges]))
        ends = jnp.exp(-jnp.max(cut / halves) / BOX_MARGIN)  # a value that is cut is none
        trust = trust * jnp.nan_to_num(ends, nan=0.0)
        status = self._status((state, action, drive), values, mean[count:])
        return (new_state, output | {"status": status}), trust

    def _status(
        self, inputs: tuple[State, Values, Values], values: Array, asked: Array
    ) -> Int[Array, ""]:
        """`NOT_FINITE`, and `UNPHYSICAL` where an output has to be cut by far."""
        low = jnp.asarray([item.low for item in self.gauges])
        high = jnp.asarray([item.high for item in self.gauges])
        far = range_status(asked, low, high, FAR * (high - low))
        return join_status(finite_status(inputs, values), far)

    def trust(self, state: State, action: Values, drive: Values) -> Float[Array, ""]:
        """How far a step from here can be trusted, from 0 to 1.

        The product of three shares:

        - exp(1 - r/r99), at most 1, with the root mean square r of the scaled residuals for these
          parameters and the r99 that 99 of 100 parameters stay below, at most 0.01 of that of
          untrained networks;
        - exp(1 - s/s99), the same for the spread s of the ensemble in half widths of the outputs'
          ranges, at most 0.01; one where there is a single network;
        - exp(-d/0.1), with the greatest distance d of an input from its range, in half widths.

        Measures of likeness, not probabilities: a small residual does not bound the error.
        """
        return self.answer(state, action, drive)[1]

    def stored_j(self, state: State) -> Float[Array, ""]:
        """Energy held in `state` [J]; zero where none was stated."""
        return jnp.zeros(()) if self.energy is None else self.energy.stored_j(state)

    def net_power_w(self, action: Values, drive: Values, output: Values) -> Float[Array, ""]:
        """Power entering less leaving [W], balanced as far as the networks are right."""
        if self.energy is None:
            return jnp.zeros(())
        return self.energy.net_power_w(action, drive, output)

    def guarded(
        self, physics: System[Any], least_trust: float = 0.5, dt_s: float | None = None
    ) -> Guarded:
        """The system with `physics` in its place wherever it is trusted less than `least_trust`.

        Parameters
        ----------
        physics
            A system with the same channels, `trust` apart, and states of the same names.
        dt_s
            Length of a step [s]; only for a steady family, which has none of its own.

        Raises
        ------
        InputError
            If channels or states of the physics have other names.
        """
        faults = [
            f"{kind} of the physics are {', '.join(theirs)}, expected {', '.join(ours)}"
            for kind, theirs, ours in (
                ("actions", _names(physics.actions), _names(self.actions)),
                ("drives", _names(physics.drives), _names(self.drives)),
                ("outputs", _names(physics.outputs), _names(self.gauges)),
            )
            if set(theirs) != set(ours)
        ]
        key = jax.random.key(0)
        own_state, state = (str(jax.tree.structure(it.init(key))) for it in (self, physics))
        if own_state != state:
            faults.append(f"the state of the physics is not one of {', '.join(self.carried)}")
        if dt_s is not None and not self.steady:
            faults.append("dt_s was given, expected none, as the time axis has its own length")
        if faults:
            raise InputError(f"guard of {self.question.problem.name}", faults)
        own = self if dt_s is None else replace(self, dt_s=dt_s)
        return Guarded(cast(Any, own), physics, least_trust)

    def _trust(self, scaled: Array, residual: Array, spread: Array) -> Float[Array, ""]:
        met = _share(residual, self.usual_residual)
        agreed = _share(spread, self.usual_spread)
        beyond = jnp.clip(jnp.abs(scaled) - 1.0, 0.0, None).max()
        return jnp.nan_to_num(met * agreed * jnp.exp(-beyond / BOX_MARGIN), nan=0.0)


def judged(question: SurrogateQuery, values: Array, residuals: Array) -> tuple[Array, Array]:
    """Root mean square of residuals over the ensemble, and of its spread over the targets."""
    spread = spread_of(values) / jnp.asarray(question.half)
    tiny = jnp.finfo(float).tiny
    return jnp.sqrt(jnp.mean(residuals**2)), jnp.sqrt(jnp.mean(spread**2) + tiny)


def _share(value: Array, usual: Array) -> Float[Array, ""]:
    return jnp.exp(jnp.minimum(1.0 - value / usual, 0.0))


def _kept(axis: Axis, value: Array) -> Array:
    """A state no farther outside its range than an input enters the network."""
    middle, half = (axis.high + axis.low) / 2, (axis.high - axis.low) / 2
    return jnp.clip(value, middle - REACH * half, middle + REACH * half)


def _names(channels: Sequence[Channel]) -> list[str]:
    return [channel.name for channel in channels]
