"""Optimisers as stages of a training: each takes steps on a batch that stays the same meanwhile."""

from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, Int

from tvilling.pinns.optimisers import broyden, gauss_newton, limited_memory, soap
from tvilling.pinns.training.least_squares import Batch, Task, Weights

ROUNDING = 1e-18  # of a loss that is about one at the start: its changes may be rounding below it


class State(Protocol):
    """Where a stage stands."""

    @property
    def x(self) -> Weights:
        """The weights."""

    @property
    def value(self) -> Float[Array, ""]:
        """The loss that the last step knows of."""

    @property
    def stuck(self) -> Bool[Array, ""]:
        """Whether no lower point was found."""

    @property
    def steps(self) -> Int[Array, ""]:
        """Steps taken in this stage."""


@runtime_checkable
class Stage(Protocol):
    """An optimiser and how many steps it may take."""

    @property
    def steps(self) -> int:
        """At most."""

    @property
    def name(self) -> str:
        """For progress."""

    def faults(self) -> list[str]:
        """What is out of range."""

    def begin(self, task: Task, theta: Weights) -> Any:
        """The state at `theta`, before any step."""

    def advance(self, task: Task, batch: Batch, state: Any, steps: int | Array) -> Any:
        """The state after `steps` more steps on `batch`; traceable by JAX."""


def _faults(stage: Any, **least: float) -> list[str]:
    return [
        f"{stage.name}: {name} is {getattr(stage, name):g}, expected at least {low:g}"
        for name, low in least.items()
        if not low <= getattr(stage, name) < float("inf")
    ]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class FirstOrder:
    """The state of an optimiser that takes a step a gradient."""

    x: Weights
    value: Float[Array, ""]
    memory: Any
    steps: Int[Array, ""]
    stuck: Bool[Array, ""]


@dataclass(frozen=True)
class _FirstOrderStage:
    """Steps of an optax transformation, its rate falling along a cosine to a tenth."""

    steps: int
    learning_rate: float = 5e-3

    def faults(self) -> list[str]:
        """What is out of range."""
        return _faults(self, steps=1, learning_rate=0.0)

    @property
    def name(self) -> str:
        """For progress."""
        return type(self).__name__

    def transformation(self) -> optax.GradientTransformation:
        """The optimiser."""
        raise NotImplementedError

    def _rate(self) -> optax.Schedule:
        return optax.cosine_decay_schedule(self.learning_rate, self.steps, alpha=0.1)

    def begin(self, task: Task, theta: Weights) -> FirstOrder:
        """The state at `theta`, before any step."""
        memory = self.transformation().init(task.shaped(theta))
        zero = jnp.zeros(())
        return FirstOrder(theta, zero, memory, jnp.asarray(0), jnp.asarray(False))

    def advance(
        self, task: Task, batch: Batch, state: FirstOrder, steps: int | Array
    ) -> FirstOrder:
        """The state after `steps` more steps on `batch`."""
        optimiser = self.transformation()

        def one(_: Array, now: FirstOrder) -> FirstOrder:
            value, slope = task.value_and_slope(now.x, batch)
            moves, memory = optimiser.update(task.shaped(slope), now.memory)
            move = ravel_pytree(moves)[0]
            return replace(now, x=now.x + move, value=value, memory=memory, steps=now.steps + 1)

        return jax.lax.fori_loop(0, steps, one, state)


@dataclass(frozen=True)
class Adam(_FirstOrderStage):
    """Adam: Kingma and Ba, ICLR 2015."""

    def transformation(self) -> optax.GradientTransformation:
        """The optimiser."""
        return optax.adam(self._rate())


@dataclass(frozen=True)
class Soap(_FirstOrderStage):
    """SOAP on the flat weights: see `tvilling.pinns.optimisers.soap`."""

    def transformation(self) -> optax.GradientTransformation:
        """The optimiser."""
        return soap.soap(self._rate())


@dataclass(frozen=True)
class Broyden:
    """A quasi-Newton method with a dense inverse Hessian, or a limited memory by size.

    Attributes
    ----------
    steps
        At most.
    rule
        `broyden` (self-scaled, the usual choice), `scaled bfgs` or `bfgs`.
    most_dense
        More weights than this are left to limited-memory BFGS.
    pairs
        Steps that it keeps.
    """

    steps: int
    rule: str = "broyden"
    most_dense: int = 4000
    pairs: int = 50

    @property
    def name(self) -> str:
        """For progress."""
        return "Broyden" if self.rule == "broyden" else self.rule

    def faults(self) -> list[str]:
        """What is out of range."""
        known = [] if self.rule in broyden.RULES else [
            f"rule is {self.rule!r}, expected one of {', '.join(broyden.RULES)}"
        ]  # fmt: skip
        return known + _faults(self, steps=1, pairs=1)

    def begin(self, task: Task, theta: Weights) -> Any:
        """The state at `theta`, before any step."""
        if theta.size > self.most_dense:
            return limited_memory.unbegun(theta, self.pairs)
        return broyden.unbegun(theta)

    def advance(self, task: Task, batch: Batch, state: Any, steps: int | Array) -> Any:
        """The state after `steps` more steps on `batch`."""

        def slope(theta: Weights) -> tuple[Array, Weights]:
            return task.value_and_slope(theta, batch)

        if state.x.size > self.most_dense:
            return limited_memory.descend(slope, state, steps, self.pairs, ROUNDING)
        return broyden.descend(
            slope, broyden.moved_to(state), steps, rule=self.rule, rounding=ROUNDING
        )


@dataclass(frozen=True)
class GaussNewton:
    """Levenberg and Marquardt's method: see `tvilling.pinns.optimisers.gauss_newton`."""

    steps: int

    @property
    def name(self) -> str:
        """For progress."""
        return "Gauss-Newton"

    def faults(self) -> list[str]:
        """What is out of range."""
        return _faults(self, steps=1)

    def begin(self, task: Task, theta: Weights) -> gauss_newton.Damped:
        """The state at `theta`, before any step."""
        return gauss_newton.unbegun(theta)

    def advance(
        self, task: Task, batch: Batch, state: gauss_newton.Damped, steps: int | Array
    ) -> gauss_newton.Damped:
        """The state after `steps` more steps on `batch`."""
        return gauss_newton.descend(
            lambda theta: task.rows(theta, batch),
            lambda theta: task.jacobian_of(theta, batch),
            state,
            steps,
        )
