"""The sized town network: savings that hold in the verifying run, beside curves tuned for them."""

import re
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest

from tvilling.benchmarks.supply_temperature_plan import (
    HOT_WATER_DEGC,
    courses_of,
    town_limits,
    town_window,
)
from tvilling.rl_control.supply_temperature.network_run import Conditions, simulated
from tvilling.rl_control.supply_temperature.plan import SupplyPlan, plan_supply
from tvilling.rl_control.supply_temperature.profile import between
from tvilling.sciml.systems.heat_network import HeatNetwork

WEEK_H = 168


def assert_verified(plan: SupplyPlan, limit_degc: float = HOT_WATER_DEGC) -> None:
    """It costs less than the curve, and the verifying run keeps every limit at every step."""
    assert plan.outcome == "planned", plan.reason
    assert plan.saving.total_dkk > 0
    assert min(plan.margins.values()) >= 0
    shown = plan.data.sel(course="plan")
    assert float(shown["coldest_degc"].min()) >= limit_degc
    assert float(shown["least_dp_bar"].min()) >= 0.5 - 1e-5
    assert np.abs(np.diff(plan.setpoints_degc)).max() <= 10.0 + 1e-6


@pytest.mark.slow
def test_half_a_day_costs_less_than_the_curve():
    window, prepared, _ = town_window(12, 6, recorded=False)
    assert_verified(plan_supply(window, town_limits(prepared, HOT_WATER_DEGC)))


@pytest.mark.slow
def test_a_winter_week_costs_less_than_under_the_best_curve():
    window, prepared, curve = town_window(WEEK_H, recorded=False)
    limits = town_limits(prepared, HOT_WATER_DEGC)
    courses = courses_of(window, curve, np.asarray(prepared.drive["outdoor_degc"]))
    plans = {name: plan_supply(window, limits, course) for name, course in courses.items()}
    for plan in plans.values():
        assert_verified(plan)
    saved = {name: plan.saving.total_dkk for name, plan in plans.items()}
    assert saved["plan"] > saved["best_curve"]
    assert saved["plan"] > saved["best_constant"]
    assert plans["plan"].saving.percent()["total"] > 3.0
    elsewhere = replace(courses["plan"], start=np.full(len(courses["plan"].start), 70.0))
    again = plan_supply(window, limits, elsewhere)
    assert again.saving.total_dkk == pytest.approx(saved["plan"], rel=0.01)


@pytest.mark.slow
def test_a_plan_holds_on_a_finer_grid_within_the_error_of_the_grid():
    """Eight cells a pipe instead of two: what the verifying run does not see."""
    window, prepared, _ = town_window(24, 12, recorded=False)
    limits = town_limits(prepared, HOT_WATER_DEGC)
    plan = plan_supply(window, limits)
    assert_verified(plan)
    fine = replace(window.network, cells=8)
    first = {name: values[0] for name, values in window.drive.items()}
    action = {"supply_degc": window.curve_degc[:1]}
    state, _ = jax.jit(HeatNetwork.steady)(fine, action, first)
    conditions = Conditions(fine, state, window.drive, window.cost, limits, 0.0, window.dt_s)
    supply = between(12, window.hours + 1) @ plan.setpoints_degc
    run = simulated(conditions.finer(3), supply)
    assert float(run.coldest_degc.min()) > HOT_WATER_DEGC - 1.0
    assert float(run.plant["lift_bar"].max()) < 1.03 * limits.max_lift_bar


def test_code_on_the_page_runs(monkeypatch, capsys):
    page = Path(__file__).parents[3] / "docs" / "supply-temperature.md"
    monkeypatch.chdir(page.parents[1])
    (block,) = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    exec(compile(block, str(page), "exec"), {"__name__": "page"})
    assert "planned {'total'" in capsys.readouterr().out
