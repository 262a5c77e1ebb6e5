"""A plan and its line in the ledger: both, or neither and a message."""

import pytest
from plant_files import write_case

from tvilling.apps.plant.plan import run_plan
from tvilling.sciml.io.storage import StorageError


def test_a_plan_that_cannot_be_entered_in_the_ledger_is_not_left_behind(tmp_path, monkeypatch):
    """The user's data folder cannot be written to; the plan used to be there, and exit code 1."""
    (tmp_path / "home").touch()
    monkeypatch.setenv("TVILLING_HOME", str(tmp_path / "home"))
    case = write_case(tmp_path, forecast={"model": "naive_day", "history_days": 12})
    with pytest.raises(StorageError, match=r"ledger\.jsonl: 1 fault\n  - cannot be written to"):
        run_plan(case, ("plan.commitment=false",), tmp_path / "runs")
    assert not (tmp_path / "runs").exists()
