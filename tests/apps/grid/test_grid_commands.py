"""The commands `tvilling grid flow` and `tvilling grid year`: what they write, tell and refuse."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandapower as pp
import pandas as pd
import pytest
import xarray as xr
from pandapower_peer import quiet, voltages
from typer.testing import CliRunner

from tvilling.apps.cli.grid import grid_app
from tvilling.apps.grid.report.layout import layout_of
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.model.convert import from_pandapower

FILES = ["SHA256SUMS", "log.jsonl", "report.html", "result.nc", "summary.json", "violations.csv"]
POWERS_MW = [0.5, 1.0, 3.0, 4.0]


def feeder() -> Any:
    """A feeder of three stations behind a transformer, without coordinates or limits."""
    net = pp.create_empty_network()
    buses = [
        pp.create_bus(net, kv, name=f"station {at}") for at, kv in enumerate([110.0, *[20.0] * 3])
    ]
    pp.create_ext_grid(net, 0, vm_pu=1.02, name="feed")
    pp.create_transformer(net, 0, 1, "25 MVA 110/20 kV", name="T1")
    for one, other in pairwise(buses[1:]):
        length_km = 3.0 + one
        pp.create_line(net, one, other, length_km, "NAYY 4x50 SE", name=f"cable {one}")
    pp.create_load(net, 3, 1.0, 0.2, name="mill")
    pp.create_sgen(net, 2, 0.1, name="sun")
    return net


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("grid") / "feeder.json"
    with quiet():
        pp.to_json(feeder(), str(path))
    return path


@pytest.fixture(scope="module")
def courses(file: Path) -> Path:
    stamps = pd.date_range("2026-01-12", periods=len(POWERS_MW), freq="30min")
    lines = [
        f"{stamp:%Y-%m-%dT%H:%M},{power}" for stamp, power in zip(stamps, POWERS_MW, strict=True)
    ]
    path = file.with_name("courses.csv")
    path.write_text("\n".join(["time_utc,load_p_mw:mill", *lines]) + "\n")
    return path


def run(*arguments: object) -> tuple[str, Path]:
    """What a command prints, and the only folder that it made."""
    done = CliRunner().invoke(grid_app, [str(one) for one in arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    (folder,) = re.findall(r"report: (.*?)\s*/\s*report\.html", done.output, re.DOTALL)
    return done.output, Path(folder.replace("\n", ""))


def test_flow_writes_what_pandapower_finds_and_says_what_is_broken(
    file: Path, tmp_path: Path
) -> None:
    told, folder = run("flow", file, "--out", tmp_path, "--scale-loads", 4, "--max-loading", 80)
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert list(tmp_path.iterdir()) == [folder]
    net = feeder()
    net.load[["p_mw", "q_mvar"]] *= 4.0
    voltages(net)
    with xr.open_dataset(folder / "result.nc", engine="h5netcdf") as data:
        np.testing.assert_allclose(data["vm_pu"][0], net.res_bus.vm_pu, rtol=1e-9)
        assert list(data["line"].values) == list(net.line.name)
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["outcome"] == "solved"
    assert summary["losses_mw"] == pytest.approx(
        net.res_line.pl_mw.sum() + net.res_trafo.pl_mw.sum(), abs=1e-6
    )
    worst = net.res_line.loading_percent.idxmax()
    assert summary["line_loading_percent"]["at"] == net.line.name[worst]
    over = int((net.res_line.loading_percent > 80.0).sum())
    table = pd.read_csv(folder / "violations.csv")
    assert (table["quantity"] == "loading").sum() == over > 0
    assert summary["violations"]["loading"] == over
    assert str(net.line.name[worst]) in told
    assert "0.9 p.u. is assumed" in told.replace("\n", " ")
    report = (folder / "report.html").read_text()
    assert report.count("<svg") == 2  # the grid, and voltage over distance
    for text in (net.line.name[worst], "The file has no coordinates", "4 of 4 buses have no least"):
        assert text in report
    assert "http-equiv" not in report
    assert not re.search(r"<(script|img|link)\b", report)


def test_flow_without_a_solution_says_how_far_there_is_one(file: Path, tmp_path: Path) -> None:
    told, folder = run("flow", file, "--out", tmp_path, "--scale-loads", 90)
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["outcome"] == "infeasible"
    assert summary["losses_mw"] is None
    row = pd.read_csv(folder / "violations.csv").iloc[0]
    assert (row["quantity"], row["element"]) == ("no solution", "station 3")
    assert 0.0 < row["worst"] < 1.0
    assert "no solution" in told
    assert "station 3" in (folder / "report.html").read_text()


def test_year_solves_every_step_of_the_courses(file: Path, courses: Path, tmp_path: Path) -> None:
    told, folder = run("year", file, "--profiles", courses, "--out", tmp_path, "--vm-min", 0.97)
    assert sorted(path.name for path in folder.iterdir()) == FILES
    vm, lost_mwh = [], 0.0
    for power_mw in POWERS_MW:
        net = feeder()
        net.load["p_mw"] = power_mw
        voltages(net)
        vm.append(net.res_bus.vm_pu.to_numpy())
        lost_mwh += 0.5 * (net.res_line.pl_mw.sum() + net.res_trafo.pl_mw.sum())
    with xr.open_dataset(folder / "result.nc", engine="h5netcdf") as data:
        np.testing.assert_allclose(data["vm_pu"], vm, rtol=2e-7)
        assert data["vm_pu"].dtype == np.float32
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["steps"] == len(POWERS_MW)
    assert summary["losses_mwh"] == pytest.approx(lost_mwh, abs=1e-3)
    assert summary["load_mwh"] == pytest.approx(0.5 * sum(POWERS_MW), abs=1e-3)
    low = (np.array(vm) < 0.97).sum(axis=0)
    table = pd.read_csv(folder / "violations.csv").set_index("element")
    for bus, count in enumerate(low):
        if count:
            assert table.loc[f"station {bus}", "hours"] == 0.5 * count
    assert low.any()
    assert re.search(r"solved 4 steps in \d", told)
    assert (folder / "report.html").read_text().count("<svg") == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["flow", "missing.json"], "no such file"),
        (["flow", "FILE", "--trafo-model", "gamma"], "expected t or pi"),
        (["flow", "FILE", "--scale-loads", "-1", "--vm-min", "3"], "expected 0 to 2"),
        (["year", "FILE"], "no profiles of its own"),
        (["year", "FILE", "--profiles", "missing.csv"], "missing.csv"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_faulty_input_is_refused_before_anything_is_written(
    file: Path, tmp_path: Path, arguments: list[str], words: str
) -> None:
    """The command line makes a message and exit code 2 of an `InputError`."""
    chosen = [str(file) if one == "FILE" else one for one in arguments]
    done = CliRunner().invoke(grid_app, [*chosen, "--out", str(tmp_path)])
    assert isinstance(done.exception, InputError)
    assert words in str(done.exception)
    assert list(tmp_path.iterdir()) == []


def test_buses_stand_where_the_file_says_or_right_of_what_feeds_them() -> None:
    net = feeder()
    drawn = layout_of(net, from_pandapower(net).buses)
    assert (np.diff(drawn.place[:, 0]) > 0).all()
    assert not drawn.to_scale
    net.bus["geo"] = [f'{{"type": "Point", "coordinates": [{x}, 60.0]}}' for x in (10, 11, 12, 13)]
    net.line.loc[1, "geo"] = (
        '{"type": "LineString", "coordinates": [[12, 60], [12.5, 61], [13, 60]]}'
    )
    drawn = layout_of(net, from_pandapower(net).buses)
    np.testing.assert_allclose(np.diff(drawn.place[:, 0]), np.cos(np.radians(60.0)))
    assert len(drawn.paths["line"][1]) == 3
    assert "coordinates of the file" in drawn.origin


def test_hours_and_energies_follow_each_step_and_gaps_are_told(file: Path, tmp_path: Path) -> None:
    """Steps of 1, 1 and 3 h; the last lasts as long as the one before."""
    path = tmp_path / "gap.csv"
    hours, powers_mw = (0, 1, 2, 5), (0.5, 0.5, 4.0, 0.5)
    rows = [f"2026-01-12T{at:02}:00,{power}" for at, power in zip(hours, powers_mw, strict=True)]
    path.write_text("\n".join(["time_utc,load_p_mw:mill", *rows]) + "\n")
    told, folder = run("year", file, "--profiles", path, "--out", tmp_path, "--max-loading", 60)
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["load_mwh"] == pytest.approx(0.5 + 0.5 + 3 * 4.0 + 3 * 0.5, abs=1e-3)
    over = pd.read_csv(folder / "violations.csv").query("quantity == 'loading'")
    assert len(over)
    assert (over[["count", "hours"]] == [1, 3.0]).all(axis=None)
    words = "Gaps longer than the usual step of 1 h: 2026-01-12 02:00 to 2026-01-12 05:00 UTC."
    assert words in " ".join(told.split())
    assert words in (folder / "report.html").read_text()
    path.write_text("\n".join(["time_utc,load_p_mw:mill", rows[0]]) + "\n")
    told, folder = run("year", file, "--profiles", path, "--out", tmp_path / "one")
    assert "energies and hours need at least two" in " ".join(told.split())
    assert "load_mwh" not in json.loads((folder / "summary.json").read_text())


def test_what_no_slack_reaches_is_told_everywhere(tmp_path: Path) -> None:
    net, path = feeder(), tmp_path / "island.json"
    pp.create_load(net, pp.create_bus(net, 20.0, name="lone"), 0.7, name="dairy")
    with quiet():
        pp.to_json(net, str(path))
    told, folder = run("flow", path, "--out", tmp_path)
    row = pd.read_csv(folder / "violations.csv").iloc[0]
    assert (row["element"], row["quantity"], row["worst"]) == ("lone (dairy)", "no supply", 0.7)
    assert "without supply in the file" in told
    assert "broken limits: none" not in told
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["outcome"] == "unsupplied"
    assert summary["without_supply"] == {
        "elements": ["dairy"], "buses": ["lone"], "load_mw": 0.7, "generation_mw": 0.0,
    }  # fmt: skip
    page = (folder / "report.html").read_text()
    assert "700.0 kW of load" in page
    assert "No slack reaches dairy at lone" in page
    for command in (["n1"], ["hosting", "--scenarios", 0]):
        told, folder = run(*command[:1], path, *command[1:], "--out", tmp_path / command[0])
        assert "No slack reaches dairy at lone" in " ".join(told.split())
        summary = json.loads((folder / "summary.json").read_text())
        assert summary["without_supply"]["load_mw"] == 0.7
        assert "without supply in the file" in (folder / "report.html").read_text()


def test_a_band_upside_down_is_refused(file: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--vm-min is 2 p.u.: the least voltage of station 0, "):
        run("flow", file, "--out", tmp_path, "--vm-min", 2)
    assert list(tmp_path.iterdir()) == []
