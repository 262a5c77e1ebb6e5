"""Local time to UTC: the autumn hour that stands twice, the spring hour that does not exist."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

from tvilling.sciml.core.errors import InputError

DENMARK = "Europe/Copenhagen"
MAX_FAULTS = 20


@dataclass(frozen=True)
class UtcClock:
    """Local stamps as UTC, and what was met on the way.

    Attributes
    ----------
    utc
        UTC of every stamp, without zone; NaT where the stamp has none.
    doubled
        Stamps that stand twice because the clock went back between them.
    invented
        Stamps that no clock showed, because it went forward over them; NaT.
    unresolved
        Stamps that stand once though the clock showed them twice; NaT.
    """

    utc: pd.DatetimeIndex
    doubled: int
    invented: int
    unresolved: int


def local_to_utc(local: pd.DatetimeIndex, zone: str, source: str) -> UtcClock:
    """UTC of stamps that a clock in `zone` showed, in the order in which it showed them.

    Of two equal stamps in the hour that the autumn change repeats, the first is summer time. A
    stamp in the hour that the spring change leaves out has no UTC.

    Parameters
    ----------
    local
        Stamps without zone, in order of time.
    zone
        Name in the IANA data base, for example `Europe/Copenhagen`.
    source
        What was read, for messages.

    Raises
    ------
    InputError
        Where stamps run backwards or stand more often than the clock showed them.
    """
    again = local.duplicated(keep="first")
    shown_twice = is_shown_twice(local, zone)
    _check_order(local, again, shown_twice, source)
    utc = local.tz_localize(zone, ambiguous=~again, nonexistent="NaT").tz_convert("UTC")
    invented = np.asarray(utc.isna())
    paired = again | local.duplicated(keep="last")
    unresolved = shown_twice & ~paired
    utc = utc.tz_localize(None).where(~unresolved)
    return UtcClock(utc, int(again.sum()), int(invented.sum()), int(unresolved.sum()))


def is_shown_twice(local: pd.DatetimeIndex, zone: str) -> Bool[np.ndarray, " stamp"]:
    """Whether a clock in `zone` shows the stamp twice, because it goes back in autumn."""
    # A stamp that does not exist becomes NaT as well, so it is moved out of the way first.
    once = local.tz_localize(zone, ambiguous="NaT", nonexistent="shift_forward")
    return np.asarray(once.isna())


def rows_for_shown_twice(local: pd.DatetimeIndex, zone: str) -> Int[np.ndarray, " shown"]:
    """Positions in `local` that repeat a stamp shown twice but standing once.

    For a table that keeps one row for both hours: taking these rows gives each hour its own.
    """
    alone = is_shown_twice(local, zone) & ~local.duplicated(keep=False)
    return np.repeat(np.arange(len(local)), 1 + alone)


def local_clock(stamps: pd.DatetimeIndex) -> list[str]:
    """A line for each hour that clocks leave out in spring and that UTC stamps lack as well."""
    lines = []
    for year in range(stamps[0].year, stamps[-1].year + 1) if len(stamps) else ():
        last = pd.Timestamp(year, 3, 31)
        gap = last - pd.Timedelta(days=(last.dayofweek + 1) % 7) + pd.Timedelta(hours=2)
        missing = not ((stamps >= gap) & (stamps < gap + pd.Timedelta(hours=1))).any()
        if (
            missing
            and gap - pd.Timedelta(hours=1) in stamps
            and gap + pd.Timedelta(hours=1) in stamps
        ):
            lines.append(
                f"the hour {gap:%Y-%m-%d %H:%M} is missing, which clocks here leave out: are the "
                "stamps local time? they are read as UTC"
            )
    return lines


def _check_order(
    local: pd.DatetimeIndex,
    again: Bool[np.ndarray, " stamp"],
    shown_twice: Bool[np.ndarray, " stamp"],
    source: str,
) -> None:
    stamps = local.to_numpy()
    # Stamps closer than an hour run backwards once in autumn, to those shown for the second time.
    falls = np.diff(stamps, prepend=stamps[:1]) < np.timedelta64(0, "s")
    backwards = np.flatnonzero(falls & ~(again & shown_twice))
    third = pd.Series(np.ones(len(local)), index=local).groupby(level=0).cumsum().to_numpy() > 2
    too_often = np.flatnonzero((again & ~shown_twice) | third)
    faults = [
        f"{source}: {local[at]} stands behind the later {local[at - 1]}, expected order of time"
        for at in backwards
    ]
    faults += [
        f"{source}: {local[at]} stands more often than the clock showed it" for at in too_often
    ]
    if len(faults) > MAX_FAULTS:
        faults = [*faults[:MAX_FAULTS], f"{source}: {len(faults) - MAX_FAULTS} more such stamps"]
    if faults:
        raise InputError(source, faults)
