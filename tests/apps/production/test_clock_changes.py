"""Cases, outages and charges on the days on which the clock is set."""

import numpy as np
import pandas as pd
import pytest
from plant_files import write_case
from pydantic import ValidationError

from tvilling.apps.plant.case import Outage, PlantCase
from tvilling.apps.plant.inputs.known import _in_year, moment_of, to_local, touches
from tvilling.apps.shared.case_file import read_case

AUTUMN = pd.date_range("2026-10-24T22:00", periods=25, freq="h").to_numpy()  # 25 h from midnight
SPRING = pd.date_range("2026-03-28T23:00", periods=23, freq="h").to_numpy()


def outage(start, end):
    return Outage(unit="boiler", start=start, end=end)


@pytest.mark.parametrize(
    ("time", "start", "end", "hours"),
    [
        (AUTUMN, "2026-10-25T02:00", "2026-10-25T03:00", [2, 3]),  # both hours of that name
        (AUTUMN, "2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00", [2, 3]),
        (AUTUMN, "2026-10-25T01:00Z", "2026-10-25T02:00Z", [3]),
        (AUTUMN, "2026-10-25T01:00", "2026-10-25T02:00", [1]),
        (AUTUMN, "2026-10-25T03:00", "2026-10-25T04:00", [4]),
        (SPRING, "2026-03-29T01:00", "2026-03-29T03:00", [1]),
        (SPRING, "2026-03-29T02:30", "2026-03-29T04:00", [2]),
        (SPRING, "2026-03-29T01:00Z", "2026-03-29T02:00Z", [2]),
    ],
)
def test_an_outage_is_out_at_the_hours_that_it_says(time, start, end, hours):
    assert np.flatnonzero(touches(outage(start, end), time)).tolist() == hours


def test_an_outage_that_ends_before_it_begins_is_refused_by_its_instants():
    with pytest.raises(ValidationError, match="expected after start"):
        outage("2026-10-25T02:30+01:00", "2026-10-25T02:30+02:00")


@pytest.mark.parametrize(
    ("moment", "first"),
    [
        ("2026-10-25T02:30", "2026-10-25T00:00"),
        ("2026-10-25T02:30+01:00", "2026-10-25T01:00"),
        ("2026-10-25T01:10Z", "2026-10-25T01:00"),
        ("2026-03-29T02:30", "2026-03-29T01:00"),
    ],
)
def test_a_plan_begins_at_the_hour_that_its_moment_names(tmp_path, moment, first):
    case = read_case(write_case(tmp_path, plan={"moment": moment}), (), PlantCase)
    assert moment_of(case, None) == np.datetime64(first)


@pytest.mark.parametrize("year", range(2020, 2027))
@pytest.mark.parametrize("first", ["2026-03-25", "2026-10-21", "2027-03-25", "2027-10-28"])
def test_charges_of_another_year_are_those_of_the_same_hour_of_the_clock(year, first):
    """Though the clock may be set a week earlier or later there."""
    time = pd.date_range(first, periods=24 * 12, freq="h").to_numpy()
    here, there = to_local(time), to_local(_in_year(time, year))
    assert (there.year == year).all()
    assert (there.dayofweek == here.dayofweek).all()
    left_out = here.hour == 2  # where the clock goes forward there
    assert ((there.hour == here.hour) | left_out).all()
    assert (there.hour - here.hour <= 1).all()
