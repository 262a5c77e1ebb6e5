"""The operator's rule, and a plan that meets the hour: cases that can be done by hand."""

import numpy as np
import pytest
from small_plants import TANK, linear_plant, random_plant

from tvilling.rl_control.planning.merit_order import merit_order
from tvilling.rl_control.planning.programme import Settings, best_schedule
from tvilling.rl_control.planning.realise_dispatch import Hour, operate, settle
from tvilling.rl_control.planning.schedule import InitialState, bill
from tvilling.sciml.systems.heat_plant.linear import LinearTank

NONE = LinearTank()


def test_without_a_tank_the_cheapest_heat_comes_first():
    plant = linear_plant([3.0, 6.0], [100.0, [50.0, 300.0]], tank=NONE, steps=2)
    found = merit_order(plant, np.array([7.0, 7.0]), InitialState.at_rest(plant, 0.0))
    np.testing.assert_allclose(found.load * plant.heat_mw, [[1.0, 3.0], [6.0, 4.0]])


def test_without_starts_and_tank_the_rule_is_the_optimum():
    """Hour by hour nothing beats the cheapest first: the linear programme finds the same."""
    plant, demand = random_plant(
        3,
        48,
    )
    before = InitialState.at_rest(plant, 0.0)
    bare = linear_plant(plant.heat_mw, plant.cost_dkk_per_h / plant.heat_mw, tank=NONE, steps=48)
    rule = bill(bare, merit_order(bare, demand, before), before)
    best = bill(bare, best_schedule(bare, demand, before), before)
    assert rule.total_dkk == pytest.approx(best.total_dkk, rel=1e-7)


def test_units_before_give_way_to_one_that_cannot_run_so_low():
    plant = linear_plant([4.0, 6.0], [100.0, 200.0], tank=NONE, steps=1, min_load=[0.2, 0.5])
    found = merit_order(plant, np.array([5.0]), InitialState.at_rest(plant, 0.0))
    np.testing.assert_allclose((found.load * plant.heat_mw)[:, 0], [2.0, 3.0])
    assert found.unserved_mw[0] == found.surplus_mw[0] == 0.0


def test_the_tank_is_filled_with_cheap_heat_and_emptied_into_dear_hours():
    """While half of the coming twelve hours are dear, 100 is cheap and 500 is dear: 6 h of 2 MW."""
    cost = np.repeat([100.0, 500.0, 100.0], 12)
    tank = LinearTank(capacity_mwh=24.0, charge_mw=2.0, discharge_mw=2.0)
    plant = linear_plant([6.0], [cost], tank=tank, steps=36)
    before = InitialState.at_rest(plant, 0.0)
    found = merit_order(plant, np.full(36, 3.0), before)
    np.testing.assert_allclose(found.tank_mwh[[5, 11, 17, 23]], [0.0, 12.0, 12.0, 0.0], atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_rule_keeps_balance_and_limits_and_never_beats_the_optimum(seed):
    plant, demand = random_plant(seed, 120, min_load=[0.3, 0.1, 0.2])
    before = InitialState.at_rest(plant, 10.0)
    found = merit_order(plant, demand, before)
    heat = plant.by_unit(found.load, "heat_mw").sum(axis=0) + found.unserved_mw - found.surplus_mw
    level = np.concatenate([[10.0], found.tank_mwh])
    change = level[1:] - (1 - TANK.loss_share_per_h) * level[:-1] + TANK.loss_mw
    np.testing.assert_allclose(heat - demand, change, atol=1e-9)
    total = np.bincount(plant.mode_unit, minlength=3)
    assert total.tolist() == [1, 1, 1]
    running = found.load > 0
    assert (
        found.load[running] >= np.broadcast_to([[0.3], [0.1], [0.2]], (3, 120))[running] - 1e-9
    ).all()
    best = best_schedule(plant, demand, before, Settings(end_mwh=float(found.tank_mwh[-1])))
    assert bill(plant, found, before).total_dkk >= bill(plant, best, before).total_dkk - 1e-6


def hour(heat_mw=(3.0, 6.0), cost=(100.0, 300.0), tank=TANK, **limits):
    return Hour.of(linear_plant(list(heat_mw), list(cost), tank=tank, steps=1, **limits), 0)


def test_a_full_tank_turns_down_the_dearest_heat():
    load, level, unserved, surplus = settle(hour(), np.array([1.0, 0.5]), 2.0, 20.0)
    assert load[0] == pytest.approx(2.05 / 3.0)  # what is drawn, and the losses of the tank
    assert load[1] == 0.0
    assert (level, unserved, surplus) == (pytest.approx(20.0), 0.0, 0.0)


def test_an_empty_tank_turns_up_the_cheapest_heat():
    load, level, unserved, surplus = settle(hour(), np.array([0.2, 0.0]), 5.0, 0.0)
    np.testing.assert_allclose(load, [1.0, (2.0 + TANK.loss_mw) / 6.0])
    np.testing.assert_allclose([level, unserved, surplus], 0.0, atol=1e-9)


def test_a_unit_that_has_to_start_starts_at_its_least_load_and_the_tank_takes_the_rest():
    load, level, *_ = settle(hour(min_load=np.array([0.0, 0.5])), np.array([1.0, 0.0]), 3.5, 0.0)
    np.testing.assert_allclose(load, [1.0, 0.5])
    assert level == pytest.approx(3.0 + 3.0 - 3.5 - TANK.loss_mw)


def test_what_no_unit_can_make_is_unserved():
    _, level, unserved, _ = settle(hour(), np.array([1.0, 1.0]), 12.0, 1.0)
    gives = (1 - TANK.loss_share_per_h) * 1.0 - TANK.loss_mw
    assert unserved == pytest.approx(12.0 - 9.0 - gives)
    assert level == pytest.approx(0.0, abs=1e-12)


def test_a_plan_that_meets_what_it_expected_is_run_as_it_is():
    plant, demand = random_plant(2, 72)
    before = InitialState.at_rest(plant, 5.0)
    plan = best_schedule(plant, demand, before)
    done = operate(plant, plan.load, demand, before)
    np.testing.assert_allclose(done.load, plan.load, atol=1e-6)
    np.testing.assert_allclose(done.tank_mwh, plan.tank_mwh, atol=1e-5)


def test_a_unit_that_is_lost_in_the_hour_is_replaced():
    plant, demand = random_plant(2, 24)
    before = InitialState.at_rest(plant, 5.0)
    plan = best_schedule(plant, demand, before)
    plant.available[0, 6:] = 0.0
    done = operate(plant, plan.load, demand, before)
    assert (done.load[0, 6:] == 0).all()
    assert done.unserved_mw.sum() == pytest.approx(0.0, abs=1e-9)
