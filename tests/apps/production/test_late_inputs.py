"""Which inputs of a plan are late, and that a job refuses to plan without them at first."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from plant_files import meters, write_case

from tvilling.apps.plant.case import PlantCase
from tvilling.apps.plant.inputs.known import HOUR, gather
from tvilling.apps.plant.inputs.late_inputs import check_inputs_are_in
from tvilling.apps.plant.job import plan_job, plan_without_job
from tvilling.apps.shared.case_file import read_case
from tvilling.apps.shared.late_input import LateInputError
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.checksums import write_sums

AT = pd.Timestamp("2026-02-16T12:00")


def late(folder, table, **changes):
    """What is late, and whether it is announced."""
    path = write_case(folder, table, **changes)
    case = read_case(path, (), PlantCase)
    facts = gather(case, path, AT.to_datetime64(), AT.to_datetime64() + 48 * HOUR)
    try:
        check_inputs_are_in(case, facts, AT.to_datetime64())
    except LateInputError as error:
        return list(error.faults), error.announced
    return [], False


def without(name, first, last=None):
    table = meters()
    table.loc[pd.Timestamp(first) : last, name] = np.nan
    return table


def test_nothing_is_late_where_all_is_in(tmp_path):
    assert late(tmp_path, meters()) == ([], False)


@pytest.mark.parametrize(
    ("table", "fault", "announced"),
    [
        (without("price_dkk_per_kwh", "2026-02-16T23:00"), "24 of 35 published prices", True),
        (without("price_dkk_per_kwh", "2026-02-17T22:00"), "1 of 35 published prices", True),
        (without("outdoor_degc", AT), "lacks 24 of the first 24 hours", False),
        (without("outdoor_degc", "2026-02-17T00:00"), "lacks 12 of the first 24", False),
        (without("load_mw", "2026-02-15T10:00"), "the load ends 26 h before", False),
    ],
)
def test_what_is_not_in_is_told(tmp_path, table, fault, announced):
    (told,), comes = late(tmp_path, table)
    assert fault in told
    assert comes is announced


def test_meters_of_yesterday_and_a_plant_without_forecasts_are_not_late(tmp_path):
    assert late(tmp_path, without("load_mw", "2026-02-15T14:00")) == ([], False)
    weather = {"ahead": "last_observed"}
    assert late(tmp_path, without("outdoor_degc", AT), weather=weather) == ([], False)


def test_a_record_without_the_users_own_prices_waits_for_none(tmp_path):
    assert late(tmp_path, meters().drop(columns="price_dkk_per_kwh")) == ([], False)


@pytest.mark.parametrize(("made", "hours"), [("11:05", 11), ("11:59", 11), ("12:00", 35)])
def test_before_one_o_clock_the_prices_of_tomorrow_are_not_expected(tmp_path, made, hours):
    """A job at 12:59 Danish time plans from 13:00 on, but cannot know what comes at 13:00."""
    path = write_case(tmp_path)
    case = read_case(path, (), PlantCase)
    facts = gather(case, path, AT.to_datetime64(), AT.to_datetime64() + 48 * HOUR)
    known = replace(facts, made=np.datetime64(f"2026-02-16T{made}"))
    assert known.published_h(AT.to_datetime64(), 48) == hours


def test_the_job_plans_without_only_when_it_is_told_to(tmp_path, monkeypatch):
    monkeypatch.setenv("TVILLING_HOME", str(tmp_path / "home"))
    case = write_case(tmp_path, without("price_dkk_per_kwh", "2026-02-16T23:00"))
    now, out = datetime(2026, 2, 16, 12, tzinfo=UTC), tmp_path / "runs" / "first"
    out.mkdir(parents=True)
    with pytest.raises(LateInputError, match="24 of 35 published prices are missing"):
        plan_job(case, now, out, lambda stage: None)
    assert not list(out.iterdir())
    made = plan_without_job(case, now, out, lambda stage: None)
    assert made["how"] == "rule"


def test_a_file_that_is_not_there_is_no_reason_to_hold_at_once(tmp_path, monkeypatch):
    """Though there is a plan to hold on to: the retries come first."""
    monkeypatch.setenv("TVILLING_HOME", str(tmp_path / "home"))
    case, out = write_case(tmp_path), tmp_path / "runs"
    for name in ("first", "second"):
        (out / name).mkdir(parents=True)
    plan_without_job(case, datetime(2026, 2, 16, 12, tzinfo=UTC), out / "first", print)
    write_sums(out / "first")  # as a job's result has them
    (tmp_path / "meters.csv").unlink()
    case.write_text(case.read_text().replace("2026-02-16T13:00", "2026-02-17T13:00"))
    now = datetime(2026, 2, 17, 12, tzinfo=UTC)
    with pytest.raises(InputError, match="no such file"):
        plan_job(case, now, out / "second", lambda stage: None)
    held = plan_without_job(case, now, out / "second", lambda stage: None)
    assert held["how"] == "hold"
