"""Lithium in a particle of an electrode: spherical diffusion, the single-particle model.

    dc/dt = D / r² d/dr (r² dc/dr),   D dc/dr = -j(t) at r = R,   j(t) = j (1 - e^(-t/τ))

with concentration c [mol/m³], radius r [µm], diffusivity D [µm²/s] and the flux out of the
particle j [mol/m³ · µm/s, which is 1e-6 mol/(m²·s)], positive as the anode is discharged. The
current rises within τ, as a converter ramps it; a jump would leave a root of the time at the
surface. Constant D and one particle for the whole electrode: valid to about one hour-rate of
discharge (Chen et al., J. Electrochem. Soc. 167 (2020) 080534, DOI 10.1149/1945-7111/ab9050, whose
graphite of an LG M50 the numbers are).

Multiplied by r the equation is regular at the middle, and says there that dc/dr = 0.

The step response, with the roots q of tan q = q and λ = D q² / R², is (Crank, The Mathematics of
Diffusion, 2nd ed. 1975, eq. 6.45; Carslaw and Jaeger, Conduction of Heat in Solids, 2nd ed. 1959,
sect. 9.7)

    c0 - c = j R / D (3 D t / R² + r² / (2 R²) - 3 / 10
                      - 2 R / r Σ sin(q r / R) / (q² sin q) e^(-λ t))

and Duhamel's theorem gives the response to the ramp: 1 - e^(-t/τ) in place of one, its integral
in place of t, and (e^(-t/τ) - e^(-λ t)) / (λ τ - 1) in place of e^(-λ t).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import ArrayLike, Float

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.fields.field import d, exp
from tvilling.pinns.library.positive import check_positive
from tvilling.pinns.problem.conditions import Condition
from tvilling.pinns.problem.parameters import Fixed
from tvilling.pinns.problem.statement import Equation, Problem, Reference, Unknown, Values

FARADAY_C_PER_MOL = 96485.33
MODES, CHUNK = 500, 2000


@dataclass(frozen=True)
class BatteryParticle:
    """A particle that gives off lithium; the numbers are the graphite of an LG M50 at 1 C.

    Attributes
    ----------
    start_mol_per_m3
        Concentration at the start, the same everywhere.
    flux_mol_per_m2s
        Out of the particle, once the current has risen.
    rise_s
        τ, the time constant of the current.
    """

    radius_um: float = 5.86
    diffusivity_m2_per_s: float = 3.3e-14
    start_mol_per_m3: float = 29866.0
    flux_mol_per_m2s: float = 1.54e-5
    rise_s: float = 120.0
    horizon_s: float = 3300.0

    def __post_init__(self) -> None:
        names = ("radius_um", "diffusivity_m2_per_s", "start_mol_per_m3", "rise_s", "horizon_s")
        check_positive("battery particle", {name: getattr(self, name) for name in names})

    @property
    def diffusivity_um2_per_s(self) -> float:
        """D in the units of the equation."""
        return 1e12 * self.diffusivity_m2_per_s

    @property
    def flux_um(self) -> float:
        """The flux j in the units of the equation [mol/m³ · µm/s]."""
        return 1e6 * self.flux_mol_per_m2s

    def taken_mol_per_m3(self, time_s: ArrayLike) -> Float[np.ndarray, "*point"]:
        """What has left the particle, over its volume."""
        time = np.asarray(time_s, float)
        run = time + self.rise_s * np.expm1(-time / self.rise_s)
        return 3 * self.flux_um / self.radius_um * run

    def exact_mol_per_m3(
        self, r_um: ArrayLike, time_s: ArrayLike, modes: int = MODES
    ) -> Float[np.ndarray, "*point"]:
        """Concentration by the series, with `modes` terms."""
        r, time = np.broadcast_arrays(np.asarray(r_um, float), np.asarray(time_s, float))
        share, moment, roots = r.ravel() / self.radius_um, time.ravel(), roots_of_tan(modes)
        tail = np.concatenate(
            [
                self._tail(share[first : first + CHUNK], moment[first : first + CHUNK], roots)
                for first in range(0, share.size, CHUNK)
            ]
        )
        risen = -np.expm1(-moment / self.rise_s)
        shape = risen * (share**2 / 2 - 0.3) - 2 * tail
        scale = self.flux_um * self.radius_um / self.diffusivity_um2_per_s
        found = self.start_mol_per_m3 - self.taken_mol_per_m3(moment) - scale * shape
        return found.reshape(r.shape)

    def _tail(self, share: np.ndarray, time: np.ndarray, roots: np.ndarray) -> np.ndarray:
        """The sum over the modes at flat points."""
        rate = self.diffusivity_um2_per_s * roots**2 / self.radius_um**2
        ahead = rate - 1 / self.rise_s
        ahead = np.where(ahead == 0.0, 1e-12 * rate, ahead)  # the limit at equal rates
        course = np.exp(-time[:, None] / self.rise_s) * -np.expm1(-ahead * time[:, None])
        course /= ahead * self.rise_s
        form = np.sinc(np.outer(share, roots / math.pi)) / (roots * np.sin(roots))
        return np.einsum("pm,pm->p", form, course)

    def problem(self) -> Problem:
        """The equations with their conditions, and the series as their reference."""
        least = self.start_mol_per_m3 - float(self.taken_mol_per_m3(self.horizon_s))
        return Problem(
            name="battery_particle",
            domain=Box(
                (
                    Axis("r_um", "µm", 0.0, self.radius_um),
                    Axis("time_s", "s", 0.0, self.horizon_s),
                )
            ),
            unknowns=(Unknown("lithium_mol_per_m3", "mol/m³", least, self.start_mol_per_m3),),
            parameters=(
                Fixed("diffusivity_um2_per_s", "µm²/s", self.diffusivity_um2_per_s),
                Fixed("flux_um", "mol/m³·µm/s", self.flux_um),
                Fixed("rise_s", "s", self.rise_s),
            ),
            equations=(
                Equation(
                    "diffusion",
                    "mol/m³·µm/s",
                    lambda at: (
                        at.r_um * d(at.lithium_mol_per_m3, "time_s")
                        - at.diffusivity_um2_per_s
                        * (
                            at.r_um * d(at.lithium_mol_per_m3, "r_um", "r_um")
                            + 2 * d(at.lithium_mol_per_m3, "r_um")
                        )
                    ),
                ),
                Equation(
                    "surface",
                    "mol/m³·µm/s",
                    lambda at: (
                        at.diffusivity_um2_per_s * d(at.lithium_mol_per_m3, "r_um")
                        + at.flux_um * (1 - exp(-at.time_s / at.rise_s))
                    ),
                    face=("r_um", self.radius_um),
                ),
            ),
            conditions=(Condition("lithium_mol_per_m3", "time_s", 0.0, self.start_mol_per_m3),),
            reference=Reference(self._reference, 1e-9, "series, error by its further terms"),
        )

    def _reference(self, points: Mapping[str, Float[np.ndarray, "*point"]]) -> Values:
        return {"lithium_mol_per_m3": self.exact_mol_per_m3(points["r_um"], points["time_s"])}


def roots_of_tan(count: int) -> Float[np.ndarray, " root"]:
    """The first positive roots of tan q = q, by Newton's method on sin q - q cos q."""
    middle = (np.arange(1, count + 1) + 0.5) * math.pi
    roots = middle - 1 / middle
    for _ in range(6):
        roots -= (np.sin(roots) / roots - np.cos(roots)) / np.sin(roots)
    return roots


def example() -> Problem:
    """A graphite particle that is discharged at 1 C for 55 minutes."""
    return BatteryParticle().problem()
