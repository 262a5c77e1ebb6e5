"""Inertia and damping of a machine, found from its rotor angle after a disturbance.

    m δ'' + d δ' + B sin δ = P

as in `tvilling.pinns.library.swing_equation`, with known B, P and start. The solver is Runge and
Kutta's of fourth order in steps of a twentieth of a second, whose error is below 1e-7 rad here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.fields.field import d, sin
from tvilling.pinns.inverse.classical_solver import SolverRoute
from tvilling.pinns.library.positive import check_positive
from tvilling.pinns.library.swing_equation import OneMachine
from tvilling.pinns.network.network import NetworkSettings
from tvilling.pinns.optimisers.stages import Adam, Broyden
from tvilling.pinns.problem.conditions import Condition, Measured
from tvilling.pinns.problem.parameters import Fixed, Free
from tvilling.pinns.problem.statement import Equation, Problem, Reference, Unknown, Values
from tvilling.pinns.training.settings import TrainSettings

SHORT = TrainSettings(
    NetworkSettings(width=20, depth=1),
    points=150,
    stages=(Adam(200), Broyden(600)),
    check_every=100,
)
STEP_S = 0.05


@dataclass(frozen=True)
class SensedMachine:
    """One machine for ten seconds, its angle read every quarter of a second.

    Attributes
    ----------
    noise_rad
        Standard deviation of the readings [rad].
    seed
        Of the noise.
    """

    inertia_s2: float = 0.4
    damping_s: float = 0.15
    stiffness_pu: float = 0.2
    power_pu: float = 0.13
    start_rad: float = 0.1
    start_rad_per_s: float = 0.1
    horizon_s: float = 10.0
    noise_rad: float = 0.01
    readings: int = 40
    seed: int = 0

    def __post_init__(self) -> None:
        names = ("inertia_s2", "damping_s", "stiffness_pu", "horizon_s", "noise_rad")
        check_positive("sensed machine", {name: getattr(self, name) for name in names})

    @property
    def truth(self) -> dict[str, float]:
        """The parameters behind the readings."""
        return {"damping_s": self.damping_s, "inertia_s2": self.inertia_s2}

    @property
    def points(self) -> dict[str, Float[np.ndarray, " reading"]]:
        """When it was read."""
        return {"time_s": np.linspace(0.0, self.horizon_s, self.readings + 1)[1:]}

    def solved(self, time_s: Float[np.ndarray, " point"]) -> Float[np.ndarray, " point"]:
        """The angle behind the readings [rad], by DOP853."""
        machine = OneMachine(
            inertia_s2=self.inertia_s2,
            damping_s=self.damping_s,
            stiffness_pu=self.stiffness_pu,
            start_rad=self.start_rad,
            start_rad_per_s=self.start_rad_per_s,
            horizon_s=self.horizon_s,
        )
        return machine.solved(time_s, np.full_like(time_s, self.power_pu))

    def problem(self) -> Problem:
        """The equation with its readings; the truth is the reference."""
        exact = self.solved(self.points["time_s"])
        noise = self.noise_rad * np.random.default_rng(self.seed).standard_normal(exact.size)
        return Problem(
            name="swing_inverse",
            domain=Box((Axis("time_s", "s", 0.0, self.horizon_s),)),
            unknowns=(Unknown("angle_rad", "rad", 0.0, 1.5),),
            parameters=(
                Fixed("stiffness_pu", "1", self.stiffness_pu),
                Fixed("power_pu", "1", self.power_pu),
                Free("inertia_s2", "s²", self.inertia_s2 / 4, 4 * self.inertia_s2),
                Free("damping_s", "s", self.damping_s / 10, 10 * self.damping_s),
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
            measured=(Measured("angle_rad", self.points, exact + noise),),
            reference=Reference(self._reference, 1e-10, "DOP853, error by its tolerance"),
        )

    def route(self) -> SolverRoute:
        """The same by Runge and Kutta's method."""
        steps = round(self.horizon_s / STEP_S)
        places = np.rint(self.points["time_s"] / STEP_S).astype(int)

        def values(found: Mapping[str, Array], nuisance: Array) -> Array:
            def slope(state: Array) -> Array:
                force = found["power_pu"] - found["damping_s"] * state[1]
                force = force - found["stiffness_pu"] * jnp.sin(state[0])
                return jnp.stack([state[1], force / found["inertia_s2"]])

            start = jnp.asarray([self.start_rad, self.start_rad_per_s])
            return _angles(slope, start, steps)[places]

        return SolverRoute(self.problem(), values)

    def _reference(self, points: Mapping[str, Float[np.ndarray, "*point"]]) -> Values:
        time = np.asarray(points["time_s"])
        return {"angle_rad": self.solved(time.ravel()).reshape(time.shape)}


def _angles(slope: Callable[[Array], Array], start: Array, steps: int) -> Float[Array, " time"]:
    def advance(state: Array, _: None) -> tuple[Array, Array]:
        one = slope(state)
        two = slope(state + STEP_S / 2 * one)
        three = slope(state + STEP_S / 2 * two)
        four = slope(state + STEP_S * three)
        return state + STEP_S / 6 * (one + 2 * two + 2 * three + four), state[0]

    return jax.lax.scan(advance, start, None, steps + 1)[1]


def example() -> Problem:
    """Forty readings with noise of 0.01 rad."""
    return SensedMachine().problem()
