"""A unit that must run is on whenever it is available: in the rule, the plan and what is run."""

import itertools

import numpy as np
import pytest
from small_plants import linear_plant, random_plant

from tvilling.rl_control.planning.merit_order import merit_order
from tvilling.rl_control.planning.mpc import run_mpc
from tvilling.rl_control.planning.programme import Settings, best_schedule, lowest_cost_dkk
from tvilling.rl_control.planning.realise_dispatch import operate
from tvilling.rl_control.planning.repeated import Repeated
from tvilling.rl_control.planning.schedule import InitialState, bill
from tvilling.sciml.systems.heat_plant.linear import LinearTank
from tvilling.sciml.systems.heat_plant.verify import broken_limits

NONE = LinearTank()
MIN = [0.2, 0.0, 0.5]
MUST = [False, False, True]  # of the dearest unit


def must_plant(seed: int, steps: int = 72):
    """Three units, the third must run; it is out of service for six hours."""
    plant, demand = random_plant(seed, steps, min_load=MIN, must_run=MUST)
    plant.available[2, 30:36] = 0.0
    return plant, demand


def always_on(plant, schedule) -> bool:
    """Whether the third unit is on and at its least load wherever it can be."""
    there = plant.available[2] >= 0.5
    return bool(
        (schedule.load[2, there] >= 0.5 - 1e-6).all()
        and schedule.on[2, there].all()
        and (schedule.load[2, ~there] == 0).all()
        and broken_limits(plant, np.where(schedule.load > 1e-6, schedule.load, 0.0)) == {}
    )


@pytest.mark.parametrize(("seed", "with_tank"), [*itertools.product(range(4), (True, False))])
def test_the_rule_keeps_it_on_and_never_beats_the_optimum(seed, with_tank):
    plant, demand = must_plant(seed)
    before = InitialState.at_rest(plant, 10.0)
    found = merit_order(plant, demand, before, with_tank=with_tank)
    assert always_on(plant, found)
    if with_tank:
        settings = Settings(commitment=True, gap=0.0, end_mwh=float(found.tank_mwh[-1]))
        best = best_schedule(plant, demand, before, settings)
        assert always_on(plant, best)
        assert bill(plant, found, before).total_dkk >= bill(plant, best, before).total_dkk - 1e-6


def test_without_a_tank_the_rule_is_what_can_be_done_by_hand():
    """2 MW of 1 to 3 come from the dear unit whatever they cost; beyond 2 the cheap one follows."""
    plant = linear_plant(
        [4.0, 6.0], [900.0, 100.0], tank=NONE, steps=3, min_load=[0.5, 0.0], must_run=[True, False]
    )
    found = merit_order(plant, np.array([1.0, 2.0, 3.0]), InitialState.at_rest(plant, 0.0))
    np.testing.assert_allclose(found.load * plant.heat_mw, [[2.0, 2.0, 2.0], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(found.surplus_mw, [1.0, 0.0, 0.0])


@pytest.mark.parametrize("seed", range(3))
def test_a_programme_without_starts_keeps_it_on_and_is_a_bound(seed):
    """Without whole numbers a least load is a lower limit: the hours it costs are in the bound."""
    plant, demand = must_plant(seed)
    before = InitialState.at_rest(plant, 10.0)
    loose = best_schedule(plant, demand, before, Settings(end_mwh=10.0))
    assert (loose.load[2, plant.available[2] >= 0.5] >= 0.5 - 1e-6).all()
    again = Repeated(Settings(end_mwh=10.0)).schedule(plant, demand, before)
    assert bill(plant, again, before).total_dkk == pytest.approx(
        bill(plant, loose, before).total_dkk, rel=1e-9
    )
    strict = Settings(commitment=True, gap=0.0, end_mwh=10.0)
    best = bill(plant, best_schedule(plant, demand, before, strict), before).total_dkk
    assert lowest_cost_dkk(plant, demand, before, strict) <= best * (1 + 1e-9)


def test_the_programme_is_stated_once_and_knows_when_the_unit_is_away():
    plant, demand = must_plant(1)
    repeated, before = Repeated(Settings(end_mwh=10.0)), InitialState.at_rest(plant, 10.0)
    first, second = slice(0, 24), slice(24, 48)
    for steps in (first, second):
        part = plant.part(steps)
        once = repeated.schedule(part, demand[steps], before)
        anew = best_schedule(part, demand[steps], before, Settings(end_mwh=10.0))
        assert bill(part, once, before).total_dkk == pytest.approx(
            bill(part, anew, before).total_dkk, rel=1e-9
        )


def test_a_plan_that_leaves_it_off_is_run_with_it_on():
    """As when the last plan is held on that was made while the unit was away."""
    plant, demand = must_plant(2)
    planned = np.zeros((3, plant.steps))
    done = operate(plant, planned, demand, InitialState.at_rest(plant, 10.0))
    assert always_on(plant, done)


def test_planning_anew_every_day_keeps_it_on():
    plant, demand = must_plant(3)
    moments, horizon = [0, 24, 48], 48

    def outlook(step):
        steps = slice(step, min(step + horizon, plant.steps))
        return plant.part(steps), 0.9 * demand[steps]

    settings = Settings(commitment=True, gap=0.0, end_mwh=10.0, end_short_dkk_per_mwh=3000.0)
    run = run_mpc(plant, demand, InitialState.at_rest(plant, 10.0), outlook, moments, settings)
    assert always_on(plant, run.schedule)


def test_two_modes_of_a_unit_that_must_run_share_its_least_load():
    plant = linear_plant(
        [4.0, 0.0], [50.0, 20.0], tank=NONE, steps=2, modes=("heat", "power"), mode_unit=[0, 0],
        power_mw=[[2.0] * 2, [3.0] * 2], min_load=[0.5], must_run=[True],
    )  # fmt: skip
    for settings in (Settings(), Settings(commitment=True)):
        found = best_schedule(
            plant, np.array([0.0, 4.0]), InitialState.at_rest(plant, 0.0), settings
        )
        np.testing.assert_allclose(found.load, [[0.0, 1.0], [0.5, 0.0]], atol=1e-6)


def test_a_ramp_lets_it_start_at_its_least_load():
    plant = linear_plant(
        [4.0], [50.0], tank=NONE, steps=3, min_load=[0.5], must_run=[True], ramp_per_h=[0.2]
    )
    plant.available[0, 1] = 0.0
    for settings in (Settings(), Settings(commitment=True)):
        found = best_schedule(plant, np.full(3, 2.0), InitialState.at_rest(plant, 0.0), settings)
        np.testing.assert_allclose(found.load, [[0.5, 0.0, 0.5]], atol=1e-6)


@pytest.mark.parametrize(("hours", "dt_h", "steps"), [(2.5, 1.0, 3), (2.0, 1.0, 2), (1.1, 0.5, 3)])
def test_a_minimum_time_is_rounded_up_to_whole_steps(hours, dt_h, steps):
    """Two dear hours: a unit that pays for two only, and is to stay on for longer."""
    cost = np.full(12, 250.0)
    cost[5:7] = 10.0
    plant = linear_plant(
        [4.0, 9.0], [cost, 100.0], tank=NONE, steps=12, min_load=[0.5, 0.0],
        min_up_h=[hours, 0.0], min_down_h=[hours, 0.0], dt_h=dt_h,
    )  # fmt: skip
    found = best_schedule(
        plant,
        np.full(12, 4.0),
        InitialState.at_rest(plant, 0.0),
        Settings(commitment=True, gap=0.0),
    )
    assert int(found.on[0].sum()) == max(steps, 2)
    assert broken_limits(plant, np.where(found.load > 1e-6, found.load, 0.0)) == {}


def test_a_minimum_rest_is_rounded_up_to_whole_steps():
    cost = np.full(12, 10.0)
    cost[5:7] = 500.0
    plant = linear_plant(
        [4.0, 9.0], [cost, 100.0], tank=NONE, steps=12, min_load=[0.5, 0.0], min_down_h=[2.5, 0.0]
    )
    before = InitialState(0.0, np.array([True, False]), np.array([9.0, 9.0]), np.array([1.0, 0.0]))
    found = best_schedule(plant, np.full(12, 4.0), before, Settings(commitment=True, gap=0.0))
    assert int((~found.on[0]).sum()) == 3
    assert broken_limits(plant, np.where(found.load > 1e-6, found.load, 0.0)) == {}
