"""Courses of power that a meter can hardly have read: another unit, zero, stuck, a spike, a clock.

A course stands beside the nominal power of its element. One in another unit is refused; what else
is not plausible is told, and used as it is given: a power flow needs a value in every step.
"""

import numpy as np
import pandas as pd
from jaxtyping import Float

from tvilling.datasets.plausible import Limit, runs_of, runs_of_equal

Course = Float[np.ndarray, " time"]

LIMITS = {
    "above_nominal": Limit(20.0, "1", "median over nominal power: another unit"),
    "below_nominal": Limit(0.005, "1", "highest over nominal power: another unit"),
    "spike": Limit(5.0, "1", "over what 99 % of the steps stay below"),
    "spike_nominal": Limit(1.5, "1", "of the nominal power: a car charges now and then at that"),
    "spike_share": Limit(0.005, "1", "of all steps, at most: more is a course with peaks"),
    "zero_h": Limit(24.0, "h", "of a load that is seldom zero"),
    "seldom": Limit(0.05, "1", "share of steps"),
    "stuck_h": Limit(24.0, "h", "one value other than zero, in a course that moves"),
    "noon_h": Limit(0.8, "h", "from 11:24 UTC, solar noon between 6° and 15° east"),
}
NOON_H, SHOWN = 11.4, 3


def faults_of(course: Course, nominal: float, unit: str) -> list[str]:
    """Why a course is refused: a size that is another unit's."""
    moving = np.abs(course[course != 0])
    limit = LIMITS["above_nominal"].value
    if not moving.size or not nominal or np.median(moving) <= limit * abs(nominal):
        return []
    middle = float(np.median(moving))
    prefix = unit.replace("M", "k", 1)
    hint = f"; is it {prefix}?" if middle / 1e3 <= limit * abs(nominal) else ""
    return [
        f"is {middle:.4g} {unit} in the median, more than {limit:g} times the {abs(nominal):.4g} "
        f"{unit} of the element{hint}"
    ]


def notes_of(course: Course, nominal: float, kind: str, time: pd.DatetimeIndex) -> list[str]:
    """What in a course is not plausible, in words."""
    size = np.abs(course)
    step_h = _step_h(time)
    if not size.max(initial=0.0):
        return ["is zero throughout"] if nominal else []
    notes = []
    if nominal and size.max() < LIMITS["below_nominal"].value * abs(nominal):
        share = size.max() / abs(nominal)
        notes.append(f"is at most {share:.2g} of the power of its element: another unit?")
    usual = float(np.quantile(size, 0.99))
    beyond = max(LIMITS["spike"].value * usual, LIMITS["spike_nominal"].value * abs(nominal))
    far = size > beyond
    if usual > 0 and 0 < far.mean() <= LIMITS["spike_share"].value:
        notes.append(f"has {int(far.sum())} steps far above the rest, the first {_at(time, far)}")
    zero = course == 0
    long = int(np.ceil(LIMITS["zero_h"].value / step_h)) if step_h else len(course) + 1
    down = runs_of(zero, long)
    if kind == "load" and down.any() and (zero & ~down).mean() < LIMITS["seldom"].value:
        notes.append(f"is zero for a day or longer from {_at(time, down)}")
    long = int(np.ceil(LIMITS["stuck_h"].value / step_h)) if step_h else len(course) + 1
    stuck = runs_of_equal(course, long) & ~zero
    rest = course[~stuck & ~zero]
    moves = len(rest) > 1 and float((np.diff(rest) == 0).mean()) < 0.5
    if stuck.any() and moves:
        notes.append(f"does not change for a day or longer from {_at(time, stuck)}")
    if kind == "load" and np.median(course) < 0 < nominal:
        notes.append("is below zero in the median, where its element draws power: sign?")
    if kind == "sgen":
        notes += _noon(size, time)
    return notes


def told(notes: dict[str, list[str]]) -> list[str]:
    """Notes of courses by name, as few lines: those alike are told together."""
    alike: dict[str, list[str]] = {}
    for name, lines in notes.items():
        for line in lines:
            alike.setdefault(line, []).append(name)
    more = {line: len(names) - SHOWN for line, names in alike.items()}
    return [
        f"{', '.join(names[:SHOWN])}{f' and {more[line]} more' if more[line] > 0 else ''} {line}"
        for line, names in alike.items()
    ]


def _noon(size: Course, time: pd.DatetimeIndex) -> list[str]:
    """A line where a course that stops at night has its middle far from noon."""
    if (size == 0).mean() < 0.25 or len(time) < 2 or time[-1] - time[0] < pd.Timedelta(days=3):
        return []
    hour = time.hour.to_numpy() + time.minute.to_numpy() / 60.0
    night = size[(hour < 1.0) | (hour >= 23.0)]
    if night.size and night.max() > 1e-3 * size.max():
        return []
    middle = float((size * hour).sum() / size.sum()) + 0.5 * _step_h(time)
    if abs(middle - NOON_H) <= LIMITS["noon_h"].value:
        return []
    clock = f"{int(middle):02d}:{round(middle % 1 * 60) % 60:02d}"
    return [f"has the middle of its day at {clock}, solar noon is near 11:24 UTC: another clock?"]


def _step_h(time: pd.DatetimeIndex) -> float:
    """The usual step [h]; 0 for one step alone."""
    if len(time) < 2:
        return 0.0
    return float(np.median(np.diff(time.to_numpy()) / np.timedelta64(1, "s"))) / 3600.0


def _at(time: pd.DatetimeIndex, marked: np.ndarray) -> str:
    return f"{time[int(np.argmax(marked))]:%Y-%m-%d %H:%M} UTC"
