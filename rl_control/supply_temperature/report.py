"""What a plan is told as: an hour a row, and in words where there is none."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Array, Float

from tvilling.rl_control.supply_temperature.cost import HeatCost
from tvilling.rl_control.supply_temperature.limits import KINDS, row_kinds
from tvilling.rl_control.supply_temperature.network_run import Run
from tvilling.sciml.core.units import J_PER_KWH

if TYPE_CHECKING:
    import xarray as xr

MIN_KG_PER_S = 1e-9  # so that a mean by flow has a value where nothing flows
NAMES = {
    "setpoint_degc": ("°C", "Supply temperature at the start of the hour"),
    "supply_degc": ("°C", "Supply temperature, mean"),
    "return_degc": ("°C", "Return temperature, mean by flow"),
    "source_w": ("W", "Heat put in, with loss and what the pipes store, mean"),
    "loss_w": ("W", "Heat lost to the ground, mean"),
    "pump_w": ("W", "Electric power of the circulation pump, mean"),
    "lift_bar": ("bar", "Lift of the pump, greatest"),
    "coldest_degc": ("°C", "Coldest consumer that draws heat, least"),
    "least_dp_bar": ("bar", "Least differential pressure of a consumer that draws heat"),
    "stored_kwh": ("kWh", "Heat in the pipes at the end of the hour, above 0 °C"),
    "cost_dkk": ("DKK", "Cost of heat and pumping"),
}


def by_hour(
    run: Run, setpoints_degc: Float[np.ndarray, " node"], cost: HeatCost, dt_s: float
) -> dict[str, Float[np.ndarray, " hour"]]:
    """The quantities of `NAMES` from a run in steps of `dt_s` [s]; `cost` by the same steps.

    Where no consumer draws heat, the coldest and the least pressure are infinite.
    """
    hours = len(setpoints_degc) - 1

    def split(values: Array | np.ndarray) -> np.ndarray:
        return np.asarray(values).reshape(hours, -1)

    plant = {name: split(values) for name, values in run.plant.items()}
    flow = np.maximum(plant["source_kg_per_s"], MIN_KG_PER_S)
    return {
        "setpoint_degc": setpoints_degc[:-1],
        "supply_degc": plant["supply_degc"].mean(axis=1),
        "return_degc": (plant["return_degc"] * flow).sum(axis=1) / flow.sum(axis=1),
        "source_w": plant["source_w"].mean(axis=1),
        "loss_w": plant["loss_w"].mean(axis=1),
        "pump_w": plant["pump_w"].mean(axis=1),
        "lift_bar": plant["lift_bar"].max(axis=1),
        "coldest_degc": split(run.coldest_degc).min(axis=1),
        "least_dp_bar": split(run.least_dp_bar).min(axis=1),
        "stored_kwh": plant["stored_j"][:, -1] / J_PER_KWH,
        "cost_dkk": split(cost.dkk(run.plant, dt_s)).sum(axis=1),
    }


def as_dataset(
    courses: Mapping[str, Mapping[str, np.ndarray]], start: str, run_out_h: int
) -> "xr.Dataset":
    """`by_hour` of several courses with names, units and times.

    The stamp is the start of an hour. `planned` tells the hours of the plan from the run-out.
    """
    import xarray as xr

    hours = len(next(iter(courses.values()))["supply_degc"])
    data = {
        name: (
            ("course", "time"),
            np.stack([values[name] for values in courses.values()]),
            {"units": unit, "long_name": text},
        )
        for name, (unit, text) in NAMES.items()
    }
    time = np.datetime64(start).astype("datetime64[ns]") + np.arange(hours) * np.timedelta64(1, "h")
    planned = ("time", np.arange(hours) < hours - run_out_h)
    return xr.Dataset(data, {"course": list(courses), "time": time, "planned": planned})


def shortfall(
    excess: Float[Array | np.ndarray, "step row"], consumers: tuple[str, ...], step_h: float
) -> str:
    """Which limit is missed most, where, when, and by how much."""
    step, row = np.unravel_index(excess.argmax(), excess.shape)
    kind = list(KINDS)[row_kinds(len(consumers))[row]]
    scale, unit = KINDS[kind]
    where = f"consumer {consumers[row % len(consumers)]}" if row < 3 * len(consumers) else "plant"
    missed = excess[step, row] * scale
    steps = int(np.sum(excess.max(axis=1) > 0))
    return (
        f"limit of {kind} missed in {steps} of {len(excess)} steps, most at {where} in hour "
        f"{step * step_h:.2f}: by {missed:.3g} {unit}"
    )
