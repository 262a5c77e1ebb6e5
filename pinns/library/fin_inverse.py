"""A cooling fin whose base temperature and tip are not known: unknowns in boundary conditions.

    θ'' = m² θ,   θ(0) = θ_b,   θ'(L) = -H θ(L),   m² = h P / (k A)

with the excess θ over the air [K], and H = h_tip / k [1/m]. Thin fin, steady. The solution is

    θ = θ_b (cosh m(L - x) + (H/m) sinh m(L - x)) / (cosh mL + (H/m) sinh mL)

(Incropera et al., Fundamentals of Heat and Mass Transfer, 6th ed., Wiley 2007, table 3.4, case A).
θ_b stands in a condition that is met exactly, H in an equation on a face.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.fields.field import d
from tvilling.pinns.inverse.classical_solver import SolverRoute
from tvilling.pinns.library.positive import check_positive
from tvilling.pinns.network.network import NetworkSettings
from tvilling.pinns.optimisers.stages import Adam, Broyden
from tvilling.pinns.problem.conditions import Condition, Measured
from tvilling.pinns.problem.parameters import Fixed, Free
from tvilling.pinns.problem.statement import Equation, Problem, Reference, Unknown, Values
from tvilling.pinns.training.settings import TrainSettings

SHORT = TrainSettings(
    NetworkSettings(width=10, depth=1),
    points=60,
    edge_points=1,
    stages=(Adam(100), Broyden(200)),
    check_every=50,
)


@dataclass(frozen=True)
class SensedFin:
    """A fin of 10 cm with readings along it.

    Attributes
    ----------
    base_k, tip_per_m
        θ_b and H, the truth behind the readings.
    fin_per_m
        m.
    noise_k
        Standard deviation of the readings [K].
    seed
        Of the noise.
    """

    base_k: float = 70.0
    tip_per_m: float = 8.0
    fin_per_m: float = 12.0
    length_m: float = 0.1
    noise_k: float = 0.3
    readings: int = 40
    seed: int = 0

    def __post_init__(self) -> None:
        names = ("base_k", "tip_per_m", "fin_per_m", "length_m", "noise_k")
        check_positive("sensed fin", {name: getattr(self, name) for name in names})

    @property
    def truth(self) -> dict[str, float]:
        """The parameters behind the readings."""
        return {"base_k": self.base_k, "tip_per_m": self.tip_per_m}

    @property
    def points(self) -> dict[str, Float[np.ndarray, " reading"]]:
        """Where it was read: evenly, not at the base."""
        return {"x_m": np.linspace(0.0, self.length_m, self.readings + 1)[1:]}

    def excess_k(self, x_m: Any, base_k: Any, tip_per_m: Any) -> Array:
        """θ [K] in closed form."""
        m, rest = self.fin_per_m, self.length_m - jnp.asarray(x_m)
        share, whole = tip_per_m / m, m * self.length_m
        above = jnp.cosh(m * rest) + share * jnp.sinh(m * rest)
        return base_k * above / (jnp.cosh(whole) + share * jnp.sinh(whole))

    def problem(self) -> Problem:
        """The equation with its readings; the truth is the reference."""
        exact = np.asarray(self.excess_k(self.points["x_m"], **self.truth))
        noise = self.noise_k * np.random.default_rng(self.seed).standard_normal(exact.size)
        return Problem(
            name="fin_inverse",
            domain=Box((Axis("x_m", "m", 0.0, self.length_m),)),
            unknowns=(Unknown("excess_k", "K", 0.0, 1.2 * self.base_k),),
            parameters=(
                Fixed("fin_per_m", "1/m", self.fin_per_m),
                Free("base_k", "K", self.base_k / 3, 3 * self.base_k),
                Free("tip_per_m", "1/m", self.tip_per_m / 10, 20 * self.tip_per_m),
            ),
            equations=(
                Equation(
                    "conduction",
                    "K/m²",
                    lambda at: d(at.excess_k, "x_m", "x_m") - at.fin_per_m**2 * at.excess_k,
                ),
                Equation(
                    "tip",
                    "K/m",
                    lambda at: d(at.excess_k, "x_m") + at.tip_per_m * at.excess_k,
                    face=("x_m", self.length_m),
                ),
            ),
            conditions=(Condition("excess_k", "x_m", 0.0, lambda at: at.base_k),),
            measured=(Measured("excess_k", self.points, exact + noise),),
            reference=Reference(self._reference, 1e-14, "closed form"),
        )

    def route(self) -> SolverRoute:
        """The same in closed form."""
        x = self.points["x_m"]

        def values(found: Mapping[str, Array], nuisance: Array) -> Array:
            return self.excess_k(x, found["base_k"], found["tip_per_m"])

        return SolverRoute(self.problem(), values)

    def _reference(self, points: Mapping[str, Float[np.ndarray, "*point"]]) -> Values:
        return {"excess_k": np.asarray(self.excess_k(points["x_m"], **self.truth))}


def example() -> Problem:
    """A fin of 10 cm with 40 readings and 0.3 K of noise."""
    return SensedFin().problem()
