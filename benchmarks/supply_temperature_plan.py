"""A winter week of the sized town network: planned supply temperatures beside the heating curve.

The case is the one that ships, `cases/schutterwald_week.yaml`, and its heating curve is what is
done today. Heat comes from an air heat pump; power costs the day-ahead price, tariffs and tax.
"""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvilling.benchmarks.measurement import Measurement

if TYPE_CHECKING:
    import numpy as np

    from tvilling.apps.heat.network_case import Prepared
    from tvilling.rl_control.control.controllers import HeatingCurve
    from tvilling.rl_control.supply_temperature.limits import SupplyLimits
    from tvilling.rl_control.supply_temperature.plan import SupplyPlan
    from tvilling.rl_control.supply_temperature.window import SupplyWindow

CASE = Path(__file__).resolve().parents[1] / "cases" / "schutterwald_week.yaml"
WEEK_H, DAY_H, RUN_OUT_H = 168, 24, 12
HOT_WATER_DEGC = 60.0
PRICE_SEED = 1
CHECKED_HOURS = (6, 40, 77, 100, 140)


def town_window(
    hours: int = WEEK_H,
    run_out_h: int = RUN_OUT_H,
    recorded: bool | None = None,
    with_tariffs: bool = True,
) -> "tuple[SupplyWindow, Prepared, HeatingCurve]":
    """Network, weather, loads and prices of the case, `hours` to be planned and the run-out.

    `recorded` as `winter_week` takes it, for weather and prices.
    """
    import numpy as np

    from tvilling.apps.heat.network_case import make_controller, prepare
    from tvilling.apps.shared.case_file import read_case
    from tvilling.rl_control.control.controllers import HeatingCurve
    from tvilling.rl_control.supply_temperature.cost import HeatCost
    from tvilling.rl_control.supply_temperature.window import SupplyWindow
    from tvilling.sciml.systems.heat_plant.tariffs import tariff

    kind = {None: "auto", True: "recorded", False: "synthetic"}[recorded]
    total = hours + run_out_h
    overrides = [f"horizon.hours={total}", f"weather.source={kind}"]
    prepared = prepare(read_case(CASE, overrides), CASE, lambda stage: None)
    horizon = prepared.case.horizon
    curve = make_controller(prepared.case.controllers["weather_compensated"], 1)
    assert isinstance(curve, HeatingCurve)
    outdoor = np.asarray(prepared.drive["outdoor_degc"])
    start = np.datetime64(horizon.start) - np.timedelta64(1, "h")  # the case counts in UTC+1
    time_utc = start + np.arange(total) * np.timedelta64(1, "h")
    price = spot_prices(time_utc, recorded)[0] + (tariff(time_utc) if with_tariffs else 0.0)
    window = SupplyWindow.settled(
        prepared.network,
        {name: prepared.drive[name] for name in ("heat_w", "ground_degc")},
        HeatCost.air_heat_pump(np.repeat(price, round(3600 / horizon.dt_s)), outdoor),
        (curve, outdoor),
        str(start),
        horizon.dt_s,
        run_out_h,
    )
    return window, prepared, curve


def spot_prices(time_utc: "np.ndarray", recorded: bool | None) -> "tuple[np.ndarray, str]":
    """Day-ahead prices of western Denmark [DKK/kWh] in hours that begin at `time_utc`, and whence.

    Made by a formula where the record is not at hand.
    """
    from tvilling.datasets.prices import RECORDED, SYNTHETIC, synthetic_prices
    from tvilling.datasets.registry import is_at_hand, load

    if recorded or (recorded is None and is_at_hand("dk_prices")):
        data = load("dk_prices")["price_dk1_dkk_per_kwh"]
        return data.sel(time=time_utc).to_numpy(), RECORDED
    hours = len(time_utc)
    return synthetic_prices(-(-hours // 24), PRICE_SEED)[:hours], SYNTHETIC


def gradient_miss(window: "SupplyWindow") -> dict[str, float]:
    """Largest relative miss of the search's gradient, at a few hours of the plan.

    Against central differences of the simulated cost, and against reverse mode through the run.
    """
    import numpy as np

    from tvilling.rl_control.supply_temperature.limits import SupplyLimits
    from tvilling.rl_control.supply_temperature.network_run import cost_gradient
    from tvilling.rl_control.supply_temperature.profile import between, hourly
    from tvilling.rl_control.supply_temperature.search_task import Job

    course = hourly(window.curve_degc, window.run_out_h)
    job = Job.of(window, SupplyLimits(), course, substeps=1)
    weights = between(window.steps_per_hour, window.hours + 1)
    found = job.tangent(course.start).gradient
    supply = weights @ window.curve_degc
    _, slope = cost_gradient(job.coarse, supply)
    reverse = (weights @ course.basis).T @ np.asarray(slope)
    step_k, misses = 0.05, []
    for at in CHECKED_HOURS:
        along = weights @ course.basis[:, at] * step_k
        up, down = (cost_gradient(job.coarse, supply + sign * along)[0] for sign in (1, -1))
        central = float(up - down) / (2 * step_k)
        misses.append(abs(found[at] / central - 1))
    return {
        "gradient_miss_of_central_differences": float(np.max(misses)),
        "gradient_miss_of_reverse_mode": float(np.max(np.abs(found / reverse - 1))),
    }


def courses_of(window: "SupplyWindow", curve: "HeatingCurve", outdoor_degc: "np.ndarray") -> dict:
    """What may be chosen: every hour, two numbers of a curve, or one number."""
    import numpy as np

    from tvilling.rl_control.supply_temperature.profile import constant, hourly, tuned_curve

    at_hours = outdoor_degc[:: window.steps_per_hour]
    nodes = np.append(at_hours, outdoor_degc[-1])
    return {
        "plan": hourly(window.curve_degc, window.run_out_h),
        "best_curve": tuned_curve(curve, nodes, window.run_out_h),
        "best_constant": constant(window.curve_degc, window.run_out_h),
    }


def figures(
    window: "SupplyWindow", courses: dict, limits: "SupplyLimits", prefix: str = ""
) -> dict[str, Any]:
    """Saving, parts, margins and effort of every course, verified."""
    from tvilling.rl_control.supply_temperature.plan import plan_supply

    found: dict[str, Any] = {f"{prefix}limit_degc": limits.consumer_degc}
    for name, course in courses.items():
        began, cpu = time.perf_counter(), time.process_time()
        plan = plan_supply(window, limits, course)
        effort = {
            "wall_s": round(time.perf_counter() - began, 1),
            "cpu_s": round(time.process_time() - cpu, 1),
        }
        found |= {f"{prefix}{name}_{key}": value for key, value in told(plan, effort).items()}
    return found


def town_limits(prepared: "Prepared", consumer_degc: float) -> "SupplyLimits":
    """Limits with pump and plant as the network was sized: at 80 °C and every design load."""
    import jax
    import jax.numpy as jnp

    from tvilling.rl_control.supply_temperature.limits import SupplyLimits

    assert prepared.stock is not None
    assert prepared.case.sizing is not None
    network = prepared.network
    drive = {
        "heat_w": jnp.asarray(prepared.stock["design_w"].to_numpy()),
        "ground_degc": prepared.drive["ground_degc"][0],
    }
    action = {"supply_degc": jnp.array([prepared.case.sizing.supply_degc])}
    _, output = jax.jit(type(network).steady)(network, action, drive)
    lift_bar, heat_w = float(output["source_lift_bar"][0]), float(output["source_w"][0])
    return SupplyLimits(consumer_degc, max_lift_bar=lift_bar, max_source_w=heat_w)


def curve_margin_k(window: "SupplyWindow") -> float:
    """By how much today's curve keeps every consumer above the limit, at the worst step [K]."""
    from tvilling.rl_control.supply_temperature.limits import SupplyLimits, margins
    from tvilling.rl_control.supply_temperature.profile import hourly
    from tvilling.rl_control.supply_temperature.search_task import Job

    course = hourly(window.curve_degc, window.run_out_h)
    job = Job.of(window, SupplyLimits(HOT_WATER_DEGC), course, substeps=3)
    return margins(job.verified(window.curve_degc).excess)["temperature"]


def told(plan: "SupplyPlan", effort: dict[str, float]) -> dict[str, Any]:
    """The figures of one plan."""
    if not plan.is_plan:
        return {"outcome": plan.outcome, "reason": plan.reason, **effort}
    percent = plan.saving.percent()
    parts = {name: getattr(plan.saving, f"{name}_dkk") for name in percent}
    return {
        "saving_percent": round(percent.pop("total"), 3),
        **{f"{name}_percent": round(value, 3) for name, value in percent.items()},
        **{f"{name}_dkk": round(value, 1) for name, value in parts.items()},
        "curve_dkk": round(plan.saving.curve_dkk, 1),
        **{f"{name}_margin": round(value, 4) for name, value in plan.margins.items()},
        "rounds": plan.rounds,
        "tightened": plan.tightened,
        "foretold": float(f"{plan.foretold:.2g}"),
        **effort,
    }


def measure() -> Measurement:
    """Saving of the planned supply temperature over the heating curve, a winter week [%].

    The peer is the best heating curve under the same limits, tuned with the week known. All are
    told again with the temperature that today's curve holds as the limit, and the plan at the
    day-ahead price alone, and of the first day alone.
    """
    import numpy as np

    from tvilling.rl_control.supply_temperature.profile import hourly

    window, prepared, curve = town_window()
    courses = courses_of(window, curve, np.asarray(prepared.drive["outdoor_degc"]))
    limits = town_limits(prepared, HOT_WATER_DEGC)
    figures(window, {"plan": courses["plan"]}, limits)  # compiles
    found = figures(window, courses, limits)
    held_degc = np.floor(100 * (HOT_WATER_DEGC + curve_margin_k(window))) / 100
    as_held = replace(limits, consumer_degc=float(held_degc))
    found |= figures(window, courses, as_held, "as_held_")
    spot, _, _ = town_window(with_tariffs=False)
    found |= figures(spot, {"plan": courses["plan"]}, limits, "spot_")
    day, _, _ = town_window(DAY_H)
    only = {"plan": hourly(day.curve_degc, day.run_out_h)}
    figures(day, only, limits)  # compiles
    found |= figures(day, only, limits, "day_")
    found |= gradient_miss(window)
    ours, peer = found["plan_saving_percent"], found["best_curve_saving_percent"]
    time_utc = np.datetime64(window.start) + np.arange(window.hours) * np.timedelta64(1, "h")
    return Measurement(
        name="supply_temperature_plan",
        ours=ours,
        peer=peer,
        unit="% of the cost of the heating curve",
        ratio=ours / peer,
        peer_name="best heating curve",
        extra={
            **found,
            "max_lift_bar": limits.max_lift_bar,
            "max_source_w": limits.max_source_w,
            "planned_h": WEEK_H,
            "run_out_h": RUN_OUT_H,
            "weather": str(prepared.weather.attrs["source"]),
            "prices": spot_prices(time_utc, None)[1],
        },
    )
