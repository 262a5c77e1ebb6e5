"""Rotor angles after a disturbance: the swing equation of one machine, and of several.

    m δ'' + d δ' + B sin δ = P                              against an infinite bus
    M_i δ_i'' + D_i δ_i' + P_i(δ) = P_mech,i                several machines

with rotor angle δ [rad], inertia m [s²], damping d [s], B and powers in per unit of the power base.
The numbers of the one machine are those of Misyris, Venzke and Chatzivasileiadis, IEEE PES General
Meeting 2020, DOI 10.1109/PESGM41954.2020.9282004. Classical model: constant voltage behind the
transient reactance, loads as admittances; valid over the first swings, a second or two.

    P_i = E_i² G_ii + Σ_j E_i E_j (B_ij sin(δ_i - δ_j) + G_ij cos(δ_i - δ_j))

The network is that of Anderson and Fouad, Power System Control and Stability, 2nd ed., IEEE
Press 2003, DOI 10.1109/9780470545577, example 2.7: three machines, nine buses, reduced to the
inner nodes. There the line from bus 5 to bus 7 opens, without a fault before.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.fields.field import cos, d, sin
from tvilling.pinns.library.ordinary import TOLERANCE, family_at
from tvilling.pinns.library.positive import check_positive
from tvilling.pinns.problem.conditions import Condition
from tvilling.pinns.problem.parameters import Fixed, Ranged
from tvilling.pinns.problem.statement import Equation, Problem, Reference, Unknown, Values
from tvilling.pinns.problem.variables import Variables

FREQUENCY_HZ = 60.0
ADMITTANCE_BEFORE = np.array(
    [
        [0.846 - 2.988j, 0.287 + 1.513j, 0.210 + 1.226j],
        [0.287 + 1.513j, 0.420 - 2.724j, 0.213 + 1.088j],
        [0.210 + 1.226j, 0.213 + 1.088j, 0.277 - 2.368j],
    ]
)
ADMITTANCE_AFTER = np.array(  # line 5-7 open, its charging stays
    [
        [1.181 - 2.229j, 0.138 + 0.726j, 0.191 + 1.079j],
        [0.138 + 0.726j, 0.389 - 1.953j, 0.199 + 1.229j],
        [0.191 + 1.079j, 0.199 + 1.229j, 0.273 - 2.342j],
    ]
)


@dataclass(frozen=True)
class OneMachine:
    """One machine against an infinite bus, for a range of mechanical power [per unit]."""

    inertia_s2: float = 0.4
    damping_s: float = 0.15
    stiffness_pu: float = 0.2
    low_power_pu: float = 0.08
    high_power_pu: float = 0.18
    start_rad: float = 0.1
    start_rad_per_s: float = 0.1
    horizon_s: float = 20.0

    def __post_init__(self) -> None:
        names = ("inertia_s2", "stiffness_pu", "horizon_s")
        check_positive("swing equation", {name: getattr(self, name) for name in names})

    def solved(
        self, time_s: np.ndarray, power_pu: np.ndarray, tolerance: float = TOLERANCE
    ) -> Float[np.ndarray, " point"]:
        """The angle [rad] at flat points, by DOP853."""

        def slope(time: float, states: np.ndarray, power: np.ndarray) -> np.ndarray:
            angle, speed = states
            force = power - self.damping_s * speed - self.stiffness_pu * np.sin(angle)
            return np.stack([speed, force / self.inertia_s2])

        def start(power: np.ndarray) -> np.ndarray:
            one = np.ones_like(power)
            return np.stack([self.start_rad * one, self.start_rad_per_s * one])

        return family_at(slope, start, time_s, power_pu, tolerance)[0]

    def problem(self) -> Problem:
        """The equation for a range of power, with a solver's result as its reference."""
        return Problem(
            name="swing_equation",
            domain=Box((Axis("time_s", "s", 0.0, self.horizon_s),)),
            unknowns=(Unknown("angle_rad", "rad", 0.0, 1.5),),
            parameters=(
                Ranged("power_pu", "1", self.low_power_pu, self.high_power_pu),
                Fixed("inertia_s2", "s²", self.inertia_s2),
                Fixed("damping_s", "s", self.damping_s),
                Fixed("stiffness_pu", "1", self.stiffness_pu),
            ),
            equations=(
                Equation(
                    "swing",
                    "1",
                    lambda at: (
                        at.inertia_s2 * d(at.angle_rad, "time_s", "time_s")
                        + at.damping_s * d(at.angle_rad, "time_s")
                        + at.stiffness_pu * sin(at.angle_rad)
                        - at.power_pu
                    ),
                ),
            ),
            conditions=(
                Condition("angle_rad", "time_s", 0.0, self.start_rad, slope=self.start_rad_per_s),
            ),
            reference=Reference(self._reference, 1e-10, "DOP853, error by its tolerance"),
        )

    def _reference(self, points: Mapping[str, Float[np.ndarray, "*point"]]) -> Values:
        time, power = np.asarray(points["time_s"]), np.asarray(points["power_pu"])
        return {"angle_rad": self.solved(time.ravel(), power.ravel()).reshape(time.shape)}


@dataclass(frozen=True, eq=False)
class Machines:
    """Several machines behind a reduced network; they rest until it changes at t = 0.

    Angles count from a frame that turns at rated speed.

    Attributes
    ----------
    inertia_s
        H, kinetic energy over the power base.
    voltage_pu, start_rad, mechanical_pu
        Inner voltages, their angles at the start, and mechanical power `[machine]`.
    admittance_pu
        Between the inner nodes after the change `[machine, machine]`.
    """

    inertia_s: tuple[float, ...] = (23.64, 6.40, 3.01)
    voltage_pu: tuple[float, ...] = (1.0566, 1.0502, 1.0170)
    start_rad: tuple[float, ...] = tuple(math.radians(it) for it in (2.2717, 19.7315, 13.1752))
    mechanical_pu: tuple[float, ...] = (0.716, 1.630, 0.850)
    admittance_pu: Float[np.ndarray, "machine machine"] = field(
        default_factory=lambda: ADMITTANCE_AFTER
    )
    damping_per_inertia: float = 0.2  # D_i / M_i [1/s]
    horizon_s: float = 2.0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the unknowns."""
        return tuple(f"angle_{i + 1}_rad" for i in range(len(self.inertia_s)))

    def momentum_s2(self, machine: int) -> float:
        """M_i = 2 H_i / ω, so that M_i δ_i'' is a power in per unit."""
        return 2 * self.inertia_s[machine] / (2 * math.pi * FREQUENCY_HZ)

    def electrical_pu(self, angles: Any, machine: int) -> Any:
        """Power that one machine feeds in; `angles` are numbers, arrays or fields."""
        own, total = self.voltage_pu[machine], 0.0
        for other, voltage in enumerate(self.voltage_pu):
            size = own * voltage * self.admittance_pu[machine, other]
            if other == machine:
                total = total + size.real
                continue
            turn = angles[machine] - angles[other]
            in_phase, across = _cos_sin(turn)
            total = total + size.imag * across + size.real * in_phase
        return total

    def solved(
        self, time_s: np.ndarray, tolerance: float = TOLERANCE
    ) -> Float[np.ndarray, "machine point"]:
        """The angles [rad] at times, by DOP853."""
        count = len(self.inertia_s)

        def slope(time: float, states: np.ndarray, _: np.ndarray) -> np.ndarray:
            angles, speeds = states[:count], states[count:]
            force = [
                (self.mechanical_pu[i] - self.electrical_pu(angles, i)) / self.momentum_s2(i)
                for i in range(count)
            ]
            return np.concatenate([speeds, np.stack(force) - self.damping_per_inertia * speeds])

        start = np.asarray([*self.start_rad, *[0.0] * count])[:, None]
        return family_at(slope, lambda _: start, time_s, np.zeros_like(time_s), tolerance)[:count]

    def problem(self) -> Problem:
        """The equations, with a solver's result as their reference."""
        return Problem(
            name="swing_network",
            domain=Box((Axis("time_s", "s", 0.0, self.horizon_s),)),
            unknowns=tuple(Unknown(name, "rad", -0.5, 2.5) for name in self.names),
            equations=tuple(
                Equation(f"swing_{i + 1}", "1", self._balance(i)) for i in range(len(self.names))
            ),
            conditions=tuple(
                Condition(name, "time_s", 0.0, angle, slope=0.0)
                for name, angle in zip(self.names, self.start_rad, strict=True)
            ),
            reference=Reference(self._reference, 1e-10, "DOP853, error by its tolerance"),
        )

    def _balance(self, machine: int) -> Any:
        def residual(at: Variables) -> Any:
            angles = [getattr(at, name) for name in self.names]
            own, momentum = angles[machine], self.momentum_s2(machine)
            return (
                momentum * d(own, "time_s", "time_s")
                + self.damping_per_inertia * momentum * d(own, "time_s")
                + self.electrical_pu(angles, machine)
                - self.mechanical_pu[machine]
            )

        return residual

    def _reference(self, points: Mapping[str, Float[np.ndarray, "*point"]]) -> Values:
        time = np.asarray(points["time_s"])
        found = self.solved(time.ravel())
        return {name: row.reshape(time.shape) for name, row in zip(self.names, found, strict=True)}


def _cos_sin(turn: Any) -> tuple[Any, Any]:
    if isinstance(turn, np.ndarray | float):
        return np.cos(turn), np.sin(turn)
    return cos(turn), sin(turn)


def example() -> Problem:
    """One machine, for all powers from 0.08 to 0.18, over 20 s."""
    return OneMachine().problem()


def example_network() -> Problem:
    """Three machines for two seconds after a line has opened."""
    return Machines().problem()
