"""What really happens in a step: the store takes up what plan and demand differ by.

A plan is made on a forecast. When the hour comes, units run at the loads of the plan, heat that is
too much goes into the store, and heat that is missing comes out of it. Where the store cannot,
units are turned: down, the dearest heat first, or up, the cheapest first. A unit that is on keeps
to its minimum load or stops; one that is needed starts at its minimum load at least. One that must
run never goes below its minimum load while it is available.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from tvilling.rl_control.planning.schedule import ON_LOAD, InitialState, Schedule
from tvilling.sciml.systems.heat_plant.linear import LinearPlant, LinearTank

SMALL_MW = 1e-9


@dataclass(frozen=True)
class Hour:
    """One step of a plant, for rules that go step by step.

    Attributes
    ----------
    heat_mw, cost_dkk_per_mwh
        Heat of each mode at full load, and what a MWh of it costs; infinite of a mode without
        heat.
    most
        Greatest load of each unit.
    order
        Modes that deliver heat, the cheapest first.
    must
        Units that have to be on.
    """

    heat_mw: Float[np.ndarray, " mode"]
    cost_dkk_per_mwh: Float[np.ndarray, " mode"]
    most: Float[np.ndarray, " unit"]
    order: Int[np.ndarray, " heating"]
    min_load: Float[np.ndarray, " unit"]
    mode_unit: Int[np.ndarray, " mode"]
    must: Bool[np.ndarray, " unit"]
    tank: LinearTank
    dt_h: float

    @classmethod
    def of(cls, plant: LinearPlant, step: int) -> "Hour":
        """Step number `step` of `plant`."""
        heat = plant.heat_mw[:, step]
        spent = plant.cost_dkk_per_h[:, step] + plant.no_load_dkk_per_h[plant.mode_unit, step]
        warm = heat > SMALL_MW
        cost = np.where(warm, spent / np.where(warm, heat, 1.0), np.inf)
        order = np.argsort(cost, kind="stable")
        return cls(
            heat,
            cost,
            plant.available[:, step],
            order[warm[order]],
            plant.min_load,
            plant.mode_unit,
            plant.must_on[:, step],
            plant.tank,
            plant.dt_h,
        )

    def room_mw(self, level_mwh: float) -> tuple[float, float]:
        """Most heat that the store gives and takes in this step [MW].

        An empty store gives less than nothing: what it loses has to be put in.
        """
        tank = self.tank
        if tank.capacity_mwh <= 0:
            return 0.0, 0.0
        kept = (1.0 - tank.loss_share_per_h * self.dt_h) * level_mwh - tank.loss_mw * self.dt_h
        gives = min(tank.discharge_mw, kept / self.dt_h)
        takes = min(tank.charge_mw, max(tank.capacity_mwh - kept, 0.0) / self.dt_h)
        return gives, takes

    def level_after(self, level_mwh: float, into_mw: float) -> float:
        """Heat in the store at the end of the step [MWh]."""
        tank = self.tank
        kept = (1.0 - tank.loss_share_per_h * self.dt_h) * level_mwh
        level = kept + (into_mw - tank.loss_mw) * self.dt_h
        return min(max(level, 0.0), tank.capacity_mwh)

    def lowered(self, load: Float[np.ndarray, " mode"], by_mw: float) -> float:
        """Turn `load` down in place, the dearest heat first; what is still too much [MW].

        Below zero where a unit had to stop for it.
        """
        for mode in self.order[::-1]:
            if by_mw <= SMALL_MW:
                break
            unit = self.mode_unit[mode]
            others = load[self.mode_unit == unit].sum() - load[mode]
            off = min(by_mw / self.heat_mw[mode], load[mode])
            left = load[mode] - off
            least = max(self.min_load[unit] - others, 0.0)
            if self.must[unit]:
                left = min(max(left, least), load[mode])
            elif 0 < left + others < self.min_load[unit]:
                left = 0.0 if others <= 0 else least
            by_mw -= (load[mode] - left) * self.heat_mw[mode]
            load[mode] = left
        return by_mw

    def hold_on(self, load: Float[np.ndarray, " mode"]) -> None:
        """Turn units that must run up to their least load, in place, their cheapest heat first."""
        for unit in np.flatnonzero(self.must):
            own = np.flatnonzero(self.mode_unit == unit)
            missing = self.min_load[unit] - load[own].sum()
            if missing > 0:
                load[own[np.argmin(self.cost_dkk_per_mwh[own])]] += missing

    def raised(
        self, load: Float[np.ndarray, " mode"], by_mw: float, spare_mw: float = 0.0
    ) -> float:
        """Turn `load` up in place, the cheapest heat first; what is still missing [MW].

        A unit that has to start delivers its minimum load at least: more than was missing, by
        `spare_mw` at most. Then the result is below zero.
        """
        for mode in self.order:
            if by_mw <= SMALL_MW:
                break
            unit = self.mode_unit[mode]
            total = load[self.mode_unit == unit].sum()
            more = min(by_mw / self.heat_mw[mode], self.most[unit] - total)
            if more <= 0 or self.most[unit] < self.min_load[unit]:
                continue
            if total + more < self.min_load[unit]:
                more = self.min_load[unit] - total
                if more * self.heat_mw[mode] > by_mw + spare_mw + SMALL_MW:
                    continue
            load[mode] += more
            by_mw -= more * self.heat_mw[mode]
        return by_mw


def settle(
    hour: Hour, load: Float[np.ndarray, " mode"], demand_mw: float, level_mwh: float
) -> tuple[Float[np.ndarray, " mode"], float, float, float]:
    """Loads as they are run, level of the store after the step, heat unserved and thrown away.

    Parameters
    ----------
    load
        What was planned.
    demand_mw
        What is really drawn [MW].
    level_mwh
        Heat in the store before the step.
    """
    load = np.minimum(load, hour.most[hour.mode_unit])
    hour.hold_on(load)
    gives, takes = hour.room_mw(level_mwh)
    into = float(load @ hour.heat_mw) - demand_mw
    if into > takes + SMALL_MW:
        hour.lowered(load, into - takes)
        into = float(load @ hour.heat_mw) - demand_mw
    if into < -gives - SMALL_MW:
        hour.raised(load, -gives - into, gives + takes)
        into = float(load @ hour.heat_mw) - demand_mw
    unserved = max(-gives - into, 0.0)
    surplus = max(into - takes, 0.0)
    level = hour.level_after(level_mwh, into + unserved - surplus)
    return load, level, unserved, surplus


def operate(
    plant: LinearPlant,
    planned: Float[np.ndarray, "mode time"],
    demand_mw: Float[np.ndarray, " time"],
    before: InitialState,
) -> Schedule:
    """Run the loads of a plan on what really comes, step by step.

    `plant` is the plant as it really is in those hours: its weather, prices and outages.
    """
    steps = plant.steps
    load = np.zeros((len(plant.modes), steps))
    level, unserved, surplus = (np.zeros(steps) for _ in range(3))
    now = before.tank_mwh
    for step in range(steps):
        hour = Hour.of(plant, step)
        load[:, step], now, unserved[step], surplus[step] = settle(
            hour, planned[:, step], float(demand_mw[step]), now
        )
        level[step] = now
    return Schedule(load, is_on(plant, load), level, unserved, surplus, status="operated")


def is_on(
    plant: LinearPlant, load: Float[np.ndarray, "mode time"]
) -> Bool[np.ndarray, "unit time"]:
    """Which units run at `load`; those that must run do at any."""
    total = np.zeros((len(plant.units), load.shape[1]))
    np.add.at(total, plant.mode_unit, load)
    on: Bool[np.ndarray, "unit time"] = (total > ON_LOAD) | plant.must_on
    return on
