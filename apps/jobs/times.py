"""Moments and spans of time, as a user writes and reads them."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tvilling.sciml.core.errors import InputError

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LONGEST_S = 366 * 86400
FIRST_YEAR, LAST_YEAR = 1970, 9998  # whose times are numbers in every zone


def parse_duration(text: str, name: str, most_s: int) -> int:
    """Seconds in `text`, a whole number and s, m, h or d, such as `90s`.

    Raises
    ------
    InputError
        If it is none, or not between a second and `most_s`.
    """
    match = re.fullmatch(r"([0-9]{1,9})([smhd])", text.strip())
    seconds = int(match[1]) * SECONDS[match[2]] if match else 0
    if not 1 <= seconds <= most_s:
        raise InputError(
            name,
            [
                f"is {text!r}, expected a whole number with s, m, h or d, such as 15m, from 1s to "
                f"{tell_duration(most_s)}"
            ],
        )
    return seconds


def tell_duration(seconds: int) -> str:
    """`seconds` in the greatest unit that holds them in whole numbers."""
    unit = next(unit for unit in "dhms" if seconds % SECONDS[unit] == 0)
    return f"{seconds // SECONDS[unit]}{unit}"


def parse_instant(text: str, zone: str) -> datetime:
    """The instant that `text` names in ISO 8601, in UTC and whole seconds.

    Without an offset it is what a clock in `zone` shows, the first of two such moments.

    Raises
    ------
    InputError
        If it is none, or one that the clock left out when it went forward.
    """
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            "time", [f"is {text!r}, expected ISO 8601, such as 2026-01-31T06:00"]
        ) from None
    if not FIRST_YEAR <= stamp.year <= LAST_YEAR:
        told = f"is {text!r}, expected a year from {FIRST_YEAR} to {LAST_YEAR}"
        raise InputError("time", [told])
    if stamp.tzinfo is None:
        local = known_zone(zone)
        shown_as = stamp.replace(tzinfo=local).astimezone(UTC).astimezone(local)
        if shown_as.replace(tzinfo=None) != stamp:
            raise InputError("time", [f"is {text!r}, which no clock in {zone} showed"])
        stamp = shown_as
    return stamp.astimezone(UTC).replace(microsecond=0)


def known_zone(name: str) -> ZoneInfo:
    """The time zone `name`.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # what zoneinfo raises depends on what is wrong
        raise InputError(
            "zone", [f"is {name!r}, expected a name of the IANA data base: Europe/Copenhagen"]
        ) from None


def shown(instant_s: float, zone: str) -> str:
    """What a clock in `zone` shows `instant_s` seconds after 1970-01-01 00:00 UTC."""
    local = datetime.fromtimestamp(instant_s, UTC).astimezone(known_zone(zone))
    return f"{local:%Y-%m-%d %H:%M:%S %Z}"
