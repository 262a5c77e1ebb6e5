"""The same programme for other hours: stated once, then only its numbers change.

A backtest solves one programme of the same shape for every day. Stating it takes longer than
solving it, so it is stated once, and costs, limits, heats and demands of the next hours are put
into its matrices. For plants without commitment, with one mode a unit and without ramps; for
others `schedule` states the programme anew each time.
"""

from typing import Any

import numpy as np
from jaxtyping import Float

from tvilling.rl_control.highs import Matrices, solve
from tvilling.rl_control.production.programme import (
    Settings,
    best_schedule,
    checked_demand,
    load_cost_dkk_per_h,
    make_model,
    read_schedule,
)
from tvilling.rl_control.production.schedule import Before, Schedule
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
        self._stated: tuple[tuple, Any, Matrices] | None = None

    def schedule(
        self, plant: LinearPlant, demand_mw: Float[np.ndarray, " time"], before: Before
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
        model, programme = self._state(plant, demand_mw, before)
        _put(programme, model, plant, demand_mw, before)
        found = solve(programme, limit_s=self.settings.limit_s)
        return read_schedule(plant, model, found)

    def _state(
        self, plant: LinearPlant, demand_mw: np.ndarray, before: Before
    ) -> tuple[Any, Matrices]:
        """The programme of a plant of this shape."""
        key = (plant.modes, plant.steps, plant.dt_h, plant.tank)
        if self._stated is None or self._stated[0] != key:
            full = LinearPlant(**{**vars(plant), "heat_mw": np.ones_like(plant.heat_mw)})
            model = make_model(full, demand_mw, before, self.settings)
            self._stated = key, model, Matrices.of(model)
        return self._stated[1:]


def _put(
    programme: Matrices,
    model: Any,
    plant: LinearPlant,
    demand_mw: np.ndarray,
    before: Before,
) -> None:
    """The numbers of these hours into the matrices."""
    load = programme.columns(model.variables["load"])
    balance = programme.rows(model.constraints["balance"])
    programme.high[load] = plant.available[plant.mode_unit]
    cost = load_cost_dkk_per_h(plant, np.zeros(len(plant.units), bool))
    programme.cost[load] = cost * plant.dt_h
    programme.side[balance] = demand_mw
    table = programme.table
    for step, row in enumerate(balance):
        span = slice(table.indptr[row], table.indptr[row + 1])
        order = np.argsort(table.indices[span])
        at = order[np.searchsorted(table.indices[span], load[:, step], sorter=order)]
        table.data[table.indptr[row] + at] = plant.heat_mw[:, step]
    if plant.tank.capacity_mwh > 0:
        first = programme.rows(model.constraints["store"])[0]
        tank = plant.tank
        kept = (1.0 - tank.loss_share_per_h * plant.dt_h) * before.tank_mwh
        programme.side[first] = kept - tank.loss_mw * plant.dt_h
