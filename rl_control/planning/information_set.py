"""What is known of plant, prices, weather and demand at a moment, and what is only expected."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_plant.conditions import Conditions
from tvilling.sciml.systems.heat_plant.linear import LinearPlant
from tvilling.sciml.systems.heat_plant.linearisation import linearise
from tvilling.sciml.systems.heat_plant.plant import HeatPlant
from tvilling.twins.forecasting.price import WEEK_H, expected_prices, known_until

HOUR = np.timedelta64(1, "h")


@dataclass(frozen=True)
class InformationSet:
    """A period as it came, and forecasts that were made in it.

    Calling it with a step gives the outlook from there, as `run_mpc` wants it.

    Attributes
    ----------
    plant, conditions, demand_mw
        The plant, and what came.
    horizon
        Steps that a plan looks ahead; fewer at the end of the period.
    demand_ahead_mw, outdoor_ahead_degc
        Forecasts by the step they were made at, over the steps from it; where a step has none, or
        it is too short, what came stands in its place.
    price_before_dkk_per_kwh
        Prices of the hours before the period, for what is expected beyond the published ones.
    forward_degc_at
        Forward temperature at an outdoor temperature, so that a plan sees that of its forecast;
        without it that which came.
    """

    plant: HeatPlant
    conditions: Conditions
    demand_mw: Float[np.ndarray, " time"]
    horizon: int
    demand_ahead_mw: dict[int, Float[np.ndarray, " ahead"]]
    outdoor_ahead_degc: dict[int, Float[np.ndarray, " ahead"]]
    price_before_dkk_per_kwh: Float[np.ndarray, " before"]
    forward_degc_at: Callable[[np.ndarray], np.ndarray] | None = None

    def __call__(self, step: int) -> tuple[LinearPlant, Float[np.ndarray, " time"]]:
        """Plant and demand as believed at `step`, over the horizon.

        Raises
        ------
        InputError
            A price that should be published is missing.
        """
        steps = slice(step, min(step + self.horizon, len(self.conditions.time)))
        part = self.conditions.part(steps)
        outdoor = _laid_on(part.outdoor_degc, self.outdoor_ahead_degc.get(step))
        law = self.forward_degc_at
        seen = replace(
            part,
            price_dkk_per_kwh=self._price(step, steps),
            outdoor_degc=outdoor,
            forward_degc=part.forward_degc if law is None else law(outdoor),
        )
        demand = _laid_on(self.demand_mw[steps], self.demand_ahead_mw.get(step))
        return linearise(self.plant, seen), demand

    def _price(self, step: int, steps: slice) -> Float[np.ndarray, " ahead"]:
        """Published prices, and what is expected beyond."""
        time, price = self.conditions.time, self.conditions.price_dkk_per_kwh
        until = int((known_until(time[step : step + 1])[0] - time[step]) // HOUR) + step
        published = price[step : min(until, steps.stop)]
        missing = int(np.isnan(published).sum())
        if missing:
            raise InputError("prices", [f"{missing} of {len(published)} published hours missing"])
        before = np.concatenate([self.price_before_dkk_per_kwh, price[: min(until, steps.stop)]])
        start = time[step] + (until - step) * HOUR
        beyond = expected_prices(before[-WEEK_H:], max(steps.stop - until, 0), start)
        return np.concatenate([published, beyond])


def _laid_on(actual: np.ndarray, forecast: np.ndarray | None) -> np.ndarray:
    """The forecast as far as it goes, and then what came."""
    if forecast is None:
        return actual
    count = min(len(actual), len(forecast))
    return np.concatenate([forecast[:count], actual[count:]])
