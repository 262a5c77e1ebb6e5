"""Speed and heat loss of a buried pipe, both found from four temperature sensors along it.

    dT/dt + v dT/dx = -k (T - T_ground)

Neither the temperature at the inlet nor that at the start is known but for the sensors: the course
s -> f(s) with which water entered, before the start as well, is to be found too,

    T(x, t) = T_ground + (f(t - x/v) - T_ground) e^(-k x/v),

which is the method of characteristics and exact (`tvilling.pinns.library.heating_pipe`). For the
solver f is a cubic spline, whose knots are fitted beside v and k; its error in the example is
below 0.1 K, a quarter of the noise.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.fields.field import d
from tvilling.pinns.fields.splines import cubic
from tvilling.pinns.inverse.classical_solver import SolverRoute
from tvilling.pinns.library.positive import check_positive
from tvilling.pinns.network.network import NetworkSettings
from tvilling.pinns.optimisers.stages import Adam, Broyden
from tvilling.pinns.problem.conditions import Measured
from tvilling.pinns.problem.parameters import Fixed, Free
from tvilling.pinns.problem.statement import Equation, Problem, Reference, Unknown, Values
from tvilling.pinns.training.settings import TrainSettings

MEAN_DEGC = 80.0
SWINGS = ((15.0, 3.0, 0.0), (10.0, 1.3, 1.0))  # amplitude [K], how often in the horizon, phase
SHORT = TrainSettings(
    NetworkSettings(width=20, depth=2),
    points=500,
    stages=(Adam(500), Broyden(750)),
    check_every=250,
)
KNOTS = 93  # of the spline, from the earliest entry at the least speed; about five a swing


@dataclass(frozen=True)
class SensedPipe:
    """A slow pipe in summer, whose inlet temperature swings three times in the time, and drifts.

    The truth is 0.1 m/s and an e-fold of loss in 30 000 s, about 0.32 W/(m·K) for DN 50.

    Attributes
    ----------
    noise_k
        Standard deviation of the readings [K].
    sensor_shares
        Where the sensors are, from 0 at the inlet to 1 at the outlet. If the inlet swung with one
        period only, a lower speed that makes water arrive whole periods later would fit as well.
    readings
        Of each sensor, spread evenly over the horizon.
    seed
        Of the noise.
    """

    speed_m_per_s: float = 0.1
    decay_per_s: float = 1 / 30_000
    length_m: float = 1500.0
    horizon_s: float = 15_000.0
    ground_degc: float = 10.0
    noise_k: float = 0.4
    sensor_shares: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0)
    readings: int = 50
    seed: int = 1

    def __post_init__(self) -> None:
        names = ("speed_m_per_s", "decay_per_s", "length_m", "horizon_s", "noise_k")
        check_positive("sensed pipe", {name: getattr(self, name) for name in names})

    @property
    def truth(self) -> dict[str, float]:
        """The parameters behind the readings."""
        return {"speed_m_per_s": self.speed_m_per_s, "decay_per_s": self.decay_per_s}

    @property
    def points(self) -> dict[str, Float[np.ndarray, " reading"]]:
        """Where and when it was read."""
        places = np.asarray(self.sensor_shares) * self.length_m
        times = np.linspace(0.0, self.horizon_s, self.readings)
        x, time = np.meshgrid(places, times, indexing="ij")
        return {"x_m": x.ravel(), "time_s": time.ravel()}

    def exact_degc(
        self, points: Mapping[str, Float[np.ndarray, "*point"]]
    ) -> Float[np.ndarray, "*point"]:
        """The temperature behind the readings [°C]."""
        stay = np.asarray(points["x_m"]) / self.speed_m_per_s
        turn = 2 * math.pi * (np.asarray(points["time_s"]) - stay) / self.horizon_s
        left = np.exp(-self.decay_per_s * stay)
        entered = MEAN_DEGC + sum(
            size * np.sin(count * turn + phase) for size, count, phase in SWINGS
        )
        return self.ground_degc + (entered - self.ground_degc) * left

    def measured(self, seed: int | None = None) -> Measured:
        """Readings with noise from `seed`, or that of the pipe."""
        random = np.random.default_rng(self.seed if seed is None else seed)
        exact = self.exact_degc(self.points)
        noisy = exact + self.noise_k * random.standard_normal(exact.size)
        return Measured("water_degc", self.points, noisy)

    def problem(self) -> Problem:
        """The equation with its readings; the truth is the reference."""
        speed, decay = self.speed_m_per_s, self.decay_per_s
        return Problem(
            name="heating_pipe_inverse",
            domain=Box(
                (
                    Axis("x_m", "m", 0.0, self.length_m),
                    Axis("time_s", "s", 0.0, self.horizon_s),
                )
            ),
            unknowns=(Unknown("water_degc", "°C", 30.0, 105.0),),
            parameters=(
                Fixed("ground_degc", "°C", self.ground_degc),
                Free("speed_m_per_s", "m/s", speed / 5, 20 * speed),
                Free("decay_per_s", "1/s", decay / 30, 270 * decay),
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
            measured=(self.measured(),),
            reference=Reference(self._reference, 1e-14, "characteristics, exact but for rounding"),
        )

    def route(self) -> SolverRoute:
        """The same by characteristics, the inlet's course as a spline."""
        points, problem = self.points, self.problem()
        earliest = -self.length_m / min(
            item.low for item in problem.free if item.name == "speed_m_per_s"
        )
        x, time = jnp.asarray(points["x_m"]), jnp.asarray(points["time_s"])

        def values(found: Mapping[str, Array], course: Array) -> Array:
            stay = x / found["speed_m_per_s"]
            entered = cubic(earliest, self.horizon_s, course, time - stay)
            ground = found["ground_degc"]
            return ground + (entered - ground) * jnp.exp(-found["decay_per_s"] * stay)

        start = np.full(KNOTS, MEAN_DEGC)
        return SolverRoute(problem, values, start, nuisance_sd=100.0)

    def _reference(self, points: Mapping[str, Float[np.ndarray, "*point"]]) -> Values:
        return {"water_degc": self.exact_degc(points)}


def example() -> Problem:
    """1.5 km at 0.1 m/s, four sensors with fifty readings each, and noise of 0.5 % of 80 °C."""
    return SensedPipe().problem()
