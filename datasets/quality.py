"""Gaps, outliers and registers that fall: pure functions that say how much they found.

Nothing here fills in a value: what cannot be trusted becomes NaN, and is counted.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float


class Masked(NamedTuple):
    """Values with NaN where they were outside the range, and how many were."""

    values: Float[np.ndarray, " *shape"]
    outliers: int


class Increments(NamedTuple):
    """What a cumulative register gained from each stamp to the next.

    Attributes
    ----------
    increment
        Gain over each step, in the unit of the register; NaN beside a gap and where it fell.
    resets
        How often the register fell.
    over_gaps
        Gain over all gaps together; the steps in which it fell are not known.
    """

    increment: Float[np.ndarray, " step"]
    resets: int
    over_gaps: float


def regular_axis(time: pd.DatetimeIndex, step: str) -> tuple[pd.DatetimeIndex, int]:
    """Every stamp from the first to the last at `step`, and how many of them are not in `time`."""
    axis = pd.date_range(time.min(), time.max(), freq=step)
    return axis, int((~axis.isin(time)).sum())


def mask_outside(values: Float[np.ndarray, " *shape"], low: float, high: float) -> Masked:
    """`values` with NaN where they leave [low, high], and the count of those."""
    outside = ~np.isnan(values) & ~((values >= low) & (values <= high))
    return Masked(np.where(outside, np.nan, values), int(outside.sum()))


def is_spike(values: Float[np.ndarray, " time"], limit: float) -> Bool[np.ndarray, " time"]:
    """Whether a value stands alone: further than `limit` from the median of itself and both sides.

    A step, up or down, is not a spike. The first and the last value, and neighbours of NaN, are
    not judged.
    """
    spike = np.zeros(len(values), dtype=bool)
    if len(values) > 2:
        three = np.stack([values[:-2], values[1:-1], values[2:]])
        spike[1:-1] = np.abs(values[1:-1] - np.median(three, axis=0)) > limit
    return spike


def longest_run(values: Float[np.ndarray, " time"]) -> int:
    """Length of the longest run of one equal value: a meter that is stuck repeats itself."""
    if len(values) == 0:
        return 0
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1], True])
    return int(np.diff(starts).max())


def register_increments(register: Float[np.ndarray, " time"]) -> Increments:
    """Gain of a cumulative register from each stamp to the next.

    Parameters
    ----------
    register
        Readings at equal steps of time, NaN where one is missing.

    Returns
    -------
    Increments
        One step less than readings. A register that falls was exchanged or set back; what passed
        in that step is not known, so its gain is NaN, never negative.
    """
    read = np.flatnonzero(np.isfinite(register))
    gain = np.diff(register[read])
    next_to = np.diff(read) == 1
    rose = gain >= 0
    increment = np.full(max(len(register) - 1, 0), np.nan)
    increment[read[:-1][next_to & rose]] = gain[next_to & rose]
    return Increments(increment, int((~rose).sum()), float(gain[~next_to & rose].sum()))
