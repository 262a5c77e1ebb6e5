"""Powers that no course drives are named, and so are courses that drive nothing."""

from pathlib import Path
from typing import Any

import element_nets
import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from tvilling.datasets.power_profiles import read_profiles
from tvilling.datasets.readers.power_grid.reader import PowerNet
from tvilling.sciml.systems.power_grid.results.violations import time_notes


@pytest.fixture
def net() -> Any:
    found, _ = element_nets.net_with("motor")
    pp.create_load(found, 2, 0.0, 0.0, name="idle")
    pp.create_load(found, 2, 1.0, 0.0, name="off", in_service=False)
    pp.create_gen(found, 6, 0.5, vm_pu=1.0, name="turbine")
    pp.create_ward(found, 5, 0.3, 0.1, 0.0, 0.0, name="beyond")
    return found


def told(net: Any, folder: Path, *columns: str) -> str:
    table = pd.DataFrame({"time_utc": ["2026-01-01T00:00", "2026-01-01T01:00"]})
    for column in columns:
        table[column] = 0.5
    path = folder / "courses.csv"
    table.to_csv(path, index=False)
    data = read_profiles(PowerNet(net, "net"), path)
    note = str(data.attrs.get("constant", ""))
    assert note in time_notes(data)
    return note


def test_what_has_no_course_is_named_with_its_count(net: Any, tmp_path: Path) -> None:
    note = told(net, tmp_path, "load_p_mw:load 3", "load_p_mw:load 5")
    assert note.startswith("Without a course, and kept at the power of the file throughout: ")
    assert "p_mw of 2 of 6 load (load 2 (load 6), load 3 (load 7))" in note
    assert "q_mvar of 4 of 6 load" in note
    assert "p_mw of 1 of 1 gen (gen 0 (turbine))" in note
    assert "1 of motor (motor 0)" in note
    assert "1 of ward (ward 0 (beyond))" in note
    assert "idle" not in note
    assert "(off)" not in note


def test_courses_of_what_is_out_of_service_are_named(net: Any, tmp_path: Path) -> None:
    note = told(net, tmp_path, "load_p_mw:off")
    assert note.endswith("Out of service, so that their courses have no part: load 5 (off).")


def test_profiles_of_the_grid_leave_out_elements_too(net: Any) -> None:
    """A load without the name of a relative profile keeps its power."""
    net.load["profile"] = ["H0", None, "H0", "H0", None, None]
    stamps = ["01.01.2026 00:00", "01.01.2026 00:15"]
    net["profiles"] = {"load": pd.DataFrame({"time": stamps, "H0_pload": 0.5, "H0_qload": 0.4})}
    data = read_profiles(PowerNet(net, "net"))
    assert "p_mw of 1 of 6 load (load 1 (load 5)); q_mvar of 1 of 6 load" in data.attrs["constant"]
    np.testing.assert_allclose(data["load_p_mw"].values[:, 1], net.load.p_mw[1])


def test_nothing_is_said_where_all_is_driven(net: Any, tmp_path: Path) -> None:
    for kind in ("motor", "ward", "gen", "sgen"):
        net[kind]["in_service"] = False
    columns = [f"load_{part}:load {bus}" for part in ("p_mw", "q_mvar") for bus in (3, 5, 6, 7)]
    path = tmp_path / "courses.csv"
    table = pd.DataFrame({"time_utc": ["2026-01-01T00:00", "2026-01-01T01:00"]})
    table.assign(**dict.fromkeys(columns, 0.5)).to_csv(path, index=False)
    assert "constant" not in read_profiles(PowerNet(net, "net"), path).attrs
