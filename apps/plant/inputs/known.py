"""What is known at the moment of planning: meters, weather, prices, and what units can do."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tvilling.apps.heat.case import CurveControl, HoldControl
from tvilling.apps.plant.case import ZONE, FileLoad, Outage, PlantCase, StockLoad
from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from tvilling.datasets.plausible import Judged
    from tvilling.sciml.systems.heat_plant.charges import Charges
    from tvilling.sciml.systems.heat_plant.conditions import Conditions

HOUR = np.timedelta64(1, "h")
FIRST_YEAR, LAST_YEAR = 2020, 2026  # of the charges that ship
WARM_H = 24 * 21  # of prices and meters before the first day, for lags


@dataclass(frozen=True)
class PlantInputs:
    """Records around a span of hours, with what the case says of them.

    Attributes
    ----------
    record
        `load_mw`, `outdoor_degc` and `price_dkk_per_kwh` over `time` (UTC), hour by hour; not a
        number where nothing is known. Attributes `load`, `weather` and `prices` say where from.
    own_weather
        Whether outdoor temperatures after a moment are forecasts of the user's own file.
    own_prices
        Whether prices are those of the user's own file.
    notes
        What in the records is not plausible and was left out, and what was not read, in words.
    made
        When the plan is made (UTC): no price counts as published that the market published later;
        blank: at its first hour.
    """

    record: "xr.Dataset"
    own_weather: bool
    own_prices: bool = False
    notes: tuple[str, ...] = ()
    made: np.datetime64 | None = None

    def before(self, moment: np.datetime64) -> "xr.Dataset":
        """What was known of the past at `moment`."""
        return self.record.sel(time=slice(None, moment - HOUR))

    def lately(self, moment: np.datetime64, name: str, hours: int) -> np.ndarray:
        """A variable in the `hours` before `moment`, not a number where it is not known."""
        time = moment - np.arange(hours, 0, -1) * HOUR
        values: np.ndarray = self.record[name].reindex(time=time).values
        return values

    def ahead(self, moment: np.datetime64, hours: int) -> "xr.Dataset":
        """What came, or is in the record, in the hours from `moment`; not a number beyond it."""
        time = moment + np.arange(hours) * HOUR
        return self.record.reindex(time=time)

    def published_h(self, moment: np.datetime64, hours: int) -> int:
        """Of how many of the `hours` from `moment` on the market has published prices by then."""
        from tvilling.twins.forecasting.price import known_until

        made = moment if self.made is None else min(self.made, moment)
        until = int((known_until(np.array([made]))[0] - moment) // HOUR)
        return min(max(until, 0), hours)


def gather(case: PlantCase, path: Path, first: np.datetime64, last: np.datetime64) -> PlantInputs:
    """The records from `history_days` before `first` to `last`, hours in UTC.

    Raises
    ------
    InputError
        A record is not at hand or a file is at fault.
    """
    import xarray as xr

    from tvilling.datasets.plant_record import measured_city, power_prices, stock_load

    days = np.timedelta64(case.forecast.history_days + 1, "D")
    start, stop = str(first - max(days, np.timedelta64(WARM_H, "h"))), str(last)
    load = case.load
    if isinstance(load, FileLoad):
        return _from_file(case, path, load, stop)
    if isinstance(load, StockLoad):
        meters = stock_load(start, stop, load.annual_mwh, load.seed, case.weather.source)
    else:
        meters = measured_city(load.annual_mwh)
        meters = meters.sel(time=slice(start, None))
        if not meters.sizes["time"] or meters["time"].values[0] > first:
            raise InputError(str(path), ["the load of Flensburg stands on 2020 to 2022 only"])
    begins = str(meters["time"].values[0])
    prices = power_prices(begins, stop, case.prices.seed, case.prices.source)
    record = xr.merge([meters, prices], join="outer", combine_attrs="no_conflicts")
    return PlantInputs(record, own_weather=False)


def _from_file(case: PlantCase, path: Path, load: FileLoad, stop: str) -> PlantInputs:
    """The user's file; prices from elsewhere only where it has no column for them."""
    import xarray as xr

    from tvilling.datasets.plant_record import from_file, power_prices

    file = Path(load.path)
    record = from_file(file if file.is_absolute() else path.parent / file)
    missing = [name for name in ("load_mw", "outdoor_degc") if name not in record]
    if missing:
        raise InputError(str(file), [f"column {name} is missing" for name in missing])
    notes = record.attrs.pop("notes")
    record, more = _plausible(case, record, file)
    notes = (*notes, *more)
    if "price_dkk_per_kwh" in record:
        record = record.assign_attrs(prices=record.attrs["load"])
        return PlantInputs(record, own_weather=True, own_prices=True, notes=notes)
    begins = str(record["time"].values[0])
    prices = power_prices(begins, stop, case.prices.seed, case.prices.source)
    return PlantInputs(
        xr.merge([record, prices], join="outer", combine_attrs="no_conflicts"),
        own_weather=True,
        notes=notes,
    )


def _plausible(case: PlantCase, record: "xr.Dataset", file: Path) -> tuple["xr.Dataset", list[str]]:
    """The user's record without what is not plausible, and what is told of it.

    Raises
    ------
    InputError
        With every column that is in another unit, or of which hardly a right value is left.
    """
    from tvilling.datasets.plausible import (
        judged_load,
        judged_outdoor,
        judged_price,
        load_signs,
        price_signs,
    )

    time, most_mw = record["time"].values, greatest_heat_mw(case)
    judges: dict[str, Callable[..., Judged]] = {
        "load_mw": partial(judged_load, most_mw=most_mw),
        "outdoor_degc": judged_outdoor,
        "price_dkk_per_kwh": judged_price,
    }
    faults: list[str] = []
    notes: list[str] = []
    kept = record.copy()
    for name, judge in judges.items():
        if name not in record:
            continue
        try:
            judged = judge(record[name].values, time)
        except InputError as error:
            faults += [f"{name} {fault}" for fault in error.faults]
            continue
        kept[name] = ("time", judged.values, record[name].attrs)
        notes += judged.notes
    if faults:
        raise InputError(str(file), faults)
    outdoor = kept["outdoor_degc"].values
    notes += load_signs(kept["load_mw"].values, outdoor)
    if "price_dkk_per_kwh" in kept:
        notes += price_signs(kept["price_dkk_per_kwh"].values, outdoor, time)
    return kept, notes


def greatest_heat_mw(case: PlantCase) -> float:
    """What all units and the tank can give together, over 40 K of the tank's water [MW]."""
    tank = case.plant.tank
    of_tank = 0.0 if tank is None else tank.discharge_kg_per_s * 4.19e3 * 40.0 / 1e6
    return sum(unit.heat_mw for unit in case.plant.units) + of_tank


def moment_of(case: PlantCase, scheduled: datetime | None) -> np.datetime64:
    """First hour of the plan, UTC: what the case says, else the first full hour from `scheduled`.

    Of the hour that stands twice when the clock goes back, the first is meant.
    """
    import pandas as pd

    if case.plan.moment is not None:
        return _utc(case.plan.moment).astype("datetime64[h]").astype("datetime64[ns]")
    now = pd.Timestamp(scheduled) if scheduled else pd.Timestamp.now("UTC")
    return now.tz_convert("UTC").tz_localize(None).ceil("h").to_datetime64()


def _utc(time: datetime) -> np.datetime64:
    """A time as a case has it, in UTC: with its offset, or on the Danish clock.

    Of a time that the clock shows twice it is the first, unless an offset tells; one that the clock
    leaves out counts at the moment of the change.
    """
    import pandas as pd

    stamp = pd.Timestamp(time)
    if stamp.tz is None:
        stamp = stamp.tz_localize(ZONE.key, ambiguous=True, nonexistent="shift_forward")
    return stamp.tz_convert("UTC").tz_localize(None).to_datetime64().astype("datetime64[ns]")


def touches(outage: Outage, time: np.ndarray) -> np.ndarray:
    """Whether an outage touches each of the hours that begin at `time` (UTC).

    A bound without an offset is what the Danish clock shows: of an hour that it shows twice, both.
    """
    local = to_local(time).tz_localize(None).to_numpy()

    def at(bound: datetime) -> tuple[np.ndarray, np.datetime64]:
        return (time, _utc(bound)) if bound.tzinfo else (local, np.datetime64(bound, "ns"))

    (after, start), (before, end) = at(outage.start), at(outage.end)
    touched: np.ndarray = (after + HOUR > start) & (before < end)
    return touched


def moment_made(scheduled: datetime | None) -> np.datetime64 | None:
    """When a plan for `scheduled` is made, UTC; None where nothing is said."""
    import pandas as pd

    if scheduled is None:
        return None
    return pd.Timestamp(scheduled).tz_convert("UTC").tz_localize(None).to_datetime64()


def to_local(time: np.ndarray) -> "pd.DatetimeIndex":
    """UTC stamps on the Danish clock, with zone."""
    import pandas as pd

    return pd.DatetimeIndex(time).tz_localize("UTC").tz_convert(ZONE.key)


def conditions(
    case: PlantCase, time: np.ndarray, price: np.ndarray, outdoor_degc: np.ndarray
) -> "Conditions":
    """Everything the plant meets over `time`, with charges, water temperatures and outages."""
    import pandas as pd

    from tvilling.datasets.simulated.synthetic_year import irradiance_w_per_m2
    from tvilling.sciml.systems.heat_plant.conditions import Conditions

    count = len(time)
    return Conditions(
        time=time,
        price_dkk_per_kwh=price,
        outdoor_degc=outdoor_degc,
        forward_degc=forward_degc(case.supply.forward, outdoor_degc),
        return_degc=np.full(count, case.supply.return_degc),
        charges=charges(case, time),
        irradiance_w_per_m2=irradiance_w_per_m2(pd.DatetimeIndex(time)),
        source_degc={name: np.full(count, degc) for name, degc in case.sources_degc.items()},
        available=_available(case, time),
    )


def forward_degc(control: CurveControl | HoldControl, outdoor_degc: np.ndarray) -> np.ndarray:
    """Forward temperature [°C] at an outdoor temperature."""
    if isinstance(control, HoldControl):
        return np.full(len(outdoor_degc), control.supply_degc)
    return np.interp(
        outdoor_degc,
        [control.cold_degc, control.warm_degc],
        [control.supply_cold_degc, control.supply_warm_degc],
    )


def charges(case: PlantCase, time: np.ndarray) -> "Charges":
    """The charges that ship; taxes and tariffs of `rules_of` if it is set; own fuel prices."""
    from tvilling.sciml.systems.heat_plant.charges import danish_charges

    choice = case.charges
    covered = np.where(is_covered(time), time, _in_year(time, LAST_YEAR))
    found = danish_charges(covered if choice.rules_of is None else _in_year(time, choice.rules_of))
    fuels = danish_charges(covered).fuel_dkk_per_mwh
    own = {fuel: np.full(len(time), price) for fuel, price in choice.fuel_dkk_per_mwh.items()}
    return replace(found, fuel_dkk_per_mwh={**fuels, **own})


def unverified(case: PlantCase, time: np.ndarray) -> list[str]:
    """Rates that the plant is charged by over `time` and that no source was found for."""
    from tvilling.sciml.systems.heat_plant.unverified import unverified_rates

    choice = case.charges
    covered = np.where(is_covered(time), time, _in_year(time, LAST_YEAR))
    rules = covered if choice.rules_of is None else _in_year(time, choice.rules_of)
    return unverified_rates(case.plant, rules, covered, choice.fuel_dkk_per_mwh)


def is_covered(time: np.ndarray) -> np.ndarray:
    """Whether the charges that ship have rows for each hour; beyond, those of 2026 are taken."""
    year = to_local(time).year.to_numpy()
    covered: np.ndarray = (year >= FIRST_YEAR) & (year <= LAST_YEAR)
    return covered


def _in_year(time: np.ndarray, year: int) -> np.ndarray:
    """The same hour, weekday and week of the Danish clock in another year, in UTC.

    Moved by whole weeks, into that year.
    """
    import pandas as pd

    local = to_local(time).tz_localize(None).to_numpy()
    months = local.astype("datetime64[Y]").astype(int) + 1970
    first = np.array([f"{number}-01-01" for number in months], "datetime64[D]")
    weeks = np.round((np.datetime64(f"{year}-01-01") - first).astype(float) / 7.0).astype(int)
    moved = local + (weeks * 7).astype("timedelta64[D]")
    low, high = np.datetime64(f"{year}-01-02"), np.datetime64(f"{year}-12-30")
    week = np.timedelta64(7, "D")
    moved = np.where(moved < low, moved + week, moved)
    moved = np.where(moved > high, moved - week, moved)
    first_of_two = np.ones(len(moved), bool)
    there = pd.DatetimeIndex(moved).tz_localize(
        ZONE.key, ambiguous=first_of_two, nonexistent="shift_forward"
    )
    return there.tz_convert("UTC").tz_localize(None).to_numpy()


def _available(case: PlantCase, time: np.ndarray) -> dict[str, np.ndarray]:
    """Share of each unit with outages that is left; an hour that one touches is out as a whole."""
    there: dict[str, np.ndarray] = {}
    for outage in case.outages:
        share = there.setdefault(outage.unit, np.ones(len(time)))
        out = touches(outage, time)
        share[out] = np.minimum(share[out], outage.share)
    return there
