"""Registers, gaps and outliers: nothing negative, nothing invented, everything counted."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tvilling.datasets.quality import (
    is_spike,
    longest_run,
    mask_outside,
    register_increments,
    regular_axis,
)

GAINS = hnp.arrays(float, st.integers(1, 60), elements=st.integers(0, 50).map(float))
READINGS = hnp.arrays(
    float, st.integers(0, 60), elements=st.one_of(st.integers(0, 999).map(float), st.just(np.nan))
)


@given(gains=GAINS, start=st.integers(0, 10**6), data=st.data())
def test_rising_register_with_gaps_loses_nothing(gains, start, data):
    register = start + np.r_[0.0, np.cumsum(gains)]
    read = data.draw(hnp.arrays(bool, len(register)))
    found = register_increments(np.where(read, register, np.nan))
    known = np.isfinite(found.increment)
    np.testing.assert_array_equal(found.increment[known], gains[known])
    np.testing.assert_array_equal(known, read[:-1] & read[1:])
    total = np.ptp(register[read]) if read.any() else 0.0
    assert np.nansum(found.increment) + found.over_gaps == total
    assert found.resets == 0


@given(gains=GAINS, at=st.integers(0, 59))
def test_exchanged_meter_is_one_reset_and_one_unknown_step(gains, at):
    step = at % len(gains)
    register = 1e4 + np.r_[0.0, np.cumsum(gains)]
    register[step + 1 :] -= register[step + 1] - 3.0  # a new meter that shows 3 when first read
    found = register_increments(register)
    assert found.resets == 1
    assert np.flatnonzero(np.isnan(found.increment)).tolist() == [step]
    others = np.arange(len(gains)) != step
    np.testing.assert_allclose(found.increment[others], gains[others], atol=1e-9)


@given(register=READINGS)
def test_any_register_gives_no_negative_gain_or_count(register):
    found = register_increments(register)
    assert len(found.increment) == max(len(register) - 1, 0)
    known = found.increment[np.isfinite(found.increment)]
    assert (known >= 0).all()
    assert found.resets >= 0
    assert found.over_gaps >= 0
    values = register[np.isfinite(register)]
    falls = int((np.diff(values) < 0).sum())
    assert found.resets == falls


@given(values=READINGS, low=st.integers(-10, 500), width=st.integers(0, 500))
def test_mask_keeps_what_is_inside_and_counts_the_rest(values, low, width):
    found = mask_outside(values, low, low + width)
    kept = np.isfinite(found.values)
    np.testing.assert_array_equal(found.values[kept], values[kept])
    assert found.outliers == np.isfinite(values).sum() - kept.sum()
    assert ((found.values[kept] >= low) & (found.values[kept] <= low + width)).all()


def test_infinite_values_are_outliers():
    found = mask_outside(np.array([np.inf, 1.0, -np.inf, np.nan]), 0.0, np.finfo(float).max)
    assert found.outliers == 2
    np.testing.assert_array_equal(found.values, [np.nan, 1.0, np.nan, np.nan])


def test_spike_is_one_value_and_a_step_is_none():
    spike = np.array([10.0, 11.0, 90.0, 12.0, 12.0, 60.0, 61.0, 60.0, 5.0])
    assert np.flatnonzero(is_spike(spike, 20.0)).tolist() == [2]
    assert not is_spike(np.array([1.0, 99.0]), 20.0).any()
    assert not is_spike(np.array([1.0, np.nan, 99.0, 1.0]), 20.0).any()


@given(values=hnp.arrays(float, st.integers(1, 40), elements=st.integers(0, 2).map(float)))
def test_longest_run_against_text(values):
    """The same count, found by a search in text."""
    text = "".join(str(int(value)) for value in values)
    expected = max(n for n in range(1, len(text) + 1) if any(c * n in text for c in "012"))
    assert longest_run(values) == expected


def test_longest_run_of_nothing():
    assert longest_run(np.array([])) == 0


def test_axis_counts_the_missing_hours():
    time = pd.DatetimeIndex(["2020-01-01 00:00", "2020-01-01 01:00", "2020-01-01 05:00"])
    axis, missing = regular_axis(time, "h")
    assert len(axis) == 6
    assert missing == 3
    assert regular_axis(axis, "h")[1] == 0


@pytest.mark.parametrize("limit", [1.0, 5.0])
def test_spike_does_not_look_at_the_ends(limit):
    assert not is_spike(np.array([50.0, 0.0, 0.0, 50.0]), limit).any()
