"""The same programme for other hours: stated once, then only its numbers change.

A backtest solves one programme of the same shape for every day. Stating it takes longer than
solving it, so it is stated once, and costs, limits, heats and demands of the next hours are put
into its matrices. For plants without commitment, with one mode a unit and without ramps; for
others `schedule` states the programme anew each time.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from tvilling.rl_control.control.highs import Matrices, solve
from tvilling.rl_control.planning.model import (
    Settings,
    least_level_mwh,
    least_load,
    load_cost_dkk_per_h,
    make_model,
    store_side_mwh,
)
from tvilling.rl_control.planning.programme import (
    best_schedule,
    checked_demand,
    read_schedule,
)
from tvilling.rl_control.planning.schedule import InitialState, Schedule
from tvilling.sciml.systems.heat_plant.linear import LinearPlant


class Repeated:
    """The cheapest schedule for one stretch of hours after another.

    Parameters
    ----------
    settings
        How every schedule is sought.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._stated: _Stated | None = None

    def schedule(
        self, plant: LinearPlant, demand_mw: Float[np.ndarray, " time"], before: InitialState
    ) -> Schedule:
        """As `best_schedule`.

        Raises
        ------
        InputError
            The demand does not fit the plant.
        """
        one_mode = len(plant.modes) == len(plant.units)
        if self.settings.commitment or not one_mode or (plant.ramp_per_h * plant.dt_h < 1).any():
            return best_schedule(plant, demand_mw, before, self.settings)
        demand_mw = checked_demand(plant, demand_mw)
        stated = self._state(plant, demand_mw, before)
        stated.put(plant, demand_mw, before, self.settings)
        found = solve(stated.matrices, limit_s=self.settings.limit_s)
        return read_schedule(plant, stated.model, found)

    def _state(self, plant: LinearPlant, demand_mw: np.ndarray, before: InitialState) -> "_Stated":
        """The programme of a plant of this shape."""
        shape = (plant.modes, plant.steps, plant.dt_h, plant.tank.capacity_mwh > 0)
        if self._stated is None or self._stated.shape != shape:
            full = replace(plant, heat_mw=np.ones_like(plant.heat_mw))  # no entry is left out
            model = make_model(full, demand_mw, before, self.settings)
            self._stated = _Stated.of(shape, model)
        return self._stated


@dataclass(frozen=True)
class _Stated:
    """A programme, and where the numbers of the hours stand in it.

    Attributes
    ----------
    heat_at, kept_at
        Where in the data of the table the heat of each mode and step stands, and what is kept of
        the level before, from the second step on.
    """

    shape: tuple
    model: Any
    matrices: Matrices
    load: np.ndarray
    balance: np.ndarray
    heat_at: np.ndarray
    kept_at: np.ndarray

    @classmethod
    def of(cls, shape: tuple, model: Any) -> "_Stated":
        matrices = Matrices.of(model)
        load = matrices.columns(model.variables["load"])
        balance = matrices.rows(model.constraints["balance"])
        kept_at = np.zeros(0, int)
        if "level" in model.variables:
            level = matrices.columns(model.variables["level"])
            store = matrices.rows(model.constraints["store"])
            kept_at = _entries(matrices.table, store[1:], level[:-1])
        heat_at = _entries(matrices.table, np.broadcast_to(balance, load.shape), load)
        return cls(shape, model, matrices, load, balance, heat_at, kept_at)

    def put(
        self, plant: LinearPlant, demand_mw: np.ndarray, before: InitialState, settings: Settings
    ) -> None:
        """The numbers of these hours into the matrices."""
        matrices, nobody = self.matrices, np.zeros(len(plant.units), bool)
        matrices.high[self.load] = plant.available[plant.mode_unit]
        matrices.low[self.load] = least_load(plant, nobody)
        matrices.cost[self.load] = load_cost_dkk_per_h(plant, nobody) * plant.dt_h
        matrices.side[self.balance] = demand_mw
        matrices.table.data[self.heat_at] = plant.heat_mw
        tank = plant.tank
        if tank.capacity_mwh <= 0:
            return
        variables = self.model.variables
        level, into = (matrices.columns(variables[name]) for name in ("level", "into"))
        matrices.high[level] = tank.capacity_mwh
        matrices.low[level] = least_level_mwh(plant, settings)
        if "end" in self.model.constraints and settings.end_mwh is not None:
            end = matrices.rows(self.model.constraints["end"])
            matrices.side[end] = min(settings.end_mwh, tank.capacity_mwh)
        matrices.low[into], matrices.high[into] = -tank.discharge_mw, tank.charge_mw
        kept = 1.0 - tank.loss_share_per_h * plant.dt_h
        matrices.table.data[self.kept_at] = -kept
        store = matrices.rows(self.model.constraints["store"])
        matrices.side[store] = store_side_mwh(plant, before)


def _entries(table: Any, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Where in the data of a sparse table its entries at `rows` and `columns` stand."""
    found = np.empty(columns.shape, int)
    for at in np.ndindex(columns.shape):
        begin, end = table.indptr[rows[at]], table.indptr[rows[at] + 1]
        found[at] = begin + np.flatnonzero(table.indices[begin:end] == columns[at])[0]
    return found
