"""Water hammer: head and flow in a pipe after its valve closes.

    dH/dt + a² / (g A) dQ/dx = 0
    dQ/dt + g A dH/dx + f Q |Q| / (2 D A) = 0

with head H [m], flow Q [m³/s], wave speed a [m/s], inner diameter D [m], area A [m²] and Darcy's
friction factor f, taken as steady. A reservoir keeps the head at x = 0; the valve at x = L closes
within `closure_s`. Valid for thin-walled pipes without cavitation, and while the speed of the
water is far below that of the wave (Wylie and Streeter, Fluid Transients in Systems, Prentice Hall
1993; Ghidaoui et al., Appl. Mech. Rev. 58 (2005) 49-76, DOI 10.1115/1.1828050).

Without friction the waves superpose: with B = a / (g A) and the change of flow at the valve G(t),

    φ(t) = -B G(t) - φ(t - 2 L / a),   H = H_0 + φ(t - (L - x) / a) - φ(t - (L + x) / a),

and a fast closure raises the head by Joukowsky's a V / g. With friction the method of
characteristics is exact but for the friction, which it integrates to second order; two
grids are extrapolated.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.fields.field import d, of
from tvilling.pinns.library.positive import check_positive
from tvilling.pinns.problem.conditions import Condition
from tvilling.pinns.problem.parameters import Fixed
from tvilling.pinns.problem.statement import Equation, Problem, Reference, Unknown, Values
from tvilling.sciml.core.errors import InputError

GRAVITY_M_PER_S2 = 9.80665
REACHES = 200  # of the coarser grid
Table = Float[np.ndarray, "time place"]


@dataclass(frozen=True)
class WaterHammer:
    """A pipe from a reservoir to a valve.

    Attributes
    ----------
    friction
        Darcy's f; 0 for none.
    horizon_s
        A whole number of thousandths of L / a, so that the grid of characteristics ends there.
    """

    length_m: float = 600.0
    inner_m: float = 0.5
    wave_m_per_s: float = 1200.0
    reservoir_m: float = 200.0
    flow_m3_per_s: float = 0.2
    friction: float = 0.018
    closure_s: float = 1.0
    horizon_s: float = 2.5

    def __post_init__(self) -> None:
        names = set(vars(self)) - {"friction"}
        check_positive("water hammer", {name: getattr(self, name) for name in sorted(names)})
        faults = []
        if not self.friction >= 0:
            faults.append(f"friction is {self.friction:g}, expected 0 or more")
        steps = self.horizon_s / self.travel_s * REACHES
        if abs(steps - round(steps)) > 1e-9 * steps:
            faults.append(f"horizon_s is {self.horizon_s:g}, expected n / {REACHES} of L / a")
        if faults:
            raise InputError("water hammer", faults)

    @property
    def area_m2(self) -> float:
        """Inner cross-section, A."""
        return math.pi * self.inner_m**2 / 4

    @property
    def travel_s(self) -> float:
        """L / a, which a wave takes through the pipe."""
        return self.length_m / self.wave_m_per_s

    @property
    def impedance_s_per_m2(self) -> float:
        """B = a / (g A), head over flow in a wave."""
        return self.wave_m_per_s / (GRAVITY_M_PER_S2 * self.area_m2)

    @property
    def joukowsky_m(self) -> float:
        """The head a V / g that a fast closure adds."""
        return self.impedance_s_per_m2 * self.flow_m3_per_s

    @property
    def slope(self) -> float:
        """Head lost to friction over length, at the start."""
        speed = self.flow_m3_per_s / self.area_m2
        return self.friction * speed**2 / (2 * GRAVITY_M_PER_S2 * self.inner_m)

    def valve_m3_per_s(self, time_s: ArrayLike) -> Array:
        """Flow through the valve; three derivatives are continuous."""
        share = jnp.clip(jnp.asarray(time_s, float) / self.closure_s, 0.0, 1.0)
        closed = share**4 * (35 - 84 * share + 70 * share**2 - 20 * share**3)
        return self.flow_m3_per_s * (1 - closed)

    def exact(self, x_m: ArrayLike, time_s: ArrayLike) -> tuple[Array, Array]:
        """Head [m] and flow [m³/s] without friction."""
        x, time = jnp.asarray(x_m, float), jnp.asarray(time_s, float)
        up = self._wave(time - (self.length_m - x) / self.wave_m_per_s)
        down = self._wave(time - (self.length_m + x) / self.wave_m_per_s)
        head = self.reservoir_m + up - down
        return head, self.flow_m3_per_s - (up + down) / self.impedance_s_per_m2

    def _wave(self, time: Array) -> Array:
        """φ, the head of the wave that leaves the valve."""
        total = jnp.zeros_like(time)
        for turn in range(math.ceil(self.horizon_s / (2 * self.travel_s)) + 1):
            change = self.valve_m3_per_s(time - 2 * turn * self.travel_s) - self.flow_m3_per_s
            total = total - (-1) ** turn * self.impedance_s_per_m2 * change
        return total

    def characteristics(self, reaches: int) -> tuple[Table, Table]:
        """Head and flow at the nodes of `reaches` reaches and the times between them.

        The friction of a step is the mean of that at its two ends, found by iteration.
        """
        step_m, impedance = self.length_m / reaches, self.impedance_s_per_m2
        drag = self.friction * step_m / (2 * GRAVITY_M_PER_S2 * self.inner_m * self.area_m2**2)
        steps = round(self.horizon_s / self.travel_s * reaches)
        valve = np.asarray(self.valve_m3_per_s(np.arange(steps + 1) * step_m / self.wave_m_per_s))
        place = np.arange(reaches + 1) * step_m
        heads, flows = np.empty((2, steps + 1, reaches + 1))
        heads[0], flows[0] = self.reservoir_m - self.slope * place, self.flow_m3_per_s
        for step in range(1, steps + 1):
            head, flow = heads[step - 1], flows[step - 1]
            loss = drag * flow * np.abs(flow)
            ahead = (head + impedance * flow - loss / 2)[:-1]  # arrives at nodes 1, 2, …
            back = (head - impedance * flow + loss / 2)[1:]  # arrives at nodes 0, 1, …
            new = flow.copy()
            for _ in range(8):
                here = drag * new * np.abs(new) / 2
                new[1:-1] = (ahead[:-1] - back[1:]) / (2 * impedance) - here[1:-1] / impedance
                new[0] = (self.reservoir_m - back[0] - here[0]) / impedance
                new[-1] = valve[step]
            here = drag * new * np.abs(new) / 2
            heads[step, 1:] = ahead - impedance * new[1:] - here[1:]
            heads[step, 0], flows[step] = self.reservoir_m, new
        return heads, flows

    def problem(self) -> Problem:
        """The equations with their conditions, and a reference."""
        rise, flow = 1.05 * self.joukowsky_m, 1.05 * self.flow_m3_per_s
        return Problem(
            name="water_hammer",
            domain=Box(
                (
                    Axis("x_m", "m", 0.0, self.length_m),
                    Axis("time_s", "s", 0.0, self.horizon_s),
                )
            ),
            unknowns=(
                Unknown("head_m", "m", self.reservoir_m - rise, self.reservoir_m + rise),
                Unknown("flow_m3_per_s", "m³/s", -flow, flow),
            ),
            parameters=(
                Fixed("elastic_per_ms", "1/(m·s)", self.wave_m_per_s * self.impedance_s_per_m2),
                Fixed("gravity_m3_per_s2", "m³/s²", GRAVITY_M_PER_S2 * self.area_m2),
                Fixed("drag_per_m3", "1/m³", self.friction / (2 * self.inner_m * self.area_m2)),
            ),
            equations=(
                Equation(
                    "continuity",
                    "m/s",
                    lambda at: (
                        d(at.head_m, "time_s") + at.elastic_per_ms * d(at.flow_m3_per_s, "x_m")
                    ),
                ),
                Equation(
                    "momentum",
                    "m³/s²",
                    lambda at: (
                        d(at.flow_m3_per_s, "time_s")
                        + at.gravity_m3_per_s2 * d(at.head_m, "x_m")
                        + at.drag_per_m3 * at.flow_m3_per_s * of(jnp.abs, at.flow_m3_per_s)
                    ),
                ),
            ),
            conditions=(
                Condition("head_m", "x_m", 0.0, self.reservoir_m),
                Condition("head_m", "time_s", 0.0, lambda at: self._resting_m(at.x_m)),
                Condition(
                    "flow_m3_per_s", "x_m", self.length_m, lambda at: self.valve_m3_per_s(at.time_s)
                ),
                Condition("flow_m3_per_s", "time_s", 0.0, self.flow_m3_per_s),
            ),
            reference=self._stated(),
        )

    def _resting_m(self, x_m: ArrayLike) -> Array:
        return self.reservoir_m - self.slope * jnp.asarray(x_m, float)

    def _stated(self) -> Reference:
        if self.friction == 0.0:
            return Reference(self._closed, 1e-14, "waves in closed form")
        return Reference(
            self._gridded, 1e-6, "method of characteristics, extrapolated; error by refinement"
        )

    def _closed(self, points: Mapping[str, Float[np.ndarray, "*point"]]) -> Values:
        head, flow = self.exact(points["x_m"], points["time_s"])
        return {"head_m": np.asarray(head), "flow_m3_per_s": np.asarray(flow)}

    def extrapolated(self, reaches: int) -> tuple[Table, Table]:
        """Head and flow of `reaches` reaches, corrected by a grid twice as fine."""
        coarse, fine = self.characteristics(reaches), self.characteristics(2 * reaches)
        head, flow = ((4 * two[::2, ::2] - one) / 3 for one, two in zip(coarse, fine, strict=True))
        return head, flow

    @cached_property
    def _tables(self) -> tuple[Table, Table]:
        return self.extrapolated(REACHES)

    def _gridded(self, points: Mapping[str, Float[np.ndarray, "*point"]]) -> Values:
        from scipy.interpolate import RectBivariateSpline

        at = np.asarray(points["time_s"]), np.asarray(points["x_m"])
        values = {}
        for name, table in zip(("head_m", "flow_m3_per_s"), self._tables, strict=True):
            axes = (
                np.linspace(0.0, span, count)
                for span, count in zip((self.horizon_s, self.length_m), table.shape, strict=True)
            )
            values[name] = RectBivariateSpline(*axes, table, kx=3, ky=3).ev(*at)
        return values


def example() -> Problem:
    """600 m of DN 500 whose valve closes within a second, over five travels of the wave."""
    return WaterHammer().problem()
