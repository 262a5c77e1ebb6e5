"""A surrogate that steps aside: below a least trust the physics answers, and the result says so."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from tvilling.sciml.core.system import Channel, System, Values
from tvilling.sciml.surrogates.model import Surrogate
from tvilling.sciml.surrogates.of_physics import OfPhysics

TRUST, BY_PHYSICS = "trust", "by_physics"


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Guarded(OfPhysics):
    """A system answered by `surrogate` where its trust is at least `least_trust`.

    Elsewhere `physics` answers. Outputs gain `trust` and `by_physics` (0 or 1). In a single run
    only one of the two is computed at each step; in a batch both are, and one is taken.

    The answer has a jump where they change over, and its gradient is that of whichever answered.
    """

    surrogate: Surrogate
    physics: Any
    least_trust: float = jax.tree.static(default=0.5)

    @property
    def outputs(self) -> tuple[Channel, ...]:
        """The outputs of the physics, how far the surrogate was trusted, and who answered."""
        return (
            *self.physics.outputs,
            Channel(TRUST, "1", 0.0, 1.0, description="How far the surrogate can be trusted"),
            Channel(BY_PHYSICS, "1", 0.0, 1.0, description="1 where the physics answered, else 0"),
        )

    def step(self, state: Any, action: Values, drive: Values, dt_s: float) -> tuple[Any, Values]:
        """State after `dt_s` [s] and outputs over them.

        Another `dt_s` than the one that was learnt is answered by the physics, with trust 0.
        """
        if dt_s != self.surrogate.dt_s:
            return _marked(self.physics.step(state, action, drive, dt_s), jnp.zeros(()), 1.0)
        learnt, trust = self.surrogate.answer(state, action, drive)

        def ask(physics: System) -> tuple[Any, Values]:
            new_state, output = physics.step(state, action, drive, dt_s)
            return _like((new_state, output), learnt)

        below = trust < self.least_trust
        answer = jax.lax.cond(below, ask, lambda _: learnt, self.physics)
        return _marked(answer, trust, below.astype(float))


def _like(answer: Any, learnt: Any) -> Any:
    """`answer` with the types of `learnt`: the branches must agree."""
    return jax.tree.map(lambda a, b: jnp.asarray(a, jnp.asarray(b).dtype), answer, learnt)


def _marked(
    answer: tuple[Any, Values], trust: Array, by_physics: Array | float
) -> tuple[Any, Values]:
    state, output = answer
    return state, output | {TRUST: trust, BY_PHYSICS: jnp.asarray(by_physics, float)}
