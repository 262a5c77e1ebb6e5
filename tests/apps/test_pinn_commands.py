import importlib.util
import json
import re
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import small_pinns
import xarray as xr
from typer.testing import CliRunner

from tvilling.apps.cli.main import app
from tvilling.apps.pinn.evaluate import read_coordinates
from tvilling.apps.pinn.library import settings_of
from tvilling.apps.pinn.train import _mark
from tvilling.apps.pinn.training_folder import NOTHING_LEFT, TrainingFolder
from tvilling.apps.shared.run_folder import UNFINISHED
from tvilling.pinns import PROBLEMS
from tvilling.pinns.fields.domain import Axis
from tvilling.pinns.solution.store import load_solution
from tvilling.sciml.core.errors import InputError

NAME = "standing_water"
FILES = {"solution", "solution.nc", "report.html", "summary.json", "log.jsonl", "SHA256SUMS"}
SCRIPT = Path(small_pinns.__file__)


@pytest.fixture(autouse=True)
def _listed(monkeypatch):
    monkeypatch.setitem(PROBLEMS, NAME, small_pinns.ENTRY)


def call(*arguments, fails=False):
    """What a command prints, or the fault it raises."""
    done = CliRunner().invoke(app, ["pinn", *map(str, arguments)])
    if fails:
        assert isinstance(done.exception, InputError), done.output
        return str(done.exception)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PROBLEMS, NAME, small_pinns.ENTRY)
        text = call("train", NAME, "--short", "--seeds", 2, "--out", out, "--no-energy")
    (folder,) = out.iterdir()
    return folder, text


def test_the_command_imports_nothing_heavy():
    code = "import sys, tvilling.apps.cli.pinn; print({'jax', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_every_problem_is_listed_with_its_errors():
    rows = [json.loads(line) for line in call("list", "--json").splitlines()]
    assert [row["name"] for row in rows] == list(PROBLEMS)
    own = rows[-1]
    assert (own["full_error"], own["short_error"]) == (None, small_pinns.SHORT_ERROR)
    table = call("list")
    assert re.search(rf"{NAME}\s+Water that cools.*\s+-\s+2.0e-02", table)  # cells may wrap


def test_a_training_leaves_a_whole_folder(run):
    folder, text = run
    assert re.fullmatch(rf"\d{{8}}T\d{{6}}Z-{NAME}-[0-9a-f]{{8}}", folder.name)
    assert {path.name for path in folder.iterdir()} == FILES | {"other_seeds"}
    assert folder.name in text.replace("\n", "")
    summary = json.loads((folder / "summary.json").read_text())
    assert [one["seed"] for one in sorted(summary["seeds"], key=lambda one: one["seed"])] == [0, 1]
    losses = [one["held_out_loss"] for one in summary["seeds"]]
    assert losses == sorted(losses)
    assert summary["kept_seed"] == summary["seeds"][0]["seed"]
    assert summary["footprint"]["energy_j"] is None


def test_values_on_the_grid_are_those_of_the_closed_form_within_the_stated_error(run):
    with xr.open_dataset(run[0] / "solution.nc", engine="h5netcdf") as data:
        exact = 8 + 62 * np.exp(-0.15 * data["time_h"])
        np.testing.assert_allclose(data["water_degc_reference"], exact, rtol=1e-14)
        off = np.asarray(data["water_degc"] - exact)
        np.testing.assert_allclose(data["water_degc_error"], off, atol=1e-12)
        rms = float(np.sqrt(np.mean(off**2) / np.mean(np.asarray(exact) ** 2)))
        assert rms < small_pinns.SHORT_ERROR
        assert data["water_degc_error"].units == "°C"
    told = json.loads((run[0] / "summary.json").read_text())["seeds"][0]["errors"]["water_degc"]
    assert told["relative_l2"] == pytest.approx(rms, rel=0.1)  # another grid


def test_the_report_stands_alone_and_tells_errors_seeds_and_how_to_load(run):
    html = (run[0] / "report.html").read_text(encoding="utf-8")
    for words in ("Error", "Seeds", "Course", "Solution: water_degc", "load_solution", "Energy",
                  "Water that cools in a still pipe", "closed form"):  # fmt: skip
        assert words in html, words
    assert not re.search(r'(src|href)="(?!data:|#)', html.replace("xlink:href", "href"))


def test_evaluate_gives_the_values_of_the_loaded_solution(run, tmp_path):
    folder, _ = run
    solution = load_solution(folder / "solution", small_pinns.example())
    time_h = np.linspace(0.0, 12.0, 5)
    values = solution.evaluate(time_h=time_h)["water_degc"].values
    call("evaluate", folder, "time_h=0:12:5", "--csv", tmp_path / "v.csv")
    head, *rows = (tmp_path / "v.csv").read_text(encoding="utf-8").splitlines()
    assert head == "time_h [h],water_degc [°C]"
    found = np.array([row.split(",") for row in rows], float)
    np.testing.assert_array_equal(found, np.stack([time_h, values], axis=1))
    assert f"{values[1]:.6g}" in call("evaluate", folder, "time_h=3")
    assert "30 of 1,000 points" in call("evaluate", folder, "time_h=0:12:1000")


def test_coordinates_are_read_and_every_fault_is_told():
    axes = (Axis("x_m", "m", 0.0, 9.0), Axis("t_s", "s", -1.0, 1.0))
    found, faults = read_coordinates(["x_m=0:9:4", "t_s=-1,0.5"], axes)
    assert faults == []
    assert {name: values.tolist() for name, values in found.items()} == {
        "x_m": [0, 3, 6, 9],
        "t_s": [-1, 0.5],
    }
    faults = read_coordinates(["x_m=1:2", "y=3", "x_m=10"], axes)[1]
    assert "x_m is '1:2', expected a number, numbers with commas, or LOW:HIGH:COUNT" in faults
    assert "'y' is no coordinate; there are x_m, t_s" in faults
    assert "x_m is given twice" in faults
    assert "x_m runs from 10 to 10 m, expected 0 to 9 m" in faults
    assert "t_s is missing, expected -1 to 1 s" in faults
    for text in ("x_m=", "x_m=nan", "x_m=0:1:0", "x_m=0:1:2.5", "x_m"):
        assert read_coordinates([text, "t_s=0"], axes)[1], text


def test_faults_are_told_together_and_nothing_is_written(run, tmp_path):
    out = tmp_path / "runs"
    told = call("train", "nothing", "--seed", -1, "--seeds", 0, "--time-s", -3, "--out", out,
                fails=True)  # fmt: skip
    assert "4 faults" in told
    assert "'nothing' is not in the library" in told
    assert "--seeds is 0, expected 1 to 100" in told
    assert not out.exists()
    told = call("train", NAME, "--short", "--resume", "--out", out, fails=True)
    assert "holds no unfinished training of standing_water" in told
    assert not out.exists()
    (tmp_path / "there.csv").write_text("kept")
    told = call("evaluate", run[0], "time_h=-1", "x=2", "--csv", tmp_path / "there.csv", fails=True)
    assert "3 faults" in told
    assert "there.csv exists" in told
    assert "time_h runs from -1 to -1 h, expected 0 to 12 h" in told
    assert (tmp_path / "there.csv").read_text() == "kept"
    assert "is no run folder" in call("evaluate", tmp_path, "time_h=1", fails=True)


def checkpoints(out):
    found = out.glob(f"{UNFINISHED}*/checkpoints/seed_0/*")
    return [path for path in found if path.name.isdigit()]


def bits(folder):
    """All weights, and the course without its times."""
    about = json.loads((folder / "solution" / "solution.json").read_text())
    checks = [(one["step"], one["loss"], one["held_out"], one["error"]) for one in about["checks"]]
    time_h = np.linspace(0.0, 12.0, 50)
    solution = load_solution(folder / "solution", small_pinns.example())
    return checks, solution.evaluate(time_h=time_h)["water_degc"].values.tobytes()


def test_a_killed_training_is_resumed_with_the_same_bits(tmp_path):
    """Against one that was not interrupted; the kill is a real one."""
    out = tmp_path / "killed"
    command = [sys.executable, SCRIPT, "pinn", "train", NAME, "--out", out, "--no-energy"]
    with subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not checkpoints(out):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    (left,) = out.iterdir()
    assert left.name.startswith(UNFINISHED)
    call("train", NAME, "--out", out, "--resume", "--no-energy")
    call("train", NAME, "--out", tmp_path / "whole", "--no-energy")
    (resumed,), (whole,) = (path.iterdir() for path in (out, tmp_path / "whole"))
    assert {path.name for path in resumed.iterdir()} == FILES
    assert json.loads((resumed / "summary.json").read_text())["resumed"] is True
    events = [json.loads(line) for line in (resumed / "log.jsonl").read_text().splitlines()]
    told = [line.get("text", line["event"]) for line in events]
    assert any("taken up at step" in text for text in told)
    assert bits(resumed) == bits(whole)


def test_a_training_whose_checkpoints_are_gone_says_that_it_begins_anew(tmp_path):
    problem, settings = small_pinns.example(), settings_of(NAME, True)
    mark = _mark(NAME, problem, settings, range(1))
    left = TrainingFolder.of_run(tmp_path, NAME, mark, datetime(2026, 1, 5))
    left._lock.close()  # as if its process had been killed
    call("train", NAME, "--short", "--out", tmp_path, "--resume", "--no-energy")
    (folder,) = tmp_path.iterdir()
    assert NOTHING_LEFT in (folder / "log.jsonl").read_text()
    assert json.loads((folder / "summary.json").read_text())["note"] == NOTHING_LEFT
    assert NOTHING_LEFT in (folder / "report.html").read_text()


def readings_file(path, noise_k=0.4):
    """Readings of standing water that loses 0.21 of its excess an hour, over ground of 11 °C."""
    hours = np.linspace(0.25, 12.0, 40)
    random = np.random.default_rng(5)
    degc = 11 + 59 * np.exp(-0.21 * hours) + noise_k * random.standard_normal(hours.size)
    rows = [
        f"{hour!r},{value!r}" for hour, value in zip(hours.tolist(), degc.tolist(), strict=True)
    ]
    path.write_text("\n".join(["# a comment", "time_h [h],water_degc", *rows]) + "\n")
    return hours, degc


@pytest.mark.slow
def test_invert_finds_what_least_squares_finds_in_the_closed_form(tmp_path):
    """scipy fits 70 °C that falls towards the ground; intervals are Student's with 38 degrees."""
    from scipy.optimize import curve_fit
    from scipy.stats import t

    hours, degc = readings_file(tmp_path / "r.csv")

    def water(hour, ground, decay):
        return ground + (70 - ground) * np.exp(-decay * hour)

    values, covariance = curve_fit(water, hours, degc, (8.0, 0.15))
    text = call("invert", NAME, tmp_path / "r.csv", "--free", "ground_degc,decay_per_h=0.05:0.5",
                "--json")  # fmt: skip
    found = json.loads(text)
    assert found["coverage"] == 0.9
    for name, value, sd in zip(
        ("ground_degc", "decay_per_h"), values, np.sqrt(np.diag(covariance)), strict=True
    ):
        one = found["estimates"][name]
        assert one["value"] == pytest.approx(value, abs=0.1 * sd)
        assert one["standard_error"] == pytest.approx(sd, rel=0.05)
        half = t.ppf(0.95, 38) * sd
        assert one["low"] == pytest.approx(value - half, abs=0.3 * sd)
        assert one["high"] == pytest.approx(value + half, abs=0.3 * sd)


def test_readings_and_parameters_are_checked_together(tmp_path):
    file = tmp_path / "r.csv"
    file.write_text("time_h [s],water_degc,colour\n1,50,red\n13,x,\n,40,\n")
    told = call("invert", NAME, file, "--free", "decay,decay_per_h=5:1", "--noise", -1, fails=True)
    for words in (
        "column time_h is in s, expected h",
        "column 'colour' is unknown; there are time_h, water_degc",
        "reading 2: water_degc is 'x', expected a number",
        "reading 2: time_h is 13 h, expected 0 to 12 h",
        "reading 3: time_h is missing, expected 0 to 12 h",
        "--free 'decay' is no parameter; there are ground_degc, decay_per_h",
        "decay_per_h: its range is 5 to 1 1/h",
        "--noise is -1, expected above 0",
    ):
        assert words in told, words
    file.write_text("hour\n1\n")
    told = call("invert", NAME, file, fails=True)
    assert "column time_h is missing" in told
    assert "no column is an unknown; there are water_degc" in told
    assert "nothing is free; name parameters with --free" in told
    assert "no.csv: no such file" in call("invert", NAME, tmp_path / "no.csv", fails=True)
    file.write_text("time_h,water_degc\n1,50\n2,49,1\n")  # with a flag that no header names
    told = call("invert", NAME, file, "--free", "decay_per_h,decay_per_h", fails=True)
    assert "r.csv: row 3: 3 cells, expected 2" in told
    assert "--free names decay_per_h twice" in told
    told = call("invert", NAME, file, "--seed", 10**20, fails=True)
    assert "--seed is 1" in told


def test_the_sensors_that_ship_are_those_that_the_script_makes():
    path = Path(__file__).parents[2] / "docs" / "pipe_sensors.py"
    spec = importlib.util.spec_from_file_location("pipe_sensors", path)
    sensors = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sensors)
    assert sensors.FILE.read_text(encoding="utf-8") == sensors.text()


@pytest.mark.slow
def test_velocities_that_follow_from_a_streamfunction_are_told_and_kept(tmp_path):
    out = ("--out", tmp_path)
    told = call("train", "lid_cavity", "--short", "--time-s", 0.1, "--no-energy", *out)
    (folder,) = (path for path in tmp_path.iterdir() if not path.name.startswith("."))
    report = (folder / "report.html").read_text(encoding="utf-8")
    for name in ("u", "v"):
        assert f"\n{name} " in told
        assert f"<th class='l'>{name}</th>" in report
    assert "psi" in call("evaluate", folder, "x=0.5", "y=0.5")
