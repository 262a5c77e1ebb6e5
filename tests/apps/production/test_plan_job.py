"""The production plan as a job, in real processes: at its minute, killed, resumed, once."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import xarray as xr
from plant_files import write_case

from tvilling.apps.jobs.store import Store
from tvilling.apps.plant.job import hold_job, rule_job
from tvilling.sciml.io.checksums import write_sums
from tvilling.twins.ledger import Ledger, verify

TVILLING = [str(Path(sys.executable).with_name("tvilling"))]
PATIENCE_S = 120.0


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    monkeypatch.setenv("TVILLING_HOME", str(folder))
    return folder


def tvilling(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*TVILLING, *arguments], capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )


def until(holds, process=None):
    deadline = time.monotonic() + PATIENCE_S
    while not (found := holds()):
        assert time.monotonic() < deadline, "it did not come so far"
        assert process is None or process.poll() is None, "the process ended"
        time.sleep(0.05)
    return found


def results(home):
    """Folders of the job's results, and those that are being written."""
    folder = home / "jobs" / "morning"
    names = [path.name for path in folder.iterdir()] if folder.exists() else []
    return [n for n in names if not n.startswith(".")], [n for n in names if n.startswith(".")]


def told(home, event):
    assert verify(home / "ledger.jsonl").ok
    facts = [line["facts"] for line in Ledger(home / "ledger.jsonl").read()]
    return [one for one in facts if one["event"] == event]


@pytest.mark.slow
def test_a_plan_that_was_killed_is_made_again_and_there_is_one(tmp_path, home):
    case = write_case(tmp_path)
    added = tvilling("job", "add", "morning", str(case), "--at", "06:00")
    assert added.returncode == 0, added.stderr
    assert "morning: plan, at 06:00" in added.stdout
    at = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%MZ")
    command = [*TVILLING, "job", "run", "morning", "--at", at]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: results(home)[1], first)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert results(home)[0] == []
    again = tvilling("job", "run", "morning", "--at", at)
    assert again.returncode == 0, again.stdout + again.stderr
    (folder,) = results(home)[0]
    (done,) = told(home, "run done")
    assert done["facts"]["how"] == "plan"
    assert len(told(home, "run started")) == 2
    with xr.open_dataset(home / "jobs" / "morning" / folder / "plan.nc", engine="h5netcdf") as data:
        assert data.sizes["time"] == 48
    once_more = tvilling("job", "run", "morning", "--at", at)
    assert once_more.returncode == 0
    assert "already done" in once_more.stdout
    assert len(told(home, "run done")) == 1


@pytest.mark.slow
def test_a_server_writes_the_plan_at_its_minute_and_survives_a_power_cut(tmp_path, home):
    case = write_case(tmp_path)
    assert tvilling("job", "add", "morning", str(case), "--cron", "* * * * *").returncode == 0
    serve = [*TVILLING, "job", "serve", "--lease", "2"]
    first = subprocess.Popen(serve, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: results(home)[1], first)
    begun = datetime.now(UTC)
    assert begun.second < 20
    first.kill()
    first.wait()
    second = subprocess.Popen(serve, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: told(home, "run done"), second)
    finally:
        second.send_signal(signal.SIGTERM)
        assert second.wait(60) == 0
    minute = begun.replace(second=0, microsecond=0)
    key = f"{minute:%Y%m%dT%H%M%SZ}"
    assert [name for name in results(home)[0] if name == key] == [key]
    times = [datetime.fromisoformat(one["scheduled"]) for one in told(home, "run done")]
    assert times.count(minute) == 1


def test_when_the_plan_fails_the_rule_and_then_the_last_plan_take_over(tmp_path, home):
    """The kind's fallbacks, one after the other, as the jobs call them."""
    case = write_case(tmp_path)
    now = datetime(2026, 2, 16, 12, tzinfo=UTC)
    first = tmp_path / "runs" / "first"
    first.mkdir(parents=True)
    by_rule = rule_job(case, now, first, lambda stage: None)
    write_sums(first)  # as a job's result has them
    assert (by_rule["how"], by_rule["reason"]) == ("rule", "the plan failed")
    text = case.read_text().replace("2026-02-16T13:00", "2026-02-17T13:00")
    case.write_text(text)
    second = tmp_path / "runs" / "second"
    second.mkdir()
    held = hold_job(case, now + timedelta(days=1), second, lambda stage: None)
    assert held["how"] == "hold"
    assert "plan and rule failed" in held["reason"]
    assert held["held_from"] == "first"
    assert json.loads((second / "summary.json").read_text()) == held


def test_a_faulty_case_is_told_when_the_job_is_added(tmp_path, home):
    case = write_case(tmp_path, plan={"horizon_h": 5})
    answer = tvilling("job", "add", "morning", str(case), "--at", "06:00")
    assert answer.returncode == 2
    assert "plan.horizon_h is 5, expected 12 to 168" in answer.stderr
    assert Store.at_home().rows("SELECT name FROM job") == []
