"""The hours ahead as a plan believes them: load with its interval, weather, prices."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tvilling.apps.plant.case import PlantCase
from tvilling.apps.plant.inputs.known import HOUR, LAST_YEAR, PlantInputs, is_covered
from tvilling.apps.plant.inputs.unused import unused
from tvilling.datasets.prices import SYNTHETIC
from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

    from tvilling.twins.forecasting.load.settings import Weather

QUANTILES = (0.05, 0.5, 0.95)
MAX_MISSING = 0.25  # of the published prices; beyond that a plan on them is none


@dataclass(frozen=True)
class ForecastInputs:
    """What is believed of the hours from `time[0]` on.

    Attributes
    ----------
    time
        Start of each hour, UTC.
    load_mw, load_low_mw, load_high_mw
        Forecast, and the ends of its 90 % interval [MW].
    outdoor_degc
        As it is forecast [°C].
    price_dkk_per_kwh, published
        Prices, and which of them are known: published by the market, or given by the user's own
        file; the others are expected.
    model, weather_is
        What made the load forecast, and what it knew of the weather, in words.
    notes
        Everything that was missing or held, in words.
    no_prices
        Why the prices do not carry a plan; empty where they do.
    """

    time: np.ndarray
    load_mw: np.ndarray
    load_low_mw: np.ndarray
    load_high_mw: np.ndarray
    outdoor_degc: np.ndarray
    price_dkk_per_kwh: np.ndarray
    published: np.ndarray
    model: str
    weather_is: str
    notes: tuple[str, ...] = field(default=())
    no_prices: str = ""


def look_ahead(
    case: PlantCase,
    facts: PlantInputs,
    moment: np.datetime64,
    tell: Callable[[str], None] = lambda stage: None,
) -> ForecastInputs:
    """The outlook of `case` at `moment`.

    Raises
    ------
    InputError
        The meters do not carry a forecast.
    """
    hours = case.plan.horizon_h
    time = moment + np.arange(hours) * HOUR
    price, published, price_notes, no_prices = prices_ahead(case, facts, moment)
    if facts.own_weather and facts.record.attrs["prices"] == SYNTHETIC:
        price_notes.append("prices are synthetic: the meters have none, and no record is at hand")
    if case.charges.rules_of is None and not is_covered(time).all():
        price_notes.append(
            f"taxes, tariffs and fuel prices of {LAST_YEAR} are taken, the last known"
        )
    price_notes += _not_read(case, facts, moment)
    tell("forecasting the load")
    told = forecast_load(case, facts, moment)
    outdoor, weather_notes = _outdoor(case, facts, moment, hours)
    quantile = told["load_quantile_mw"]
    notes = [note for note in told.attrs["notes"].split("; ") if note]
    if told.attrs["missing_h"]:
        notes.append(f"{told.attrs['missing_h']} hours of load are missing in the history")
    return ForecastInputs(
        time=time,
        load_mw=told["load_mw"].values,
        load_low_mw=quantile.sel(quantile=QUANTILES[0]).values,
        load_high_mw=quantile.sel(quantile=QUANTILES[-1]).values,
        outdoor_degc=outdoor,
        price_dkk_per_kwh=price,
        published=published,
        model=told.attrs["model"],
        weather_is=told.attrs["weather_is"],
        notes=tuple(dict.fromkeys([*facts.notes, *notes, *weather_notes, *price_notes])),
        no_prices=no_prices,
    )


def _not_read(case: PlantCase, facts: PlantInputs, moment: np.datetime64) -> list[str]:
    """What stands in the case and its file, and a plan made at `moment` does not look at."""
    lines = unused(case, facts)
    hours = int(facts.record["load_mw"].sel(time=slice(moment, None)).notnull().sum())
    if hours and facts.own_weather:
        lines.append(f"{hours} loads of the file are later than the plan begins and not read")
    asked = case.plan.moment
    if asked is not None and (asked.minute or asked.second):
        lines.append(f"plan.moment is {asked:%H:%M}: the plan begins with the hour it lies in")
    return lines


def forecast_load(case: PlantCase, facts: PlantInputs, moment: np.datetime64) -> "xr.Dataset":
    """Load over the horizon with quantiles, learnt from what was known before `moment`."""
    from tvilling.twins.forecasting.load import ForecastSettings, fit

    hours = case.plan.horizon_h
    history = facts.before(moment)[["load_mw", "outdoor_degc"]]
    first = moment - np.timedelta64(case.forecast.history_days, "D")
    history = history.sel(time=slice(first, None))
    kind = weather_kind(case, facts, moment)
    settings = ForecastSettings(
        hours=hours,
        model=case.forecast.model,
        weather=kind,
        quantiles=QUANTILES,
        country=case.forecast.country,
        weather_names=("outdoor_degc",),
    )
    model = fit(history, settings)
    ahead = None
    if kind != "last_observed":
        degc, _ = _outdoor(case, facts, moment, hours)
        time = moment + np.arange(hours) * HOUR
        import xarray as xr

        ahead = xr.Dataset({"outdoor_degc": ("time", degc)}, {"time": time})
    return model.forecast(history, ahead, hours, start=moment)


def weather_kind(case: PlantCase, facts: PlantInputs, moment: np.datetime64) -> "Weather":
    """Kind of weather that a model learns with."""
    if facts.own_weather:
        there = facts.ahead(moment, 24)["outdoor_degc"].notnull().any()
        return "forecast" if bool(there) else "last_observed"
    return case.weather.ahead


def _outdoor(
    case: PlantCase, facts: PlantInputs, moment: np.datetime64, hours: int
) -> tuple[np.ndarray, list[str]]:
    """Outdoor temperature as it is known ahead, and what had to be held."""
    from tvilling.twins.forecasting.load.weather import forecast_error_k

    past = facts.before(moment)["outdoor_degc"].dropna("time")
    if not past.sizes["time"]:
        raise InputError("weather", ["no outdoor temperature is known before the plan begins"])
    last = float(past.values[-1])
    kind = weather_kind(case, facts, moment)
    if kind == "last_observed":
        age_h = int((moment - past["time"].values[-1]) // HOUR)
        when = f", {age_h} h before" if age_h > 1 else ""
        return np.full(hours, last), [f"weather ahead is not known and held as last observed{when}"]
    came = facts.ahead(moment, hours)["outdoor_degc"].values
    if kind == "forecast" and not facts.own_weather:
        came = came + forecast_error_k(np.array([moment]), hours, 0)[0]
    missing = int(np.isnan(came).sum())
    if not missing:
        return came, []
    known = np.flatnonzero(np.isfinite(came))
    held = np.interp(np.arange(hours), known, came[known]) if known.size else np.full(hours, last)
    return held, [f"weather ahead is missing in {missing} hours and interpolated or held"]


def prices_ahead(
    case: PlantCase, facts: PlantInputs, moment: np.datetime64
) -> tuple[np.ndarray, np.ndarray, list[str], str]:
    """Prices over the horizon, which are known, notes, and why they carry no plan.

    Of a record nobody knew more than the market had published. A user's own file may say more: its
    prices beyond that are taken, and told, unless the case wants them expected.
    """
    from tvilling.twins.forecasting.price import WEEK_H, expected_prices

    hours = case.plan.horizon_h
    count = facts.published_h(moment, hours)
    given = facts.ahead(moment, hours)["price_dkk_per_kwh"].values.copy()
    notes = []
    if more := int(np.isfinite(given[count:]).sum()) if facts.own_prices else 0:
        where = f"{more} prices of the file are later than the market has published by then"
        taken = case.prices.beyond == "given"
        notes.append(f"{where}: " + ("taken as given" if taken else "expected ones in their place"))
    if not (facts.own_prices and case.prices.beyond == "given"):
        given[count:] = np.nan
    known = np.isfinite(given)
    missing = count - int(known[:count].sum())
    past = facts.lately(moment, "price_dkk_per_kwh", WEEK_H)
    seen = np.concatenate([past, given[:count]])
    if not np.isfinite(seen).any() and not known.any():
        raise InputError("prices", ["no price is known, neither before the plan begins nor ahead"])
    beyond = expected_prices(seen[-WEEK_H:], hours - count, moment + count * HOUR)
    usual = expected_prices(past, count, moment) if missing else given[:count]
    course = np.where(known, given, np.concatenate([usual, beyond]))
    if not missing:
        return course, known, notes, ""
    note = f"{missing} of {count} published prices are missing, expected ones in their place"
    reason = note if missing > MAX_MISSING * count else ""
    return course, known, [*notes, note], reason
