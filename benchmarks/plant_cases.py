"""The plant, load and prices that the benchmarks of production plans share."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tvilling.apps.plant.case import PlantCase
    from tvilling.apps.plant.replay import Stretch
    from tvilling.sciml.systems.heat_plant.linear import LinearPlant

FIRST, LAST = "2021-01-01", "2021-12-31"


def shipped_case(name: str, *overrides: str) -> "tuple[PlantCase, Path]":
    """A case that ships, and its path."""
    import tvilling.cases
    from tvilling.apps.plant.case import PlantCase
    from tvilling.apps.shared.case_file import read_case

    path = Path(tvilling.cases.__file__).with_name(f"{name}.yaml")
    return read_case(path, overrides, PlantCase), path


def calendar_year(year: int) -> "Stretch":
    """The hours of a Danish calendar year."""
    from datetime import date

    from tvilling.apps.plant.backtest import by_year

    return by_year((date(year, 1, 1), date(year, 12, 31)))[year]


def year_of_hours() -> "tuple[LinearPlant, np.ndarray, dict[str, Any]]":
    """The plant of `plan_tomorrow` over 8760 hours of 2021, its load [MW], and what was used.

    Recorded prices, weather and the measured city load where they are at hand; else formulas.
    """
    from tvilling.apps.plant.inputs.known import conditions, gather
    from tvilling.datasets.registry import is_at_hand
    from tvilling.sciml.systems.heat_plant.linearisation import linearise

    recorded = all(is_at_hand(name) for name in ("dk_prices", "flensburg"))
    load = "load={kind: flensburg, annual_mwh: 43000}" if recorded else "load.annual_mwh=43000"
    case, path = shipped_case("plan_tomorrow", load)
    stretch = calendar_year(2021)
    facts = gather(case, path, stretch.first, stretch.stop)
    came = facts.record.reindex(time=stretch.time)
    price, outdoor = came["price_dkk_per_kwh"].values, came["outdoor_degc"].values
    plant = linearise(case.plant, conditions(case, stretch.time, price, outdoor))
    return plant, came["load_mw"].values, dict(facts.record.attrs)
