"""What a meter or a price can have read: limits with their reasons, and what breaks them.

Nothing here fills in a value: a reading that is not plausible becomes NaN and is counted, so that
nobody learns from it; where hardly a right one is left, the series is refused. `LIMITS` holds every
limit. They were set so that no hour of the measured series that this project reads breaks one: heat
load of Flensburg 2014 to 2016, consumption and outdoor temperature of Denmark 2020 to 2022, prices
of western Denmark 2018 to 2022.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_plant.tariffs import DKK_PER_EUR

Values = Float[np.ndarray, " time"]
Marks = Bool[np.ndarray, " time"]


@dataclass(frozen=True)
class Limit:
    """A limit, its unit, and why it is what it is."""

    value: float
    unit: str
    why: str


LIMITS = {
    "load_above_plant": Limit(1.5, "1", "of the heat that all units and the tank give together"),
    "load_below_plant": Limit(0.005, "1", "of that heat, as the median: less is another unit"),
    "load_zero_h": Limit(3, "h", "a network loses heat at any hour; below 0.1 % of the median"),
    "load_stands": Limit(
        0.05, "1", "of hours at zero, in a run every five days or more: it stands"
    ),
    "load_above_lately": Limit(2.0, "1", "of the highest of 14 days; Flensburg reached 1.8"),
    "load_below_lately": Limit(1 / 3, "1", "of the lowest of 14 days; Flensburg reached 0.49"),
    "stuck_h": Limit(24, "h", "one value; 16 h in summer at Flensburg, told in whole MW"),
    "stuck_fine_h": Limit(6, "h", "the same where under 2 % of hours repeat the one before"),
    "load_with_cold": Limit(0.5, "1", "correlation with the outdoor temperature, days below 12 °C"),
    "outdoor_jump_k": Limit(10.0, "K", "from the median of five hours; 6.8 K an hour was measured"),
    "outdoor_month_k": Limit(18.0, "K", "median of a month from the Danish normal of 1991 to 2020"),
    "price_low": Limit(-0.5 * DKK_PER_EUR, "DKK/kWh", "harmonised minimum, -500 EUR/MWh"),
    "price_high": Limit(4.0 * DKK_PER_EUR, "DKK/kWh", "harmonised maximum, 4000 EUR/MWh"),
    "price_median": Limit(6.0, "DKK/kWh", "of a file; 4.5 in the dearest week of 2022"),
    "price_cheap": Limit(0.08, "DKK/kWh", "median of 28 days or more; 0.06 in the spring of 2020"),
    "price_seen": Limit(7.5, "DKK/kWh", "dearer was no hour up to 2025"),
    "price_stuck_h": Limit(24, "h", "one price; 4 h at most in five years"),
    "right_left": Limit(0.5, "1", "share of readings that must be plausible"),
}
RECENT_H, MIN_H, RESET_H = 24 * 14, 24, 24 * 7
NEVER = 10.0  # times the highest or lowest: such a level is another unit, however long it lasts
MONTHS_DEGC = (1.6, 1.5, 3.3, 7.3, 11.8, 15.2, 17.6, 17.5, 14.2, 9.9, 5.7, 2.7)  # normals of DMI


class Judged(NamedTuple):
    """Values with NaN where they are not plausible, how many those are, and what is to be told."""

    values: Values
    left_out: int
    notes: tuple[str, ...]


def judged_load(load_mw: Values, time: np.ndarray, most_mw: float = np.inf) -> Judged:
    """A heat load by `most_mw`, what the plant can give, and by its own past.

    Raises
    ------
    InputError
        It is in another unit than MW by the size of the plant, or hardly a right value is left.
    """
    known = load_mw[np.isfinite(load_mw)]
    if not known.size:
        return Judged(load_mw, 0, ())
    typical = float(np.median(np.abs(known)))
    _refuse_other_unit(typical, most_mw)
    stands = _stands_at_times(np.abs(known) <= 1e-3 * typical)
    marks: dict[str, Marks] = {
        "below zero": load_mw < 0,
        "above 1.5 times what the plant can give": load_mw
        > LIMITS["load_above_plant"].value * most_mw,
    }
    if (known < 0).mean() > LIMITS["load_stands"].value:
        del marks["below zero"]  # a load that also feeds in
    if not stands:
        zero = np.abs(load_mw) <= 1e-3 * typical
        marks["at zero"] = runs_of(zero, int(LIMITS["load_zero_h"].value))
    marks["unchanged for hours"] = _stuck(load_mw) & ~(np.abs(load_mw) <= 1e-3 * typical)
    if not stands:
        free = np.where(np.any([*marks.values()], axis=0), np.nan, load_mw)
        marks["far from the 14 days before"] = _beyond_recent(free)
    return _left_out("load_mw", load_mw, time, marks)


def judged_outdoor(degc: Values, time: np.ndarray) -> Judged:
    """An outdoor temperature by the season and by the hours beside it.

    Raises
    ------
    InputError
        No month is plausible, as in kelvin or Fahrenheit.
    """
    month = pd.DatetimeIndex(time).month.to_numpy()
    off = np.zeros(len(degc), bool)
    for number in np.unique(month):
        part = degc[month == number]
        if np.isfinite(part).sum() >= MIN_H:
            away = abs(float(np.nanmedian(part)) - MONTHS_DEGC[number - 1])
            off[month == number] = away > LIMITS["outdoor_month_k"].value
    known = np.isfinite(degc)
    if known.any() and off[known].all():
        middle = float(np.nanmedian(degc))
        usual = float(np.mean([MONTHS_DEGC[number - 1] for number in month[known]]))
        raise InputError(
            "outdoor_degc",
            [f"is {middle:.3g} °C in the median, expected {usual:.0f} °C within 18 K"
             f"{_other_scale(middle, usual)}"],
        )  # fmt: skip
    marks = {
        "far from what the month has": off,
        "far from the hours beside": _apart(np.where(off, np.nan, degc)),
        "unchanged for a day": runs_of_equal(degc, int(LIMITS["stuck_h"].value)),
    }
    return _left_out("outdoor_degc", degc, time, marks)


def judged_price(price: Values, time: np.ndarray) -> Judged:
    """Power prices [DKK/kWh] by the limits of the market and their usual size.

    Raises
    ------
    InputError
        They are in another unit: EUR/MWh, øre or DKK/MWh.
    """
    known = price[np.isfinite(price)]
    if not known.size:
        return Judged(price, 0, ())
    median = float(np.median(np.abs(known)))
    if median > LIMITS["price_median"].value:
        raise InputError(
            "price_dkk_per_kwh",
            [f"is {median:.4g} in the median, expected {LIMITS['price_median'].value:g} DKK/kWh at "
             f"most (market limit {LIMITS['price_high'].value:.1f}){other_money(median)}"],
        )  # fmt: skip
    low, high = LIMITS["price_low"].value, LIMITS["price_high"].value
    judged = _left_out(
        "price_dkk_per_kwh",
        price,
        time,
        {"beyond the market's limits": (price < low) | (price > high)},
    )
    notes = list(judged.notes)
    kept = judged.values[np.isfinite(judged.values)]
    if len(kept) >= 28 * 24 and np.median(np.abs(kept)) < LIMITS["price_cheap"].value:
        median = float(np.median(np.abs(kept)))
        notes.append(f"prices are {median:.3g} DKK/kWh in the median, unusually low: EUR/kWh?")
    if (dearest := float(kept.max(initial=0.0))) > LIMITS["price_seen"].value:
        notes.append(f"prices reach {dearest:.3g} DKK/kWh, more than Denmark has seen up to 2025")
    stuck = int(runs_of_equal(judged.values, int(LIMITS["price_stuck_h"].value)).sum())
    if stuck:
        notes.append(f"prices do not change for a day or longer in {stuck} h")
    return Judged(judged.values, judged.left_out, tuple(notes))


def price_signs(price: Values, outdoor_degc: Values, time: np.ndarray) -> list[str]:
    """A line where published prices end with the UTC day, which is no midnight in Denmark.

    Told where the file goes on: its end says nothing of the market's.
    """
    known, more = np.flatnonzero(np.isfinite(price)), np.flatnonzero(np.isfinite(outdoor_degc))
    if not known.size or not more.size or more[-1] <= known[-1]:
        return []
    last = pd.Timestamp(time[known[-1]])
    if (last + pd.Timedelta(hours=1)).hour != 0:
        return []
    shown = last.tz_localize("UTC").tz_convert("Europe/Copenhagen")
    return [
        f"the last price is of the hour from {shown:%H:%M} on the Danish clock, not of the last "
        "before midnight: are the stamps local time? they are read as UTC"
    ]


def load_signs(load_mw: Values, outdoor_degc: Values) -> list[str]:
    """A line where a load rises with the outdoor temperature in the heating season.

    By the means of days below 12 °C, two weeks of them or more, that spread by 2 K or more.
    """
    days = len(load_mw) // 24
    shape = (days, 24)
    both = np.isfinite(load_mw[: days * 24]) & np.isfinite(outdoor_degc[: days * 24])
    whole = both.reshape(shape).all(axis=1)
    load = load_mw[: days * 24].reshape(shape)[whole].mean(axis=1)
    degc = outdoor_degc[: days * 24].reshape(shape)[whole].mean(axis=1)
    load, degc = load[degc < 12.0], degc[degc < 12.0]
    if len(degc) < 14 or degc.std() < 2.0 or load.std() <= 1e-6 * abs(load.mean()):
        return []
    tie = float(np.corrcoef(load, degc)[0, 1])
    if tie < LIMITS["load_with_cold"].value:
        return []
    return [
        f"the load rises with the outdoor temperature (correlation {tie:.2f}): sign, or columns?"
    ]


def _refuse_other_unit(typical_mw: float, most_mw: float) -> None:
    """Refuse a load that is too large, or next to nothing, for the plant."""
    if not np.isfinite(most_mw) or most_mw <= 0 or typical_mw == 0:
        return
    high = LIMITS["load_above_plant"].value * most_mw
    low = LIMITS["load_below_plant"].value * most_mw
    if low <= typical_mw <= high:
        return
    units = {"kW": 1e-3, "W": 1e-6, "GJ/h": 1 / 3.6, "GW": 1e3}
    fits = [name for name, factor in units.items() if low <= typical_mw * factor <= high]
    hint = f"; is it {' or '.join(fits[:2])}?" if fits else ""
    raise InputError(
        "load_mw",
        [f"is {typical_mw:.4g} MW in the median, expected {low:.3g} to {high:.3g} MW by the size "
         f"of the plant{hint}"],
    )  # fmt: skip


def _other_scale(middle: float, usual: float) -> str:
    reach = LIMITS["outdoor_month_k"].value
    scales: dict[str, Callable[[float], float]] = {
        "kelvin": lambda value: value - 273.15,
        "Fahrenheit": lambda value: (value - 32.0) / 1.8,
    }
    fits = [name for name, to in scales.items() if abs(to(middle) - usual) <= reach]
    return f"; is it {fits[0]}?" if fits else ""


def _stands_at_times(zero: Marks) -> bool:
    """Whether zeros are many and come again and again, as of a load that is off at times."""
    begins = int((np.diff(np.r_[0, zero.astype(np.int8)]) == 1).sum())
    return bool(zero.mean() > LIMITS["load_stands"].value and begins > len(zero) / (5 * 24))


def other_money(median: float) -> str:
    """Units in which prices of this size would be usual, as a question; empty without one."""
    units = {"EUR/MWh": DKK_PER_EUR / 1000.0, "øre/kWh": 0.01, "DKK/MWh": 0.001}
    fits = [
        f"{name} (then {median * factor:.2g} DKK/kWh)"
        for name, factor in units.items()
        if 0.05 <= median * factor <= 4.0
    ]
    return f"; is it {' or '.join(fits)}?" if fits else ""


def _left_out(name: str, values: Values, time: np.ndarray, marks: dict[str, Marks]) -> Judged:
    """`values` without what is marked, and one line that counts it by reason."""
    bad, reasons = np.zeros(len(values), bool), []
    for reason, marked in marks.items():
        new = marked & np.isfinite(values) & ~bad
        if new.any():
            reasons.append(f"{int(new.sum())} {reason}")
            bad |= new
    if not bad.any():
        return Judged(values, 0, ())
    known = int(np.isfinite(values).sum())
    first = str(np.asarray(time)[bad][0].astype("datetime64[m]")).replace("T", " ")
    told = f"{', '.join(reasons)}, the first {first} UTC"
    if bad.sum() > (1 - LIMITS["right_left"].value) * known:
        raise InputError(name, [f"{int(bad.sum())} of {known} readings are not plausible: {told}"])
    left = np.where(bad, np.nan, values)
    return Judged(left, int(bad.sum()), (f"{name}: {int(bad.sum())} h left out ({told})",))


def runs_of(marked: Marks, least: int) -> Marks:
    """Stretches of `marked` that are at least `least` long."""
    edges = np.diff(np.r_[0, marked.astype(np.int8), 0])
    long = np.zeros(len(marked), bool)
    for begin, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        long[begin:end] = end - begin >= least
    return long


def runs_of_equal(values: Values, least: int) -> Marks:
    """Stretches of one value, `least` hours long or longer."""
    same = np.r_[False, values[1:] == values[:-1]]
    runs = runs_of(same, least - 1)
    return runs | np.r_[runs[1:], False] & np.isfinite(values)


def _stuck(values: Values) -> Marks:
    """Hours in which a meter repeats itself for longer than one of its resolution does."""
    known = values[np.isfinite(values)]
    repeats = float((np.diff(known) == 0).mean()) if len(known) > 1 else 0.0
    day = runs_of_equal(values, int(LIMITS["stuck_h"].value))
    rest = values[~runs_of_equal(values, int(LIMITS["stuck_fine_h"].value)) & np.isfinite(values)]
    fine = len(rest) > RECENT_H and float((np.diff(rest) == 0).mean()) < 0.02
    if repeats == 1.0:
        return np.zeros(len(values), bool)  # one value throughout: a load that is given, not read
    return runs_of_equal(values, int(LIMITS["stuck_fine_h"].value)) if fine else day


def _apart(values: Values) -> Marks:
    """Values further than the limit from the median of five, themselves in the middle."""
    middle = pd.Series(values).rolling(5, center=True, min_periods=2).median().to_numpy()
    far: Marks = np.abs(values - middle) > LIMITS["outdoor_jump_k"].value
    return far


def _beyond_recent(values: Values) -> Marks:
    """Values beyond twice the highest, or a third of the lowest, of the 14 days before.

    Of the first 14 days those that follow count. A level that has lasted for a week is taken for a
    new one from then on, unless it is ten times off.
    """
    marked = np.zeros(len(values), bool)
    head = min(len(values), 2 * RECENT_H)
    marked[:RECENT_H] = _pass(values[:head][::-1])[::-1][:RECENT_H]
    return marked | _pass(np.where(marked, np.nan, values))


def _pass(values: Values) -> Marks:
    """The check of `_beyond_recent` against what came before alone."""
    high, low = LIMITS["load_above_lately"].value, LIMITS["load_below_lately"].value
    series = pd.Series(values)
    window = series.rolling(RECENT_H, min_periods=MIN_H)
    top, bottom = window.max().shift(1).to_numpy(), window.min().shift(1).to_numpy()
    marked = np.zeros(len(values), bool)
    begins = np.flatnonzero((values > high * top) | (values < low * bottom))
    if not begins.size:
        return marked
    at = np.flatnonzero(np.isfinite(values))
    recent = list(values[at[at < begins[0]]][-RECENT_H:])
    outside: list[int] = []
    for place in at[at >= begins[0]]:
        value = float(values[place])
        most, least = max(recent), min(recent)
        if low * least <= value <= high * most:
            recent, outside = [*recent[1 - RECENT_H :], value], []
            continue
        marked[place] = True
        outside.append(int(place))
        if len(outside) >= RESET_H and least / NEVER <= value <= most * NEVER:
            recent, outside = list(values[outside]), []
    return marked
