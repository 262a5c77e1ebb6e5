"""Local time to UTC, against the zone data base read the other way round."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tvilling.datasets.clock import DENMARK, local_to_utc, rows_for_shown_twice
from tvilling.sciml.core.errors import InputError

ZONES = st.sampled_from([DENMARK, "Europe/London", "America/New_York", "Australia/Sydney"])


@given(
    zone=ZONES,
    start=st.datetimes(pd.Timestamp("2016-01-01"), pd.Timestamp("2023-01-01")),
    hours=st.integers(1, 9000),
)
def test_clock_that_ran_through_is_found_again(zone, start, hours):
    """UTC to local with the zone data base, and back: the doubled hour returns by order alone."""
    utc = pd.date_range(pd.Timestamp(start).floor("h"), periods=hours, freq="h")
    local = utc.tz_localize("UTC").tz_convert(zone).tz_localize(None)

    clock = local_to_utc(local, zone, "test")

    known = ~clock.utc.isna()
    assert (clock.utc[known] == utc[known]).all()
    assert clock.invented == 0
    # A record that begins or ends inside the doubled hour holds it once; there is no telling which.
    assert clock.unresolved == (~known).sum() <= 2
    assert clock.doubled == local.duplicated().sum()


def test_danish_clock_changes_by_hand():
    """2021: forward over 02 on 28 March, back over 02 on 31 October."""
    spring = pd.date_range("2021-03-28 00:00", periods=5, freq="h")
    clock = local_to_utc(spring, DENMARK, "test")
    assert clock.invented == 1
    assert list(clock.utc.strftime("%d %H").fillna("none")) == [
        "27 23",
        "28 00",
        "none",
        "28 01",
        "28 02",
    ]
    autumn = pd.DatetimeIndex([f"2021-10-31 0{hour}:00" for hour in (1, 2, 2, 3)])
    clock = local_to_utc(autumn, DENMARK, "test")
    assert (clock.doubled, clock.unresolved) == (1, 0)
    assert list(clock.utc.hour) == [23, 0, 1, 2]


def test_lone_autumn_hour_is_not_guessed():
    alone = pd.DatetimeIndex([f"2021-10-31 0{hour}:00" for hour in (1, 2, 3)])
    clock = local_to_utc(alone, DENMARK, "test")
    assert (clock.doubled, clock.unresolved) == (0, 1)
    assert list(clock.utc.isna()) == [False, True, False]
    assert list(rows_for_shown_twice(alone, DENMARK)) == [0, 1, 1, 2]


def test_quarters_of_the_doubled_hour():
    utc = pd.date_range("2022-10-29 23:00", "2022-10-30 03:00", freq="15min")
    local = utc.tz_localize("UTC").tz_convert(DENMARK).tz_localize(None)
    clock = local_to_utc(local, DENMARK, "test")
    assert (clock.utc == utc).all()
    assert clock.doubled == 4
    assert set(local_to_utc(local.sort_values(), DENMARK, "test").utc) == set(utc)


def test_faults_name_the_stamps():
    stamps = pd.DatetimeIndex(
        ["2021-05-01 01:00", "2021-05-01 01:00", "2021-05-01 00:00"] + ["2021-10-31 02:00"] * 3
    )
    with pytest.raises(InputError) as caught:
        local_to_utc(stamps, DENMARK, "prices.csv")
    text = str(caught.value)
    assert "3 faults" in text
    assert "2021-05-01 00:00:00 stands behind" in text
    assert text.count("more often") == 2
