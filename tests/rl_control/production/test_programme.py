"""The cheapest schedule: against scipy, against every schedule there is, and limit by limit."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import coo_array
from small_plants import TANK, linear_plant, random_plant

from tvilling.rl_control.planning.programme import (
    Settings,
    best_schedule,
    lowest_cost_dkk,
)
from tvilling.rl_control.planning.repeated import Repeated
from tvilling.rl_control.planning.schedule import PENALTY_DKK_PER_MWH, InitialState, bill
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_plant.linear import LinearTank
from tvilling.sciml.systems.heat_plant.verify import broken_limits


def scipy_cost_dkk(plant, demand, tank_mwh, end_mwh):
    """The programme without commitment, written anew: the level is eliminated by its recursion.

    Columns: load of each mode, unserved, surplus, and the level after each step; the heat into
    the store is what follows from two levels.
    """
    modes, steps, tank = len(plant.modes), plant.steps, plant.tank
    count = modes * steps
    kept = 1 - tank.loss_share_per_h
    rows, columns, values = [], [], []

    def put(row, column, value):
        rows.append(row)
        columns.append(column)
        values.append(value)

    side = demand - tank.loss_mw * 0.0
    for t in range(steps):  # heat + unserved - surplus - (L_t - kept L_{t-1}) = demand + loss
        for m in range(modes):
            put(t, m * steps + t, plant.heat_mw[m, t])
        put(t, count + t, 1.0)
        put(t, count + steps + t, -1.0)
        put(t, count + 2 * steps + t, -1.0)
        if t:
            put(t, count + 2 * steps + t - 1, kept)
    side = demand + tank.loss_mw
    side[0] -= kept * tank_mwh
    table = coo_array((values, (rows, columns)), (steps, count + 3 * steps))
    rows, columns, values, upper = [], [], [], []
    for t in range(steps):  # -discharge <= L_t - kept L_{t-1} + loss <= charge
        for sign, limit in ((1.0, tank.charge_mw), (-1.0, tank.discharge_mw)):
            put(len(upper), count + 2 * steps + t, sign)
            before = 0.0
            if t:
                put(len(upper), count + 2 * steps + t - 1, -sign * kept)
            else:
                before = sign * kept * tank_mwh
            upper.append(limit - sign * tank.loss_mw + before)
    limits = coo_array((values, (rows, columns)), (len(upper), count + 3 * steps))
    cost = np.concatenate(
        [plant.cost_dkk_per_h.ravel(), np.full(2 * steps, PENALTY_DKK_PER_MWH), np.zeros(steps)]
    )
    least = np.zeros(count + 3 * steps)
    least[-1] = end_mwh
    most = np.concatenate(
        [
            plant.available[plant.mode_unit].ravel(),
            np.full(2 * steps, np.inf),
            np.full(steps, tank.capacity_mwh),
        ]
    )
    found = linprog(
        cost, A_ub=limits, b_ub=upper, A_eq=table, b_eq=side, bounds=np.stack([least, most], axis=1)
    )
    assert found.status == 0
    return found.fun


@pytest.mark.parametrize("seed", range(3))
def test_cost_equals_that_of_an_independent_formulation(seed):
    plant, demand = random_plant(seed, 168)
    before = InitialState.at_rest(plant, 7.0)
    found = best_schedule(plant, demand, before, Settings(end_mwh=9.0))
    expected = scipy_cost_dkk(plant, demand, 7.0, 9.0)
    assert found.status == "optimal"
    assert bill(plant, found, before).total_dkk == pytest.approx(expected, rel=1e-6)
    assert found.bound_dkk == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_balance_of_heat_and_store_closes(seed):
    plant, demand = random_plant(seed, 96)
    found = best_schedule(plant, demand, InitialState.at_rest(plant, 7.0))
    heat = plant.by_unit(found.load, "heat_mw").sum(axis=0) + found.unserved_mw - found.surplus_mw
    level = np.concatenate([[7.0], found.tank_mwh])
    change = level[1:] - (1 - TANK.loss_share_per_h) * level[:-1] + TANK.loss_mw
    np.testing.assert_allclose(heat - demand, change, atol=1e-6)
    assert (change <= TANK.charge_mw + 1e-6).all()
    assert (change >= -TANK.discharge_mw - 1e-6).all()


def test_the_same_programme_with_other_numbers_is_the_programme_stated_anew():
    repeated = Repeated(Settings(end_mwh=5.0))
    for seed in range(4):
        plant, demand = random_plant(seed, 72, available=np.full((3, 72), 1 - 0.1 * seed))
        tank = replace(TANK, capacity_mwh=20.0 + seed, charge_mw=6.0 - seed, loss_mw=0.01 * seed)
        plant = replace(plant, tank=tank)
        before = InitialState.at_rest(plant, 2.0 * seed)
        again = repeated.schedule(plant, demand, before)
        anew = best_schedule(plant, demand, before, Settings(end_mwh=5.0))
        assert again.bound_dkk == pytest.approx(anew.bound_dkk, rel=1e-9)
        assert bill(plant, again, before).total_dkk == pytest.approx(anew.bound_dkk, rel=1e-7)


def cheapest_by_trying(plant, demand, before, tank_mwh):
    """The least cost over every pattern of on and off, each a linear programme in scipy."""
    units, steps = len(plant.units), plant.steps
    best = np.inf
    for flat in itertools.product((False, True), repeat=units * steps):
        on = np.array(flat).reshape(units, steps)
        if not keeps_times(plant, on, before):
            continue
        earlier = np.concatenate([before.on[:, None], on[:, :-1]], axis=1)
        fixed = ((on & ~earlier) * plant.start_cost_dkk[:, None]).sum()
        fixed += (on * plant.no_load_dkk_per_h).sum()
        if fixed >= best:
            continue
        found = dispatch_of(plant, demand, on, tank_mwh)
        if found is not None:
            best = min(best, fixed + found)
    return best


def keeps_times(plant, on, before):
    """Whether a pattern keeps minimum up and down times, those before the beginning too."""
    for unit, row in enumerate(on):
        held = min(int(before.hours[unit]), 50)
        whole = np.concatenate([np.full(held, before.on[unit]), row])
        edges = np.flatnonzero(whole[1:] != whole[:-1]) + 1
        for begin, end in itertools.pairwise(edges):
            least = plant.min_up_h[unit] if whole[begin] else plant.min_down_h[unit]
            if end - begin < least:
                return False
        if held and len(edges):
            least = plant.min_up_h[unit] if before.on[unit] else plant.min_down_h[unit]
            if edges[0] < least:
                return False
    return True


def dispatch_of(plant, demand, on, tank_mwh):
    """Cost of the best loads under a pattern, or None where there are none."""
    steps, units, tank = plant.steps, len(plant.units), plant.tank
    count = units * steps + 3 * steps  # load, unserved, surplus, heat into the store
    equal = np.zeros((steps, count))
    for t in range(steps):
        equal[t, t : units * steps : steps] = plant.heat_mw[:, t]
        equal[t, [units * steps + t, units * steps + steps + t, -steps + t]] = 1.0, -1.0, -1.0
    level = np.zeros((steps, count))
    level[:, -steps:] = np.tril(np.ones((steps, steps)))
    cost = np.concatenate([plant.cost_dkk_per_h.ravel(), np.full(2 * steps, 1e4), np.zeros(steps)])
    least = np.concatenate([(on * plant.min_load[:, None]).ravel(), np.zeros(2 * steps),
                            np.full(steps, -tank.discharge_mw)])  # fmt: skip
    most = np.concatenate([(on * plant.available).ravel(), np.full(2 * steps, np.inf),
                           np.full(steps, tank.charge_mw)])  # fmt: skip
    if (least > most).any():
        return None
    found = linprog(
        cost,
        A_ub=np.concatenate([level, -level]),
        b_ub=np.concatenate(
            [np.full(steps, tank.capacity_mwh - tank_mwh), np.full(steps, tank_mwh)]
        ),
        A_eq=equal,
        b_eq=demand,
        bounds=np.stack([least, most], axis=1),
    )
    return found.fun if found.status == 0 else None


SMALL = LinearTank(capacity_mwh=3.0, charge_mw=2.0, discharge_mw=2.0)


@pytest.mark.parametrize(
    ("on", "hours"), [((False, False), (99.0, 99.0)), ((True, False), (1.0, 1.0))]
)
def test_with_starts_it_is_the_best_of_all_patterns(on, hours):
    """Two units, six steps: all 4096 patterns are tried."""
    cost = [np.array([100.0, 500, 100, 90, 480, 100]), np.full(6, 300.0)]
    plant = linear_plant(
        [4.0, 5.0],
        cost,
        tank=SMALL,
        steps=6,
        min_load=[0.5, 0.3],
        start_cost_dkk=[400.0, 250.0],
        min_up_h=[2.0, 3.0],
        min_down_h=[2.0, 2.0],
        no_load_dkk_per_h=np.full((2, 6), 20.0),
    )
    demand = np.array([2.0, 3.5, 4.5, 1.0, 3.0, 2.5])
    before = InitialState(1.5, np.array(on), np.array(hours), np.array(on) * 0.6)
    settings = Settings(commitment=True, gap=0.0)
    found = best_schedule(plant, demand, before, settings)
    expected = cheapest_by_trying(plant, demand, before, 1.5)
    assert bill(plant, found, before).total_dkk == pytest.approx(expected, rel=1e-6)
    assert lowest_cost_dkk(plant, demand, before, settings) <= expected + 1e-6


@pytest.mark.parametrize("seed", range(4))
def test_every_limit_of_a_unit_is_kept(seed):
    """By a count of broken limits that was written for plans of any origin."""
    limits = {
        "min_load": [0.3, 0.1, 0.4],
        "ramp_per_h": [0.35, 0.5, np.inf],
        "start_cost_dkk": [300.0, 0.0, 800.0],
        "min_up_h": [3.0, 0.0, 5.0],
        "min_down_h": [2.0, 0.0, 4.0],
    }
    plant, demand = random_plant(seed, 72, **limits)
    plant.available[2, 30:40] = 0.0
    before = InitialState.at_rest(plant)
    found = best_schedule(plant, demand, before, Settings(commitment=True, gap=0.005))
    assert broken_limits(plant, found.load) == {}
    assert found.gap <= 0.005


def test_an_outage_ends_a_run_that_was_to_be_longer():
    plant = linear_plant([4.0, 9.0], [10.0, 100.0], steps=12, min_load=[0.5, 0.0],
                         start_cost_dkk=[100.0, 0.0], min_up_h=[8.0, 0.0])  # fmt: skip
    plant.available[0, 4:] = 0.0
    before = InitialState(5.0, np.array([True, False]), np.array([2.0, 9.0]), np.array([1.0, 0.0]))
    found = best_schedule(plant, np.full(12, 4.0), before, Settings(commitment=True, gap=0.0))
    assert found.on[0].tolist() == [True] * 4 + [False] * 8
    assert found.unserved_mw.sum() == pytest.approx(0.0, abs=1e-6)


def test_a_unit_that_must_run_runs_and_what_is_too_much_is_told():
    plant = linear_plant([4.0], [50.0], tank=LinearTank(), steps=4, min_load=[0.5], must_run=[True])
    before = InitialState.at_rest(plant, 0.0)
    found = best_schedule(plant, np.full(4, 1.0), before, Settings(commitment=True))
    np.testing.assert_allclose(found.surplus_mw, 1.0, atol=1e-6)
    assert bill(plant, found, before).penalty_dkk == pytest.approx(4 * PENALTY_DKK_PER_MWH)


def test_heat_that_no_unit_can_make_is_unserved_and_not_an_error():
    plant = linear_plant([3.0], [100.0], tank=LinearTank(), steps=3)
    found = best_schedule(plant, np.array([2.0, 5.0, 3.0]), InitialState.at_rest(plant, 0.0))
    np.testing.assert_allclose(found.unserved_mw, [0.0, 2.0, 0.0], atol=1e-6)


def test_two_modes_of_one_unit_share_its_load():
    """An extraction turbine: heat where it pays, power alone where it does not."""
    plant = linear_plant(
        [4.0, 0.0], [50.0, -20.0], tank=LinearTank(), steps=3, modes=("heat", "power"),
        mode_unit=[0, 0], power_mw=[[2.0] * 3, [3.0] * 3],
    )  # fmt: skip
    found = best_schedule(plant, np.array([4.0, 2.0, 0.0]), InitialState.at_rest(plant, 0.0))
    np.testing.assert_allclose(found.load, [[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]], atol=1e-6)


def test_a_search_cut_short_says_so():
    plant, demand = random_plant(1, 168, min_load=[0.3, 0.2, 0.4], start_cost_dkk=[300.0, 50, 800])
    settings = Settings(commitment=True, gap=0.0, limit_s=0.001)
    found = best_schedule(plant, demand, InitialState.at_rest(plant), settings)
    assert found.status == "time limit"
    assert not np.isfinite(found.load).all() or found.gap > 0


@pytest.mark.parametrize(
    ("demand", "told"),
    [
        (np.ones(5), "expected 24"),
        (np.r_[np.ones(23), np.nan], "step 23 is nan MW"),
        (np.r_[-1.0, np.ones(23)], "step 0 is -1 MW"),
    ],
)
def test_a_demand_that_does_not_fit_is_refused(demand, told):
    plant = linear_plant([3.0], [100.0])
    with pytest.raises(InputError, match=told):
        best_schedule(plant, demand, InitialState.at_rest(plant))
