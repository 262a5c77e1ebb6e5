"""The cheapest schedule of a plant: a linear programme, or one with starts and minimum load.

Loads, heat left unserved or thrown away, heat into the store and its level are the variables of
each step; `sciml/systems/heat_plant/linear.py` states the balance. With `commitment` each unit that
has a start cost, a minimum load, a minimum time or a cost of being on has a whole number `on`, with
the tight form of minimum up and down times (Rajan and Takriti, IBM report RC23628, 2005):

    sum of starts in the last min_up steps <= on,  the same in the last min_down <= 1 - on before

Heat that is not served, or thrown away, costs `PENALTY_DKK_PER_MWH`, so a plan exists whatever
the demand, and says how much is missing.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from tvilling.rl_control.control.highs import Matrices, Solved, solve
from tvilling.rl_control.planning.model import Settings, committed, make_model
from tvilling.rl_control.planning.schedule import ON_LOAD, InitialState, Schedule
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_plant.linear import LinearPlant

__all__ = [
    "Settings",
    "best_schedule",
    "checked_demand",
    "lowest_cost_dkk",
    "read_schedule",
    "worth_dkk_per_mwh",
]


def best_schedule(
    plant: LinearPlant,
    demand_mw: Float[np.ndarray, " time"],
    before: InitialState,
    settings: Settings | None = None,
) -> Schedule:
    """The schedule that costs least, with the bound that was proven.

    Parameters
    ----------
    demand_mw
        Heat to deliver in each step [MW].
    before
        How the plant stands at the beginning.

    Raises
    ------
    InputError
        The demand has another length than the plant, or is not a finite number everywhere.
    """
    settings = settings or Settings()
    demand_mw = checked_demand(plant, demand_mw)
    model = make_model(plant, demand_mw, before, settings)
    found = solve(Matrices.of(model), settings.gap, settings.limit_s)
    return read_schedule(plant, model, found)


def lowest_cost_dkk(
    plant: LinearPlant,
    demand_mw: Float[np.ndarray, " time"],
    before: InitialState,
    settings: Settings,
) -> float:
    """What no schedule costs less than [DKK]: whole numbers may be fractions.

    Infinite below where the solver finds none.
    """
    return _relaxed(make_model(plant, checked_demand(plant, demand_mw), before, settings)).bound


def worth_dkk_per_mwh(
    plant: LinearPlant,
    demand_mw: Float[np.ndarray, " time"],
    before: InitialState,
    settings: Settings,
) -> float:
    """What another MWh left in the store at the end would cost at least [DKK/MWh].

    The shadow price of `settings.end_mwh` in the programme whose whole numbers may be fractions.
    The least cost is convex in what is left, so with heat that is left credited at this price no
    schedule comes below perfect foresight. 0 without a store.
    """
    if plant.tank.capacity_mwh <= 0 or settings.end_mwh is None:
        return 0.0
    model = make_model(plant, checked_demand(plant, demand_mw), before, settings)
    found = _relaxed(model)
    if found.reduced is None:
        return 0.0
    return float(found.reduced[model.variables["level"].labels.to_numpy()[-1]])


def _relaxed(model: Any) -> Solved:
    """The programme with fractions in place of whole numbers."""
    programme = Matrices.of(model)
    return solve(replace(programme, whole=programme.whole[:0]))


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
    on = (total > ON_LOAD) | plant.must_on
    if "on" in model.variables and found.values is not None:
        units = np.flatnonzero(committed(plant))
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
