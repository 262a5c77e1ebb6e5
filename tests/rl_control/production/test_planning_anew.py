"""Planning anew against what is known: no worse than it must be, and never without an answer."""

from dataclasses import replace

import numpy as np
import pytest
from small_plants import random_plant

from tvilling.rl_control.planning.backtest import BEST, NO_TANK, PLANNED, RULE, backtest
from tvilling.rl_control.planning.information_set import InformationSet
from tvilling.rl_control.planning.merit_order import merit_order
from tvilling.rl_control.planning.mpc import decide, run_mpc
from tvilling.rl_control.planning.programme import Settings, best_schedule, lowest_cost_dkk
from tvilling.rl_control.planning.schedule import InitialState, bill, joined
from tvilling.rl_control.planning.windows import long_schedule
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_plant.charges import danish_charges
from tvilling.sciml.systems.heat_plant.conditions import Conditions
from tvilling.sciml.systems.heat_plant.plant import example_plant


def test_with_all_known_it_costs_what_perfect_foresight_costs():
    plant, demand = random_plant(1, 96)
    before, settings = InitialState.at_rest(plant, 8.0), Settings(end_mwh=8.0)
    run = run_mpc(
        plant,
        demand,
        before,
        lambda step: (plant.part(slice(step, None)), demand[step:]),
        range(0, 96, 24),
        settings,
    )
    best = best_schedule(plant, demand, before, settings)
    cost = bill(plant, run.schedule, before).total_dkk
    assert cost == pytest.approx(best.bound_dkk, rel=1e-6)
    assert [one.how for one in run.decisions] == ["plan"] * 4


def test_without_a_plan_the_rule_takes_its_place_and_says_why():
    plant, demand = random_plant(1, 24)
    nothing = replace(
        best_schedule(plant, demand, InitialState.at_rest(plant)),
        load=np.full((3, 24), np.nan),
        status="time limit",
    )
    found = decide(0, lambda step: (plant, demand), InitialState.at_rest(plant), lambda *_: nothing)
    assert found.how == "rule"
    assert "time limit" in found.reason
    rule = merit_order(plant, demand, InitialState.at_rest(plant))
    np.testing.assert_array_equal(found.schedule.load, rule.load)


def test_without_an_outlook_the_last_plan_is_held_day_after_day():
    plant, demand = random_plant(1, 48)
    calls = []

    def outlook(step):
        calls.append(step)
        if step == 48:
            raise InputError("prices", ["24 of 24 published hours missing"])
        return plant, demand

    whole = joined_plant(plant, 3)
    run = run_mpc(
        whole,
        np.tile(demand, 2)[:72],
        InitialState.at_rest(whole),
        outlook,
        [0, 24, 48],
        Settings(),
    )
    assert [one.how for one in run.decisions] == ["plan", "plan", "hold"]
    assert "24 of 24 published hours missing" in run.decisions[2].reason
    held, last = run.decisions[2].schedule, run.decisions[1].schedule
    np.testing.assert_array_equal(held.load[:, :24], last.load[:, 24:48])
    np.testing.assert_array_equal(held.load[:, 24:48], last.load[:, 24:48])
    assert calls == [0, 24, 48]


def joined_plant(plant, days):
    """A plant whose first day repeats."""
    day = plant.part(slice(0, 24))
    timed = {
        name: np.tile(values, (1, days))
        for name, values in vars(day).items()
        if getattr(values, "ndim", 0) == 2
    }
    return replace(day, **timed)


def test_with_nothing_to_hold_the_fault_comes_out():
    def outlook(step):
        raise InputError("prices", ["none"])

    with pytest.raises(InputError, match="none"):
        decide(0, outlook, None, None)


@pytest.mark.parametrize("seed", range(2))
def test_windows_are_within_their_proven_gap_of_the_whole(seed):
    limits = {"min_load": [0.3, 0.1, 0.2], "start_cost_dkk": [200.0, 0.0, 300.0]}
    plant, demand = random_plant(seed, 120, **limits)
    before = InitialState.at_rest(plant, 8.0)
    settings = Settings(commitment=True, end_mwh=8.0, gap=1e-3)
    found = long_schedule(plant, demand, before, settings, window_h=48.0, ahead_h=24.0)
    whole = best_schedule(plant, demand, before, settings)
    cost = bill(plant, found, before).total_dkk
    assert found.bound_dkk == pytest.approx(lowest_cost_dkk(plant, demand, before, settings))
    assert found.bound_dkk <= whole.bound_dkk * (1 + 1e-6)
    assert whole.bound_dkk - 1e-6 <= cost
    assert found.gap == pytest.approx((cost - found.bound_dkk) / cost)
    assert cost <= bill(plant, whole, before).total_dkk * 1.02


def test_parts_of_a_schedule_join_to_it():
    plant, demand = random_plant(0, 48)
    found = best_schedule(plant, demand, InitialState.at_rest(plant))
    again = joined([found.part(slice(0, 20)), found.part(slice(20, 48))])
    np.testing.assert_array_equal(again.load, found.load)
    np.testing.assert_array_equal(again.tank_mwh, found.tank_mwh)


def test_how_long_units_have_run_is_carried_on():
    plant, _ = random_plant(0, 4)
    found = best_schedule(plant, np.ones(4), InitialState.at_rest(plant, 0.0))
    on = np.array([[True] * 4, [False, False, True, True], [True, True, True, False]])
    before = InitialState(
        0.0, np.array([True, True, False]), np.array([5.0, 2.0, 9.0]), np.zeros(3)
    )
    after = replace(found, on=on).after(plant, before)
    assert after.hours.tolist() == [9.0, 2.0, 1.0]
    assert after.on.tolist() == [True, True, False]


def linear_plant():
    """The example plant without costs of being on, which a linear programme does not see."""
    plant = example_plant()
    free = {"start_cost_dkk": 0.0, "min_load": 0.0, "idle_share": 0.0}
    return plant.model_copy(
        update={"units": tuple(unit.model_copy(update=free) for unit in plant.units)}
    )


@pytest.fixture(scope="module")
def fortnight():
    """Two weeks of the example plant on a price that swings, forecast of the load 10 % off."""
    time = np.datetime64("2021-02-01T00:00", "ns") + np.arange(14 * 24) * np.timedelta64(1, "h")
    hour = np.arange(len(time))
    random = np.random.default_rng(0)
    price = 0.5 + 0.35 * np.sin(2 * np.pi * hour / 24) + random.normal(0, 0.08, len(time))
    outdoor = 2.0 + 4.0 * np.sin(2 * np.pi * hour / 100)
    conditions = Conditions(
        time, price, outdoor, np.full(len(time), 75.0), np.full(len(time), 42.0),
        danish_charges(time), np.zeros(len(time)),
    )  # fmt: skip
    load = 9.0 - 0.25 * outdoor + np.sin(2 * np.pi * hour / 12)
    moments = np.arange(0, len(time), 24)
    ahead = {int(step): load[step : step + 72] * random.uniform(0.9, 1.1) for step in moments}
    known = InformationSet(linear_plant(), conditions, load, 72, ahead, {}, np.full(168, 0.5))
    return known, moments, backtest(known, moments, Settings())


def test_ways_stand_in_their_order(fortnight):
    _, _, run = fortnight
    cost = {name: one.cost_dkk for name, one in run.outcomes.items()}
    assert cost[BEST] < cost[PLANNED] < cost[RULE] < cost[NO_TANK]
    assert 0 < run.regret() < 0.03
    assert 0.5 < run.reached() < 1
    assert run.reached(RULE) == 0.0


def test_a_load_that_is_known_lowers_the_regret(fortnight):
    known, moments, run = fortnight
    perfect = backtest(replace(known, demand_ahead_mw={}), moments, Settings())
    assert perfect.regret() < run.regret()


def test_prices_beyond_the_published_ones_are_not_looked_at(fortnight):
    """A plan made at 13:00 does not change with a price of the day after tomorrow."""
    known, _, _ = fortnight
    at = 36  # 13:00 on the Danish clock: published to the end of the next day, 35 hours
    plant, _ = known(at)
    price = known.conditions.price_dkk_per_kwh.copy()
    price[at + 35 :] += 5.0
    other, _ = replace(known, conditions=replace(known.conditions, price_dkk_per_kwh=price))(at)
    np.testing.assert_array_equal(plant.cost_dkk_per_h, other.cost_dkk_per_h)
    price[at + 34] += 5.0
    other, _ = replace(known, conditions=replace(known.conditions, price_dkk_per_kwh=price))(at)
    assert (plant.cost_dkk_per_h[:, 34] != other.cost_dkk_per_h[:, 34]).any()


def test_a_missing_price_is_told(fortnight):
    known, _, _ = fortnight
    price = known.conditions.price_dkk_per_kwh.copy()
    price[40:43] = np.nan
    with pytest.raises(InputError, match="3 of 35 published hours missing"):
        replace(known, conditions=replace(known.conditions, price_dkk_per_kwh=price))(36)
