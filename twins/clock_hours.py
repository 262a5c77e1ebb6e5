"""The same hour of another day, by the clock on the wall.

People live by the clock. On the days on which it is set, 24 h before is another hour of the day:
an hour earlier after it went forward, an hour later after it went back.
"""

import numpy as np

HOUR = np.timedelta64(1, "h")
DAY_H = 24


def clock_ahead_h(time_utc: np.ndarray, zone: str | None) -> np.ndarray:
    """How many hours the clock of `zone` is ahead of UTC at each time; 0 without a zone."""
    if zone is None:
        return np.zeros(np.shape(time_utc), int)
    import pandas as pd

    stamps, inverse = np.unique(np.asarray(time_utc), return_inverse=True)
    local = pd.DatetimeIndex(stamps).tz_localize("UTC").tz_convert(zone).tz_localize(None)
    ahead = (local.to_numpy() - stamps) // HOUR
    found: np.ndarray = ahead.astype(int)[inverse.reshape(np.shape(time_utc))]
    return found


def same_hour_before(time_utc: np.ndarray, hours: np.ndarray | int, zone: str | None) -> np.ndarray:
    """The time `hours`, whole days, before each of `time_utc` by the clock of `zone`.

    An hour that the clock leaves out in spring is that which follows; of one that it shows twice
    in autumn it is the first where `time_utc` was in summer time, else the second.
    """
    back = np.asarray(hours) * HOUR
    before = time_utc - back
    moved = clock_ahead_h(time_utc, zone) - clock_ahead_h(before, zone)
    found: np.ndarray = before + moved * HOUR
    return found
