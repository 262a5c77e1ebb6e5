"""The cheapest schedule of a plant: a linear programme, or one with starts and minimum load.

Loads, heat left unserved or thrown away, heat into the store and its level are the variables of
each step; `sciml/systems/heat_plant/linear.py` states the balance. With `commitment` each unit that
has a start cost, a minimum load, a minimum time or a cost of being on has a whole number `on`, with
the tight form of minimum up and down times (Rajan and Takriti, IBM report RC23628, 2005):

    sum of starts in the last min_up steps <= on,  the same in the last min_down <= 1 - on before

Heat that is not served, or thrown away, costs `PENALTY_DKK_PER_MWH`, so a plan exists whatever
the demand, and says how much is missing.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float

from tvilling.rl_control.highs import Matrices, Solved, solve
from tvilling.rl_control.production.schedule import (
    ON_LOAD,
    PENALTY_DKK_PER_MWH,
    Before,
    Schedule,
)
from tvilling.sciml.errors import InputError
from tvilling.sciml.systems.heat_plant.linear import LinearPlant

if TYPE_CHECKING:
    import xarray as xr

MODE, UNIT, TIME = "mode", "unit", "time"


@dataclass(frozen=True)
class Settings:
    """How a schedule is sought.

    Attributes
    ----------
    commitment
        Whether starts, minimum load and minimum times count.
    end_mwh
        Heat that must be in the store at the end [MWh], at least; None leaves it free.
    end_dkk_per_mwh
        What heat left in the store is worth.
    reserve_mwh
        Heat that stays in the store from the second step on [MWh]: the last of a layered tank
        leaves it cooler than the network needs.
    gap, limit_s
        Relative gap and time [s] at which the search for whole numbers may stop.
    """

    commitment: bool = False
    end_mwh: float | None = None
    end_dkk_per_mwh: float = 0.0
    reserve_mwh: float = 0.0
    gap: float = 1e-3
    limit_s: float = 60.0


def best_schedule(
    plant: LinearPlant,
    demand_mw: Float[np.ndarray, " time"],
    before: Before,
    settings: Settings | None = None,
    first: Schedule | None = None,
) -> Schedule:
    """The schedule that costs least, with the bound that was proven.

    Parameters
    ----------
    demand_mw
        Heat to deliver in each step [MW].
    before
        How the plant stands at the beginning.
    first
        A schedule from which a search with commitment begins.

    Raises
    ------
    InputError
        The demand has another length than the plant, or is not a finite number everywhere.
    """
    settings = settings or Settings()
    demand_mw = checked_demand(plant, demand_mw)
    model = make_model(plant, demand_mw, before, settings)
    programme, held = Matrices.of(model), None
    if first is not None and "on" in model.variables:
        variable = model.variables["on"]
        on = first.on[variable.coords[UNIT].to_numpy()]
        held = programme.columns(variable).ravel(), on.ravel()
    found = solve(programme, settings.gap, settings.limit_s, held)
    return read_schedule(plant, model, found)


def lowest_cost_dkk(
    plant: LinearPlant, demand_mw: Float[np.ndarray, " time"], before: Before, settings: Settings
) -> float:
    """What no schedule costs less than [DKK]: whole numbers may be fractions.

    A credit for heat left in the store is in it. Infinite below where the solver finds none.
    """
    demand_mw = checked_demand(plant, demand_mw)
    programme = Matrices.of(make_model(plant, demand_mw, before, settings))
    return solve(replace(programme, whole=programme.whole[:0])).bound


def checked_demand(
    plant: LinearPlant, demand_mw: Float[np.ndarray, " time"]
) -> Float[np.ndarray, " time"]:
    """`demand_mw` if it fits the plant.

    Raises
    ------
    InputError
        It has another length, or a value is no finite number or below zero.
    """
    demand = np.asarray(demand_mw, float)
    if demand.shape != (plant.steps,):
        raise InputError("demand", [f"has {demand.shape} steps, expected {plant.steps}"])
    bad = np.flatnonzero(~(np.isfinite(demand) & (demand >= 0)))
    if bad.size:
        fault = (
            f"step {bad[0]} is {demand[bad[0]]:g} MW, expected 0 or more ({bad.size} such steps)"
        )
        raise InputError("demand", [fault])
    return demand


def _committed(plant: LinearPlant) -> Bool[np.ndarray, " unit"]:
    """Units for which it matters whether they are on."""
    return (
        (plant.min_load > 0)
        | (plant.start_cost_dkk > 0)
        | (plant.min_up_h > plant.dt_h)
        | (plant.min_down_h > plant.dt_h)
        | (plant.no_load_dkk_per_h > 0).any(axis=1)
    )


def make_model(
    plant: LinearPlant, demand_mw: np.ndarray, before: Before, settings: Settings
) -> Any:
    """The programme as a `linopy.Model`."""
    import linopy

    time = np.arange(plant.steps)
    model = linopy.Model()
    most = _labelled(plant.available[plant.mode_unit], MODE, TIME)
    load = model.add_variables(0.0, most, name="load")
    unserved = model.add_variables(0.0, np.inf, coords={TIME: time}, name="unserved")
    surplus = model.add_variables(0.0, np.inf, coords={TIME: time}, name="surplus")
    heat = (load * _labelled(plant.heat_mw, MODE, TIME)).sum(MODE) + unserved - surplus
    committed = _committed(plant) if settings.commitment else np.zeros(len(plant.units), bool)
    cost = load_cost_dkk_per_h(plant, committed)
    dt_h = plant.dt_h
    objective = (load * _labelled(cost * dt_h, MODE, TIME)).sum()
    objective += ((unserved + surplus) * (PENALTY_DKK_PER_MWH * dt_h)).sum()
    if plant.tank.capacity_mwh > 0:
        into, worth = _add_tank(model, plant, before, settings)
        heat = heat - into
        if settings.end_dkk_per_mwh:
            objective -= worth
    model.add_constraints(heat == _labelled(demand_mw, TIME), name="balance")
    _add_unit_limits(model, plant, load, ~committed, before)
    if committed.any():
        objective += _add_commitment(model, plant, load, committed, before)
    model.add_objective(objective)
    return model


def load_cost_dkk_per_h(
    plant: LinearPlant, committed: Bool[np.ndarray, " unit"]
) -> Float[np.ndarray, "mode time"]:
    """Cost of an hour at full load; without a commitment the cost of being on is spread in it."""
    spread = np.where(committed[:, None], 0.0, plant.no_load_dkk_per_h)
    return plant.cost_dkk_per_h + spread[plant.mode_unit]


def least_level_mwh(plant: LinearPlant, settings: Settings) -> Float[np.ndarray, " time"]:
    """How much has to be in the store after each step [MWh]."""
    capacity = plant.tank.capacity_mwh
    least = np.full(plant.steps, min(settings.reserve_mwh, capacity))
    least[0] = 0.0
    if settings.end_mwh is not None:
        least[-1] = min(max(settings.end_mwh, least[-1]), capacity)
    return least


def _add_tank(
    model: Any, plant: LinearPlant, before: Before, settings: Settings
) -> tuple[Any, Any]:
    """Heat into the store, and what is left in it is worth."""
    tank, dt_h = plant.tank, plant.dt_h
    time = {TIME: np.arange(plant.steps)}
    least = least_level_mwh(plant, settings)
    level = model.add_variables(_labelled(least, TIME), tank.capacity_mwh, name="level")
    into = model.add_variables(-tank.discharge_mw, tank.charge_mw, coords=time, name="into")
    kept = 1.0 - tank.loss_share_per_h * dt_h
    given = np.full(plant.steps, -tank.loss_mw * dt_h)
    given[0] += kept * before.tank_mwh
    earlier = _before_each(level, 1)
    model.add_constraints(
        level - kept * earlier - dt_h * into == _labelled(given, TIME), name="store"
    )
    return into, level.isel({TIME: -1}) * settings.end_dkk_per_mwh


def _add_unit_limits(
    model: Any, plant: LinearPlant, load: Any, free: Bool[np.ndarray, " unit"], before: Before
) -> None:
    """Modes of a unit share its load, and the load of a unit without commitment keeps its ramp."""
    shared = free & (np.bincount(plant.mode_unit, minlength=len(plant.units)) > 1)
    for unit in np.flatnonzero(shared).tolist():
        total = _of_unit(plant, load, unit)
        most = _labelled(plant.available[unit], TIME)
        model.add_constraints(total <= most, name=f"shared {unit}")
    for unit in np.flatnonzero(free & (plant.ramp_per_h * plant.dt_h < 1.0)).tolist():
        total = _of_unit(plant, load, unit)
        _add_ramp(model, plant, unit, total, before, 0.0)


def _add_ramp(
    model: Any, plant: LinearPlant, unit: int, total: Any, before: Before, extra: Any
) -> None:
    """The load of `unit` changes by its ramp at most, and by `extra` where it starts or stops.

    An outage may take it down at once.
    """
    step = plant.ramp_per_h[unit] * plant.dt_h
    change = total - _before_each(total, 1)
    first = np.zeros(plant.steps)
    first[0] = before.load[unit]
    available = plant.available[unit]
    lost = np.maximum(np.concatenate([[before.load[unit]], available[:-1]]) - available, 0.0)
    up = _labelled(step + first, TIME)
    down = _labelled(step + lost - first, TIME)
    model.add_constraints(change - extra <= up, name=f"ramp up {unit}")
    model.add_constraints(-change - extra <= down, name=f"ramp down {unit}")


def _add_commitment(
    model: Any,
    plant: LinearPlant,
    load: Any,
    committed: Bool[np.ndarray, " unit"],
    before: Before,
) -> Any:
    """On and start of the committed units; their share of the objective."""
    units = np.flatnonzero(committed)
    can = plant.available[units] > np.maximum(plant.min_load[units, None], 1e-9) - 1e-9
    can &= plant.available[units] > 0
    least = _forced_on(plant, units, before) & can
    most = can & ~_forced_off(plant, units, before)
    coords = {UNIT: units, TIME: np.arange(plant.steps)}
    on = model.add_variables(binary=True, coords=coords, name="on")
    on.update(lower=_at(least, units), upper=_at(most | least, units))
    start = model.add_variables(0.0, 1.0, coords=coords, name="start")
    was_on = np.zeros(can.shape)
    was_on[:, 0] = before.on[units]
    model.add_constraints(start - on + _before_each(on, 1) >= -_at(was_on, units), name="starts")
    _add_minimum_times(model, plant, units, on, start, before)
    total = _by_unit(plant, load, units)
    model.add_constraints(total - on * _at(plant.available[units], units) <= 0, name="most")
    lowest = units[plant.min_load[units] > 0]
    if lowest.size:
        least_load = np.broadcast_to(plant.min_load[lowest, None], (len(lowest), plant.steps))
        some = {UNIT: lowest}
        is_on = on.sel(some) * _at(least_load, lowest)
        model.add_constraints(total.sel(some) - is_on >= 0, name="least")
    for unit in units[plant.ramp_per_h[units] * plant.dt_h < 1.0].tolist():
        at = {UNIT: unit}
        is_on, begins = on.sel(at, drop=True), start.sel(at, drop=True)
        jump = max(plant.min_load[unit] - plant.ramp_per_h[unit] * plant.dt_h, 0.0)
        ends = begins - is_on + _before_each(is_on, 1)
        _add_ramp(model, plant, unit, _of_unit(plant, load, unit), before, (begins + ends) * jump)
    paid = _at(plant.no_load_dkk_per_h[units] * plant.dt_h, units)
    begun = np.broadcast_to(plant.start_cost_dkk[units, None], can.shape)
    return (on * paid).sum() + (start * _at(begun, units)).sum()


def _add_minimum_times(
    model: Any, plant: LinearPlant, units: np.ndarray, on: Any, start: Any, before: Before
) -> None:
    """Units with the same time share one statement."""
    up, down = (
        np.round(hours / plant.dt_h).astype(int) for hours in (plant.min_up_h, plant.min_down_h)
    )
    for steps in np.unique(up[units][up[units] > 1]).tolist():
        some = {UNIT: units[up[units] == steps]}
        recent = start.sel(some).rolling({TIME: steps}).sum()
        model.add_constraints(recent - on.sel(some) <= 0, name=f"up {steps}")
    for steps in np.unique(down[units][down[units] > 1]).tolist():
        these = units[down[units] == steps]
        some = {UNIT: these}
        recent = start.sel(some).rolling({TIME: steps}).sum()
        was = np.ones((len(these), plant.steps))
        for row, unit in enumerate(these):
            was[row, :steps] -= _before_on(plant, unit, steps, before)[: plant.steps]
        gone = _before_each(on.sel(some), steps)
        model.add_constraints(recent + gone <= _at(was, these), name=f"down {steps}")


def _of_unit(plant: LinearPlant, load: Any, unit: int) -> Any:
    """Load of one unit, over its modes."""
    return load.sel({MODE: np.flatnonzero(plant.mode_unit == unit)}).sum(MODE)


def _by_unit(plant: LinearPlant, load: Any, units: np.ndarray) -> Any:
    """Load of units over their modes, by unit."""
    if len(plant.modes) == len(plant.units):
        return (1.0 * load).rename({MODE: UNIT}).sel({UNIT: units})
    of_mode = (plant.mode_unit == units[:, None]).astype(float)
    member = _labelled(of_mode, UNIT, MODE).assign_coords({UNIT: units})
    return (load * member).sum(MODE)


def _before_each(variable: Any, steps: int) -> Any:
    """A variable `steps` earlier; nothing before the beginning."""
    return variable.shift({TIME: steps}).fillna(0)


def _before_on(
    plant: LinearPlant, unit: int, steps: int, before: Before
) -> Float[np.ndarray, " step"]:
    """Whether the unit ran in each of the `steps` steps before the beginning, oldest first."""
    held = min(before.hours[unit] / plant.dt_h, steps)
    ago = np.arange(steps, 0, -1)
    return np.where(ago <= round(held), before.on[unit], ~before.on[unit]).astype(float)


def _forced_on(
    plant: LinearPlant, units: np.ndarray, before: Before
) -> Bool[np.ndarray, "unit time"]:
    """Where a unit has to be on: it must run, or was started too short a time ago."""
    left = np.where(before.on, plant.min_up_h - before.hours, 0.0)[units]
    young = np.arange(plant.steps) * plant.dt_h < left[:, None] - 1e-9
    return young | plant.must_run[units, None]


def _forced_off(
    plant: LinearPlant, units: np.ndarray, before: Before
) -> Bool[np.ndarray, "unit time"]:
    """Where a unit has to stand: it was stopped too short a time ago."""
    left = np.where(~before.on, plant.min_down_h - before.hours, 0.0)[units]
    return np.arange(plant.steps) * plant.dt_h < left[:, None] - 1e-9


def _labelled(values: Any, *dims: str) -> "xr.DataArray":
    """`values` with dimensions, counted from zero."""
    import xarray as xr

    array = np.asarray(values, float)
    coords = {dim: np.arange(size) for dim, size in zip(dims, array.shape, strict=True)}
    return xr.DataArray(array, dims=dims, coords=coords)


def _at(values: np.ndarray, units: np.ndarray) -> "xr.DataArray":
    """`values` `[unit, time]` of some units under their numbers."""
    return _labelled(values, UNIT, TIME).assign_coords({UNIT: units})


def read_schedule(plant: LinearPlant, model: Any, found: Solved) -> Schedule:
    """The schedule in what the solver found; not a number where it found none."""

    def value(name: str, otherwise: np.ndarray) -> np.ndarray:
        if found.values is None or name not in model.variables:
            return otherwise
        variable = model.variables[name]
        return found.values[variable.labels.to_numpy()]

    nothing = np.full(plant.steps, 0.0 if found.values is not None else np.nan)
    load = np.clip(value("load", np.tile(nothing, (len(plant.modes), 1))), 0.0, 1.0)
    total = np.zeros((len(plant.units), plant.steps))
    np.add.at(total, plant.mode_unit, load)
    on = total > ON_LOAD
    if "on" in model.variables and found.values is not None:
        units = model.variables["on"].coords[UNIT].to_numpy()
        on[units] = value("on", on[units]) > 0.5
    return Schedule(
        load=load,
        on=on,
        tank_mwh=value("level", nothing),
        unserved_mw=value("unserved", nothing),
        surplus_mw=value("surplus", nothing),
        status=found.status,
        bound_dkk=found.bound,
        gap=found.gap,
    )
