"""One step of a transformer's temperatures from any start, for ranges of load and air.

    τ1 dθo/dt + θo = θo,∞(K, θa),  τ2 dh1/dt + h1 = h1,∞(K),  τ3 dh2/dt + h2 = h2,∞(K)

as in `transformer_hot_spot` (IEC 60076-7:2018), with load K and air temperature θa
held over the step. What the three start from, K and θa are inputs of the family, so one training
serves every step of every day. The solution is

    θ(t) = θ∞ + (θ(0) - θ∞) e^(-t/τ)

A formula this short needs no network: the family is here to show how one becomes a system, with
something exact beside it. `tvilling.pinns.library.transformer_system` makes that system.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.fields.field import d, of
from tvilling.pinns.library.positive import check_positive
from tvilling.pinns.library.transformer_hot_spot import NAMES, Transformer
from tvilling.pinns.problem.conditions import Condition
from tvilling.pinns.problem.parameters import Fixed, Ranged
from tvilling.pinns.problem.statement import Equation, Problem, Reference, Unknown, Values
from tvilling.pinns.problem.variables import Variables
from tvilling.sciml.core.errors import InputError

STARTS = tuple(f"start_{name}" for name in NAMES)


@dataclass(frozen=True)
class TransformerStep:
    """A step of `step_min` and the ranges of load [1] and air [°C] that it is solved for.

    Attributes
    ----------
    low_load, high_load
        The highest is beyond what large units may have in normal cyclic loading, 1.3, and within
        what they may have for less than half an hour, 1.5.
    low_oil_degc, high_oil_degc
        Range of the top oil at the start; that of the other two starts from none at all to what
        they settle at under the highest load.
    """

    transformer: Transformer = field(default_factory=Transformer)
    step_min: float = 15.0
    low_load: float = 0.2
    high_load: float = 1.4
    low_air_degc: float = -20.0
    high_air_degc: float = 40.0
    low_oil_degc: float = -20.0
    high_oil_degc: float = 120.0

    def __post_init__(self) -> None:
        names = ("step_min", "low_load")
        check_positive("step of a transformer", {name: getattr(self, name) for name in names})
        pairs = (
            ("low_load", "high_load"),
            ("low_air_degc", "high_air_degc"),
            ("low_oil_degc", "high_oil_degc"),
        )
        faults = [
            f"{low} is {getattr(self, low):g}, expected below {high}, {getattr(self, high):g}"
            for low, high in pairs
            if not getattr(self, low) < getattr(self, high)
        ]
        if faults:
            raise InputError("step of a transformer", faults)

    @property
    def ranges(self) -> tuple[tuple[float, float], ...]:
        """Range of each of the three temperatures at the start."""
        _, rise_k, lag_k = self.transformer.settled(self.high_load, 0.0)
        return (self.low_oil_degc, self.high_oil_degc), (0.0, rise_k), (0.0, lag_k)

    def after(self, time_min: Any, start: Any, load: Any, air_degc: Any) -> tuple[Any, ...]:
        """The three temperatures `time_min` after `start`, exact but for rounding."""
        ends = self.transformer.settled(load, air_degc)
        return tuple(
            end + (begin - end) * np.e ** (-time_min / lag)
            for end, begin, lag in zip(ends, start, self.transformer.lags_min, strict=True)
        )

    def problem(self) -> Problem:
        """The equations for all starts, loads and air temperatures, and their solution."""
        units = ("degc", "k", "k")
        shown = {"degc": "°C", "k": "K"}
        bounds = list(zip(NAMES, units, self.ranges, strict=True))
        return Problem(
            name="transformer_step",
            domain=Box((Axis("time_min", "min", 0.0, self.step_min),)),
            unknowns=tuple(Unknown(name, shown[unit], *span) for name, unit, span in bounds),
            parameters=(
                *(Ranged(f"start_{name}", shown[unit], *span) for name, unit, span in bounds),
                Ranged("load", "1", self.low_load, self.high_load),
                Ranged("air_degc", "°C", self.low_air_degc, self.high_air_degc),
                *(
                    Fixed(f"{name}_lag_min", "min", lag)
                    for name, lag in zip(NAMES, self.transformer.lags_min, strict=True)
                ),
            ),
            equations=tuple(
                Equation(f"{name}_balance", "K", self._balance(index, name))
                for index, name in enumerate(NAMES)
            ),
            conditions=tuple(Condition(name, "time_min", 0.0, _start(name)) for name in NAMES),
            reference=Reference(self._reference, 1e-14, "exponentials, exact but for rounding"),
        )

    def _balance(self, index: int, name: str) -> Any:
        def residual(at: Variables) -> Any:
            own = getattr(at, name)
            aim = of(lambda load, air: self.transformer.settled(load, air)[index], at.load,
                     at.air_degc)  # fmt: skip
            return getattr(at, f"{name}_lag_min") * d(own, "time_min") + own - aim

        return residual

    def _reference(self, points: Mapping[str, Float[np.ndarray, "*point"]]) -> Values:
        found = self.after(
            points["time_min"],
            [points[name] for name in STARTS],
            points["load"],
            points["air_degc"],
        )
        return dict(zip(NAMES, found, strict=True))


def _start(name: str) -> Any:
    return lambda at: getattr(at, f"start_{name}")


def example() -> Problem:
    """A quarter of an hour of a 250 MVA transformer."""
    return TransformerStep().problem()
