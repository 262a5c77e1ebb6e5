"""Water that cools in a buried pipe whose steel wall stores heat as well.

    C dT/dt + C v dT/dx + W dS/dt = -U (S - T_ground)     heat of water and wall
    W dS/dt = h P (T - S) - U (S - T_ground)              heat of the wall

with water temperature T and wall temperature S [°C], speed v [m/s], heat capacities of water
C = ρ cp A and of the wall W [J/(m·K)], exchange h P between them (h [W/(m²·K)], inner
perimeter P [m]) and loss U [W/(m·K)]. Plug flow, one temperature across the wall. The wall delays
fronts by W / C and smears them (van der Heijde et al., Energy Convers. Manag. 151 (2017) 158-169,
DOI 10.1016/j.enconman.2017.08.072). The first equation is the sum of the balances of water and
wall: it stays well scaled where water and wall are nearly as warm as each other.

An inlet that has swung for ever is solved exactly, each harmonic by itself:

    T = T_ground + Re Σ a e^(i ω t - λ x),   λ = (i ω + k (1 - g)) / v,   S likewise with g a,
    k = h P / C,   g = h P / (i ω W + h P + U)
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.fields.field import d
from tvilling.pinns.library.heating_pipe import WATER_J_PER_M3K
from tvilling.pinns.library.positive import check_positive
from tvilling.pinns.problem.conditions import Condition
from tvilling.pinns.problem.parameters import Fixed
from tvilling.pinns.problem.statement import Equation, Problem, Reference, Unknown, Values
from tvilling.pinns.problem.variables import Variables

STEEL_J_PER_M3K = 7800.0 * 450.0  # EN ISO 10456, table 3
WATER_W_PER_MK, WATER_M2_PER_S, WATER_PRANDTL = 0.67, 3.65e-7, 2.2  # at 80 °C


@dataclass(frozen=True)
class Swing:
    """One harmonic of the inlet temperature: amplitude · sin(2 π t / period)."""

    amplitude_k: float
    period_s: float


@dataclass(frozen=True)
class HeatingPipeWall:
    """A pipe with constant speed, exchange, loss and ground temperature.

    Attributes
    ----------
    mean_degc, swings
        The inlet temperature: a mean and harmonics, for ever.
    inner_m, outer_m
        Of the steel pipe; DN 50 by EN 253.
    """

    mean_degc: float = 80.0
    swings: tuple[Swing, ...] = (Swing(6.0, 1800.0), Swing(2.0, 1100.0))
    length_m: float = 200.0
    horizon_s: float = 3600.0
    speed_m_per_s: float = 0.2
    inner_m: float = 0.0545
    outer_m: float = 0.0603
    loss_w_per_mk: float = 0.3
    ground_degc: float = 8.0

    def __post_init__(self) -> None:
        names = ("length_m", "horizon_s", "speed_m_per_s", "inner_m", "loss_w_per_mk")
        figures = {name: getattr(self, name) for name in names}
        figures["outer_m - inner_m"] = self.outer_m - self.inner_m
        figures |= {f"period {i} in s": swing.period_s for i, swing in enumerate(self.swings)}
        check_positive("heating pipe with wall", figures)

    @property
    def water_j_per_mk(self) -> float:
        """Heat capacity of the water, C."""
        return WATER_J_PER_M3K * math.pi * self.inner_m**2 / 4

    @property
    def wall_j_per_mk(self) -> float:
        """Heat capacity of the steel, W."""
        return STEEL_J_PER_M3K * math.pi * (self.outer_m**2 - self.inner_m**2) / 4

    @property
    def exchange_w_per_mk(self) -> float:
        """Exchange between water and wall, h P.

        Dittus and Boelter for water that is cooled, Nu = 0.023 Re^0.8 Pr^0.3, for Re > 10 000
        (Incropera et al., Fundamentals of Heat and Mass Transfer, 6th ed., eq. 8.60).
        """
        reynolds = self.speed_m_per_s * self.inner_m / WATER_M2_PER_S
        nusselt = 0.023 * reynolds**0.8 * WATER_PRANDTL**0.3
        return nusselt * WATER_W_PER_MK * math.pi

    def exact_degc(self, x_m: ArrayLike, time_s: ArrayLike) -> tuple[Array, Array]:
        """Temperatures of water and wall [°C], each `[*point]`, exact but for rounding."""
        x, time = jnp.asarray(x_m, float), jnp.asarray(time_s, float)
        still = self._harmonic(self.mean_degc - self.ground_degc, 0.0, x)
        water, wall = (self.ground_degc + part.real + 0.0 * time for part in still)
        for swing in self.swings:
            omega = 2 * math.pi / swing.period_s
            turn = jnp.exp(1j * omega * time)
            in_water, in_wall = self._harmonic(swing.amplitude_k, omega, x)
            water, wall = water + (in_water * turn).imag, wall + (in_wall * turn).imag
        return water, wall

    def _harmonic(self, amplitude: float, omega: float, x: Array) -> tuple[Array, Array]:
        """Complex amplitudes of water and wall along the pipe [K]."""
        passed, loss = self.exchange_w_per_mk, self.loss_w_per_mk
        share = passed / (1j * omega * self.wall_j_per_mk + passed + loss)
        rate = 1j * omega + passed / self.water_j_per_mk * (1 - share)
        water = amplitude * jnp.exp(-rate / self.speed_m_per_s * x)
        return water, share * water

    def problem(self) -> Problem:
        """The equations with their conditions, and the exact solution as their reference."""
        reach = sum(swing.amplitude_k for swing in self.swings)
        low, high = self.mean_degc - reach - 2.0, self.mean_degc + reach
        return Problem(
            name="heating_pipe_wall",
            domain=Box(
                (
                    Axis("x_m", "m", 0.0, self.length_m),
                    Axis("time_s", "s", 0.0, self.horizon_s),
                )
            ),
            unknowns=(
                Unknown("water_degc", "°C", low, high),
                Unknown("wall_degc", "°C", low, high),
            ),
            parameters=(
                Fixed("speed_m_per_s", "m/s", self.speed_m_per_s),
                Fixed("water_j_per_mk", "J/(m·K)", self.water_j_per_mk),
                Fixed("wall_j_per_mk", "J/(m·K)", self.wall_j_per_mk),
                Fixed("exchange_w_per_mk", "W/(m·K)", self.exchange_w_per_mk),
                Fixed("loss_w_per_mk", "W/(m·K)", self.loss_w_per_mk),
                Fixed("ground_degc", "°C", self.ground_degc),
            ),
            equations=(
                Equation("heat", "W/m", heat_of_both),
                Equation("wall_heat", "W/m", heat_of_wall),
            ),
            conditions=(
                Condition("water_degc", "x_m", 0.0, lambda at: self.exact_degc(0.0, at.time_s)[0]),
                Condition("water_degc", "time_s", 0.0, lambda at: self.exact_degc(at.x_m, 0.0)[0]),
                Condition("wall_degc", "time_s", 0.0, lambda at: self.exact_degc(at.x_m, 0.0)[1]),
            ),
            reference=Reference(self._reference, 1e-13, "harmonics in closed form"),
        )

    def _reference(self, points: Mapping[str, Float[np.ndarray, "*point"]]) -> Values:
        water, wall = self.exact_degc(points["x_m"], points["time_s"])
        return {"water_degc": np.asarray(water), "wall_degc": np.asarray(wall)}


def heat_of_both(at: Variables) -> Any:
    """Balance of water and wall together [W/m]."""
    return (
        at.water_j_per_mk
        * (d(at.water_degc, "time_s") + at.speed_m_per_s * d(at.water_degc, "x_m"))
        + at.wall_j_per_mk * d(at.wall_degc, "time_s")
        + at.loss_w_per_mk * (at.wall_degc - at.ground_degc)
    )


def heat_of_wall(at: Variables) -> Any:
    """Balance of the wall [W/m]."""
    return (
        at.wall_j_per_mk * d(at.wall_degc, "time_s")
        - at.exchange_w_per_mk * (at.water_degc - at.wall_degc)
        + at.loss_w_per_mk * (at.wall_degc - at.ground_degc)
    )


def example() -> Problem:
    """200 m of DN 50 at 0.2 m/s, fed for an hour with 80 °C and two swings."""
    return HeatingPipeWall().problem()
