"""Top oil and hot spot of a power transformer as load and ambient vary, for a family of loads.

    k11 τo dθo/dt + θo = θa + Δθor ((1 + K² R) / (1 + R))^x       top oil
    k22 τw dh1/dt + h1 = k21 Δθhr K^y                            hot-spot rise
    τo/k22 dh2/dt + h2 = (k21 - 1) Δθhr K^y                      lag of the oil in the winding
    θh = θo + h1 - h2                                            hot spot

IEC 60076-7:2018, the differential equations with the constants of its table 4 for medium and large
transformers, ONAF. K is load over rated load, R loss ratio, times in minutes. Valid for
oil-immersed transformers with normal cyclic loading, K up to 1.5 (1.3 for large ones, and 1.5 for
them in emergencies of less than half an hour).
The load has two humps a day, times the peak, which is an input of the family.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike, Float

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.fields.field import d, of
from tvilling.pinns.library.ordinary import TOLERANCE, family_at
from tvilling.pinns.library.positive import check_positive
from tvilling.pinns.problem.conditions import Condition
from tvilling.pinns.problem.parameters import Fixed, Ranged
from tvilling.pinns.problem.statement import Equation, Problem, Reference, Unknown, Values
from tvilling.pinns.problem.variables import Variables

DAY_MIN = 1440.0
NAMES = ("top_oil_degc", "winding_rise_k", "oil_lag_k")
AGEING_DEGC, DOUBLING_K = 98.0, 6.0  # paper that is not upgraded, IEC 60076-7 eq. 2


@dataclass(frozen=True)
class Transformer:
    """Thermal constants; those of a 250 MVA ONAF unit.

    Attributes
    ----------
    loss_ratio
        R, load loss at rated current over no-load loss.
    oil_exponent, winding_exponent
        x and y.
    k11, k21, k22
        Thermal model constants.
    """

    top_oil_rise_k: float = 38.3
    gradient_k: float = 20.3
    loss_ratio: float = 8.0
    oil_exponent: float = 0.8
    winding_exponent: float = 1.3
    k11: float = 0.5
    k21: float = 2.0
    k22: float = 2.0
    oil_min: float = 150.0
    winding_min: float = 7.0

    def __post_init__(self) -> None:
        check_positive("transformer", {name: getattr(self, name) for name in vars(self)})

    def settled(self, load: Any, ambient_degc: Any) -> tuple[Any, Any, Any]:
        """What the three states tend to at load K: top oil [°C], rise and lag [K]."""
        share = (1 + load**2 * self.loss_ratio) / (1 + self.loss_ratio)
        rise = self.gradient_k * load**self.winding_exponent
        oil = ambient_degc + self.top_oil_rise_k * share**self.oil_exponent
        return oil, self.k21 * rise, (self.k21 - 1) * rise

    @property
    def lags_min(self) -> tuple[float, float, float]:
        """Time constants of the three states."""
        return self.k11 * self.oil_min, self.k22 * self.winding_min, self.oil_min / self.k22


def ageing(hot_spot_degc: ArrayLike) -> Float[np.ndarray, "*point"]:
    """Relative rate at which the paper ages, one at 98 °C and doubled every 6 K."""
    return 2.0 ** ((np.asarray(hot_spot_degc, float) - AGEING_DEGC) / DOUBLING_K)


@dataclass(frozen=True)
class LoadedTransformer:
    """A transformer in the course of a day.

    Attributes
    ----------
    low_peak, high_peak
        Range of the peak load over rated load.
    """

    transformer: Transformer = Transformer()
    low_peak: float = 0.7
    high_peak: float = 1.3
    horizon_min: float = DAY_MIN
    mean_ambient_degc: float = 20.0
    ambient_swing_k: float = 6.0

    def shape(self, time_min: Any) -> Any:
        """Load over its peak: low at night, humps in the morning and in the evening."""
        turn = 2 * math.pi * time_min / DAY_MIN
        return 0.70 - 0.20 * _cos(turn) - 0.09 * _cos(2 * turn - 0.5)

    def ambient_degc(self, time_min: Any) -> Any:
        """Air temperature, warmest at 15 h."""
        turn = 2 * math.pi * (time_min / DAY_MIN - 0.625)
        return self.mean_ambient_degc + self.ambient_swing_k * _cos(turn)

    def settled(self, time_min: Any, peak: Any) -> tuple[Any, Any, Any]:
        """What the states tend to at a time of day."""
        return self.transformer.settled(peak * self.shape(time_min), self.ambient_degc(time_min))

    def solved(
        self, time_min: np.ndarray, peak: np.ndarray, tolerance: float = TOLERANCE
    ) -> Float[np.ndarray, "state point"]:
        """The states at flat points, by DOP853 from the settled state at midnight."""
        lags = np.asarray(self.transformer.lags_min)[:, None]

        def slope(time: float, states: np.ndarray, peaks: np.ndarray) -> np.ndarray:
            return (np.stack(self.settled(float(time), peaks)) - states) / lags

        return family_at(
            slope,
            lambda peaks: np.stack(self.settled(0.0, peaks)),
            time_min,
            peak,
            tolerance,
        )

    def _reference(self, points: Mapping[str, Float[np.ndarray, "*point"]]) -> Values:
        time, peak = np.asarray(points["time_min"]), np.asarray(points["peak"])
        found = self.solved(time.ravel(), peak.ravel())
        return {name: row.reshape(time.shape) for name, row in zip(NAMES, found, strict=True)}

    def problem(self) -> Problem:
        """The equations for a range of peaks, with a solver's result as their reference."""
        warm = self.mean_ambient_degc
        rise = self.transformer.gradient_k * self.high_peak**self.transformer.winding_exponent
        return Problem(
            name="transformer_hot_spot",
            domain=Box((Axis("time_min", "min", 0.0, self.horizon_min),)),
            unknowns=(
                Unknown("top_oil_degc", "°C", warm, warm + 50.0),
                Unknown("winding_rise_k", "K", 0.0, self.transformer.k21 * rise),
                Unknown("oil_lag_k", "K", 0.0, (self.transformer.k21 - 1) * rise),
            ),
            parameters=(
                Ranged("peak", "1", self.low_peak, self.high_peak),
                *(
                    Fixed(f"{name}_lag_min", "min", lag)
                    for name, lag in zip(NAMES, self.transformer.lags_min, strict=True)
                ),
            ),
            equations=tuple(
                Equation(f"{name}_balance", "K", self._balance(index, name))
                for index, name in enumerate(NAMES)
            ),
            conditions=tuple(
                Condition(name, "time_min", 0.0, self._start(index))
                for index, name in enumerate(NAMES)
            ),
            reference=Reference(self._reference, 1e-10, "DOP853, error by its tolerance"),
        )

    def _balance(self, index: int, name: str) -> Any:
        def residual(at: Variables) -> Any:
            state = getattr(at, name)
            aim = of(lambda time, peak: self.settled(time, peak)[index], at.time_min, at.peak)
            return getattr(at, f"{name}_lag_min") * d(state, "time_min") + state - aim

        return residual

    def _start(self, index: int) -> Any:
        return lambda at: self.settled(0.0, at.peak)[index]


def _cos(turn: Any) -> Any:
    """Cosine by NumPy where that will do, which costs the solver far less time."""
    return np.cos(turn) if isinstance(turn, float | np.ndarray) else jnp.cos(turn)


def hot_spot_degc(at: Variables) -> Any:
    """The hot spot as a field, of an equation's or a solution's terms."""
    return at.top_oil_degc + at.winding_rise_k - at.oil_lag_k


def example() -> Problem:
    """A day of a 250 MVA transformer, for all peak loads from 0.7 to 1.3."""
    return LoadedTransformer().problem()
