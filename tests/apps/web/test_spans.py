"""Sliders stay within their channel, and what they set has their value as its mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tvilling.apps.web.pages.slider_range import span, spread
from tvilling.sciml.core.system import Channel

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False).filter(
    lambda value: value == 0 or abs(value) > 1e-3
)


# A page's thread of an earlier test may draw random numbers meanwhile.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
@given(
    low=NUMBERS,
    width=st.floats(1e-3, 1e9),
    at=st.floats(0.0, 1.0),
    unit=st.sampled_from(["°C", "W", "kg/s", "1"]),
)
def test_a_slider_stays_within_its_channel_and_reaches_the_value(low, width, at, unit):
    channel = Channel("x", unit, low, low + width)
    value = low + at * width
    found = span(channel, np.asarray(value))
    slack = 1e-9 * (abs(low) + width)
    assert channel.low - slack <= found.low <= value <= found.high <= channel.high + slack
    assert found.low < found.high
    count = (found.high - found.low) / found.step
    assert count == pytest.approx(round(count), abs=1e-3)  # ends are rounded
    assert count >= 50


@pytest.mark.parametrize("unit", ["°C", "W"])
def test_elements_keep_their_differences_or_ratios(unit):
    channel = Channel("x", unit, 0.0, 1e9, ("at",), (("a", "b", "c"),))
    example = np.array([10.0, 20.0, 60.0])
    moved = spread(channel, example, 45.0)
    assert moved.mean() == pytest.approx(45.0)
    expected = example + 15.0 if unit == "°C" else example * 1.5
    np.testing.assert_allclose(moved, expected)
