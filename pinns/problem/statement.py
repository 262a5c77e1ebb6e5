"""A problem as it stands on paper: unknowns, domain, equations, conditions, parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from tvilling.pinns.fields.domain import Axis, Domain, Edge, Family
from tvilling.pinns.fields.field import Field, of
from tvilling.pinns.fields.symmetry import Symmetry
from tvilling.pinns.problem.conditions import Measured, Prescribed
from tvilling.pinns.problem.parameters import Fixed, Free, Parameter, Ranged
from tvilling.pinns.problem.variables import Formula, Variables
from tvilling.sciml.core.typed import lists_to_tuples

Values = dict[str, Float[np.ndarray, "*point"]]


@dataclass(frozen=True)
class Unknown:
    """A quantity to be solved for.

    Attributes
    ----------
    low, high
        The range in which it is expected [unit]; it sets the scale of the network's output and
        is no bound.
    """

    name: str
    unit: str
    low: float
    high: float

    @property
    def scale(self) -> float:
        """Half the range [unit]."""
        return (self.high - self.low) / 2

    @property
    def middle(self) -> float:
        """Middle of the range [unit]."""
        return (self.high + self.low) / 2


@dataclass(frozen=True)
class Derived:
    """A quantity that follows from others, by name in equations, solutions and references.

    Attributes
    ----------
    formula
        A function of the declared quantities as fields, such as `lambda at: d(at.psi, "y")` for a
        velocity; what is derived before it may be used.
    """

    name: str
    unit: str
    formula: Formula


@dataclass(frozen=True)
class Equation:
    """Something that is zero in the domain, or on one of its faces.

    Attributes
    ----------
    unit
        Of the residual.
    residual
        A function of the declared quantities as fields, such as
        `lambda at: d(at.u, "t") + at.speed * d(at.u, "x")`.
    scale
        Size of the residual that counts as one [unit]. None: its root mean square over untrained
        networks, which makes the loss about one at the start.
    weight
        Of the mean squared scaled residual in the loss.
    face
        Where it holds, if not in the whole domain: axis and coordinate of a face, or the name of
        an edge of a shape (a Neumann or Robin condition, for example). There the outward normal
        is at hand, as in `at.normal_x_m * d(at.u, "x_m")`.
    """

    name: str
    unit: str
    residual: Formula
    scale: float | None = None
    weight: float = 1.0
    face: Edge | None = None

    def field(self, at: Variables) -> Field:
        """The residual as a field, also where the formula gives a number."""
        return of(lambda value: value, self.residual(at))


@dataclass(frozen=True)
class Reference:
    """A solution to compare with, whose own error is stated.

    Attributes
    ----------
    function
        Takes coordinates `[*point]` by name and gives the unknowns by name.
    relative_error
        Bound of its own relative error, or an estimate where `source` says so.
    source
        Where it comes from, and how its error is known.
    """

    function: Callable[[Mapping[str, Float[np.ndarray, "*point"]]], Values]
    relative_error: float
    source: str


@dataclass(frozen=True, eq=False)
class Problem:
    """Equations with what they need; all quantities in the units of their declarations.

    Scaling to numbers about one happens inside, so nothing here is dimensionless unless it is by
    nature.

    Attributes
    ----------
    name
        A short name.
    domain
        Coordinates and their ranges.
    unknowns, equations
        What is solved for, and what holds.
    conditions
        Values on faces, met exactly.
    parameters
        Fixed, inputs of a family, or free, by name in the equations.
    measured
        Values known at points; needed where parameters are free.
    reference
        A solution to compare with.
    derived
        Quantities that follow from the unknowns.
    symmetries
        Axes about whose middle the solution is its own reflection; met exactly.

    Raises
    ------
    InputError
        On construction, with every name that is not declared, every condition outside the
        domain or against another one, and every range that is none.
    """

    name: str
    domain: Domain
    unknowns: tuple[Unknown, ...]
    equations: tuple[Equation, ...]
    conditions: tuple[Prescribed, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    measured: tuple[Measured, ...] = ()
    reference: Reference | None = None
    derived: tuple[Derived, ...] = ()
    symmetries: tuple[Symmetry, ...] = ()

    def __repr__(self) -> str:
        from tvilling.pinns.solution.notebook_repr import show_problem

        return show_problem(self)

    def __post_init__(self) -> None:
        from tvilling.pinns.problem.checks import check

        lists_to_tuples(self)
        check(self)

    @property
    def inputs(self) -> Family:
        """The domain, with the parameters of a family as further axes."""
        ranged = tuple(item.axis for item in self.parameters if isinstance(item, Ranged))
        return Family(self.domain, ranged)

    def inputs_axis(self, name: str) -> Axis:
        """The axis, or ranged parameter, of that name."""
        return next(axis for axis in self.inputs.axes if axis.name == name)

    @property
    def fixed(self) -> tuple[Fixed, ...]:
        """Known parameters."""
        return tuple(item for item in self.parameters if isinstance(item, Fixed))

    @property
    def free(self) -> tuple[Free, ...]:
        """Parameters to be found."""
        return tuple(item for item in self.parameters if isinstance(item, Free))

    @property
    def told(self) -> tuple[Unknown | Derived, ...]:
        """What a solution tells: unknowns, then what is derived from them."""
        return self.unknowns + self.derived

    def unknown(self, name: str) -> Unknown:
        """The unknown of that name."""
        return next(item for item in self.unknowns if item.name == name)

    def conditions_on(self, name: str) -> tuple[Prescribed, ...]:
        """Conditions on the unknown of that name."""
        return tuple(item for item in self.conditions if item.unknown == name)
