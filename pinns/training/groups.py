"""Terms of the loss by the points they share, and those points with what is known about them."""

from collections.abc import Mapping
from dataclasses import dataclass

import jax
from jaxtyping import Array, Float

from tvilling.pinns.fields.domain import Edge
from tvilling.pinns.fields.field import Field
from tvilling.pinns.network.ansatz import Lifts
from tvilling.pinns.problem.conditions import Measured
from tvilling.pinns.problem.statement import Equation, Problem
from tvilling.pinns.problem.variables import Variables

INSIDE = "inside"


@dataclass(frozen=True, eq=False)
class Group:
    """Terms of the loss that share points.

    Attributes
    ----------
    name
        Its key in batches.
    edge
        Where the points lie, if not in the whole domain.
    equations
        What is zero there.
    measured
        What was measured, instead of equations; its points are its own.
    """

    name: str
    edge: Edge | None = None
    equations: tuple[Equation, ...] = ()
    measured: Measured | None = None

    @property
    def names(self) -> list[str]:
        """What each term is, for messages."""
        if self.measured is not None:
            return [f"the misfit of {self.measured.unknown}"]
        return [f"the residual of {item.name}" for item in self.equations]

    def fields(self, at: Variables) -> list[Field]:
        """What is computed at the points, a field a term."""
        if self.measured is not None:
            return [getattr(at, self.measured.unknown)]
        return [item.field(at) for item in self.equations]

    def factors(self, problem: Problem, scales: Mapping[str, float]) -> list[float]:
        """Root of the weight over the scale of each term."""
        if self.measured is not None:
            return [self.measured.weight**0.5 / problem.unknown(self.measured.unknown).scale]
        return [item.weight**0.5 / scales[item.name] for item in self.equations]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Placed:
    """Points of one group with what can be known about them before training.

    Attributes
    ----------
    points
        Coordinates by name; on edges the outward normals too.
    target
        What each term shall be: zero, or what was measured [its unit].
    factor
        That makes a difference from it a residual row: root of weight over count, over scale.
    lifts
        Derivatives of lift and mask of each unknown, where nothing in training moves them.
    """

    points: dict[str, Float[Array, " point"]]
    target: Float[Array, "term point"]
    factor: Float[Array, "term point"]
    lifts: Lifts


AXES = Placed(0, 1, 1, 1)  # type: ignore[arg-type]  # of the points, for vmap and splits
PlacedByGroup = dict[str, Placed]


def groups_of(problem: Problem) -> tuple[Group, ...]:
    """The terms of the loss, those inside first."""
    edges = list(dict.fromkeys(item.face for item in problem.equations if item.face is not None))
    inside = tuple(item for item in problem.equations if item.face is None)
    found = [Group(INSIDE, None, inside)] if inside else []
    for edge in edges:
        held = tuple(item for item in problem.equations if item.face == edge)
        found.append(Group(f"edge {edge}", edge, held))
    found += [Group(f"measured {i}", measured=item) for i, item in enumerate(problem.measured)]
    return tuple(found)
