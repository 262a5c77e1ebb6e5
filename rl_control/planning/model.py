"""The programme of a plant, stated row by row; see `programme.py` for what it means."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from tvilling.rl_control.planning.model_builder import Labels, ModelBuilder, earlier
from tvilling.rl_control.planning.schedule import PENALTY_DKK_PER_MWH, InitialState
from tvilling.sciml.systems.heat_plant.linear import LinearPlant


@dataclass(frozen=True)
class Settings:
    """How a schedule is sought.

    Attributes
    ----------
    commitment
        Whether starts, minimum load and minimum times count.
    end_mwh
        Heat that must be in the store at the end [MWh], at least; None leaves it free.
    end_short_dkk_per_mwh
        What a MWh less than `end_mwh` costs; None forbids it. Below the penalty of heat that is
        not served, consumers come first.
    reserve_mwh
        Heat that stays in the store from the second step on [MWh]: the last of a layered tank
        leaves it cooler than the network needs.
    gap, limit_s
        Relative gap and time [s] at which the search for whole numbers may stop.
    """

    commitment: bool = False
    end_mwh: float | None = None
    end_short_dkk_per_mwh: float | None = None
    reserve_mwh: float = 0.0
    gap: float = 1e-3
    limit_s: float = 60.0


def make_model(
    plant: LinearPlant,
    demand_mw: Float[np.ndarray, " time"],
    before: InitialState,
    settings: Settings,
) -> Any:
    """The programme as a `linopy.Model`."""
    told, dt_h = ModelBuilder(), plant.dt_h
    units = committed(plant) if settings.commitment else np.zeros(len(plant.units), bool)
    least = least_load(plant, units)
    load = told.variable("load", least, plant.available[plant.mode_unit])
    missing = np.full(plant.steps, np.inf)
    unserved = told.variable("unserved", 0.0, missing)
    surplus = told.variable("surplus", 0.0, missing)
    balance = [(heat, mode) for heat, mode in zip(plant.heat_mw, load, strict=True)]
    balance += [(1.0, unserved), (-1.0, surplus)]
    told.cost(load_cost_dkk_per_h(plant, units) * dt_h, load)
    told.cost(PENALTY_DKK_PER_MWH * dt_h, unserved)
    told.cost(PENALTY_DKK_PER_MWH * dt_h, surplus)
    if plant.tank.capacity_mwh > 0:
        balance.append((-1.0, _state_tank(told, plant, before, settings)))
    told.rows("balance", balance, "=", demand_mw)
    _state_free_units(told, plant, load, np.flatnonzero(~units), before)
    if units.any():
        _state_commitment(told, plant, load, np.flatnonzero(units), before)
    return told.finished()


def committed(plant: LinearPlant) -> Bool[np.ndarray, " unit"]:
    """Units for which it matters whether they are on."""
    return (
        (plant.min_load > 0)
        | (plant.start_cost_dkk > 0)
        | (plant.min_up_h > plant.dt_h)
        | (plant.min_down_h > plant.dt_h)
        | (plant.no_load_dkk_per_h > 0).any(axis=1)
        | plant.must_run
    )


def least_load(
    plant: LinearPlant, units: Bool[np.ndarray, " unit"]
) -> Float[np.ndarray, "mode time"]:
    """Least load of each mode where a unit must run; of `units`, whose `on` says it, none.

    A unit of several modes has none here either: its modes share the least load.
    """
    alone = np.bincount(plant.mode_unit, minlength=len(plant.units)) == 1
    least = plant.must_on * (plant.min_load * (alone & ~units))[:, None]
    return least[plant.mode_unit]


def load_cost_dkk_per_h(
    plant: LinearPlant, units: Bool[np.ndarray, " unit"]
) -> Float[np.ndarray, "mode time"]:
    """Cost of an hour at full load; but for `units`, the cost of being on is spread in it."""
    spread = np.where(units[:, None], 0.0, plant.no_load_dkk_per_h)
    return plant.cost_dkk_per_h + spread[plant.mode_unit]


def least_level_mwh(plant: LinearPlant, settings: Settings) -> Float[np.ndarray, " time"]:
    """How much has to be in the store after each step [MWh]."""
    capacity = plant.tank.capacity_mwh
    least = np.full(plant.steps, min(settings.reserve_mwh, capacity))
    least[0] = 0.0
    if settings.end_mwh is not None and settings.end_short_dkk_per_mwh is None:
        least[-1] = min(max(settings.end_mwh, least[-1]), capacity)
    return least


def store_side_mwh(plant: LinearPlant, before: InitialState) -> Float[np.ndarray, " time"]:
    """Right-hand side of the rows of the store [MWh]."""
    tank = plant.tank
    side = np.full(plant.steps, -tank.loss_mw * plant.dt_h)
    side[0] += (1.0 - tank.loss_share_per_h * plant.dt_h) * before.tank_mwh
    return side


def _state_tank(
    told: ModelBuilder, plant: LinearPlant, before: InitialState, settings: Settings
) -> Labels:
    """Level and flow of the store; the labels of the heat into it."""
    tank, steps = plant.tank, plant.steps
    level = told.variable("level", least_level_mwh(plant, settings), tank.capacity_mwh)
    into = told.variable("into", np.full(steps, -tank.discharge_mw), tank.charge_mw)
    kept = 1.0 - tank.loss_share_per_h * plant.dt_h
    change = [(1.0, level), (-kept, earlier(level, 1)), (-plant.dt_h, into)]
    told.rows("store", change, "=", store_side_mwh(plant, before))
    if settings.end_mwh is not None and settings.end_short_dkk_per_mwh is not None:
        short = told.variable("short", 0.0, np.full(1, np.inf))
        wanted = min(settings.end_mwh, tank.capacity_mwh)
        told.rows("end", [(1.0, level[-1:]), (1.0, short)], ">=", np.full(1, wanted))
        told.cost(settings.end_short_dkk_per_mwh, short)
    return into


def _of_unit(plant: LinearPlant, load: Labels, unit: int) -> list[tuple[float, Labels]]:
    """The load of a unit, as terms over its modes."""
    return [(1.0, load[mode]) for mode in np.flatnonzero(plant.mode_unit == unit)]


def _state_free_units(
    told: ModelBuilder,
    plant: LinearPlant,
    load: Labels,
    units: Int[np.ndarray, " unit"],
    before: InitialState,
) -> None:
    """Modes of a unit share its load, and a unit without commitment keeps its ramp."""
    for unit in units:
        total = _of_unit(plant, load, unit)
        if len(total) > 1:
            told.rows(f"shared {unit}", total, "<=", plant.available[unit])
            if plant.must_run[unit] and plant.min_load[unit] > 0:
                least = plant.min_load[unit] * plant.must_on[unit]
                told.rows(f"must {unit}", total, ">=", least)
        _state_ramp(told, plant, load, unit, before, [])


def _state_ramp(
    told: ModelBuilder,
    plant: LinearPlant,
    load: Labels,
    unit: int,
    before: InitialState,
    jumps: list[tuple[float, Labels]],
) -> None:
    """The load of `unit` changes by its ramp at most, and by `jumps` where it starts or stops.

    An outage may take it down at once.
    """
    step = plant.ramp_per_h[unit] * plant.dt_h
    if step >= 1.0:
        return
    total = _of_unit(plant, load, unit)
    up = total + [(-1.0, earlier(labels, 1)) for _, labels in total]
    was = np.zeros(plant.steps)
    was[0] = before.load[unit]
    jump = np.zeros(plant.steps) if jumps else _jump_of_must(plant, unit, before)
    there = np.concatenate([[before.load[unit]], plant.available[unit]])
    lost = np.maximum(there[:-1] - there[1:], 0.0)
    down = [(-coefficient, labels) for coefficient, labels in up]
    told.rows(f"ramp up {unit}", up + jumps, "<=", step + was + jump)
    told.rows(f"ramp down {unit}", down + jumps, "<=", step + lost - was)


def _jump_of_must(
    plant: LinearPlant, unit: int, before: InitialState
) -> Float[np.ndarray, " time"]:
    """How far a unit that has to run now, and stood or could not, may jump beyond its ramp [1]."""
    must, least = plant.must_on[unit], plant.min_load[unit]
    ran = np.concatenate([[before.load[unit] >= least], must[:-1]])
    beyond = max(least - plant.ramp_per_h[unit] * plant.dt_h, 0.0)
    jump: Float[np.ndarray, " time"] = np.where(must & ~ran, beyond, 0.0)
    return jump


def _state_commitment(
    told: ModelBuilder,
    plant: LinearPlant,
    load: Labels,
    units: Int[np.ndarray, " unit"],
    before: InitialState,
) -> None:
    """On and start of the committed units, in the order of `units`."""
    low, high = on_limits(plant, units, before)
    on = told.variable("on", low, high, whole=True)
    start = told.variable("start", 0.0, np.ones(on.shape))
    was_on = np.zeros(on.shape)
    was_on[:, 0] = before.on[units]
    told.rows("starts", [(1.0, start), (-1.0, on), (1.0, earlier(on, 1))], ">=", -was_on)
    told.cost(plant.no_load_dkk_per_h[units] * plant.dt_h, on)
    told.cost(plant.start_cost_dkk[units, None], start)
    for row, unit in enumerate(units):
        total = _of_unit(plant, load, unit)
        told.rows(f"most {unit}", [*total, (-plant.available[unit], on[row])], "<=", 0.0)
        if plant.min_load[unit] > 0:
            told.rows(f"least {unit}", [*total, (-plant.min_load[unit], on[row])], ">=", 0.0)
        _state_times(told, plant, unit, (on[row], start[row]), before)
        jump = max(plant.min_load[unit] - plant.ramp_per_h[unit] * plant.dt_h, 0.0)
        ends = [(-2 * jump, start[row]), (jump, on[row]), (-jump, earlier(on[row], 1))]
        _state_ramp(told, plant, load, unit, before, ends)


def _state_times(
    told: ModelBuilder,
    plant: LinearPlant,
    unit: int,
    switches: tuple[Labels, Labels],
    before: InitialState,
) -> None:
    """Once started a unit stays on for its time, once stopped it stays off for its time."""
    on, start = switches
    up, down = (
        whole_steps(hours[unit], plant.dt_h) for hours in (plant.min_up_h, plant.min_down_h)
    )
    if up > 1:
        recent = [(1.0, earlier(start, ago)) for ago in range(up)]
        told.rows(f"up {unit}", [*recent, (-1.0, on)], "<=", 0.0)
    if down > 1:
        recent = [(1.0, earlier(start, ago)) for ago in range(down)]
        stood = np.ones(plant.steps)
        stood[:down] -= _before_on(plant, unit, down, before)[: plant.steps]
        told.rows(f"down {unit}", [*recent, (1.0, earlier(on, down))], "<=", stood)


def whole_steps(hours: float, dt_h: float) -> int:
    """Steps that a time takes at least: 2.5 h are three of an hour."""
    return math.ceil(hours / dt_h - 1e-9)


def _before_on(
    plant: LinearPlant, unit: int, steps: int, before: InitialState
) -> Float[np.ndarray, " step"]:
    """Whether the unit ran in each of the `steps` steps before the beginning, oldest first."""
    held = min(before.hours[unit] / plant.dt_h, steps)
    ago = np.arange(steps, 0, -1)
    return np.where(ago <= math.floor(held + 1e-9), before.on[unit], ~before.on[unit]).astype(float)


def on_limits(
    plant: LinearPlant, units: Int[np.ndarray, " unit"], before: InitialState
) -> tuple[Float[np.ndarray, "unit time"], Float[np.ndarray, "unit time"]]:
    """Where units have to be on, and where they can be.

    A unit that must run, or was started too short a time ago, is on; one that is not there, or
    was stopped too short a time ago, is off.
    """
    hours = np.arange(plant.steps) * plant.dt_h
    can = plant.available[units] >= np.maximum(plant.min_load[units, None], 1e-9)
    young = np.where(before.on, plant.min_up_h - before.hours, 0.0)[units, None]
    resting = np.where(~before.on, plant.min_down_h - before.hours, 0.0)[units, None]
    must = ((hours < young - 1e-9) & can) | plant.must_on[units]
    may = can & ~(hours < resting - 1e-9)
    return must.astype(float), (may | must).astype(float)
