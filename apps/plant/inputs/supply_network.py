"""The network behind a plant: its supply temperature is planned with the production.

The load of the case is then that of the consumers. What the plant has to deliver, losses and the
storage of the pipes included, comes from the network, and so do the water temperatures that decide
the COP of a heat pump.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.apps.heat.case import CurveControl
from tvilling.apps.plant.case import PlantCase, SupplyNetworkCase
from tvilling.apps.plant.inputs.forecast_inputs import ForecastInputs
from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    from tvilling.rl_control.planning.schedule import Schedule
    from tvilling.rl_control.supply_temperature.cost import HeatCost
    from tvilling.rl_control.supply_temperature.plan import SupplyPlan
    from tvilling.sciml.systems.heat_network import HeatNetwork
    from tvilling.sciml.systems.heat_plant.conditions import Conditions
    from tvilling.sciml.systems.heat_plant.linear import LinearPlant

STEPS_PER_HOUR = 4
CURVE, PLAN = "curve", "plan"


@dataclass(frozen=True)
class SupplyNetwork:
    """A network and the share of the load that each consumer takes.

    Attributes
    ----------
    settings, curve
        Limits of the supply temperature, and what is sent today.
    weight
        Design heat of each consumer [W].
    ground_degc
        Constant temperature of the ground, or None for the season's.
    """

    settings: SupplyNetworkCase
    curve: CurveControl
    network: "HeatNetwork"
    weight: np.ndarray
    ground_degc: float | None


def read_town(
    case: PlantCase, path: Path, tell: Callable[[str], None] = lambda stage: None
) -> SupplyNetwork | None:
    """The network of `case`, which stands in the file `path`; None where it has none.

    Raises
    ------
    InputError
        With every fault of the network's case, or where the plant's has no heating curve.
    """
    from tvilling.apps.heat.network_case import build_network
    from tvilling.apps.shared.case_file import read_case

    if case.network is None:
        return None
    if not isinstance(case.supply.forward, CurveControl):
        raise InputError(str(path), ["supply.forward is held, a network needs a heating_curve"])
    file = Path(case.network.case)
    file = file if file.is_absolute() else path.parent / file
    read = read_case(file)
    built = build_network(read, file, tell)
    weight = built.tables.consumers["heat_w"].fillna(0.0).to_numpy(float)
    return SupplyNetwork(
        case.network, case.supply.forward, built.network, weight, read.network.ground_degc
    )


def plan_town(
    case: PlantCase,
    town: SupplyNetwork,
    outlook: ForecastInputs,
    around: "Conditions",
    plant: "LinearPlant",
    schedule: "Schedule",
) -> "SupplyPlan":
    """Supply temperatures over the outlook, and their verification on the network.

    Parameters
    ----------
    plant, schedule
        A plan at the heating curve: what it makes heat with in each hour prices the heat.
    """
    import jax.numpy as jnp

    from tvilling.apps.heat.network_case import make_curve
    from tvilling.datasets.weather import ground_degc
    from tvilling.rl_control.supply_temperature.limits import SupplyLimits
    from tvilling.rl_control.supply_temperature.plan import PlanSettings, plan_supply
    from tvilling.rl_control.supply_temperature.window import SupplyWindow, load_by_consumer

    fine = np.repeat(outlook.time, STEPS_PER_HOUR)
    outdoor = np.repeat(outlook.outdoor_degc, STEPS_PER_HOUR)
    total_w = np.repeat(outlook.load_mw * 1e6, STEPS_PER_HOUR)
    local = fine + np.timedelta64(1, "h")
    ground = (
        ground_degc(local) if town.ground_degc is None else np.full(len(fine), town.ground_degc)
    )
    window = SupplyWindow.settled(
        town.network,
        {
            "heat_w": jnp.asarray(load_by_consumer(total_w, town.weight)),
            "ground_degc": jnp.asarray(ground),
        },
        heat_cost(around, plant, schedule, case).repeated(STEPS_PER_HOUR),
        (make_curve(town.curve, 1), outdoor),
        start=str(outlook.time[0].astype("datetime64[s]")),
        run_out_h=town.settings.run_out_h,
    )
    limits = SupplyLimits(
        consumer_degc=town.settings.consumer_degc,
        low_degc=town.settings.low_degc,
        high_degc=town.settings.high_degc,
        ramp_k_per_h=town.settings.ramp_k_per_h,
        max_lift_bar=np.inf if town.settings.max_lift_bar is None else town.settings.max_lift_bar,
    )
    return plan_supply(window, limits, settings=PlanSettings(excuse_curve=True))


def heat_cost(
    around: "Conditions", plant: "LinearPlant", schedule: "Schedule", case: PlantCase
) -> "HeatCost":
    """What heat costs in each hour of a plan: its share of heat pumps, and the rest at its cost."""
    import jax.numpy as jnp

    from tvilling.rl_control.planning.schedule import unit_course
    from tvilling.rl_control.supply_temperature.cost import HeatCost

    heat = unit_course(plant, schedule, "heat_mw")
    cost = unit_course(plant, schedule, "cost_dkk_per_h")
    pumps = [unit for unit in case.plant.units if unit.kind == "heat_pump"]
    is_pump = np.array([unit.kind == "heat_pump" for unit in case.plant.units])
    total = np.maximum(heat.sum(axis=0), 1e-9)
    rest = heat[~is_pump].sum(axis=0)
    other = np.where(rest > 1e-6, cost[~is_pump].sum(axis=0) / np.maximum(rest, 1e-6), 0.0)
    power = around.price_dkk_per_kwh + around.charges.bought_dkk_per_kwh
    source = pumps[0].source_degc(around.surroundings) if pumps else around.outdoor_degc
    cooled = pumps[0].source_cooling_k if pumps else 5.0
    efficiency = pumps[0].lorentz_efficiency if pumps else 0.5
    return HeatCost(
        price_dkk_per_kwh=jnp.asarray(power),
        source_in_degc=jnp.asarray(source),
        source_out_degc=jnp.asarray(source) - cooled,
        lorentz_efficiency=jnp.full(len(power), efficiency),
        heat_pump_share=jnp.asarray(heat[is_pump].sum(axis=0) / total),
        other_dkk_per_kwh=jnp.asarray(np.maximum(other, 0.0) / 1e3),
    )


def at_plant(
    outlook: ForecastInputs, around: "Conditions", supply: "SupplyPlan", course: str
) -> tuple[ForecastInputs, "Conditions"]:
    """Load and water temperatures at the plant along a course of the supply plan.

    The interval of the load keeps its width.
    """
    data = supply.data.sel(course=course)
    load = np.maximum(data["source_w"].values / 1e6, 0.0)
    more = load - outlook.load_mw
    seen = replace(
        outlook,
        load_mw=load,
        load_low_mw=np.maximum(outlook.load_low_mw + more, 0.0),
        load_high_mw=outlook.load_high_mw + more,
    )
    forward, back = data["supply_degc"].values, data["return_degc"].values
    return seen, replace(around, forward_degc=forward, return_degc=back)


def town_facts(supply: "SupplyPlan", saved_dkk: float, curve_dkk: float) -> dict[str, Any]:
    """What the supply plan brought, as plain JSON.

    `saved_dkk` is the cost of production along the curve less that along the plan, both planned.
    """
    return {
        "outcome": supply.outcome,
        "reason": supply.reason,
        "saved_dkk": float(saved_dkk),
        "saved_percent": float(100 * saved_dkk / abs(curve_dkk)) if curve_dkk else 0.0,
        "parts_percent": {name: float(part) for name, part in supply.saving.percent().items()},
        "margins": {name: float(margin) for name, margin in supply.margins.items()},
        "rounds": int(supply.rounds),
    }
