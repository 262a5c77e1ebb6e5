"""A plan run on the plant itself: what comes of the loads, hour by hour, and which limits broke."""

from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.results import run
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.simulate import Play
from tvilling.sciml.core.system import Values
from tvilling.sciml.systems.heat_plant.conditions import Conditions
from tvilling.sciml.systems.heat_plant.linear import LinearPlant
from tvilling.sciml.systems.heat_plant.linearisation import linearise
from tvilling.sciml.systems.heat_plant.plant import HeatPlant
from tvilling.sciml.systems.heat_plant.plant_system import HeatPlantSystem, build_plant
from tvilling.sciml.systems.heat_plant.stratified_tank import J_PER_MWH

if TYPE_CHECKING:
    import xarray as xr

ON_ABOVE = 1e-6  # of full load: less is what a solver leaves
SLACK = 1e-6  # of full load, within which a limit is kept
W_PER_MW = 1e6

Loads = Float[np.ndarray, "mode time"]


def run_plan(
    plant: HeatPlant,
    conditions: Conditions,
    demand_mw: Float[np.ndarray, " time"],
    load: Loads,
    layer_degc: Float[np.ndarray, " layer"] | None = None,
    dt_h: float = 1.0,
) -> "xr.Dataset":
    """What the loads of a plan do to demand, tank and cost, with the tank in layers.

    Loads below 1e-6 count as off. Costs are those of `linearise` at these loads, with starts; a
    unit that is on at the first step was on before it.

    Parameters
    ----------
    demand_mw
        Heat wanted [MW].
    load
        Load of each mode, in the order of `plant.mode_names` [1].
    layer_degc
        Tank at the start, from the top down [°C]; without it half full (`layers_holding`).
    dt_h
        Length of a step [h].

    Returns
    -------
    xr.Dataset
        Outputs, loads and drives of the plant over time, at the end of each step; beside them
        `tank_mwh`, the heat in the tank above the return temperature, `on`, `unit_cost_dkk` and
        `unit_co2_kg` by unit and step. Attributes: `cost_dkk`, `co2_kg`, `starts`,
        `unserved_mwh`, `surplus_mwh`, and `broken`, how often each limit of a unit was broken.

    Raises
    ------
    InputError
        As `linearise`, or where demand, loads or layers have another shape or are no numbers.
    """
    linear = linearise(plant, conditions, dt_h)
    _check(plant, linear, demand_mw, load, layer_degc)
    load = np.where(load > ON_ABOVE, load, 0.0)
    system = build_plant(plant)
    drive = plan_drives(system, conditions, demand_mw)
    data = run(
        system,
        Play(names=("load",)),
        Scenario(
            _start(plant, conditions, layer_degc),
            drive,
            3600.0 * dt_h,
            {"load": jnp.asarray(load.T)[:, None]},
        ),
        start=str(conditions.time[0]),
    )
    if plant.tank is not None:
        above_k = data["layer_degc"].mean("layer") - data["return_degc"]
        capacity_j_per_k = float(system.tank.capacity_j_per_k)  # type: ignore[union-attr]
        data["tank_mwh"] = above_k * capacity_j_per_k / J_PER_MWH
        data["tank_mwh"].attrs = {"units": "MWh", "long_name": "Heat above return temperature"}
    return _with_accounts(data, linear, load)


def plan_drives(
    system: HeatPlantSystem, conditions: Conditions, demand_mw: Float[np.ndarray, " time"]
) -> Values:
    """The drives of `system` over `conditions`."""
    there = np.ones(len(conditions.time))
    names = {channel.name for channel in system.drives}
    around = conditions.surroundings
    drive = {
        "demand_w": demand_mw * W_PER_MW,
        "available": np.stack(
            [conditions.available.get(unit.name, there) for unit in system.units], axis=1
        ),
        "outdoor_degc": around.outdoor_degc,
        "forward_degc": around.forward_degc,
        "return_degc": around.return_degc,
        "irradiance_w_per_m2": around.irradiance_w_per_m2,
    }
    if system.plant.source_names:
        sources = [conditions.source_degc[name] for name in system.plant.source_names]
        drive["source_degc"] = np.stack(sources, axis=1)
    return {name: jnp.asarray(value) for name, value in drive.items() if name in names}


def layers_holding(
    content_share: float, layers: int, forward_degc: float, return_degc: float
) -> Float[np.ndarray, " layer"]:
    """Layers of hot over cold water with a sharp boundary, `content_share` of it hot [°C]."""
    hot = np.clip(content_share * layers - np.arange(layers), 0.0, 1.0)
    return return_degc + (forward_degc - return_degc) * hot


def broken_limits(
    linear: LinearPlant, load: Loads, on: Bool[np.ndarray, "unit time"] | None = None
) -> dict[str, int]:
    """How many steps of each unit break a limit, as `unit: limit`, for those that do.

    Without `on` a unit is on where it has a load; with it, it may be on at none.

    `available`: above it. `least load`: on, and below it. `must run`: off or below the least load
    though it is available. `ramp`: a change beyond it, where a start may go to the least load and a
    stop come from it. `up time`, `down time`: on or off for less than it; what began before the
    first step or goes on after the last is not counted. What an outage forces breaks no limit.
    """
    unit_load = np.zeros((len(linear.units), load.shape[1]))
    np.add.at(unit_load, linear.mode_unit, np.where(load > ON_ABOVE, load, 0.0))
    on = unit_load > ON_ABOVE if on is None else on | (unit_load > ON_ABOVE)
    change = np.diff(unit_load, axis=1)
    least = linear.min_load[:, None]
    switched = on[:, 1:] != on[:, :-1]
    allowed = linear.ramp_per_h[:, None] * linear.dt_h
    allowed = np.where(switched, np.maximum(allowed, least), allowed)
    lost = np.maximum(-np.diff(linear.available, axis=1), 0.0)
    forced = linear.available < np.maximum(least, ON_ABOVE)  # to stop
    breaks = {
        "available": (unit_load > linear.available + SLACK).sum(1),
        "least load": (on & (unit_load < least - SLACK)).sum(1),
        "must run": (linear.must_on & (unit_load < least - SLACK)).sum(1),
        "ramp": ((change > allowed + SLACK) | (-change > allowed + lost + SLACK)).sum(1),
        "up time": _too_short(on, linear.min_up_h / linear.dt_h, forced),
        "down time": _too_short(~on, linear.min_down_h / linear.dt_h, linear.must_on),
    }
    return {
        f"{name}: {limit}": int(counts[i])
        for limit, counts in breaks.items()
        for i, name in enumerate(linear.units)
        if counts[i]
    }


def starts(on: Bool[np.ndarray, "unit time"]) -> Bool[np.ndarray, "unit time"]:
    """Where a unit is on that was off the step before; the first step is no start."""
    return on & ~np.concatenate([on[:, :1], on[:, :-1]], axis=1)


def _too_short(
    on: Bool[np.ndarray, "unit time"], least: np.ndarray, forced: Bool[np.ndarray, "unit time"]
) -> np.ndarray:
    """Stretches of `on` that both begin and end within the time and are shorter than `least`.

    One that ends where it is `forced` to is not counted.
    """
    counts = np.zeros(len(on), int)
    for i, row in enumerate(on):
        edges = np.diff(row.astype(int))
        begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
        ends = ends[ends > begins[0]] if len(begins) else ends[:0]
        short = ends - begins[: len(ends)] < least[i] - SLACK
        counts[i] = (short & ~forced[i, ends + 1]).sum()
    return counts


def _start(
    plant: HeatPlant, conditions: Conditions, layer_degc: Float[np.ndarray, " layer"] | None
) -> jnp.ndarray:
    if plant.tank is None:
        return jnp.zeros(0)
    if layer_degc is None:
        ends = float(conditions.forward_degc[0]), float(conditions.return_degc[0])
        layer_degc = layers_holding(0.5, plant.tank.layers, *ends)
    return jnp.asarray(layer_degc)


def _with_accounts(data: "xr.Dataset", linear: LinearPlant, load: Loads) -> "xr.Dataset":
    """`data` with what the loads cost and emit, by unit, and the sums as attributes."""
    unit_load = np.zeros((len(linear.units), load.shape[1]))
    np.add.at(unit_load, linear.mode_unit, load)
    on = unit_load > ON_ABOVE
    begun = starts(on)
    idle_co2 = 0.0 if linear.no_load_co2_kg_per_h is None else linear.no_load_co2_kg_per_h
    cost = linear.dt_h * (linear.by_unit(load, "cost_dkk_per_h") + on * linear.no_load_dkk_per_h)
    cost += begun * linear.start_cost_dkk[:, None]
    co2 = linear.dt_h * (linear.by_unit(load, "co2_kg_per_h") + on * idle_co2)
    for name, values, unit, about in (
        ("on", on, "1", "Whether a unit is on"),
        ("unit_cost_dkk", cost, "DKK", "Cost of a unit over the step"),
        ("unit_co2_kg", co2, "kg", "Emission of a unit over the step"),
    ):
        data[name] = (("time", "unit"), values.T, {"units": unit, "long_name": about})
    per_mwh = linear.dt_h / W_PER_MW
    broken = broken_limits(linear, load)
    return data.assign_attrs(
        cost_dkk=float(cost.sum()),
        co2_kg=float(co2.sum()),
        starts=int(begun.sum()),
        unserved_mwh=float(data["unserved_w"].sum()) * per_mwh,
        surplus_mwh=float(data["surplus_w"].sum()) * per_mwh,
        broken="; ".join(f"{limit} {count} times" for limit, count in broken.items()),
    )


def _check(
    plant: HeatPlant,
    linear: LinearPlant,
    demand_mw: np.ndarray,
    load: np.ndarray,
    layer_degc: np.ndarray | None,
) -> None:
    given = [
        ("demand_mw", demand_mw, (linear.steps,)),
        ("load", load, (len(linear.modes), linear.steps)),
    ]
    if plant.tank is not None and layer_degc is not None:
        given.append(("layer_degc", layer_degc, (plant.tank.layers,)))
    faults = []
    for name, values, shape in given:
        if np.shape(values) != shape:
            faults.append(f"{name} has shape {np.shape(values)}, expected {shape}")
        elif not np.isfinite(values).all():
            faults.append(f"{name} is not a finite number at {(~np.isfinite(values)).sum()} places")
    if not faults and ((load < -SLACK) | (load > 1 + SLACK)).any():
        faults.append(f"load is {load.min():g} to {load.max():g}, expected 0 to 1")
    if not faults and (demand_mw < 0).any():
        faults.append(f"demand_mw is {demand_mw.min():g} MW, expected 0 or more")
    if faults:
        raise InputError("plan", faults)
