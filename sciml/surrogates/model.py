"""A surrogate: an ensemble of nets that answers a system's step, and says how far to trust it."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from tvilling.sciml.core.physical import finite_status, join_status, range_status
from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.core.system import Values
from tvilling.sciml.learning.conformal import conformal_interval, conformal_quantile
from tvilling.sciml.surrogates.network import Ensemble
from tvilling.sciml.surrogates.of_physics import OfPhysics
from tvilling.sciml.surrogates.vectors import Scaling, inputs_of, part, size, targets_of

FAR = 0.25  # widths of its channel by which an output may leave it before it is cut and flagged
BOX_MARGIN = 0.1  # half widths outside the training box at which trust has fallen to 1/e


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Calibration:
    """What scenarios told that the nets were not trained on.

    Attributes
    ----------
    scores
        Distance of truth and prediction, in units of spread plus `least_spread`; ascending.
    least_spread
        Mean spread of the ensemble, by target.
    usual_spread
        Spread, in units of `Scaling.rest`, that 99 of 100 samples stayed below.
    """

    scores: Float[Array, "sample target"]
    least_spread: Float[Array, " target"]
    usual_spread: Float[Array, ""]

    __repr__ = short_repr


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Surrogate(OfPhysics):
    """A system learnt from the steps of another; it has its channels, states and energies.

    `step` is that of the mean of the ensemble, for the length of step that it was trained at.
    Outputs keep to the limits of their channels, and the state stays within a quarter of a half
    width of where it was in training. Beside the flags learnt, the status has `NOT_FINITE` where an
    input or answer is no finite number, and `UNPHYSICAL` where an output had to be cut by more than
    a quarter of its channel. Energy balances hold as far as the nets are right, no
    further.

    Attributes
    ----------
    physics
        The system that was learnt; it gives channels, first states and energies.
    network
        The nets. The last numbers they give are logits of the flags.
    scaling, calibration
        Units of inputs and targets, and what held-out scenarios told.
    dt_s
        Length of a step [s].
    flags
        Flags of the status that some training steps had and others not.
    always
        Flags that every training step had.
    """

    physics: Any
    network: Ensemble
    scaling: Scaling
    calibration: Calibration
    dt_s: float = jax.tree.static()
    flags: tuple[int, ...] = jax.tree.static(default=())
    always: int = jax.tree.static(default=0)

    def step(self, state: Any, action: Values, drive: Values, dt_s: float) -> tuple[Any, Values]:
        """State after `dt_s` [s] and outputs over them.

        Raises
        ------
        ValueError
            If `dt_s` is not the step that was learnt.
        """
        if dt_s != self.dt_s:
            raise ValueError(
                f"dt_s is {dt_s:g} s, expected {self.dt_s:g} s, the step that was learnt"
            )
        return self.answer(state, action, drive)[0]

    def answer(
        self, state: Any, action: Values, drive: Values
    ) -> tuple[tuple[Any, Values], Float[Array, ""]]:
        """What `step` gives, and how far to trust it: `trust` comes at no further cost."""
        scaled = self.scaling.inputs(inputs_of(self.physics, state, action, drive))
        mean, spread, logits = self.moments(scaled)
        new_state, output = self.scaling.answer(self.physics, state, mean)
        status = join_status(
            self.always,
            finite_status(state, scaled, new_state, output),
            self._far(mean),
        )
        for flag, logit in zip(self.flags, logits, strict=True):
            status = status | jnp.where(logit > 0, flag, 0).astype(jnp.int32)
        return (new_state, output | {"status": status}), self._trust(scaled, spread)

    def _far(self, mean: Array) -> Int[Array, ""]:
        """`UNPHYSICAL` where the nets' own answer is far outside the channel of an output."""
        outputs = self.outputs
        values = part(outputs, mean[mean.shape[0] - size(outputs) :])
        flags = [
            range_status(values[c.name], c.low, c.high, FAR * (c.high - c.low)) for c in outputs
        ]
        return join_status(*flags)

    def trust(self, state: Any, action: Values, drive: Values) -> Float[Array, ""]:
        """How far a step from here can be trusted, from 0 to 1.

        The product of two shares:

        - exp(1 - s/s99), at most 1, with the spread s of the ensemble and the spread s99 that
          99 of 100 calibration steps stayed below;
        - exp(-d/0.1), with the greatest distance d of an input from its training range, in half
          widths of that range.

        Both are measures of likeness to what was trained on, not probabilities. An input that is
        not a number has trust 0.
        """
        return self.answer(state, action, drive)[1]

    def interval(
        self, state: Any, action: Values, drive: Values, coverage: float = 0.9
    ) -> tuple[tuple[Any, Values], tuple[Any, Values]]:
        """Low and high ends of new state and outputs, each as `step` gives them, without status.

        Conformal (`tvilling.sciml.learning.conformal`), for every number by itself: it holds the
        answer of the physics in a share `coverage` of steps like those of the training. Its width
        follows the spread of the ensemble.
        """
        scaled = self.scaling.inputs(inputs_of(self.physics, state, action, drive))
        mean, spread, _ = self.moments(scaled)
        centre = targets_of(self.physics, state, *self.scaling.answer(self.physics, state, mean))
        quantile = conformal_quantile(self.calibration.scores, coverage, ordered=True)
        low, high = conformal_interval(centre, quantile, spread + self.calibration.least_spread)
        return self.scaling.answer(self.physics, state, low), self.scaling.answer(
            self.physics, state, high
        )

    def moments(self, scaled: Array) -> tuple[Array, Array, Array]:
        """Mean and spread of the targets, and the mean logits, of inputs in units of the box."""
        given = self.network(scaled)
        count = self.scaling.rest.shape[0]
        rest = given[:, :count]
        mean = self.scaling.linear(scaled) + self.scaling.rest * rest.mean(axis=0)
        return mean, self.scaling.rest * spread_of(rest), given[:, count:].mean(axis=0)

    def _trust(self, scaled: Array, spread: Array) -> Float[Array, ""]:
        relative = jnp.sqrt(jnp.mean((spread / self.scaling.rest) ** 2))
        agreed = jnp.exp(jnp.minimum(1.0 - relative / self.calibration.usual_spread, 0.0))
        near = jnp.exp(-self.scaling.outside(scaled) / BOX_MARGIN)
        return jnp.nan_to_num(agreed * near, nan=0.0)


def spread_of(given: Float[Array, "member *target"]) -> Float[Array, "*target"]:
    """Standard deviation over the members; zero, with a slope of zero, where they agree."""
    variance = given.var(axis=0)
    positive = variance > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, variance, 1.0)), 0.0)
