"""A hot-water tank that is charged from the top: its temperature over the height.

    dT/dt + w dT/dz = a d²T/dz² - k (T - T_room)

with z from the top downwards [m], speed of the water w = V' / A [m/s], effective diffusivity a
[m²/s], which counts conduction along the wall and mixing in, and loss rate k = U P / (ρ cp A)
[1/s]. The water that enters has the inlet's temperature at z = 0; at the bottom, where it
leaves, dT/dz = 0. Valid while the tank is charged and the layers are stable (Zurigat, Liche and
Ghajar, Int. J. Heat Mass Transfer 34 (1991) 115-125, who give the effective diffusivity by the
Reynolds and Richardson numbers of the inlet).

In a tank without a bottom, filled at `cold`, that is charged with `hot` from t = 0 on, the
solution is known (Ogata and Banks, USGS Professional Paper 411-A, 1961, DOI 10.3133/pp411A; with
loss: van Genuchten and Alves, USDA Technical Bulletin 1661, 1982).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erfc
from jaxtyping import Array, ArrayLike, Float

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.fields.field import d
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
from tvilling.sciml.core.errors import InputError

WATER_J_PER_M3K = 4.12e6  # at 55 °C; within 2 % from 20 to 95 °C
NODES, PANELS, TIMES = 72, 30, 10
MAX_PECLET = 500.0  # beyond, the front is too thin for these nodes and for a network


def front(
    z_m: ArrayLike, time_s: ArrayLike, speed: float, diffusivity: float, loss: float
) -> Array:
    """The share of the inlet's excess at depth `z_m` after `time_s` > 0, without a bottom.

    Ogata and Banks for `loss` = 0; units m, s, m/s, m²/s and 1/s.
    """
    z, time = jnp.asarray(z_m, float), jnp.asarray(time_s, float)
    fast = speed * math.sqrt(1 + 4 * loss * diffusivity / speed**2)
    width = 2 * jnp.sqrt(diffusivity * time)
    ahead = jnp.exp((speed - fast) * z / (2 * diffusivity)) * erfc((z - fast * time) / width)
    back = jnp.exp((speed + fast) * z / (2 * diffusivity)) * erfc((z + fast * time) / width)
    return 0.5 * (ahead + back)


@dataclass(frozen=True)
class StratifiedTank:
    """A cylinder of water, charged from the top.

    Attributes
    ----------
    inlet_degc
        In the course of time [s], written with `jax.numpy`; `hot_degc` at the start.
    cold_degc, hot_degc, charged_s
        At the start the tank, `cold_degc` before, has been charged for `charged_s` with
        `hot_degc`, so that there is a thermocline.
    """

    inlet_degc: Callable[[ArrayLike], Array]
    cold_degc: float = 40.0
    hot_degc: float = 70.0
    charged_s: float = 1800.0
    horizon_s: float = 7200.0
    height_m: float = 2.0
    width_m: float = 0.8
    flow_m3_per_s: float = 1.0e-4
    diffusivity_m2_per_s: float = 3.0e-6  # 20 times that of water at rest
    loss_w_per_m2k: float = 1.0
    room_degc: float = 20.0

    def __post_init__(self) -> None:
        size = ("height_m", "width_m", "charged_s", "horizon_s")
        names = (*size, "flow_m3_per_s", "diffusivity_m2_per_s", "loss_w_per_m2k")
        check_positive("stratified tank", {name: getattr(self, name) for name in names})
        peclet = self.speed_m_per_s * self.height_m / self.diffusivity_m2_per_s
        if peclet > MAX_PECLET:
            raise InputError(
                "stratified tank",
                [f"speed · height / diffusivity is {peclet:g}, expected at most {MAX_PECLET:g}"],
            )

    @property
    def speed_m_per_s(self) -> float:
        """w, of the water down the tank."""
        return self.flow_m3_per_s / (math.pi * self.width_m**2 / 4)

    @property
    def decay_per_s(self) -> float:
        """k, the share of the excess over the room that is lost through the mantle in a second."""
        return self.loss_w_per_m2k * 4 / self.width_m / WATER_J_PER_M3K

    def unbounded_degc(self, z_m: ArrayLike, charged_s: ArrayLike) -> Array:
        """Temperature without a bottom, after charging with `hot_degc` for `charged_s`."""
        time = jnp.asarray(charged_s, float)
        flow = self.speed_m_per_s, self.diffusivity_m2_per_s
        fed = (self.hot_degc - self.room_degc) * front(z_m, time, *flow, self.decay_per_s)
        left = (self.cold_degc - self.room_degc) * jnp.exp(-self.decay_per_s * time)
        return self.room_degc + fed + left * (1 - front(z_m, time, *flow, 0.0))

    def start_degc(self, z_m: ArrayLike) -> Array:
        """Temperature over the height at the start [°C]."""
        return self.unbounded_degc(z_m, self.charged_s)

    def solved(self, count: int = NODES, panels: int = PANELS) -> Course:
        """Temperatures at the inner ones of `count` Chebyshev points, in the course of time."""
        z = nodes(0.0, self.height_m, count)
        slope = differentiation(z)
        change = self.diffusivity_m2_per_s * slope @ slope - self.speed_m_per_s * slope
        bottom = -slope[-1] / slope[-1, -1]  # no slope there gives the last value from the others
        full = change[1:-1] + np.outer(change[1:-1, -1], bottom)
        inner = full[:, 1:-1] - self.decay_per_s * np.eye(count - 2)
        fed = full[:, 0]
        return march(
            inner,
            lambda time: fed * float(self.inlet_degc(time)) + self.decay_per_s * self.room_degc,
            np.asarray(self.start_degc(z[1:-1])),
            np.linspace(0.0, self.horizon_s, panels + 1),
            TIMES,
        )

    def sampled(self, course: Course, z_m: np.ndarray, time_s: np.ndarray) -> np.ndarray:
        """Temperatures [°C] of a `solved` course at flat points."""
        z = nodes(0.0, self.height_m, course.states.shape[2] + 2)
        last = differentiation(z)[-1]
        moments, moment = np.unique(time_s, return_inverse=True)
        top = np.asarray(jnp.asarray([self.inlet_degc(time) for time in moments]), float)[:, None]
        states = np.hstack([top, course.at(moments)])
        states = np.hstack([states, states @ (-last[:-1] / last[-1])[:, None]])
        depths, depth = np.unique(z_m, return_inverse=True)
        table = states @ interpolation(z, depths).T
        return np.asarray(table[moment, depth])

    @cached_property
    def _course(self) -> Course:
        return self.solved()

    def _reference(self, points: Mapping[str, Float[np.ndarray, "*point"]]) -> Values:
        z, time = np.asarray(points["z_m"]), np.asarray(points["time_s"])
        found = self.sampled(self._course, z.ravel(), time.ravel())
        return {"water_degc": found.reshape(z.shape)}

    def problem(self) -> Problem:
        """The equation with its conditions, and a spectral solution as its reference."""
        return Problem(
            name="stratified_tank",
            domain=Box(
                (
                    Axis("z_m", "m", 0.0, self.height_m),
                    Axis("time_s", "s", 0.0, self.horizon_s),
                )
            ),
            unknowns=(Unknown("water_degc", "°C", self.cold_degc, self.hot_degc),),
            parameters=(
                Fixed("speed_m_per_s", "m/s", self.speed_m_per_s),
                Fixed("diffusivity_m2_per_s", "m²/s", self.diffusivity_m2_per_s),
                Fixed("decay_per_s", "1/s", self.decay_per_s),
                Fixed("room_degc", "°C", self.room_degc),
            ),
            equations=(
                Equation(
                    "heat",
                    "K/s",
                    lambda at: (
                        d(at.water_degc, "time_s")
                        + at.speed_m_per_s * d(at.water_degc, "z_m")
                        - at.diffusivity_m2_per_s * d(at.water_degc, "z_m", "z_m")
                        + at.decay_per_s * (at.water_degc - at.room_degc)
                    ),
                ),
                Equation(
                    "bottom",
                    "K/m",
                    lambda at: d(at.water_degc, "z_m"),
                    face=("z_m", self.height_m),
                ),
            ),
            conditions=(
                Condition("water_degc", "z_m", 0.0, lambda at: self.inlet_degc(at.time_s)),
                Condition("water_degc", "time_s", 0.0, lambda at: self.start_degc(at.z_m)),
            ),
            reference=Reference(
                self._reference, 1e-8, "Chebyshev collocation, error by refinement"
            ),
        )


def example_tank() -> StratifiedTank:
    """1 m³, charged at 0.1 l/s for two hours with 70 °C that rise to 78 °C and fall again."""
    return StratifiedTank(
        inlet_degc=lambda time_s: (
            70.0 + 8.0 * jnp.sin(math.pi * jnp.asarray(time_s, float) / 7200.0) ** 2
        )
    )


def example() -> Problem:
    """The problem of `example_tank`."""
    return example_tank().problem()
