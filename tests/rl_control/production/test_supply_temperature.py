"""Plans of a supply temperature: against closed forms and scipy, and what is done without one."""

import re
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from supply_windows import (
    GROUND_DEGC,
    HEAT_W,
    HOURS,
    OUTDOOR_DEGC,
    RUN_OUT_H,
    SENT_DEGC,
    STEPS_PER_HOUR,
    Pipe,
    network,
    sent_for_degc,
    window,
)

from tvilling.rl_control.supply_temperature.limits import SupplyLimits
from tvilling.rl_control.supply_temperature.network_run import cost_gradient
from tvilling.rl_control.supply_temperature.plan import PlanSettings, plan_supply
from tvilling.rl_control.supply_temperature.profile import between, hourly
from tvilling.rl_control.supply_temperature.search_task import Job
from tvilling.rl_control.supply_temperature.window import load_by_consumer
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_network import HeatNetwork
from tvilling.sciml.systems.heat_plant.cop import heat_pump_cop

QUICK = PlanSettings(substeps=1)
FREE = slice(6, HOURS - RUN_OUT_H - 1)  # hours that neither the start nor the end holds back


@pytest.mark.slow
def test_with_little_to_pump_the_plan_sits_on_the_consumers_limit():
    plan = plan_supply(window(), SupplyLimits(60.0, low_degc=45.0), settings=QUICK)
    assert plan.outcome == "planned"
    np.testing.assert_allclose(plan.setpoints_degc[FREE], sent_for_degc(60.0), atol=0.02)
    assert 0.0 <= plan.margins["temperature"] < 0.01


def test_where_pumping_is_dear_the_plan_finds_what_scipy_finds():
    """A thin pipe: the cost of the steady network has its least inside the limits."""
    thin = network(Pipe(inner_diameter_m=0.018))
    drive = {"heat_w": jnp.array([HEAT_W]), "ground_degc": jnp.array(GROUND_DEGC)}
    steady = jax.jit(HeatNetwork.steady)

    def power_w(sent_degc):
        output = steady(thin, {"supply_degc": jnp.array([sent_degc])}, drive)[1]
        back = output["source_return_degc"][0]
        air = OUTDOOR_DEGC, OUTDOOR_DEGC - 5.0
        cop = heat_pump_cop(*air, sent_degc, back, 0.5)
        return float(output["source_w"][0] / cop + output["pump_w"][0])

    best = minimize_scalar(power_w, bounds=(50.0, 90.0), method="bounded")
    assert 60.0 < best.x < 72.0  # neither at a limit nor on the curve
    plan = plan_supply(window(built=thin), SupplyLimits(45.0, low_degc=45.0), settings=QUICK)
    assert plan.outcome == "planned"
    planned = plan.data.sel(course="plan").isel(time=FREE)
    np.testing.assert_allclose(planned["setpoint_degc"], best.x, atol=1.0)
    np.testing.assert_allclose(planned["cost_dkk"].mean(), 0.5 * best.fun / 1000, rtol=1e-3)


def test_heat_is_put_into_long_pipes_before_dear_hours():
    """Two cheap hours before dear ones, against the same mean price all along."""
    long_pipes = network(Pipe(length_m=2000.0, inner_diameter_m=0.1))
    price = np.full(HOURS, 0.8)
    price[4:6] = 0.1
    even = window(np.full(HOURS * STEPS_PER_HOUR, price.mean()), long_pipes)
    priced = window(np.repeat(price, STEPS_PER_HOUR), long_pipes)
    limits = SupplyLimits(55.0)
    steady, shifted = (plan_supply(one, limits, settings=QUICK) for one in (even, priced))
    assert steady.outcome == shifted.outcome == "planned"
    more_w = (
        shifted.data.sel(course="plan")["source_w"] - steady.data.sel(course="plan")["source_w"]
    )
    assert more_w[4:6].sum() > 0.3 * HEAT_W
    assert more_w[6:10].sum() < -0.1 * HEAT_W
    assert shifted.saving.storage_dkk > 1.0
    assert shifted.saving.storage_dkk > steady.saving.storage_dkk + 1.0


def test_the_gradient_is_that_of_reverse_mode_and_of_differences():
    seen = window(np.repeat(np.linspace(0.2, 0.9, HOURS), STEPS_PER_HOUR))
    course = hourly(seen.curve_degc, RUN_OUT_H)
    job = Job.of(seen, SupplyLimits(), course, substeps=1)
    found = job.tangent(course.start)
    weights = between(STEPS_PER_HOUR, HOURS + 1)
    supply = weights @ seen.curve_degc
    _, slope = cost_gradient(job.coarse, supply)
    np.testing.assert_allclose(found.gradient, course.basis.T @ weights.T @ slope, rtol=1e-9)
    for at in (0, 5, len(course.start) - 1):
        half = 0.5 * np.eye(len(course.start))[at]
        up, down = (job.tangent(course.start + sign * half).cost for sign in (1, -1))
        # The network settles to 10 mK, so differences of a small step show little but that.
        assert found.gradient[at] == pytest.approx(up - down, rel=1e-3)


def test_the_parts_of_a_saving_add_up_to_what_the_runs_cost():
    price = np.repeat(0.5 + 0.4 * np.sin(np.arange(HOURS)), STEPS_PER_HOUR)
    plan = plan_supply(window(price), SupplyLimits(60.0), settings=QUICK)
    paid = plan.data["cost_dkk"].sum("time")
    stored = plan.data["stored_kwh"].isel(time=-1)
    curve, planned = (paid.sel(course=name).item() for name in ("curve", "plan"))
    left_kwh = (stored.sel(course="plan") - stored.sel(course="curve")).item()
    assert abs(left_kwh) < 0.05  # the run-out has brought both to the same water
    parts = plan.saving
    assert parts.total_dkk == pytest.approx(curve - planned, abs=0.01)
    shown = [parts.loss_dkk, parts.cop_dkk, parts.pump_dkk, parts.storage_dkk]
    assert sum(shown) == pytest.approx(parts.total_dkk)
    assert parts.loss_dkk > 0
    assert parts.cop_dkk > 0
    assert parts.pump_dkk < 0
    assert parts.percent()["total"] == pytest.approx(100 * parts.total_dkk / parts.curve_dkk)


def test_range_ramp_and_lift_are_kept():
    thin = network(Pipe(inner_diameter_m=0.035))
    free = plan_supply(window(built=thin), SupplyLimits(55.0), settings=QUICK)
    lift_bar = float(free.data["lift_bar"].sel(course="plan").max())
    curve_bar = float(free.data["lift_bar"].sel(course="curve").max())
    most_bar = (lift_bar + curve_bar) / 2
    limits = SupplyLimits(55.0, low_degc=58.0, ramp_k_per_h=3.0, max_lift_bar=most_bar)
    plan = plan_supply(window(built=thin), limits, settings=QUICK)
    assert plan.outcome == "planned"
    assert 0.0 <= plan.margins["lift"] < 0.005
    assert float(plan.data["lift_bar"].sel(course="plan").max()) <= most_bar
    assert np.abs(np.diff(plan.setpoints_degc)).max() <= 3.0 + 1e-6
    assert plan.setpoints_degc.min() >= 58.0 - 1e-6


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (SupplyLimits(90.0), "limit of temperature missed .* consumer c1 .* by .* K"),
        (SupplyLimits(60.0, max_source_w=40e3), "limit of source missed .* plant"),
        (SupplyLimits(60.0, low_degc=80.0, ramp_k_per_h=1.0), "range and the ramp"),
    ],
)
def test_limits_that_cannot_be_kept_leave_the_curve_and_say_why(limits, words):
    plan = plan_supply(window(), limits, settings=QUICK)
    assert plan.outcome == "infeasible"
    assert not plan.is_plan
    np.testing.assert_array_equal(plan.setpoints_degc, SENT_DEGC)
    assert plan.saving.total_dkk == 0.0
    (curve, handed_out) = (plan.data.sel(course=name, drop=True) for name in ("curve", "plan"))
    assert handed_out.equals(curve)
    assert re.search(words, plan.reason)


def test_a_plan_that_the_network_flags_is_not_handed_out():
    """The plan would lift by 12 bar, and the pressure of the return fall below a vacuum."""
    weak = network(Pipe(inner_diameter_m=0.018), supply_bar=8.0)
    plan = plan_supply(window(built=weak), SupplyLimits(45.0, low_degc=45.0), settings=QUICK)
    assert plan.outcome == "flagged"
    assert "pressure was below its limit; a value was outside what physics allows" in plan.reason
    np.testing.assert_array_equal(plan.setpoints_degc, SENT_DEGC)


def test_a_plan_that_misses_whenever_it_is_verified_is_not_handed_out(monkeypatch):
    honest, runs = Job.verified, []

    def worse_each_time(job, setpoints_degc):
        run = honest(job, setpoints_degc)
        runs.append(run)
        colder_k = np.array([0.1 * len(runs), 0.0, 0.0, 0.0, 0.0])
        return replace(run, excess=run.excess + colder_k)

    monkeypatch.setattr(Job, "verified", worse_each_time)
    plan = plan_supply(window(), SupplyLimits(60.0), settings=replace(QUICK, tighten=2))
    assert plan.outcome == "missed"
    assert plan.tightened == 2
    assert re.search("missed in .* steps", plan.reason)
    np.testing.assert_array_equal(plan.setpoints_degc, SENT_DEGC)


def test_a_start_that_is_too_cold_is_excused_where_that_is_asked_for():
    seen = window(built=network(Pipe(length_m=600.0)))
    action = {"supply_degc": jnp.array([50.0])}
    first = {name: values[0] for name, values in seen.drive.items()}
    cold, _ = jax.jit(HeatNetwork.steady)(seen.network, action, first)
    seen = replace(seen, state=cold)
    limits = SupplyLimits(60.0)
    assert plan_supply(seen, limits, settings=QUICK).outcome == "infeasible"
    plan = plan_supply(seen, limits, settings=replace(QUICK, excuse_curve=True))
    assert plan.outcome == "planned"
    assert plan.margins["temperature"] >= plan.curve_margins["temperature"]
    later = plan.data.sel(course="plan").isel(time=slice(3, None))
    assert float(later["coldest_degc"].min()) > 60.0 - 1e-9


def test_the_best_is_not_handed_out_where_the_curve_is_it():
    """The curve is on the limit already, and prices are even."""
    seen = window()
    limit = float(plan_supply(seen, settings=QUICK).data["coldest_degc"].sel(course="curve").min())
    plan = plan_supply(seen, SupplyLimits(limit), settings=QUICK)
    assert plan.outcome in ("no saving", "planned")
    assert abs(plan.saving.total_dkk) < 1e-3 * plan.saving.curve_dkk


def test_the_state_at_the_end_of_an_hour_goes_on_as_the_plan_did():
    plan = plan_supply(window(), SupplyLimits(60.0), settings=QUICK)
    after = jax.tree.map(lambda leaf: leaf[5], plan.state)
    stored = float(network().stored_j(after)) / 3.6e6
    assert stored == pytest.approx(float(plan.data["stored_kwh"].sel(course="plan")[5]))


def test_every_fault_of_a_window_is_told():
    seen = window()
    bad_price = np.asarray(seen.cost.price_dkk_per_kwh).copy()
    bad_price[7] = np.nan
    broken = replace(
        seen,
        cost=replace(seen.cost, price_dkk_per_kwh=bad_price),
        drive={**seen.drive, "ground_degc": seen.drive["ground_degc"][1:]},
        run_out_h=HOURS,
    )
    with pytest.raises(InputError) as error:
        plan_supply(broken)
    text = str(error.value)
    assert "3 faults" in text
    assert "price_dkk_per_kwh is not a finite number, first at place 7" in text
    assert "ground_degc has (31,) values in time, expected 32" in text
    assert "run_out_h is 16 h, expected 1 to 14 h" in text


def test_every_fault_of_the_limits_is_told():
    with pytest.raises(InputError) as error:
        plan_supply(window(), SupplyLimits(consumer_degc=5.0, ramp_k_per_h=-1.0))
    assert "2 faults" in str(error.value)
    with pytest.raises(InputError, match="expected below high_degc"):
        plan_supply(window(), SupplyLimits(low_degc=90.0, high_degc=80.0))
    with pytest.raises(InputError, match="consumer_degc has 2 values, expected 1 or 1"):
        plan_supply(window(), SupplyLimits(consumer_degc=np.array([60.0, 60.0])))


def test_a_total_load_is_shared_out():
    load = load_by_consumer(np.array([10.0, 20.0]), np.array([1.0, 3.0]))
    np.testing.assert_allclose(load, [[2.5, 7.5], [5.0, 15.0]])
