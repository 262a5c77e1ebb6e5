"""A year of daily plans as they would have been, and what not knowing the future cost them."""

from typing import Any

from tvilling.benchmarks.measurement import Measurement

YEARS = (2020, 2021, 2022)


def measure() -> Measurement:
    """Seconds a year of daily plans takes, forecasts of the load included (`ours`, the median).

    With the measured data at hand: 2020, 2021 and 2022 of the case `backtest_dk1`, planned on
    forecasts of load and weather, and on the true ones (`perfect_…`). Without: one synthetic year.
    """
    from statistics import median

    from tvilling.datasets.registry import is_at_hand

    recorded = all(is_at_hand(name) for name in ("dk_prices", "flensburg"))
    overrides = (
        () if recorded else ("load={kind: stock, annual_mwh: 43000}", "prices.source=synthetic")
    )
    years = {year: _year(year, overrides) for year in (YEARS if recorded else YEARS[1:2])}
    return Measurement(
        name="plan_backtest_year",
        ours=median(found["forecast_s"] for found in years.values()),
        peer=None,
        unit="s for a year of daily plans",
        ratio=None,
        extra={
            "recorded": recorded,
            "gap": max(found["gap"] for found in years.values()),
            "regret_percent": max(found["forecast_regret_percent"] for found in years.values()),
            **{str(year): found for year, found in years.items()},
        },
    )


def _year(year: int, overrides: tuple[str, ...]) -> dict[str, Any]:
    """Seconds, regret and savings of a year, on a forecast and on the true load."""
    import time

    from tvilling.apps.plant.replay import replay
    from tvilling.apps.plant.report.table import ways_table
    from tvilling.benchmarks.plant_cases import calendar_year, shipped_case
    from tvilling.rl_control.planning.backtest import BEST, NO_TANK, PLANNED, RULE

    found: dict[str, Any] = {"gap": 0.0}
    for load in ("forecast", "perfect"):
        known = (f"backtest.load={load}", f"weather.ahead={load}")
        case, path = shipped_case("backtest_dk1", *known, *overrides)
        began, cpu = time.perf_counter(), time.process_time()
        data = replay(case, path, calendar_year(year))
        found[f"{load}_s"] = time.perf_counter() - began
        found[f"{load}_cpu_s"] = time.process_time() - cpu
        cost = {way.name: way.cost_dkk for way in ways_table(data)}
        best, planned = cost[BEST], cost[PLANNED]
        found[f"{load}_regret_percent"] = 100 * (planned - best) / best
        found[f"{load}_saving_no_tank_percent"] = 100 * (1 - planned / cost[NO_TANK])
        found[f"{load}_saving_rule_percent"] = 100 * (1 - planned / cost[RULE])
        found[f"{load}_reached_percent"] = 100 * (cost[RULE] - planned) / (cost[RULE] - best)
        found["perfect_foresight_dkk"] = best
        found[f"{load}_mae_mw"] = data.attrs["forecast_mae_mw"]
        found[f"{load}_unserved_mwh"] = float(data["unserved_mw"].sel(way=PLANNED).sum())
    return found
