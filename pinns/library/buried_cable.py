"""A buried cable whose current varies: the conductor, and the soil around it.

    dT/dt = a / r² d²T/ds²,  s = ln(r / r_0)                      soil around the cable
    (θ - T_0) / R = -2 π λ dT/ds + C_out dT_0/dt,  at s = 0        surface of the cable
    C_in dθ/dt = I² ρ (1 + α (θ - 20)) - (θ - T_0) / R              conductor

with soil temperature T and conductor temperature θ [°C], T_0 = T(s = 0), radius r from that of the
cable r_0 [m], diffusivity a [m²/h], conductivity λ [W/(m·K)] and thermal resistance of the
insulation R [K·m/W]. Two heat capacities share the insulation's by Van Wormer's factor, as in IEC
60853-2. The soil reaches to r = 2 L, with L the depth, where it keeps its temperature: in the
steady state that is the external resistance ln(2 L / r_0) / (2 π λ) of IEC 60287-2-1 for a cable
below an isothermal surface, and within a day the heat does not come that far (√(4 a t) is 0.42 m).
One cable, no losses in the sheath or the insulation, soil that does not dry out.

Numbers: 630 mm² of copper (IEC 60228), XLPE of 3.5 K·m/W and 2.4 MJ/(m³·K), soil of 1 K·m/W and
0.5e-6 m²/s (IEC 60287-1-1, 60287-2-1, 60853-2).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike, Float

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.fields.field import d, exp, of
from tvilling.pinns.library.chebyshev import (
    Course,
    differentiation,
    interpolation,
    march,
    nodes,
)
from tvilling.pinns.library.positive import check_positive
from tvilling.pinns.problem.conditions import Condition
from tvilling.pinns.problem.parameters import Fixed
from tvilling.pinns.problem.statement import Equation, Problem, Reference, Unknown, Values

HOUR_S = 3600.0
COPPER_J_PER_M3K, INSULATION_J_PER_M3K = 3.45e6, 2.4e6  # IEC 60853-2, tables E.2, E.1
COPPER_PER_K, COPPER_AT_DEGC = 3.93e-3, 20.0  # IEC 60287-1-1, table 1
NODES, PANELS, TIMES = 40, 24, 12


@dataclass(frozen=True)
class BuriedCable:
    """One single-core cable in the ground, settled at its first current.

    Attributes
    ----------
    current_a
        In the course of time [h], written with `jax.numpy`.
    resistance_ohm_per_m
        Of the conductor at 20 °C, for alternating current.
    conductor_mm2, conductor_m, insulation_m
        Cross-section, diameter, and outer diameter of the insulation.
    """

    current_a: Callable[[ArrayLike], Any]
    horizon_h: float = 24.0
    resistance_ohm_per_m: float = 2.95e-5
    conductor_mm2: float = 630.0
    conductor_m: float = 0.030
    insulation_m: float = 0.066
    insulation_km_per_w: float = 3.5
    depth_m: float = 1.0
    soil_w_per_mk: float = 1.0
    soil_m2_per_s: float = 0.5e-6
    ground_degc: float = 15.0
    high_degc: float = 60.0

    def __post_init__(self) -> None:
        names = set(vars(self)) - {"current_a", "ground_degc"}
        figures = {name: getattr(self, name) for name in sorted(names)}
        figures["insulation_m - conductor_m"] = self.insulation_m - self.conductor_m
        check_positive("buried cable", figures)

    @property
    def radius_m(self) -> float:
        """Of the cable, r_0."""
        return self.insulation_m / 2

    @property
    def reach(self) -> float:
        """Where the soil ends, ln(2 L / r_0)."""
        return math.log(2 * self.depth_m / self.radius_m)

    @property
    def inner_km_per_w(self) -> float:
        """Thermal resistance of the insulation, R."""
        ratio = self.insulation_m / self.conductor_m
        return self.insulation_km_per_w * math.log(ratio) / (2 * math.pi)

    @property
    def capacities_wh_per_mk(self) -> tuple[float, float]:
        """C_in and C_out: the conductor's with its share of the insulation's, and the rest."""
        ratio = self.insulation_m / self.conductor_m
        share = 1 / (2 * math.log(ratio)) - 1 / (ratio**2 - 1)  # Van Wormer
        area = math.pi / 4 * (self.insulation_m**2 - self.conductor_m**2)
        insulation = INSULATION_J_PER_M3K * area / HOUR_S
        copper = COPPER_J_PER_M3K * self.conductor_mm2 * 1e-6 / HOUR_S
        return copper + share * insulation, (1 - share) * insulation

    def loss_w_per_m(self, time_h: Any, conductor_degc: Any) -> Any:
        """Joule heat of the conductor."""
        warmer = 1 + COPPER_PER_K * (conductor_degc - COPPER_AT_DEGC)
        return self.current_a(time_h) ** 2 * self.resistance_ohm_per_m * warmer

    @cached_property
    def settled(self) -> tuple[float, float]:
        """Heat [W/m] and conductor temperature [°C] that the first current settles at."""
        with jax.ensure_compile_time_eval():
            cold = float(self.loss_w_per_m(0.0, self.ground_degc))
            per_k = float(self.loss_w_per_m(0.0, self.ground_degc + 1.0)) - cold
        whole = self.inner_km_per_w + self.reach / (2 * math.pi * self.soil_w_per_mk)
        heat = cold / (1 - per_k * whole)
        return heat, self.ground_degc + heat * whole

    def start_degc(self, s: ArrayLike) -> Any:
        """Soil temperature at the start, of `s` = ln(r / r_0)."""
        slope = self.settled[0] / (2 * math.pi * self.soil_w_per_mk)
        return self.ground_degc + slope * (self.reach - s)

    def solved(self, count: int = NODES, panels: int = PANELS) -> Course:
        """Soil at all but the last of `count` Chebyshev points, then the conductor, in time."""
        s = nodes(0.0, self.reach, count)
        slope = differentiation(s)
        spread = self.soil_m2_per_s * HOUR_S / (self.radius_m * np.exp(s)) ** 2
        soil = spread[:, None] * (slope @ slope)
        inner, outer = self.capacities_wh_per_mk
        soil[0] = 2 * math.pi * self.soil_w_per_mk * slope[0] / outer
        still = np.zeros((count, count))
        still[:-1, :-1] = soil[:-1, :-1]
        pass_k = 1 / self.inner_km_per_w
        still[0, [0, -1]] += np.array([-pass_k, pass_k]) / outer
        still[-1, [0, -1]] = np.array([pass_k, -pass_k]) / inner
        held = np.append(soil[:-1, -1] * self.ground_degc, 0.0)
        last = np.eye(count)[-1]

        def matrix(time: float) -> np.ndarray:
            rise = self.loss_w_per_m(time, 1.0) - self.loss_w_per_m(time, 0.0)
            return still + np.outer(last, last) * float(rise) / inner

        def source(time: float) -> np.ndarray:
            return held + last * float(self.loss_w_per_m(time, 0.0)) / inner

        start = np.append(np.asarray(self.start_degc(s[:-1])), self.settled[1])
        return march(matrix, source, start, np.linspace(0.0, self.horizon_h, panels + 1), TIMES)

    def sampled(self, course: Course, s: np.ndarray, time_h: np.ndarray) -> Values:
        """Temperatures of a `solved` course at flat points."""
        moments, moment = np.unique(time_h, return_inverse=True)
        places, place = np.unique(s, return_inverse=True)
        states = course.at(moments)
        ground = np.full((len(moments), 1), self.ground_degc)
        grid = nodes(0.0, self.reach, states.shape[1])
        table = np.hstack([states[:, :-1], ground]) @ interpolation(grid, places).T
        return {"soil_degc": table[moment, place], "conductor_degc": states[moment, -1]}

    @cached_property
    def _course(self) -> Course:
        return self.solved()

    def _reference(self, points: Mapping[str, Float[np.ndarray, "*point"]]) -> Values:
        s, time = np.asarray(points["log_radius"]), np.asarray(points["time_h"])
        found = self.sampled(self._course, s.ravel(), time.ravel())
        return {name: values.reshape(s.shape) for name, values in found.items()}

    def problem(self) -> Problem:
        """The equations with their conditions, and a spectral solution as their reference."""
        inner, outer = self.capacities_wh_per_mk
        figures = (
            ("radius_m", "m", self.radius_m),
            ("soil_m2_per_h", "m²/h", self.soil_m2_per_s * HOUR_S),
            ("soil_w_per_mk", "W/(m·K)", self.soil_w_per_mk),
            ("inner_km_per_w", "K·m/W", self.inner_km_per_w),
            ("inner_wh_per_mk", "Wh/(m·K)", inner),
            ("outer_wh_per_mk", "Wh/(m·K)", outer),
        )
        return Problem(
            name="buried_cable",
            domain=Box(
                (
                    Axis("log_radius", "1", 0.0, self.reach),
                    Axis("time_h", "h", 0.0, self.horizon_h),
                )
            ),
            unknowns=(
                Unknown("soil_degc", "°C", self.ground_degc, 0.6 * self.high_degc),
                Unknown("conductor_degc", "°C", self.ground_degc, self.high_degc),
            ),
            parameters=tuple(Fixed(*figure) for figure in figures),
            equations=self._equations(),
            conditions=(
                Condition("soil_degc", "log_radius", self.reach, self.ground_degc),
                Condition("soil_degc", "time_h", 0.0, lambda at: self.start_degc(at.log_radius)),
                Condition("conductor_degc", "time_h", 0.0, self.settled[1]),
            ),
            reference=Reference(
                self._reference, 1e-8, "Chebyshev collocation, error by refinement"
            ),
        )

    def _equations(self) -> tuple[Equation, ...]:
        surface = ("log_radius", 0.0)
        return (
            Equation(
                "soil_heat",
                "K/h",
                lambda at: (
                    d(at.soil_degc, "time_h")
                    - at.soil_m2_per_h
                    / (at.radius_m * exp(at.log_radius)) ** 2
                    * d(at.soil_degc, "log_radius", "log_radius")
                ),
            ),
            Equation("one_conductor", "K", lambda at: d(at.conductor_degc, "log_radius")),
            Equation(
                "surface",
                "W/m",
                lambda at: (
                    (at.conductor_degc - at.soil_degc) / at.inner_km_per_w
                    + 2 * math.pi * at.soil_w_per_mk * d(at.soil_degc, "log_radius")
                    - at.outer_wh_per_mk * d(at.soil_degc, "time_h")
                ),
                face=surface,
            ),
            Equation(
                "conductor",
                "W/m",
                lambda at: (
                    at.inner_wh_per_mk * d(at.conductor_degc, "time_h")
                    + (at.conductor_degc - at.soil_degc) / at.inner_km_per_w
                    - of(self.loss_w_per_m, at.time_h, at.conductor_degc)
                ),
                face=surface,
            ),
        )


def example_cable() -> BuriedCable:
    """A 110 kV cable through a day: 600 A at midnight and 1200 A at noon."""
    return BuriedCable(
        current_a=lambda time_h: (
            600.0 + 600.0 * jnp.sin(math.pi * jnp.asarray(time_h, float) / 24.0) ** 2
        )
    )


def example() -> Problem:
    """The problem of `example_cable`."""
    return example_cable().problem()
