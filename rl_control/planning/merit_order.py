"""What an operator does without an optimiser: the cheapest heat first, and a store filled cheaply.

Each step the modes of the plant are put in order of what a MWh of their heat costs at the price of
the step. Without a store they are turned up in this order until the demand is met. With one, the
cost of the last MWh is compared with its median over the steps ahead: heat that is cheaper than
that fills the store, and heat that is dearer is taken from it as long as it lasts.

The rule keeps minimum loads, minimum times and outages, and units on that must run: what it says
can be run. It looks neither at the cost of starts nor at what a start entails, and at no ramps.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from tvilling.rl_control.planning.programme import checked_demand
from tvilling.rl_control.planning.realise_dispatch import SMALL_MW, Hour, is_on, settle
from tvilling.rl_control.planning.schedule import ON_LOAD, InitialState, Schedule
from tvilling.sciml.systems.heat_plant.linear import LinearPlant

AHEAD_H = 12.0  # 24 h, and hours gone by beside those ahead, cost more on prices of 2020 to 2022
BAND_DKK_PER_MWH = 5.0  # how much cheaper or dearer than the median, before the store is used


def merit_order(
    plant: LinearPlant,
    demand_mw: Float[np.ndarray, " time"],
    before: InitialState,
    with_tank: bool = True,
    median_steps: int | None = None,
    keep_times: bool = True,
) -> Schedule:
    """The operator's rule over the whole of `demand_mw`.

    Parameters
    ----------
    with_tank
        Whether the store is used; without, its level only falls by its losses.
    median_steps
        How many steps ahead the median is taken over; None: half a day.
    keep_times
        Whether a unit stays on, and off, for its minimum times.

    Raises
    ------
    InputError
        The demand does not fit the plant.
    """
    demand_mw = checked_demand(plant, demand_mw)
    ahead = median_steps or max(round(AHEAD_H / plant.dt_h), 1)
    hours = [Hour.of(plant, step) for step in range(plant.steps)]
    last = np.array([_last_cost(hour, need) for hour, need in zip(hours, demand_mw, strict=True)])
    load = np.zeros((len(plant.modes), plant.steps))
    level, unserved, surplus = (np.zeros(plant.steps) for _ in range(3))
    now, times = before.tank_mwh, _Times(plant, before, keep_times)
    for step, free in enumerate(hours):
        hour = times.bound(free)
        need = float(demand_mw[step])
        wanted = np.zeros(len(plant.modes))
        hour.hold_on(wanted)
        if with_tank and plant.tank.capacity_mwh > 0:
            usual = float(np.median(last[step : step + ahead]))
            _with_tank(hour, wanted, need, now, usual)
            load[:, step], now, unserved[step], surplus[step] = settle(hour, wanted, need, now)
        else:
            missing = _fill(hour, wanted, need)
            load[:, step] = wanted
            unserved[step], surplus[step] = max(missing, 0.0), max(-missing, 0.0)
            now = hour.level_after(now, 0.0)
        level[step] = now
        times.passed(hour, load[:, step])
    return Schedule(load, is_on(plant, load) | times.held(), level, unserved, surplus)


class _Times:
    """Which units run, and for how long they have: what their minimum times leave free.

    Parameters
    ----------
    keep
        Whether minimum times count.
    """

    def __init__(self, plant: LinearPlant, before: InitialState, keep: bool) -> None:
        self.plant, self.keep = plant, keep
        self.on, self.hours = before.on.copy(), before.hours.astype(float)
        self._held: list[np.ndarray] = []

    def bound(self, hour: Hour) -> Hour:
        """The step with units on that started lately, and off those that stopped lately."""
        if not self.keep:
            return hour
        can = hour.most >= np.maximum(hour.min_load, 1e-9)
        young = self.on & can & (self.hours < self.plant.min_up_h - 1e-9)
        resting = ~self.on & ~hour.must & (self.hours < self.plant.min_down_h - 1e-9)
        return replace(hour, must=hour.must | young, most=np.where(resting, 0.0, hour.most))

    def passed(self, hour: Hour, load: np.ndarray) -> None:
        """The step was run at `load`."""
        total = np.bincount(hour.mode_unit, load, len(self.on))
        on = (total > ON_LOAD) | hour.must
        self.hours = np.where(on == self.on, self.hours, 0.0) + hour.dt_h
        self.on = on
        self._held.append(hour.must)

    def held(self) -> Bool[np.ndarray, "unit time"]:
        """Units that had to be on, by step."""
        found: Bool[np.ndarray, "unit time"] = np.stack(self._held, axis=1)
        return found


def _fill(hour: Hour, load: np.ndarray, need_mw: float) -> float:
    """Turn `load` up to `need_mw`; what is missing, or below zero what is too much [MW].

    Where the next unit cannot run as low as what is left, the ones before give way to it.
    """
    for mode in hour.order:
        missing = need_mw - float(load @ hour.heat_mw)
        unit = hour.mode_unit[mode]
        if missing <= SMALL_MW:
            break
        least_mw = hour.min_load[unit] * hour.heat_mw[mode]
        stands = load[hour.mode_unit == unit].sum() <= 0
        if stands and missing < least_mw and hour.most[unit] >= hour.min_load[unit]:
            hour.lowered(load, least_mw - missing)
        add(hour, load, mode, max(missing, least_mw if stands else 0.0))
    return need_mw - float(load @ hour.heat_mw)


def _last_cost(hour: Hour, need_mw: float) -> float:
    """What the last MWh of `need_mw` costs in merit order [DKK/MWh]."""
    running = np.zeros(len(hour.heat_mw))
    hour.hold_on(running)
    left, cost = need_mw - float(running @ hour.heat_mw), 0.0
    for mode in hour.order:
        can = (hour.most[hour.mode_unit[mode]] - running[mode]) * hour.heat_mw[mode]
        if can <= 0:
            continue
        cost = float(hour.cost_dkk_per_mwh[mode])
        left -= can
        if left <= 0:
            break
    return cost


def _with_tank(
    hour: Hour, load: np.ndarray, need_mw: float, level_mwh: float, usual: float
) -> None:
    """Turn `load` up: heat cheaper than `usual` fills the store, dearer heat is spared."""
    gives, takes = hour.room_mw(level_mwh)
    for mode in hour.order:
        cost, missing = hour.cost_dkk_per_mwh[mode], need_mw - float(load @ hour.heat_mw)
        if cost < usual - BAND_DKK_PER_MWH:
            add(hour, load, mode, missing + takes)
        elif cost <= usual + BAND_DKK_PER_MWH:
            add(hour, load, mode, missing)
        else:
            add(hour, load, mode, missing - gives)


def add(hour: Hour, load: np.ndarray, mode: int, room_mw: float) -> None:
    """Turn one mode up by `room_mw` at most, in place, or not at all below its minimum load."""
    unit = hour.mode_unit[mode]
    total = load[hour.mode_unit == unit].sum()
    more = min(room_mw / hour.heat_mw[mode], hour.most[unit] - total)
    if more > 0 and total + more >= hour.min_load[unit] - 1e-12:
        load[mode] += more
