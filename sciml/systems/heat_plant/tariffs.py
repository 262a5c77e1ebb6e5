"""Danish tariffs, taxes, fuel prices and emission factors, hour by hour.

`tariffs.csv` and `emissions.csv` hold them as rows: what, who pays, value, unit, the Danish dates
it holds for (both included), season, days and hours in Danish clock time, source, and whether the
value was checked against that source. Money is in the kroner of the row's own year, without VAT.

Winter is October to March. A holiday counts as weekend. Hours are half-open: `7-20` ends at 20:00.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from tvilling.sciml.core.errors import InputError

DENMARK = "Europe/Copenhagen"
WINTER_MONTHS = (10, 11, 12, 1, 2, 3)
SEASONS, DAYS = ("all", "winter", "summer"), ("all", "workday", "weekend")
LAST_PRAYER_DAY = 2023  # the holiday was abolished from 2024

GAS_MJ_PER_NM3 = 39.6  # lower heating value that the gas tax is stated for
DKK_PER_EUR = 7.45
GAS_HIGHER_OVER_LOWER = 1.108  # gas is traded by higher heating value, burnt by lower
MWH_PER_MMBTU = 0.293071
IN_FORCE_AS = {  # unit of a row: the unit that `rate` gives, and the factor into it
    "øre/kWh": ("DKK/kWh", 0.01),
    "DKK/MWh": ("DKK/MWh", 1.0),
    "DKK/GJ": ("DKK/MWh", 3.6),
    "øre/Nm3": ("DKK/MWh", 0.01 * 3600.0 / GAS_MJ_PER_NM3),
    "USD/mmbtu": ("USD/MWh", GAS_HIGHER_OVER_LOWER / MWH_PER_MMBTU),
    "DKK/USD": ("DKK/USD", 1.0),
    "EUR/t": ("DKK/kg", DKK_PER_EUR / 1000.0),
    "DKK/t": ("DKK/kg", 0.001),
    "%": ("1", 0.01),
    "kg/MWh": ("kg/MWh", 1.0),
}
BOUGHT = ("transmission", "system", "balance", "grid", "electricity_tax")
SOLD = ("feed_in", "feed_in_balance")


@dataclass(frozen=True)
class Rate:
    """One row: `value` [`unit`] for `what`, from `first` to `last` in Danish dates.

    `season` is all, winter or summer; `days` all, workday or weekend; `spans` are hours of the
    Danish clock, half-open. `verified` says that the value was found in `source`.
    """

    what: str
    payer: str
    value: float
    unit: str
    first: np.datetime64
    last: np.datetime64
    season: str
    days: str
    spans: tuple[tuple[int, int], ...]
    source: str
    verified: bool
    note: str


def tariff(time_utc: np.ndarray, rates: Sequence[Rate] | None = None) -> Float[np.ndarray, " time"]:
    """What power that makes heat costs beyond its spot price [DKK/kWh].

    Transmission, system and balance tariff, grid tariff by time of use, electricity tax.

    Parameters
    ----------
    time_utc
        Start of each step, UTC.
    rates
        Without them those that ship.

    Raises
    ------
    InputError
        A time lies outside the rows.
    """
    return np.sum([rate(what, time_utc, rates) for what in BOUGHT], axis=0)


def feed_in_tariff(
    time_utc: np.ndarray, rates: Sequence[Rate] | None = None
) -> Float[np.ndarray, " time"]:
    """What is taken from the spot price of power sold [DKK/kWh]; otherwise as `tariff`."""
    return np.sum([rate(what, time_utc, rates) for what in SOLD], axis=0)


def rate(
    what: str, time_utc: np.ndarray, rates: Sequence[Rate] | None = None
) -> Float[np.ndarray, " time"]:
    """The value of `what` in every step, in the unit that `IN_FORCE_AS` gives.

    Raises
    ------
    InputError
        `what` is not in the rows, or a step has no row or more than one.
    """
    calendar = _calendar(np.asarray(time_utc, "datetime64[ns]").tobytes())
    total, count = np.zeros(len(time_utc)), np.zeros(len(time_utc), int)
    for row in shipped_rates() if rates is None else rates:
        if row.what == what:
            held = calendar.holds(row)
            total[held] += row.value * IN_FORCE_AS[row.unit][1]
            count += held
    bad = np.flatnonzero(count != 1)
    if len(bad):
        raise InputError(
            "tariffs",
            [
                f"{what}: {len(bad)} steps without one row that holds, the first {time_utc[bad[0]]}"
                f" UTC with {count[bad[0]]}"
            ],
        )
    return total


def rates_in_force(time_utc: np.ndarray, rates: Sequence[Rate] | None = None) -> tuple[Rate, ...]:
    """The rows that hold in one step or more."""
    calendar = _calendar(np.asarray(time_utc, "datetime64[ns]").tobytes())
    known = shipped_rates() if rates is None else rates
    return tuple(row for row in known if calendar.holds(row).any())


@cache
def shipped_rates() -> tuple[Rate, ...]:
    """The rows of `tariffs.csv` and `emissions.csv`."""
    folder = Path(str(files("tvilling.sciml.systems.heat_plant")))
    return (*read_rates(folder / "tariffs.csv"), *read_rates(folder / "emissions.csv"))


def read_rates(path: Path) -> tuple[Rate, ...]:
    """Rows from a file of the form of `tariffs.csv`.

    Raises
    ------
    InputError
        With every fault: a column or value missing, a unit, season, date or hour not understood.
    """
    import pandas as pd

    from tvilling.sciml.io.tables import Column, read_table

    needed = ("what", "unit", "valid_from", "valid_to", "season", "days", "hours")
    columns = (
        *(Column(name, "", name, "str", required=True) for name in needed),
        Column("value", "", "value", required=True),
        *(Column(name, "", name, "str") for name in ("payer", "source", "note")),
        Column("verified", "", "the value was found in the source", "bool"),
    )
    table, faults = read_table(pd.read_csv(path), columns, path.name)
    if faults:
        raise InputError(path.name, faults)
    rates = []
    for at, row in enumerate(table.to_dict("records"), start=2):
        found = _faults(row)
        faults += [f"{path.name}, row {at}: {fault}" for fault in found]
        if not found:
            rates.append(_rate(row))
    if faults:
        raise InputError(path.name, faults)
    return tuple(rates)


def _rate(row: dict) -> Rate:
    kept = {name: row[name] for name in ("what", "payer", "value", "unit", "season", "days")}
    return Rate(
        **kept,
        first=np.datetime64(row["valid_from"], "D"),
        last=np.datetime64(row["valid_to"], "D"),
        spans=_spans(row["hours"]),
        source=row["source"],
        verified=bool(row["verified"]),
        note=row["note"],
    )


def _faults(row: dict) -> list[str]:
    allowed = {"unit": tuple(IN_FORCE_AS), "season": SEASONS, "days": DAYS}
    faults = [
        f"{name} is {row[name]}, expected one of {', '.join(names)}"
        for name, names in allowed.items()
        if row[name] not in names
    ]
    for name in ("valid_from", "valid_to"):
        try:
            np.datetime64(row[name], "D")
        except ValueError:
            faults.append(f"{name} is {row[name]}, expected a date as 2022-01-31")
    try:
        right = all(0 <= start < end <= 24 for start, end in _spans(row["hours"]))
    except ValueError:
        right = False
    return faults if right else [*faults, f"hours is {row['hours']}, expected spans as 6-7;20-24"]


def _spans(hours: str) -> tuple[tuple[int, int], ...]:
    """The spans of `6-7;20-24`."""
    spans = []
    for span in hours.split(";"):
        start, end = span.split("-")
        spans.append((int(start), int(end)))
    return tuple(spans)


@dataclass(frozen=True)
class _Calendar:
    """Danish date, hour, season and kind of day of every step."""

    date: np.ndarray
    hour: np.ndarray
    winter: np.ndarray
    weekend: np.ndarray

    def holds(self, row: Rate) -> Bool[np.ndarray, " time"]:
        """Whether `row` is in force in each step."""
        held = (self.date >= row.first) & (self.date <= row.last)
        if row.season != "all":
            held &= self.winter == (row.season == "winter")
        if row.days != "all":
            held &= self.weekend == (row.days == "weekend")
        if row.spans != ((0, 24),):
            within = [(self.hour >= first) & (self.hour < last) for first, last in row.spans]
            held &= np.any(within, axis=0)
        return held


@lru_cache(maxsize=4)
def _calendar(stamps: bytes) -> _Calendar:
    """The calendar of UTC stamps, given as the bytes of nanoseconds, which can be cached."""
    import pandas as pd

    utc = pd.DatetimeIndex(np.frombuffer(stamps, "datetime64[ns]"))
    local = utc.tz_localize("UTC").tz_convert(DENMARK)
    date = local.tz_localize(None).normalize().to_numpy().astype("datetime64[D]")
    years = np.unique(np.asarray(local.year))
    holidays = np.array([day for year in years for day in danish_holidays(int(year))], date.dtype)
    return _Calendar(
        date,
        np.asarray(local.hour),
        np.isin(np.asarray(local.month), WINTER_MONTHS),
        (np.asarray(local.dayofweek) >= 5) | np.isin(date, holidays),
    )


@cache
def danish_holidays(year: int) -> tuple[np.datetime64, ...]:
    """Public holidays in Denmark, Great Prayer Day up to 2023 [date]."""
    import pandas as pd

    sunday = (pd.Timestamp(year, 1, 1) + pd.offsets.Easter()).to_datetime64()
    after = [-3, -2, 0, 1, 39, 49, 50] + ([26] if year <= LAST_PRAYER_DAY else [])
    fixed = [np.datetime64(f"{year}-{day}") for day in ("01-01", "12-25", "12-26")]
    moving = [sunday.astype("datetime64[D]") + np.timedelta64(days, "D") for days in after]
    return (*fixed, *moving)
