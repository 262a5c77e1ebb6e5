import json
import re
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from tvilling.apps.cli.main import app
from tvilling.apps.heat.run import run_case
from tvilling.apps.shared.run_folder import UNFINISHED
from tvilling.sciml.core.errors import InputError

FILES = {"SHA256SUMS", "case.yaml", "log.jsonl", "report.html", "result.nc", "summary.json"}


@pytest.fixture(scope="module")
def result(case_file, tmp_path_factory):
    stages = []
    out = tmp_path_factory.mktemp("out")
    found = run_case(case_file, (), out, stages.append)
    assert "simulating constant" in stages
    return found


@pytest.fixture(scope="module")
def data(result):
    with xr.open_dataset(result.folder / "result.nc", engine="h5netcdf") as data:
        return data.load()


def test_the_folder_is_named_and_complete(result):
    assert {path.name for path in result.folder.iterdir()} == FILES
    name = rf"\d{{8}}T\d{{6}}Z-ring-{result.case_hash}"
    assert re.fullmatch(name, result.folder.name)
    assert [path.name for path in result.folder.parent.iterdir()] == [result.folder.name]


def test_results_are_labelled(result, data):
    assert data.sizes["controller"] == 2
    assert data.sizes["time"] == 12
    assert list(data["consumer"].values) == ["school", "hall", "homes", "depot"]
    assert all(variable.attrs["units"] for variable in data.data_vars.values())
    assert data["heat_w"].dims == ("time", "consumer")  # the same under every control
    assert data.attrs["case_hash"] == result.case_hash
    assert data.attrs["seed"] == 4
    assert str(data["time"].values[0]).startswith("2021-02-08T00:15")


def test_the_energy_of_the_summary_closes(result, data):
    """Heat put in less delivered and lost is what the pipes' water took up: a few kelvin of it."""
    summary = json.loads((result.folder / "summary.json").read_text(encoding="utf-8"))
    for name, one in summary["controllers"].items():
        run = data.sel(controller=name)
        put_in = float(run["source_w"].sum()) * 900 / 3.6e9
        assert one["heat_mwh"] == pytest.approx(put_in, rel=1e-12)
        stored = one["heat_mwh"] - one["delivered_mwh"] - one["loss_mwh"]
        water_m3 = summary["network"]["supply_m3"] + summary["network"]["return_m3"]
        assert abs(stored) < water_m3 * 1.16e-3 * 5.0
        assert one["unserved_mwh"] == 0.0
        heat_w = run["source_kg_per_s"] * 4185 * (run["supply_degc"] - run["source_return_degc"])
        np.testing.assert_allclose(run["source_w"], heat_w, rtol=5e-3)


def test_controls_do_what_the_case_says(data):
    curve, constant = (data["supply_degc"].sel(controller=name) for name in ("curve", "constant"))
    expected = np.interp(data["outdoor_degc"], [-12.0, 15.0], [85.0, 65.0])
    np.testing.assert_allclose(curve.isel(source=0), expected, rtol=1e-12)
    assert (constant == 80.0).all()
    for name in ("supply_degc", "heat_w", "ground_degc", "outdoor_degc"):
        assert data[name].attrs["comment"] == "held over the step that ends at the time stamp"
    assert "comment" not in data["source_w"].attrs


def test_the_case_in_the_folder_gives_the_same_result(result, data, tmp_path):
    again = run_case(result.folder / "case.yaml", (), tmp_path)
    assert again.case_hash == result.case_hash
    with xr.open_dataset(again.folder / "result.nc", engine="h5netcdf") as other:
        for name in data.data_vars:
            np.testing.assert_array_equal(data[name], other[name])


class _Page(HTMLParser):
    """Collects what a browser would fetch, the tags that stay open, and the text."""

    def __init__(self):
        super().__init__()
        self.fetched, self.open, self.text, self.svgs = [], [], "", 0

    def handle_starttag(self, tag, attrs):
        self.svgs += tag == "svg"
        if tag not in ("meta", "link", "img", "br"):
            self.open.append(tag)
        for name, value in attrs:
            fetches = name in ("src", "href", "xlink:href", "srcset", "data", "action")
            if fetches and not value.startswith(("#", "data:")):
                self.fetched.append(value)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_report_stands_alone(result):
    text = (result.folder / "report.html").read_text(encoding="utf-8")
    page = _Page()
    page.feed(text)
    assert page.fetched == []
    assert page.open == []
    assert page.svgs == 4
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)
    for words in (
        "A ring main <&>",  # escaped and read back
        "4 heat demands are drawn from a stated building stock",
        "not measured",
        "synthetic winter week",
        "Pump electricity",
        "Worst-served consumer",
        result.case_hash,
    ):
        assert words in page.text


def test_a_run_that_fails_names_consumers_and_times(case_file, tmp_path):
    """No supply of 80 °C can heat a substation that sends back 90 °C."""
    result = run_case(case_file, ["network.return_degc=90"], tmp_path)
    (told,) = [line for line in result.warnings if "constant: a demand was not met" in line]
    assert {"school", "hall", "homes", "depot"} <= set(re.findall(r"\w+", told))
    assert "12 of 12 steps: 2021-02-08 00:15 to 2021-02-08 03:00" in told
    assert result.figures["constant"].unserved_mwh > 0.1
    assert "a demand was not met" in (result.folder / "report.html").read_text(encoding="utf-8")


def test_only_the_named_variables_are_kept(case_file, tmp_path):
    result = run_case(case_file, ["outputs.variables=[source_w]"], tmp_path)
    with xr.open_dataset(result.folder / "result.nc", engine="h5netcdf") as kept:
        assert set(kept.data_vars) == {"source_w", "status"}


@pytest.mark.slow
def test_a_network_without_consumers_or_map_is_run_as_well(case_file, tmp_path):
    """Heat leaves this one through exchangers in the line, whose heat the file states."""
    overrides = ["network={source: 'pandapipes:heat_transfer_two_pipes'}", "horizon.hours=1"]
    overrides += ["demand={kind: network}", "model.pump_control=fixed", "title=''"]
    result = run_case(case_file, overrides, tmp_path)
    assert result.figures["constant"].coldest_inlet_degc is None
    text = (result.folder / "report.html").read_text(encoding="utf-8")
    assert "Worst-served" not in text
    json.loads(
        (result.folder / "summary.json").read_text(encoding="utf-8"), parse_constant=pytest.fail
    )


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("outputs.variables=[heat]", "heat is not known; known are junction_degc"),
        ("network.source=nowhere.json", "no such file"),
        ("horizon.hours=-1", "horizon.hours is -1"),
    ],
)
def test_faulty_input_writes_nothing(case_file, tmp_path, override, told):
    with pytest.raises(InputError, match=told):
        run_case(case_file, [override], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def _wait_for(out, event, process):
    """Wait until a log in an unfinished folder holds `event`."""
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        for log in out.glob(f"{UNFINISHED}*/log.jsonl"):
            if event in log.read_text(encoding="utf-8"):
                return
        time.sleep(0.005)
    raise AssertionError(f"{event} did not happen")


@pytest.mark.parametrize(
    "event",
    [
        pytest.param("started", marks=pytest.mark.slow),
        pytest.param("simulating constant", marks=pytest.mark.slow),
        pytest.param("writing the results", marks=pytest.mark.slow),
        "drawing the report",
    ],
)
def test_a_killed_run_leaves_nothing_under_a_final_name_and_can_be_started_again(
    case_file, tmp_path, event
):
    command = [sys.executable, "-m", "tvilling.apps.cli.main", "run", str(case_file)]
    command += ["--out", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _wait_for(tmp_path, event, process)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(UNFINISHED)
    done = CliRunner().invoke(app, command[3:])
    assert done.exit_code == 0, done.output
    (folder,) = (path for path in tmp_path.iterdir() if path != left)
    assert {path.name for path in folder.iterdir()} == FILES
    assert str(folder / "report.html") in done.stdout.replace("\n", "")
