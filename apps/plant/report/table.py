"""The ways to run a plant side by side: cost, CO2, starts, heat by unit, and what was saved.

Everything comes from the labelled data of a plan or a backtest (`labelled.py`), so that a table can
be made again from its file. With c the cost of running, starts and heat missing or thrown away, L
the heat in the tank, and w the worth of a MWh of it,

    cost = sum over hours of c_t - w (L_t - L_{t-1})

so heat left in the tank, above what it began with, is worth w: what another MWh left at the end
would cost, in a plan, or under perfect foresight in a backtest. Without use of the tank nothing
is credited.
"""

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.rl_control.planning.backtest import BEST, NO_TANK, RULE
from tvilling.rl_control.planning.schedule import PENALTY_DKK_PER_MWH

if TYPE_CHECKING:
    import xarray as xr
    from rich.table import Table

PLAN = "plan"
WORTH = "tank_worth_dkk_per_mwh"
Savings = tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class Way:
    """What one way to run the plant costs and does over the hours of the data.

    Attributes
    ----------
    cost_dkk
        Running, starts and penalty, less `tank_dkk`.
    penalty_dkk
        Of heat missing and heat thrown away, at 10 000 DKK/MWh.
    tank_dkk
        Worth of the heat in the tank at the end above that at the beginning; below zero for less.
    heat_dkk_per_mwh
        `cost_dkk` by MWh of load; None without load.
    unit_starts, heat_mwh
        By unit.
    bought_mwh, sold_mwh
        Power, hour by hour and unit by unit: what one sells is not set against what another buys.
    saving_dkk, saving_share
        Against the operator's rule, in DKK and as a share of its cost; None where the data lacks
        the rule.
    reached_share
        Saving over that of perfect foresight; None in a plan, where that is not known, and where
        nothing could be saved.
    """

    name: str
    cost_dkk: float
    running_dkk: float
    start_dkk: float
    penalty_dkk: float
    tank_dkk: float
    heat_dkk_per_mwh: float | None
    co2_t: float
    starts: int
    unit_starts: dict[str, int]
    heat_mwh: dict[str, float]
    bought_mwh: float
    sold_mwh: float
    unserved_mwh: float
    surplus_mwh: float
    saving_dkk: float | None
    saving_share: float | None
    reached_share: float | None


# name, heading, unit, digits: the rows of the report's and the terminal's table
ROWS = (
    ("cost_dkk", "Cost", "DKK", 0),
    ("heat_dkk_per_mwh", "Cost by heat", "DKK/MWh", 1),
    ("saving_dkk", "Saved against the rule", "DKK", 0),
    ("saving_share", "Saved against the rule", "%", 1),
    ("reached_share", "Of what could be saved", "%", 1),
    ("running_dkk", "Cost of fuel, power, taxes, upkeep", "DKK", 0),
    ("start_dkk", "Cost of starts", "DKK", 0),
    ("tank_dkk", "Worth of heat gained in the tank", "DKK", 0),
    ("penalty_dkk", "Penalty of heat missing or thrown away", "DKK", 0),
    ("co2_t", "CO2", "t", 1),
    ("starts", "Starts", "", 0),
    ("bought_mwh", "Power bought", "MWh", 1),
    ("sold_mwh", "Power sold", "MWh", 1),
    ("unserved_mwh", "Heat missing", "MWh", 2),
    ("surplus_mwh", "Heat thrown away", "MWh", 2),
)
SHORT = ("cost_dkk", "saving_dkk", "saving_share", "reached_share", "co2_t", "starts",
         "bought_mwh", "sold_mwh", "unserved_mwh", "surplus_mwh")  # fmt: skip


def ways_table(data: "xr.Dataset") -> list[Way]:
    """Every way of `data`, in its order."""
    hourly = hourly_cost_dkk(data)
    costs = dict(
        zip(map(str, data["way"].values), credited(data, hourly).sum("time").values, strict=True)
    )
    saved = _savings(costs)
    return [
        _one(data.sel(way=name), float(cost), hourly.sel(way=name), saved[name])
        for name, cost in costs.items()
    ]


def begun(data: "xr.Dataset") -> "xr.DataArray":
    """Where a unit is on that was off the hour before.

    What ran before the first hour is in `on_before`; nothing did where the data lacks it.
    """
    on = data["on"].astype(bool)
    before = on.shift(time=1, fill_value=False)
    if "on_before" in data:
        first = data["time"] == data["time"][0]
        before = before | (first & data["on_before"].astype(bool))
    return (on & ~before).transpose(*on.dims)


def hourly_cost_dkk(data: "xr.Dataset") -> "xr.DataArray":
    """Running cost, starts and penalty of each hour [DKK], without credit for the tank."""
    import xarray as xr

    starts = xr.DataArray(np.atleast_1d(data.attrs["start_cost_dkk"]), dims="unit")
    missed = data["unserved_mw"] + data["surplus_mw"]
    running = data["cost_dkk_per_h"].sum("unit")
    begins = (begun(data) * starts).sum("unit")
    return running + begins + PENALTY_DKK_PER_MWH * missed


def worth_dkk_per_mwh(data: "xr.Dataset", hourly: "xr.DataArray") -> float:
    """What a MWh in the tank counts [DKK/MWh]: what another MWh left would cost.

    `data` holds it; without it, the mean cost of heat of the best way.
    """
    if WORTH in data.attrs:
        return float(data.attrs[WORTH])
    names = list(map(str, data["way"].values))
    best = next((name for name in (BEST, PLAN) if name in names), names[0])
    heat_mwh = float(data["load_mw"].sum())
    return float(hourly.sel(way=best).sum()) / heat_mwh if heat_mwh > 0 else 0.0


def credited(data: "xr.Dataset", hourly: "xr.DataArray") -> "xr.DataArray":
    """Cost of each hour [DKK] less the worth of heat that went into the tank in it."""
    tank = data["tank_mwh"]
    before = tank.shift(time=1)
    before[{"time": 0}] = float(data.attrs["tank_before_mwh"])
    uses = data["way"] != NO_TANK
    return hourly - worth_dkk_per_mwh(data, hourly) * (tank - before) * uses


def _savings(costs: dict[str, float]) -> dict[str, Savings]:
    """Of each way: saving in DKK, as a share of the rule's cost, and of what was possible.

    What was possible is known where perfect foresight is among the ways, so not in a plan.
    """
    if RULE not in costs:
        return dict.fromkeys(costs, (None, None, None))
    rule = float(costs[RULE])
    possible = rule - costs.get(BEST, rule)
    found: dict[str, Savings] = {}
    for name, cost in costs.items():
        saving = float(rule - cost)
        reached = float(saving / possible) if possible > 0 else None
        found[name] = saving, saving / abs(rule) if rule else None, reached
    return found


def _one(
    way: "xr.Dataset",
    cost_dkk: float,
    hourly: "xr.DataArray",
    savings: Savings,
) -> Way:
    units = list(map(str, way["unit"].values))
    count, heat = begun(way).sum("time").values, way["heat_mw"].sum("time").values
    start_dkk = float(count @ np.atleast_1d(way.attrs["start_cost_dkk"]))
    unserved, surplus = (float(way[name].sum()) for name in ("unserved_mw", "surplus_mw"))
    load_mwh, power = float(way["load_mw"].sum()), way["power_mw"]
    saving_dkk, saving_share, reached_share = savings
    return Way(
        name=str(way["way"].values),
        cost_dkk=cost_dkk,
        running_dkk=float(way["cost_dkk_per_h"].sum()),
        start_dkk=start_dkk,
        penalty_dkk=PENALTY_DKK_PER_MWH * (unserved + surplus),
        tank_dkk=float(hourly.sum()) - cost_dkk,
        heat_dkk_per_mwh=cost_dkk / load_mwh if load_mwh > 0 else None,
        co2_t=float(way["co2_kg_per_h"].sum()) / 1e3,
        starts=int(count.sum()),
        unit_starts=dict(zip(units, count.tolist(), strict=True)),
        heat_mwh=dict(zip(units, heat.tolist(), strict=True)),
        bought_mwh=float(-power.clip(max=0.0).sum()),
        sold_mwh=float(power.clip(min=0.0).sum()),
        unserved_mwh=unserved,
        surplus_mwh=surplus,
        saving_dkk=saving_dkk,
        saving_share=saving_share,
        reached_share=reached_share,
    )


def as_facts(ways: list[Way]) -> dict[str, dict[str, Any]]:
    """The ways by name as plain values, for JSON; what is no number is None."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(one) for key, one in value.items()}
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return {way.name: {k: plain(v) for k, v in asdict(way).items() if k != "name"} for way in ways}


def shown(name: str, value: float | None) -> str:
    """A figure of `ROWS` as a reader sees it, without its unit."""
    if value is None or not math.isfinite(value):
        return "–"
    digits = next(row[3] for row in ROWS if row[0] == name)
    return number(value * (100 if name.endswith("_share") else 1), digits)


def number(value: float, digits: int = 0) -> str:
    """A number with thousands apart and a true minus; never minus zero."""
    text = f"{round(value, digits) + 0.0:,.{digits}f}"
    return text.replace(",", "\N{NO-BREAK SPACE}").replace("-", "\N{MINUS SIGN}")


def told_rows(ways: list[Way], names: tuple[str, ...] = ()) -> list[tuple[str, str, list[str]]]:
    """Heading, unit and one text a way, of `names` or all of `ROWS`; no row without any figure."""
    rows = []
    for name, heading, unit, _ in ROWS:
        texts = [shown(name, getattr(way, name)) for way in ways]
        if (not names or name in names) and any(text.strip("0.–") for text in texts):
            rows.append((heading, unit, texts))
    return rows


def terminal_table(data: "xr.Dataset") -> "Table":
    """The figures that matter most, one column a way."""
    from tvilling.apps.shared.terminal import plain_table

    ways = ways_table(data)
    table = plain_table("", "", *(way.name for way in ways))
    for heading, unit, texts in told_rows(ways, SHORT):
        table.add_row(heading, unit, *texts)
    return table
