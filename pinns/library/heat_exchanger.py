"""A counterflow heat exchanger that fouls: both temperatures along its length.

    C_hot dT_hot/dx = -(U A / L) (T_hot - T_cold)
    C_cold dT_cold/dx = -(U A / L) (T_hot - T_cold),   1 / U = 1 / U_clean + R

with x in the direction of the hot flow [m], capacity rates C = m' cp [W/K], area A [m²] and fouling
resistance R [m²·K/W]. The hot water enters at x = 0, the cold one at x = L. Constant properties,
no heat to the outside, no conduction along the exchanger; steady, as the exchanger settles within
minutes and fouls within weeks. Resistances: TEMA Standards, 10th ed., table RGP-T-2.4
(1.76e-4 m²·K/W for treated cooling-tower water up to 52 °C, twice that above).

With a = U A / L · (1 / C_hot - 1 / C_cold) and D the difference at x = 0 the solution is

    T_hot - T_cold = D e^(-a x),   D = (1 - ε C_min / C_cold) (T_hot,in - T_cold,in)

with the effectiveness ε of a counterflow exchanger (Incropera et al., Fundamentals of Heat and
Mass Transfer, 6th ed., table 11.3).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import ArrayLike, Float

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.fields.field import Field, d
from tvilling.pinns.library.positive import check_positive
from tvilling.pinns.problem.conditions import Condition
from tvilling.pinns.problem.parameters import Fixed, Ranged
from tvilling.pinns.problem.statement import Equation, Problem, Reference, Unknown, Values
from tvilling.pinns.problem.variables import Formula, Variables

Temperature = Float[np.ndarray, "*point"]


@dataclass(frozen=True)
class HeatExchanger:
    """A counterflow exchanger; capacity rates in kW/K, resistances in m²·K/kW.

    Attributes
    ----------
    most_fouling_m2k_per_kw
        The greatest fouling resistance of the family; the least is none.
    """

    hot_in_degc: float = 90.0
    cold_in_degc: float = 45.0
    hot_kw_per_k: float = 60.0
    cold_kw_per_k: float = 90.0
    clean_kw_per_m2k: float = 3.0
    area_m2: float = 60.0
    length_m: float = 6.0
    most_fouling_m2k_per_kw: float = 0.5

    def __post_init__(self) -> None:
        names = ("hot_kw_per_k", "cold_kw_per_k", "clean_kw_per_m2k", "area_m2", "length_m")
        figures = {name: getattr(self, name) for name in (*names, "most_fouling_m2k_per_kw")}
        figures["hot_in_degc - cold_in_degc"] = self.hot_in_degc - self.cold_in_degc
        check_positive("heat exchanger", figures)

    def conductance_kw_per_k(self, fouling_m2k_per_kw: ArrayLike) -> Temperature:
        """U A with a fouling resistance [kW/K]."""
        resistance = 1 / self.clean_kw_per_m2k + np.asarray(fouling_m2k_per_kw, float)
        return self.area_m2 / resistance

    def effectiveness(self, fouling_m2k_per_kw: ArrayLike) -> Temperature:
        """ε, the heat passed over the most that an endless exchanger would pass."""
        small, large = sorted((self.hot_kw_per_k, self.cold_kw_per_k))
        units = self.conductance_kw_per_k(fouling_m2k_per_kw) / small
        ratio = small / large
        if ratio == 1.0:
            return units / (1 + units)
        left = np.exp(-units * (1 - ratio))
        return (1 - left) / (1 - ratio * left)

    def exact_degc(self, x_m: ArrayLike, fouling_m2k_per_kw: ArrayLike) -> Values:
        """Both temperatures [°C] at points, by the effectiveness."""
        small = min(self.hot_kw_per_k, self.cold_kw_per_k)
        span_k = self.hot_in_degc - self.cold_in_degc
        passed_kw = self.effectiveness(fouling_m2k_per_kw) * small * span_k
        cold_out = self.cold_in_degc + passed_kw / self.cold_kw_per_k
        per_m = self.conductance_kw_per_k(fouling_m2k_per_kw) / self.length_m
        reached = per_m * np.asarray(x_m, float)  # U A from the hot inlet to x [kW/K]
        rate = 1 / self.hot_kw_per_k - 1 / self.cold_kw_per_k
        mean = reached if rate == 0.0 else -np.expm1(-rate * reached) / rate
        heat_kw = (self.hot_in_degc - cold_out) * mean
        return {
            "hot_degc": self.hot_in_degc - heat_kw / self.hot_kw_per_k,
            "cold_degc": cold_out - heat_kw / self.cold_kw_per_k,
        }

    def problem(self) -> Problem:
        """The equations for a range of fouling, with the closed form as their reference."""
        return Problem(
            name="heat_exchanger",
            domain=Box((Axis("x_m", "m", 0.0, self.length_m),)),
            unknowns=(
                Unknown("hot_degc", "°C", self.cold_in_degc, self.hot_in_degc),
                Unknown("cold_degc", "°C", self.cold_in_degc, self.hot_in_degc),
            ),
            parameters=(
                Ranged("fouling_m2k_per_kw", "m²·K/kW", 0.0, self.most_fouling_m2k_per_kw),
                Fixed("clean_m2k_per_kw", "m²·K/kW", 1 / self.clean_kw_per_m2k),
                Fixed("width_m", "m", self.area_m2 / self.length_m),
                Fixed("hot_kw_per_k", "kW/K", self.hot_kw_per_k),
                Fixed("cold_kw_per_k", "kW/K", self.cold_kw_per_k),
            ),
            equations=tuple(
                Equation(f"{side}_heat", "kW/m", _balance(side)) for side in ("hot", "cold")
            ),
            conditions=(
                Condition("hot_degc", "x_m", 0.0, self.hot_in_degc),
                Condition("cold_degc", "x_m", self.length_m, self.cold_in_degc),
            ),
            reference=Reference(self._reference, 1e-14, "effectiveness in closed form"),
        )

    def _reference(self, points: Mapping[str, Temperature]) -> Values:
        return self.exact_degc(points["x_m"], points["fouling_m2k_per_kw"])


def _balance(side: str) -> Formula:
    """Heat that one side gives, less what passes."""

    def residual(at: Variables) -> Field:
        capacity, degc = getattr(at, f"{side}_kw_per_k"), getattr(at, f"{side}_degc")
        resistance = at.clean_m2k_per_kw + at.fouling_m2k_per_kw
        passed: Field = at.width_m * (at.hot_degc - at.cold_degc) / resistance
        return passed + capacity * d(degc, "x_m")

    return residual


def example() -> Problem:
    """2.7 MW at most between 90 °C and 45 °C, from clean to less than half the conductance."""
    return HeatExchanger().problem()
