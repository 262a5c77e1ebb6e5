"""Which inputs of a plan are late: meters, weather forecast and prices of the user's own file."""

import numpy as np

from tvilling.apps.plant.case import FileLoad, PlantCase
from tvilling.apps.plant.inputs.known import HOUR, PlantInputs
from tvilling.apps.shared.late_input import LateInputError

LATE_LOAD_H = 24  # a record that is brought up to date once a day is no older
WEATHER_H = 24  # hours of forecast that a plan wants; a forecast that has not come covers fewer


def check_inputs_are_in(case: PlantCase, facts: PlantInputs, moment: np.datetime64) -> None:
    """Refuse to plan on what is not in yet.

    Only a file of the user's own can be late. Prices are announced: the market publishes them.
    A case whose `weather.ahead` is `last_observed` waits for no forecast.

    Raises
    ------
    LateInputError
        With everything that is late.
    """
    if not isinstance(case.load, FileLoad):
        return
    prices = _late_prices(case, facts, moment)
    late = [*prices, *_late_weather(case, facts, moment), *_late_load(facts, moment)]
    if late:
        raise LateInputError(case.load.path, late, announced=bool(prices))


def _late_prices(case: PlantCase, facts: PlantInputs, moment: np.datetime64) -> list[str]:
    if not facts.own_prices:
        return []
    count = facts.published_h(moment, case.plan.horizon_h)
    given = facts.ahead(moment, count)["price_dkk_per_kwh"].values
    missing = int(np.isnan(given).sum())
    return [f"{missing} of {count} published prices are missing"] if missing else []


def _late_weather(case: PlantCase, facts: PlantInputs, moment: np.datetime64) -> list[str]:
    if case.weather.ahead == "last_observed":
        return []
    hours = min(WEATHER_H, case.plan.horizon_h)
    missing = int(facts.ahead(moment, hours)["outdoor_degc"].isnull().sum())
    return [f"the weather forecast lacks {missing} of the first {hours} hours"] if missing else []


def _late_load(facts: PlantInputs, moment: np.datetime64) -> list[str]:
    known = facts.before(moment)["load_mw"].dropna("time")["time"].values
    if not known.size:
        return ["no load is known before the plan begins"]
    age_h = int((moment - known[-1]) // HOUR) - 1
    return [f"the load ends {age_h} h before the plan begins"] if age_h > LATE_LOAD_H else []
