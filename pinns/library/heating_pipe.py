"""Water that cools on its way through a buried pipe: transport with heat loss.

    dT/dt + v dT/dx = -k (T - T_ground),   k = U / (ρ A cp)

with speed v [m/s], loss coefficient U [W/(m·K)], inner cross-section A [m²], and ρ cp of water
[J/(m³·K)]. Plug flow: heat conduction along the pipe and heat stored in its wall are left out
(van der Heijde et al., Energy Convers. Manag. 151 (2017) 158-169,
DOI 10.1016/j.enconman.2017.08.072). Along x = x0 + v t the equation is an ordinary one, so it is
solved exactly: water keeps e^(-k a) of its excess over the ground after the time a, since it
entered or since the start.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.fields.field import d
from tvilling.pinns.problem.conditions import Condition
from tvilling.pinns.problem.parameters import Fixed
from tvilling.pinns.problem.statement import Equation, Problem, Reference, Unknown, Values
from tvilling.sciml.core.errors import InputError

TemperatureProfile = Callable[
    [ArrayLike], Array
]  # of a temperature [°C], in time [s] or along the pipe [m]

WATER_J_PER_M3K = 4.08e6  # at 80 °C; within 2 % from 40 to 100 °C
MEAN_DEGC, SWING_K, PERIOD_S = 80.0, 8.0, 1200.0  # the inlet of the example


@dataclass(frozen=True)
class HeatingPipe:
    """A pipe with constant speed, loss and ground temperature.

    Attributes
    ----------
    inlet_degc
        Temperature at the inlet in the course of time [s], written with `jax.numpy`.
    initial_degc
        Temperature along the pipe [m] at the start. None: as if `inlet_degc` had held before the
        start as well. It must begin with the inlet's temperature; where its slope does not
        continue the inlet's course, the solution has a kink that a network follows poorly.
    low_degc, high_degc
        The range in which the temperature is expected.
    """

    inlet_degc: TemperatureProfile
    initial_degc: TemperatureProfile | None = None
    length_m: float = 1500.0
    horizon_s: float = 3600.0
    speed_m_per_s: float = 1.0
    inner_m: float = 0.0545  # DN 50
    loss_w_per_mk: float = 0.3
    ground_degc: float = 8.0
    low_degc: float = 60.0
    high_degc: float = 90.0

    def __post_init__(self) -> None:
        positive = ("length_m", "horizon_s", "speed_m_per_s", "inner_m")
        faults = [
            f"{name} is {getattr(self, name):g}, expected above 0"
            for name in positive
            if not getattr(self, name) > 0
        ]
        if not self.loss_w_per_mk >= 0:
            faults.append(f"loss_w_per_mk is {self.loss_w_per_mk:g}, expected 0 or more")
        if faults:
            raise InputError("heating pipe", faults)

    @property
    def decay_per_s(self) -> float:
        """k, the share of the excess over the ground that is lost in a second [1/s]."""
        area_m2 = math.pi * self.inner_m**2 / 4
        return self.loss_w_per_mk / (WATER_J_PER_M3K * area_m2)

    def start_degc(self, x_m: ArrayLike) -> Array:
        """Temperature along the pipe at the start [°C]."""
        if self.initial_degc is not None:
            return self.initial_degc(x_m)
        return self._cooled(self.inlet_degc(-jnp.asarray(x_m) / self.speed_m_per_s), x_m)

    def exact_degc(self, x_m: ArrayLike, time_s: ArrayLike) -> Float[Array, "*point"]:
        """The temperature [°C], exact but for rounding."""
        x, time = jnp.asarray(x_m, float), jnp.asarray(time_s, float)
        run_m = self.speed_m_per_s * time
        entered = self._cooled(self.inlet_degc(time - x / self.speed_m_per_s), x)
        inside = self._cooled(self.start_degc(jnp.maximum(x - run_m, 0.0)), run_m)
        return jnp.where(x <= run_m, entered, inside)

    def problem(self) -> Problem:
        """The equation with its conditions, and the exact solution as its reference."""
        return Problem(
            name="heating_pipe",
            domain=Box(
                (
                    Axis("x_m", "m", 0.0, self.length_m),
                    Axis("time_s", "s", 0.0, self.horizon_s),
                )
            ),
            unknowns=(Unknown("water_degc", "°C", self.low_degc, self.high_degc),),
            parameters=(
                Fixed("speed_m_per_s", "m/s", self.speed_m_per_s),
                Fixed("decay_per_s", "1/s", self.decay_per_s),
                Fixed("ground_degc", "°C", self.ground_degc),
            ),
            equations=(
                Equation(
                    "heat",
                    "K/s",
                    lambda at: (
                        d(at.water_degc, "time_s")
                        + at.speed_m_per_s * d(at.water_degc, "x_m")
                        + at.decay_per_s * (at.water_degc - at.ground_degc)
                    ),
                ),
            ),
            conditions=(
                Condition("water_degc", "x_m", 0.0, lambda at: self.inlet_degc(at.time_s)),
                Condition("water_degc", "time_s", 0.0, lambda at: self.start_degc(at.x_m)),
            ),
            reference=Reference(
                self._reference, 1e-14, "method of characteristics, exact but for rounding"
            ),
        )

    def _cooled(self, degc: ArrayLike, run_m: ArrayLike) -> Array:
        """Water of `degc` after it has gone `run_m` through the pipe [°C]."""
        left = jnp.exp(-self.decay_per_s * jnp.asarray(run_m) / self.speed_m_per_s)
        return self.ground_degc + (jnp.asarray(degc) - self.ground_degc) * left

    def _reference(self, points: Mapping[str, Float[np.ndarray, "*point"]]) -> Values:
        return {"water_degc": np.asarray(self.exact_degc(points["x_m"], points["time_s"]))}


def example_pipe() -> HeatingPipe:
    """1.5 km of DN 50 at 1 m/s, fed for an hour with 80 °C that swings by 8 K in 20 minutes."""
    return HeatingPipe(
        inlet_degc=lambda time_s: (
            MEAN_DEGC + SWING_K * jnp.sin(2 * math.pi * jnp.asarray(time_s) / PERIOD_S)
        )
    )


def example() -> Problem:
    """The problem of `example_pipe`."""
    return example_pipe().problem()
