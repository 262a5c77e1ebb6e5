"""How the plant stands when a plan begins: heat in the tank, and the units that run."""

from typing import TYPE_CHECKING

import numpy as np

from tvilling.apps.plant.case import PlantCase
from tvilling.apps.plant.inputs.known import HOUR, PlantInputs

if TYPE_CHECKING:
    import xarray as xr

    from tvilling.rl_control.planning.schedule import InitialState
    from tvilling.sciml.systems.heat_plant.linear import LinearPlant

TANK = "tank_mwh"
FRESH_H = 6  # how old the last reading of the tank may be
TOO_FULL = 1.5  # times what the tank holds: such a reading is another unit, or a fault
STUCK_H = 48


def standing(
    case: PlantCase,
    facts: PlantInputs,
    moment: np.datetime64,
    plant: "LinearPlant",
    last: "xr.Dataset | None",
) -> "tuple[InitialState, str]":
    """The plant at `moment`, and what that rests on, in words.

    The level of the tank is what the case says, else the last reading of its meter, else what the
    last plan foresaw, else half. Units run as the last plan foresaw; without one they stand.
    """
    from dataclasses import replace

    from tvilling.rl_control.planning.schedule import InitialState

    level, told = _level_mwh(case, facts, moment, last, plant.tank.capacity_mwh)
    before = InitialState.at_rest(plant, level)
    if before.tank_mwh > plant.tank.capacity_mwh * (1 + 1e-9):
        told += f", more than it holds: {plant.tank.capacity_mwh:.1f} MWh is taken"
    before = replace(before, tank_mwh=float(np.clip(before.tank_mwh, 0, plant.tank.capacity_mwh)))
    if plant.tank.capacity_mwh <= 0:
        told = "no tank"
    step = _step(moment, last)
    if last is None or step is None or list(last["unit"].values) != list(plant.units):
        return before, f"{told}; no unit runs before"
    way = last.isel(way=0)
    on = way["on"].transpose("unit", "time").values.astype(bool)[:, : step + 1]
    load = way["load"].transpose("mode", "time").values[:, step]
    hours = np.array([_unchanged(row) for row in on], float) * plant.dt_h
    as_before = on.all(axis=1) & (last["on_before"].values > 0)
    as_before |= ~on.any(axis=1) & (last["on_before"].values == 0)
    hours += np.where(as_before, last["hours_before"].values, 0.0)
    running = np.bincount(plant.mode_unit, load, len(plant.units))
    names = ", ".join(np.array(plant.units)[on[:, -1]]) or "no unit"
    found = replace(before, on=on[:, -1], hours=hours, load=running)
    return found, f"{told}; {names} running before, as the last plan foresaw"


def _level_mwh(
    case: PlantCase,
    facts: PlantInputs,
    moment: np.datetime64,
    last: "xr.Dataset | None",
    capacity_mwh: float,
) -> tuple[float | None, str]:
    if case.plan.tank_mwh is not None:
        return case.plan.tank_mwh, f"tank at {case.plan.tank_mwh:g} MWh, as the case says"
    if TANK in facts.record:
        read = facts.lately(moment, TANK, FRESH_H)
        read = np.where(read <= TOO_FULL * capacity_mwh, read, np.nan)
        if np.isfinite(read).any():
            level = float(read[np.isfinite(read)][-1])
            return level, f"tank at {level:.1f} MWh, by its meter"
    step = _step(moment, last)
    if last is not None and step is not None:
        level = float(last["tank_mwh"].isel(way=0, time=step))
        return level, f"tank at {level:.1f} MWh, as the last plan foresaw"
    return None, "tank taken as half full, since nothing tells its level"


def tank_notes(
    case: PlantCase, facts: PlantInputs, moment: np.datetime64, capacity_mwh: float
) -> list[str]:
    """What of the meter of the tank is not taken, or can hardly be right."""
    if case.plan.tank_mwh is not None or TANK not in facts.record or capacity_mwh <= 0:
        return []
    read = facts.before(moment)[TANK].dropna("time")
    if not read.sizes["time"]:
        return []
    lines, last = [], float(read.values[-1])
    age_h = int((moment - read["time"].values[-1]) // HOUR)
    if age_h > FRESH_H:
        lines.append(
            f"the last reading of the tank is {age_h} h old and not taken: {FRESH_H} h at most"
        )
    elif last > TOO_FULL * capacity_mwh:
        unit = "; is it kWh?" if last / 1e3 <= capacity_mwh else ""
        lines.append(
            f"the meter of the tank reads {last:.4g} MWh, which holds {capacity_mwh:.4g} MWh, and "
            f"is not taken{unit}"
        )
    lately = facts.lately(moment, TANK, STUCK_H)
    if np.isfinite(lately).all() and np.ptp(lately) == 0:
        lines.append(f"the meter of the tank has read {last:.4g} MWh for {STUCK_H} h: stuck?")
    return lines


def _step(moment: np.datetime64, last: "xr.Dataset | None") -> int | None:
    """Number of the hour before `moment` in the last plan, if it reaches so far."""
    if last is None:
        return None
    step = int((moment - last["time"].values[0]) // HOUR) - 1
    return step if 0 <= step < last.sizes["time"] else None


def _unchanged(on: np.ndarray) -> int:
    """Steps at the end of `on` that are like its last."""
    changes = np.flatnonzero(on[1:] != on[:-1])
    return len(on) - 1 - int(changes[-1]) if changes.size else len(on)
