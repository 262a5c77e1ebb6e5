"""Figures of a production plan, from its labelled data.

Values are means of the hour that begins at their time and are drawn as steps. Time axes show the
Danish clock.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.apps.heat.report_figures import put_title, stack
from tvilling.apps.plant.case import ZONE
from tvilling.apps.plant.inputs.known import HOUR, to_local
from tvilling.apps.plant.report.table import begun, credited, hourly_cost_dkk
from tvilling.rl_control.planning.backtest import BEST, NO_TANK, PLANNED, RULE

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, SOFT, BAD = "#22303c", "#8a97a3", "#c0392b"
WAYS = {"plan": "#1f6f8b", PLANNED: "#1f6f8b", BEST: "#d9822b", RULE: "#6b7280", NO_TANK: "#b9c2ca"}
KINDS = {  # from the bottom of a stack to its top: blues draw power, browns burn fuel
    "solar": "#f0cf5a",
    "heat pump": "#2a7f9e",
    "chp": "#d9822b",
    "boiler": "#74452f",
    "electric boiler": "#8fcbe0",
    "other": "#b9c2ca",
}
SHADES = (0.0, 0.3, 0.5, 0.65)  # of units of one kind, towards white
LOSSY_COP = 1.3  # heat by power from which a unit pumps heat
CLOCK = "Danish clock (Europe/Copenhagen)"


def kind_of(unit: "xr.Dataset") -> str:
    """Kind of a unit by what it turned into heat; `other` where it never ran."""
    heat, power, fuel = (float(unit[name].sum()) for name in ("heat_mw", "power_mw", "fuel_mw"))
    if fuel > 0:
        return "chp" if power > 0 else "boiler"
    if power < 0:
        return "heat pump" if heat > LOSSY_COP * -power else "electric boiler"
    return "solar" if heat > 0 else "other"


def unit_colours(data: "xr.Dataset") -> dict[str, Any]:
    """Colour of each unit by its kind, in the order of a stack; the same in every figure."""
    from matplotlib.colors import to_rgb

    kinds = {str(name): kind_of(data.sel(unit=name)) for name in data["unit"].values}
    colours: dict[str, Any] = {}
    for kind, colour in KINDS.items():
        for at, name in enumerate(unit for unit, its in kinds.items() if its == kind):
            paler = SHADES[min(at, len(SHADES) - 1)]
            colours[name] = tuple(c + (1 - c) * paler for c in to_rgb(colour))
    return colours


def draw_production(data: "xr.Dataset", name: str, beside: tuple[str, ...] = ()) -> "Figure":
    """Price, heat by unit, tank level and units that run, of one way; other ways' tank beside it.

    Parameters
    ----------
    data
        All ways over some hours.
    name, beside
        The way that is drawn, and those whose tank level is drawn as well.
    """
    rows = data.sizes["unit"]
    figure, panels = stack((1.2, 2.6, 1.2, 0.25 + 0.16 * rows))
    way = data.sel(way=name)
    _price(panels[0], data)
    _stacked(panels[1], way, unit_colours(data))
    for other in beside:
        _level(panels[2], data.sel(way=other), other, linewidth=1.0)
    _level(panels[2], way, name, linewidth=1.6)
    _full(panels[2], data)
    put_title(panels[2], "Heat in the tank at the end of the hour [MWh]")
    legend(panels[2])
    _strip(panels[3], way, unit_colours(data))
    danish_clock(panels[-1], data["time"].values)
    return figure


def draw_forecast(data: "xr.Dataset") -> "Figure":
    """Load as it is forecast, with its interval."""
    figure, (axes,) = stack((1.0,), 2.7)
    if "load_interval_mw" in data:
        low, high = (held(data["load_interval_mw"].sel(end=end)) for end in ("low", "high"))
        axes.fill_between(edges(data), low, high, step="post", color="#a9cbd6", linewidth=0,
                          label="90 % interval")  # fmt: skip
    axes.step(edges(data), held(data["load_mw"]), where="post", color=INK, label="forecast")
    put_title(axes, "Heat load [MW]")
    axes.set_ylim(bottom=0)
    legend(axes)
    danish_clock(axes, data["time"].values)
    return figure


def draw_temperatures(data: "xr.Dataset") -> "Figure":
    """Water that leaves the plant and comes back, and the air outdoors."""
    figure, panels = stack((1.5, 1.0))
    for name, colour, label in (
        ("forward_degc", BAD, "supply"),
        ("return_degc", "#2a7f9e", "return"),
    ):
        panels[0].step(edges(data), held(data[name]), where="post", color=colour, label=label)
    panels[1].step(edges(data), held(data["outdoor_degc"]), where="post", color=SOFT)
    put_title(panels[0], "Water at the plant [°C]")
    put_title(panels[1], "Outdoors [°C]")
    legend(panels[0])
    danish_clock(panels[-1], data["time"].values)
    return figure


def draw_costs(data: "xr.Dataset", name: str) -> "Figure":
    """Cost by hour of a way and of the rule, and what is saved in sum."""
    figure, panels = stack((1.4, 1.1))
    hourly = hourly_cost_dkk(data)
    for one in (RULE, name):
        if one in data["way"]:
            panels[0].step(edges(data), held(hourly.sel(way=one)), where="post",
                           color=WAYS.get(one, INK), label=one)  # fmt: skip
    put_title(panels[0], "Cost by hour, with starts [DKK]")
    zero_line(panels[0])
    legend(panels[0])
    net = credited(data, hourly)
    if RULE in data["way"]:
        saved = (net.sel(way=RULE) - net.sel(way=name)).cumsum("time").values
        panels[1].plot(edges(data), np.append(0.0, saved), color=WAYS.get(name, INK))
    put_title(panels[1], "Saved against the rule in sum, heat in the tank counted [DKK]")
    zero_line(panels[1])
    danish_clock(panels[-1], data["time"].values)
    return figure


def edges(data: "xr.Dataset") -> np.ndarray:
    """Start of each hour, and the end of the last, UTC."""
    time = data["time"].values
    return np.append(time, time[-1] + HOUR)


def held(values: "xr.DataArray | np.ndarray") -> np.ndarray:
    """`values` over `edges`: the last one once more."""
    series = np.asarray(values, float)
    return np.append(series, series[-1])


def zero_line(axes: "Axes") -> None:
    """A line at zero where the panel goes below it."""
    if axes.get_ylim()[0] < 0:
        axes.axhline(0.0, color=SOFT, linewidth=0.8, zorder=1.5)


def legend(axes: "Axes") -> None:
    """Names beside the title of a panel, above the data."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        axes.legend(handles, labels, loc="lower right", bbox_to_anchor=(1.005, 0.985),
                    ncols=len(handles), frameon=False, fontsize=8, borderaxespad=0.0,
                    columnspacing=1.2, handlelength=1.6, handletextpad=0.5)  # fmt: skip


def danish_clock(axes: "Axes", time: np.ndarray) -> None:
    """Ticks at Danish midnights, with the hours between as far as there is room."""
    from matplotlib.dates import DateFormatter, DayLocator, HourLocator, num2date
    from matplotlib.ticker import FuncFormatter

    def midnight(at: float, _: int | None) -> str:
        day = num2date(at, tz=ZONE)
        return f"{day:%H}\n{day:%a} {day.day} {day:%b}"

    days = len(time) / 24
    hours = (6, 12, 18) if days <= 4 else (12,)
    axes.xaxis.set_major_locator(DayLocator(tz=ZONE))
    axes.xaxis.set_major_formatter(FuncFormatter(midnight))
    axes.xaxis.set_minor_locator(HourLocator(byhour=hours, tz=ZONE))
    axes.xaxis.set_minor_formatter(DateFormatter("%H", tz=ZONE))
    axes.tick_params(axis="x", which="minor", labelcolor="#4b5966")
    first = to_local(time[:1])[0]
    begins = f"{first:%a} {first.day} {first:%b %Y %H:%M}"
    axes.set_xlabel(f"{CLOCK}, from {begins} on", fontsize=8, color="#5b6b79")
    for panel in axes.figure.axes:
        panel.set_axisbelow(True)
        panel.grid(visible=True, which="minor", axis="x", linewidth=0.4)
        panel.grid(visible=True, which="major", axis="x", color="#c3ccd4")


def _price(axes: "Axes", data: "xr.Dataset") -> None:
    price = 1e3 * data["price_dkk_per_kwh"].values
    at = edges(data)
    known = data["published"].values > 0 if "published" in data else np.ones(len(price), bool)
    if known.any():
        course = held(np.where(known, price, np.nan))
        label = "published" if not known.all() else None
        axes.step(at, course, where="post", color=INK, zorder=2.1, label=label)
    if not known.all():
        axes.step(at, held(price), where="post", color=INK, linestyle=(0, (3, 1.5)),
                  linewidth=1.0, label="expected")  # fmt: skip
    if price.min() < 0:
        below = held(np.minimum(price, 0.0))
        axes.fill_between(at, below, 0.0, step="post", color="#4c9f70", alpha=0.5, linewidth=0,
                          label="below zero")  # fmt: skip
    put_title(axes, "Power price [DKK/MWh]")
    zero_line(axes)
    legend(axes)


def _stacked(axes: "Axes", way: "xr.Dataset", colours: dict[str, Any]) -> None:
    """Heat by unit above each other; what the tank gives, and what is missing, up to the load."""
    at, base = edges(way), np.zeros(way.sizes["time"] + 1)
    for unit, colour in colours.items():
        heat = held(way["heat_mw"].sel(unit=unit))
        if heat.any():
            axes.fill_between(at, base, base + heat, step="post", color=colour, linewidth=0,
                              label=unit)  # fmt: skip
            axes.step(at, base + heat, where="post", color="white", linewidth=0.4)
            base = base + heat
    load, unserved = held(way["load_mw"]), held(way["unserved_mw"])
    served = np.maximum(load - unserved, base)
    if (served > base + 1e-3).any():
        axes.fill_between(at, base, served, step="post", facecolor="#f4f6f8", edgecolor="#9aa7b2",
                          hatch="////", linewidth=0, label="out of the tank")  # fmt: skip
    if (unserved > 1e-3).any():
        axes.fill_between(at, served, served + unserved, step="post", color=BAD, linewidth=0,
                          label="missing")  # fmt: skip
    axes.step(at, load, where="post", color=INK, linewidth=1.4, label="load")
    put_title(axes, "Heat [MW]")
    axes.set_ylim(bottom=0)
    legend(axes)


def _level(axes: "Axes", way: "xr.Dataset", name: str, **style: Any) -> None:
    level = np.append(way.attrs.get("tank_before_mwh", np.nan), way["tank_mwh"].values)
    axes.plot(edges(way), level, color=WAYS.get(name, INK), label=name, **style)


def _full(axes: "Axes", data: "xr.Dataset") -> None:
    """How much the tank holds."""
    capacity = float(data.attrs["tank_capacity_mwh"])
    axes.axhline(capacity, color=BAD, linewidth=0.9, linestyle=(0, (5, 2)), label="full")
    axes.set_ylim(0, 1.06 * max(capacity, 1e-3))


def _strip(axes: "Axes", way: "xr.Dataset", colours: dict[str, Any]) -> None:
    """A bar while a unit runs, with a mark at every start."""
    at, starts = edges(way), begun(way)
    units = list(colours)[::-1]
    for row, unit in enumerate(units):
        on = way["on"].sel(unit=unit).values.astype(int)
        change = np.diff(on, prepend=0, append=0)
        axes.barh(row, at[change < 0] - at[change > 0], 0.64, at[change > 0],
                  color=colours[unit])  # fmt: skip
        first = way["time"].values[starts.sel(unit=unit).values]
        if len(first):
            axes.plot(first, np.full(len(first), row), linestyle="", marker=">", markersize=4,
                      color=INK, clip_on=False)  # fmt: skip
    axes.set_yticks(range(len(units)), units)
    axes.set_ylim(-0.6, len(units) - 0.4)
    axes.grid(visible=False, axis="y")
    put_title(axes, "Units that run; ▸ a start")
