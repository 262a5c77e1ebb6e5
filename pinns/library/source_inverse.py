"""A heat source along a bar, found from the temperatures it causes.

    λ u'' + q = 0,   u(0) = u(L) = 0

with conductivity λ [W/(m·K)], temperature rise u [K] and source q(x) [W/m³], steady. q is an
unknown without an equation of its own. Two derivatives stand between q and what is read, so the
noise of readings close to each other says little about q between them, and something has to be
known beforehand: here, how steep q may be (`SMOOTH_SOURCE`, a prior that `invert` takes). Where q
is steeper than that it comes out too flat, and intervals do not hold it: this error falls more
slowly than one over the root of the number of readings, however good the optimiser.

The truth is q = a sin(πx/L) + b sin(2πx/L), with u = (L²/λπ²) (a sin(πx/L) + b/4 sin(2πx/L)).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.fields.field import d
from tvilling.pinns.library.positive import check_positive
from tvilling.pinns.network.network import NetworkSettings
from tvilling.pinns.optimisers.stages import Adam, Broyden
from tvilling.pinns.problem.conditions import Condition, Measured
from tvilling.pinns.problem.parameters import Fixed
from tvilling.pinns.problem.statement import Equation, Problem, Reference, Unknown, Values
from tvilling.pinns.training.settings import TrainSettings

SHORT = TrainSettings(
    NetworkSettings(width=12, depth=1),
    points=100,
    stages=(Adam(100), Broyden(300)),
    check_every=100,
)
SMOOTH_SOURCE = {"smoothness": 8000.0}  # of dq/dx, its size in the example [W/m⁴]


@dataclass(frozen=True)
class HeatedBar:
    """A bar of steel of 1 m.

    Attributes
    ----------
    first_w_per_m3, second_w_per_m3
        a and b, the truth behind the readings.
    noise_k
        Standard deviation of the readings [K].
    seed
        Of the noise.
    """

    first_w_per_m3: float = 2000.0
    second_w_per_m3: float = 1000.0
    conductivity_w_per_mk: float = 50.0
    length_m: float = 1.0
    noise_k: float = 0.02
    readings: int = 60
    seed: int = 0

    def __post_init__(self) -> None:
        names = ("conductivity_w_per_mk", "length_m", "noise_k")
        check_positive("heated bar", {name: getattr(self, name) for name in names})

    def exact(self, x_m: Float[np.ndarray, "*point"]) -> Values:
        """Temperature rise [K] and source [W/m³]."""
        turn = np.pi * np.asarray(x_m) / self.length_m
        one, two = self.first_w_per_m3 * np.sin(turn), self.second_w_per_m3 * np.sin(2 * turn)
        size = self.length_m**2 / (self.conductivity_w_per_mk * np.pi**2)
        return {"rise_k": size * (one + two / 4), "source_w_per_m3": one + two}

    def problem(self) -> Problem:
        """The equation with its readings; the truth is the reference."""
        x = np.linspace(0.0, self.length_m, self.readings + 2)[1:-1]
        random = np.random.default_rng(self.seed)
        noisy = self.exact(x)["rise_k"] + self.noise_k * random.standard_normal(x.size)
        return Problem(
            name="source_inverse",
            domain=Box((Axis("x_m", "m", 0.0, self.length_m),)),
            unknowns=(
                Unknown("rise_k", "K", 0.0, 5.0),
                Unknown("source_w_per_m3", "W/m³", -1000.0, 3000.0),
            ),
            parameters=(Fixed("conductivity_w_per_mk", "W/(m·K)", self.conductivity_w_per_mk),),
            equations=(
                Equation(
                    "conduction",
                    "W/m³",
                    lambda at: (
                        at.conductivity_w_per_mk * d(at.rise_k, "x_m", "x_m") + at.source_w_per_m3
                    ),
                ),
                Equation("smoothness", "W/m⁴", lambda at: d(at.source_w_per_m3, "x_m")),
            ),
            conditions=(
                Condition("rise_k", "x_m", 0.0, 0.0),
                Condition("rise_k", "x_m", self.length_m, 0.0),
            ),
            measured=(Measured("rise_k", {"x_m": x}, noisy),),
            reference=Reference(self._reference, 1e-14, "closed form"),
        )

    def _reference(self, points: Mapping[str, Float[np.ndarray, "*point"]]) -> Values:
        return self.exact(points["x_m"])


def example() -> Problem:
    """A bar of 1 m with 60 readings and 20 mK of noise."""
    return HeatedBar().problem()
