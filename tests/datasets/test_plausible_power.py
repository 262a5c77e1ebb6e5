"""Faults planted into a file of power courses of a grid: refused, or told beside the result."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tvilling.datasets.power_profiles import read_profiles
from tvilling.datasets.readers.power_grid.reader import PowerNet, read_power_net
from tvilling.sciml.core.errors import InputError

DAYS = 14
TIME = pd.date_range("2026-03-21", periods=DAYS * 24, freq="h")
HOUR = np.arange(len(TIME))


@pytest.fixture(scope="module")
def village() -> PowerNet:
    return read_power_net("1-LV-rural1--2-sw")


@pytest.fixture
def courses(village: PowerNet) -> pd.DataFrame:
    """A household and a roof with cells, hour by hour."""
    random = np.random.default_rng(0)
    load, roof = village.net.load.iloc[0], village.net.sgen.iloc[0]
    day = 0.5 + 0.3 * np.sin(2 * np.pi * (HOUR - 12) / 24) + random.uniform(0, 0.2, len(HOUR))
    sun = np.clip(np.sin(2 * np.pi * (HOUR % 24 + 0.5 - 5.4) / 24), 0.0, None)
    return pd.DataFrame(
        {
            f"load_p_mw:{load['name']}": load["p_mw"] * day,
            f"sgen_p_mw:{roof['name']}": roof["p_mw"] * sun * random.uniform(0.5, 1, len(HOUR)),
        },
        index=TIME.rename("time_utc"),
    )


def notes(village: PowerNet, table: pd.DataFrame, folder: Path) -> list[str]:
    path = folder / "courses.csv"
    table.to_csv(path, date_format="%Y-%m-%dT%H:%M")
    return list(read_profiles(village, path).attrs.get("notes", []))


def test_courses_that_are_right_have_no_notes(village, courses, tmp_path):
    assert notes(village, courses, tmp_path) == []


@pytest.mark.parametrize("factor", [1e3, 1e6])
def test_another_unit_is_refused_by_the_power_of_the_element(village, courses, tmp_path, factor):
    courses.iloc[:, 0] *= factor
    with pytest.raises(InputError, match=r"more than 20 times the .* of the element"):
        notes(village, courses, tmp_path)


def put(column: int, hours: slice, value: float | None = None, factor: float = 1.0):
    """A change of some hours of a course."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        part = table.iloc[hours, column]
        table.iloc[hours, column] = factor * part if value is None else value
        return table

    return change


def moved(hours: int):
    """The roof on another clock."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        table.iloc[:, 1] = np.roll(table.iloc[:, 1].to_numpy(), hours)
        return table

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (put(0, slice(100, 150), 0.0), "is zero for a day or longer from 2026-03-25 04:00"),
        (put(0, slice(0, None), 0.0), "is zero throughout"),
        (put(0, slice(200, 230), 0.004), "does not change for a day or longer"),
        (put(0, slice(77, 78), factor=100.0), "has 1 steps far above the rest"),
        (put(1, slice(60, 61), 3.0), "has 1 steps far above the rest"),
        (put(0, slice(0, None), factor=1e-3), "of the power of its element: another unit?"),
        (put(0, slice(0, None), factor=-1.0), "below zero in the median"),
        (moved(2), "solar noon is near 11:24 UTC: another clock?"),
        (moved(-3), "solar noon is near 11:24 UTC: another clock?"),
    ],
)
def test_what_no_meter_reads_is_told(village, courses, tmp_path, change, told):
    found = notes(village, change(courses), tmp_path)
    assert len(found) == 1
    assert told in found[0]


def test_stamps_of_a_clock_on_the_wall_are_told(village, courses, tmp_path):
    local = courses.drop(pd.Timestamp("2026-03-29T02:00"))
    assert "2026-03-29 02:00 is missing" in notes(village, local, tmp_path)[0]


def test_courses_of_simbench_have_nothing_to_be_told(village):
    """Two weeks of its own courses, each as if it came from a file.

    But for the clock: the roofs of SimBench have the middle of their day an hour before noon.
    """
    from tvilling.datasets.plausible_power import faults_of, notes_of

    year = read_profiles(village).isel(time=slice(96 * 150, 96 * 164))
    time = year.indexes["time"]
    for name, kind in (("load_p_mw", "load"), ("sgen_p_mw", "sgen")):
        for at in range(year.sizes[kind]):
            nominal = float(village.net[kind]["p_mw"].iloc[at])
            course = year[name].values[:, at]
            assert faults_of(course, nominal, "MW") == []
            told = notes_of(course, nominal, kind, time)
            assert [line for line in told if "another clock" not in line] == []
