"""Pictures of a training: its course, and the solution beside its reference."""

from collections.abc import Iterator, Sequence
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.apps.heat.report_figures import COLOURS, DEMAND, put_title

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tvilling.apps.pinn.train import Seeded
    from tvilling.pinns.training.training_loop import Check

SHOWN = 4  # unknowns that are drawn
FIELD, DIFFERENCE = "viridis", "RdBu_r"
HELD, TRAINED, SEEDS = COLOURS[0], COLOURS[1], "#b9c2ca"
FINE = 170  # dots per inch of what is drawn as pixels


def courses_of(seeded: "Seeded") -> "list[tuple[Check, ...]]":
    """The checks of each network: one, or one a window."""
    solution: Any = seeded.solution
    parts = getattr(solution, "windows", (solution,))
    return [part.checks for part in parts]


def draw_course(seeded: "Sequence[Seeded]") -> "Figure":
    """Loss and error over the steps; the kept seed in colour, others in grey."""
    from matplotlib.figure import Figure

    courses = courses_of(seeded[0])
    known = any(not np.isnan(check.error) for checks in courses for check in checks)
    figure = Figure(figsize=(11.0, 3.4), layout="constrained")
    panels = figure.subplots(1, 2 if known else 1, squeeze=False)[0]
    put_title(panels[0], "Loss")
    for axes, names in zip(panels, (("held_out",), ("error",)), strict=False):
        for other in seeded[1:]:
            _lines(axes, courses_of(other), names, (SEEDS,))
    _lines(panels[0], courses, ("loss", "held_out"), (TRAINED, HELD))
    if known:
        put_title(panels[1], "Greatest relative L2 error of an unknown")
        _lines(panels[1], courses, ("error",), (HELD,))
    for axes in panels:
        axes.set_yscale("log")
        axes.set_xlabel("steps")
        axes.margins(x=0.01)
        _mark_phases(axes, courses)
    panels[0].plot([], [], color=TRAINED, label="where it trains")
    panels[0].plot([], [], color=HELD, label="at held-out points")
    if len(seeded) > 1:
        panels[0].plot([], [], color=SEEDS, label="other seeds, held out")
    panels[0].legend(loc="upper right", fontsize=8, frameon=False)
    return figure


def _lines(
    axes: "Axes",
    courses: "Sequence[tuple[Check, ...]]",
    names: Sequence[str],
    colours: Sequence[str],
) -> None:
    for checks, first in _placed(courses):
        steps = [first + check.step for check in checks]
        for name, colour in zip(names, colours, strict=True):
            values = [getattr(check, name) for check in checks]
            axes.plot(steps, values, color=colour, marker="." if len(steps) < 40 else None)


def _placed(
    courses: "Sequence[tuple[Check, ...]]",
) -> "Iterator[tuple[tuple[Check, ...], int]]":
    """Courses one after the other: each with the steps before it."""
    first = 0
    for checks in courses:
        yield checks, first
        first += checks[-1].step


def _mark_phases(axes: "Axes", courses: "Sequence[tuple[Check, ...]]") -> None:
    """The name of each optimiser where it begins."""
    for checks, first in _placed(courses):
        for before, check in pairwise(checks):
            if check.phase != before.phase:
                place = first + before.step
                axes.axvline(place, color="#aab4bd", linewidth=0.8, zorder=0)
                if len(courses) == 1:
                    axes.annotate(check.phase, (place, 0.02), xytext=(3, 0), fontsize=8,
                                  xycoords=axes.get_xaxis_transform(), color="#5b6b79",
                                  textcoords="offset points")  # fmt: skip


def draw_solution(data: "xr.Dataset", name: str) -> "Figure":
    """One unknown, its reference and the difference."""
    return _curve(data, name) if len(data.dims) == 1 else _fields(data, name)


def _curve(data: "xr.Dataset", name: str) -> "Figure":
    from matplotlib.figure import Figure

    both = f"{name}_reference" in data
    figure = Figure(figsize=(11.0, 3.4), layout="constrained")
    panels = figure.subplots(1, 2 if both else 1, squeeze=False)[0]
    (along,) = data.dims
    panels[0].plot(data[along], data[name], color=HELD, label="network")
    if both:
        panels[0].plot(data[along], data[f"{name}_reference"], color=DEMAND, linestyle=":",
                       label="reference")  # fmt: skip
        panels[1].plot(data[along], data[f"{name}_error"], color=COLOURS[4])
        put_title(panels[1], _label(data, name).replace(name, "network - reference", 1))
        panels[0].legend(fontsize=8, frameon=False)
    put_title(panels[0], _label(data, name))
    for axes in panels:
        axes.set_xlabel(_label(data, str(along)))
    return figure


def _fields(data: "xr.Dataset", name: str) -> "Figure":
    """Rows for the start, the middle and the end of a third coordinate."""
    from matplotlib.figure import Figure

    across, up = _axes(data)
    cuts = _cuts(data)
    kinds = [suffix for suffix in ("", "_reference", "_error") if f"{name}{suffix}" in data]
    figure = Figure(figsize=(11.0, 3.2 * len(cuts) + 0.1), layout="constrained")
    panels = figure.subplots(len(cuts), len(kinds), squeeze=False, sharex=True, sharey=True)
    limits = {"": _span(data, name, kinds), "_reference": _span(data, name, kinds)}
    worst = float(np.nanmax(np.abs(data[f"{name}_error"].values))) if "_error" in kinds else 0.0
    limits["_error"] = (-worst, worst)
    titles = {"": name, "_reference": "reference", "_error": "network - reference"}
    for (row, cut), (column, suffix) in product(enumerate(cuts), enumerate(kinds)):
        axes = panels[row, column]
        _field(axes, data[f"{name}{suffix}"].isel(cut).transpose(up, across), limits[suffix],
               DIFFERENCE if suffix == "_error" else FIELD)  # fmt: skip
        where = ", ".join(f"{key} = {float(data[key][at]):.3g}" for key, at in cut.items())
        put_title(axes, titles[suffix] + (f", {where}" if where and column == 0 else ""))
        if row == len(cuts) - 1:
            axes.set_xlabel(_label(data, across))
        if column == 0:
            axes.set_ylabel(_label(data, up))
    for column in range(len(kinds)):
        bar = figure.colorbar(panels[0, column].collections[0], ax=panels[:, column], pad=0.02)
        bar.set_label(_label(data, name).removeprefix(name).strip())
        bar.outline.set_visible(False)
    return figure


def _field(axes: "Axes", field: Any, limits: tuple[float, float], colours: str) -> None:
    up, across = field.dims
    smooth = bool(field.notnull().all())
    axes.pcolormesh(
        field[across],
        field[up],
        field.values,
        cmap=colours,
        vmin=limits[0],
        vmax=limits[1],
        shading="gouraud" if smooth else "nearest",
        rasterized=True,
    )
    axes.grid(False)
    same = field[across].attrs.get("units") == field[up].attrs.get("units")
    wide = float(np.ptp(field[across].values)), float(np.ptp(field[up].values))
    if same and 1 / 3 < wide[0] / wide[1] < 3:
        axes.set_aspect("equal")


def _span(data: "xr.Dataset", name: str, kinds: Sequence[str]) -> tuple[float, float]:
    """Range of the reference where there is one, else of the network."""
    field = data[f"{name}_reference"] if "_reference" in kinds else data[name]
    return float(field.min()), float(field.max())


def _axes(data: "xr.Dataset") -> tuple[str, str]:
    """Which coordinates run across and up: time across, else the first."""
    first, second = (str(name) for name in list(data.dims)[:2])
    timely = second == "t" or second.startswith("time")
    return (second, first) if timely else (first, second)


def _cuts(data: "xr.Dataset") -> list[dict[str, int]]:
    """Places of the further coordinates: three of the third, the middle of the rest."""
    further = [str(name) for name in list(data.dims)[2:]]
    if not further:
        return [{}]
    middle = {name: data.sizes[name] // 2 for name in further}
    last = data.sizes[further[0]] - 1
    return [middle | {further[0]: at} for at in (0, middle[further[0]], last)]


def _label(data: "xr.Dataset", name: str) -> str:
    unit = data[name].units
    return name if unit == "1" else f"{name} [{unit}]"
