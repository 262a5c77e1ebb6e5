"""The bound: against a second formulation, by simulation, and refused where it would be none."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from priced_battery import battery_example
from scipy.optimize import linprog

from tvilling.datasets.simulated.trials import PRICE, trial_scenarios
from tvilling.rl_control.control.affine import affine_model
from tvilling.rl_control.control.controllers import Hold
from tvilling.rl_control.control.dispatch import best_dispatch
from tvilling.rl_control.control.objective import run_cost_dkk
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.simulate import simulate
from tvilling.sciml.systems import SYSTEMS


def tank_optimum_dkk(tank, scenario):
    """Least cost of one day [DKK], in heater energy alone [kWh], from the closed form of the tank.

    T_k = e T_{k-1} + (1 - e) (ambient + (P - Q) / U), e = exp(-U dt / C): the temperature is a
    fixed course plus a weighted sum of what was heated so far, and stands between the limits.
    """
    system, dt_s = tank.system, scenario.dt_s
    loss = float(system.loss_w_per_k)
    e = np.exp(-loss * dt_s / float(system.capacity_j_per_k))
    demand, ambient, price = (
        np.asarray(scenario.drive[name]) for name in ("demand_w", "ambient_degc", PRICE)
    )
    steps = len(price)
    idle, now = [], float(scenario.state)
    for k in range(steps):
        now = e * now + (1 - e) * (ambient[k] - demand[k] / loss)
        idle.append(now)
    lag = np.subtract.outer(np.arange(steps), np.arange(steps))
    kelvin_per_kw = np.where(lag >= 0, e ** np.maximum(lag, 0), 0.0) * (1 - e) / loss * 1e3
    kwh_per_k = float(system.capacity_j_per_k) / 3.6e6
    credit = price.mean()
    hours = dt_s / 3600.0
    weights = price * hours - credit * kwh_per_k * kelvin_per_kw[-1]
    constant = -credit * kwh_per_k * (idle[-1] - float(scenario.state))
    idle = np.array(idle)
    found = linprog(
        weights,
        A_ub=np.concatenate([kelvin_per_kw, -kelvin_per_kw]),
        b_ub=np.concatenate([system.ceiling_degc - idle, idle - system.floor_degc]),
        bounds=[(0.0, system.heater_max_w / 1e3)] * steps,
    )
    assert found.status == 0
    return found.fun + constant


def test_the_tank_costs_what_a_second_formulation_finds(tank, days):
    found = best_dispatch(tank, days)
    for number in range(len(found.cost_dkk)):
        day = jax.tree.map(lambda leaf, i=number: leaf[i], days)
        assert found.cost_dkk[number] == pytest.approx(tank_optimum_dkk(tank, day), rel=1e-6)


@pytest.mark.parametrize("name", ["tank", "battery"])
def test_the_plan_costs_on_the_system_what_the_programme_says(name, tank):
    example = tank if name == "tank" else battery_example()
    days = trial_scenarios(example, 6, 2, seed=11, dt_s=3600.0)
    found = best_dispatch(example, days)
    assert found.status == ("optimal",) * 6
    assert found.gap < 1e-9
    np.testing.assert_allclose(found.simulated_dkk, found.cost_dkk, rtol=1e-6)
    assert found.violations.sum() == 0


def test_a_battery_earns_what_sorting_its_hours_earns():
    """Two steps of 12 h, no leak, 100 kWh half full, 5 kW: buy in the cheaper, sell in the dearer.

    Against the credit, the mean price, every kWh moved earns half the distance of the two prices.
    The first step has room for 50 kWh, the second then for all of 60.
    """
    example = battery_example()
    battery = replace(example.system, leak_per_s=jnp.asarray(0.0), capacity_j=3.6e8)
    days = trial_scenarios(example, 5, 1, seed=2, dt_s=43_200.0)
    days = replace(days, state=jnp.full(5, 1.8e8))
    price = np.asarray(days.drive[PRICE])
    expected = -np.abs(price[:, 1] - price[:, 0]) / 2 * (50.0 + 60.0)
    found = best_dispatch(replace(example, system=battery), days)
    np.testing.assert_allclose(found.cost_dkk, expected, rtol=1e-6)


def test_nothing_is_printed(tank, days, capfd):
    """Standard output may be JSON that another program reads."""
    best_dispatch(tank, days)
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")


def test_no_held_action_without_a_violation_beats_the_plan(tank, days):
    bound = best_dispatch(tank, days).cost_dkk
    checked = 0
    for heater_w in np.linspace(0.0, 1e6, 21):
        hold = Hold({"heater_w": jnp.asarray(heater_w)})
        runs = jax.vmap(lambda day, hold=hold: simulate(tank.system, hold, day))(days)
        cost = jax.vmap(lambda day, run: run_cost_dkk(tank, day, run))(days, runs)
        clean = np.asarray((runs.status == 0).all(axis=1))
        checked += clean.sum()
        assert (np.asarray(cost)[clean] >= bound[clean] - 1e-6).all()
    assert checked > 20


def test_the_region_of_the_tank_is_its_floor_and_its_ceiling(tank, days):
    """Where a plane is reached, the temperature at the end of the step is the limit itself."""
    model = affine_model(tank, days)
    assert len(model.cuts) == 2
    z = np.array([75.0, 0.0, 2.5e5, 12.0])
    limits = []
    for cut, offset in zip(model.cuts, model.cut_offset, strict=True):
        heater_w = -(cut @ z + offset) / cut[1]
        limits.append(model(z + np.array([0, heater_w, 0, 0]))[0])
    assert sorted(limits) == pytest.approx([55.0, 95.0], abs=1e-4)


@pytest.mark.parametrize("efficiency", [0.9, 0.5])
def test_a_battery_with_a_kink_is_refused(efficiency):
    example = battery_example(efficiency)
    with pytest.raises(InputError, match="not affine"):
        best_dispatch(example, trial_scenarios(example, 3, 1, seed=0, dt_s=3600.0))


def test_what_buys_nothing_is_refused():
    example = SYSTEMS["heat_network"].example()
    with pytest.raises(InputError, match="bought"):
        best_dispatch(example, trial_scenarios(example, 2, 1, seed=0, dt_s=3600.0))


def test_a_day_that_cannot_be_served_is_told_and_the_others_are_planned(tank, days):
    """More than heater and store can give in one of the days."""
    demand = days.drive["demand_w"].at[3].set(1.5e6)
    found = best_dispatch(tank, replace(days, drive={**days.drive, "demand_w": demand}))
    assert found.status[3] == "infeasible"
    assert np.isnan(found.cost_dkk[3])
    others = [i for i in range(12) if i != 3]
    assert {found.status[i] for i in others} == {"optimal"}
    np.testing.assert_allclose(
        found.cost_dkk[others], best_dispatch(tank, days).cost_dkk[others], rtol=1e-6
    )


@pytest.mark.parametrize("name", [PRICE, "demand_w"])
def test_drives_that_are_no_numbers_are_refused_by_place(name):
    tank = SYSTEMS["tank"].example()
    days = trial_scenarios(tank, 2, 1, 0, 3600.0)
    drive = days.drive | {name: days.drive[name].at[1, 7].set(jnp.nan)}
    with pytest.raises(InputError, match=f"{name} is not a finite number .* scenario 1 at step 7"):
        best_dispatch(tank, replace(days, drive=drive))


def test_where_there_is_no_plan_there_is_no_cost():
    tank = SYSTEMS["tank"].example()
    days = trial_scenarios(tank, 1, 1, 0, 3600.0)
    drive = days.drive | {"demand_w": days.drive["demand_w"].at[0, 10:14].set(3e6)}
    found = best_dispatch(tank, replace(days, drive=drive))
    assert found.status == ("infeasible",)
    assert np.isnan(found.cost_dkk).all()
    assert np.isnan(found.simulated_dkk).all()
