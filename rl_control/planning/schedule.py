"""A schedule of a heat plant: what runs when, what it costs, and how good it is at best."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float

from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.systems.heat_plant.linear import LinearPlant

PENALTY_DKK_PER_MWH = 10_000.0  # of heat not served, and of heat that nobody takes
END_SHORT_DKK_PER_MWH = 3_000.0  # of heat that a plan leaves less than it should; see `Settings`
ON_LOAD = 1e-6  # a load above it counts as running where nothing else tells


@dataclass(frozen=True)
class InitialState:
    """How the plant stands when a schedule begins.

    Attributes
    ----------
    tank_mwh
        Heat in the store [MWh].
    on
        Which units run.
    hours
        For how long they have been running, or standing [h].
    load
        Load of each unit, for ramps [1].
    """

    tank_mwh: float
    on: Bool[np.ndarray, " unit"]
    hours: Float[np.ndarray, " unit"]
    load: Float[np.ndarray, " unit"]

    @classmethod
    def at_rest(cls, plant: LinearPlant, tank_mwh: float | None = None) -> "InitialState":
        """Everything off for as long as matters; the store half full unless it is told."""
        count = len(plant.units)
        level = plant.tank.capacity_mwh / 2 if tank_mwh is None else tank_mwh
        return cls(level, np.zeros(count, bool), np.full(count, np.inf), np.zeros(count))


@dataclass(frozen=True)
class Schedule:
    """Loads of a plant over time.

    Attributes
    ----------
    load
        Of each mode, 0 to 1.
    on
        Which units run.
    tank_mwh
        Heat in the store at the end of each step [MWh].
    unserved_mw, surplus_mw
        Heat that was missing, and heat that had to be thrown away [MW].
    status
        `optimal` (within the gap asked for), `time limit`, or what else the solver says.
    bound_dkk
        No schedule under the same assumptions costs less; of the objective, what heat missing at
        the end counts included. NaN where nothing was proven.
    gap
        Relative distance of the objective from the bound.
    """

    load: Float[np.ndarray, "mode time"]
    on: Bool[np.ndarray, "unit time"]
    tank_mwh: Float[np.ndarray, " time"]
    unserved_mw: Float[np.ndarray, " time"]
    surplus_mw: Float[np.ndarray, " time"]
    status: str = "rule"
    bound_dkk: float = np.nan
    gap: float = np.nan

    __repr__ = short_repr

    def part(self, steps: slice) -> "Schedule":
        """The schedule over some of its steps."""
        return replace(
            self,
            load=self.load[:, steps],
            on=self.on[:, steps],
            tank_mwh=self.tank_mwh[steps],
            unserved_mw=self.unserved_mw[steps],
            surplus_mw=self.surplus_mw[steps],
        )

    def after(self, plant: LinearPlant, before: InitialState) -> InitialState:
        """How the plant stands at the end, having stood as `before` at the beginning."""
        hours = np.empty(len(plant.units))
        for unit, on in enumerate(self.on):
            changes = np.flatnonzero(on[1:] != on[:-1])
            if changes.size:
                hours[unit] = (len(on) - 1 - changes[-1]) * plant.dt_h
            else:
                stayed = on[0] == before.on[unit]
                hours[unit] = len(on) * plant.dt_h + (before.hours[unit] if stayed else 0.0)
        last = np.bincount(plant.mode_unit, self.load[:, -1], len(plant.units))
        return InitialState(float(self.tank_mwh[-1]), self.on[:, -1].copy(), hours, last)


def joined(parts: Sequence[Schedule]) -> Schedule:
    """Schedules of stretches that follow each other, as one."""

    def along(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts], axis=-1)

    return Schedule(
        load=along("load"),
        on=along("on"),
        tank_mwh=along("tank_mwh"),
        unserved_mw=along("unserved_mw"),
        surplus_mw=along("surplus_mw"),
        status=parts[-1].status,
    )


@dataclass(frozen=True)
class Bill:
    """What a schedule costs and emits.

    Attributes
    ----------
    running_dkk, start_dkk, penalty_dkk
        Fuel, power, taxes and upkeep; starts; heat not served or thrown away.
    starts
        Number of starts by unit.
    co2_t
        Emission [t].
    heat_mwh, power_mwh, fuel_mwh
        By unit; power is negative where it is drawn.
    """

    running_dkk: float
    start_dkk: float
    penalty_dkk: float
    starts: dict[str, int] = field(default_factory=dict)
    co2_t: float = 0.0
    heat_mwh: dict[str, float] = field(default_factory=dict)
    power_mwh: dict[str, float] = field(default_factory=dict)
    fuel_mwh: dict[str, float] = field(default_factory=dict)

    @property
    def total_dkk(self) -> float:
        """Everything together."""
        return self.running_dkk + self.start_dkk + self.penalty_dkk


def unit_course(
    plant: LinearPlant, schedule: Schedule, of_mode: str
) -> Float[np.ndarray, "unit time"]:
    """`heat_mw`, `power_mw`, `fuel_mw`, `co2_kg_per_h` or `cost_dkk_per_h` of units over time.

    What being on takes is in it.
    """
    total = plant.by_unit(schedule.load, of_mode)
    name = "no_load_dkk_per_h" if of_mode == "cost_dkk_per_h" else f"no_load_{of_mode}"
    idle = getattr(plant, name, None)
    return total if idle is None else total + idle * schedule.on


def bill(plant: LinearPlant, schedule: Schedule, before: InitialState) -> Bill:
    """What `schedule` costs on `plant`, which stood as `before`."""
    load, dt_h = schedule.load, plant.dt_h
    earlier = np.concatenate([before.on[:, None], schedule.on[:, :-1]], axis=1)
    starts = (schedule.on & ~earlier).sum(axis=1)
    running = (plant.cost_dkk_per_h * load).sum() + (plant.no_load_dkk_per_h * schedule.on).sum()
    missed = (schedule.unserved_mw + schedule.surplus_mw).sum()

    def by_unit(of_mode: str) -> dict[str, float]:
        total = unit_course(plant, schedule, of_mode).sum(axis=1) * dt_h
        return dict(zip(plant.units, total.tolist(), strict=True))

    return Bill(
        running_dkk=float(running * dt_h),
        start_dkk=float(starts @ plant.start_cost_dkk),
        penalty_dkk=float(missed * dt_h * PENALTY_DKK_PER_MWH),
        starts=dict(zip(plant.units, starts.tolist(), strict=True)),
        co2_t=float(unit_course(plant, schedule, "co2_kg_per_h").sum() * dt_h / 1e3),
        heat_mwh=by_unit("heat_mw"),
        power_mwh=by_unit("power_mw"),
        fuel_mwh=by_unit("fuel_mw"),
    )
