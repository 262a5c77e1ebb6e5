"""Coordinates of a pandapipes network: GeoJSON columns or the older geodata tables."""

from typing import Any

import numpy as np
import pandas as pd

from tvilling.datasets.readers.heat.geometry import Point, latitude_first, parse_points, swap
from tvilling.datasets.readers.heat.pandapipes_reading import Reading

Routes = dict[str, list[Point]]


def place(
    reading: Reading, junctions: pd.DataFrame, pipes: pd.DataFrame, swap_xy: bool | None
) -> tuple[pd.DataFrame, Routes]:
    """Junctions with their x and y, and the route of each pipe that has one.

    Coordinates come from the column `geo`, or where no row has one, from the tables
    `junction_geodata` and `pipe_geodata`. A junction without coordinates takes those of the end
    of a route there, or of the junction behind a valve.
    """
    if not len(junctions):
        return junctions, {}
    points = _points(reading, "junction", list(reading.junctions))
    lines = _points(reading, "pipe", list(reading.pipes))
    places = {reading.junctions[index]: line[0] for index, line in points.items() if line}
    routes = {reading.pipes[index]: line for index, line in lines.items() if len(line) > 1}
    swap_xy = _turned(reading, pipes, places, routes) if swap_xy is None else swap_xy
    if swap_xy:
        places = {name: (y, x) for name, (x, y) in places.items()}
        routes = {name: swap(line) for name, line in routes.items()}
    _fill(reading, junctions, pipes, places, routes)
    xy = np.array([places.get(name, (np.nan, np.nan)) for name in junctions["name"]], dtype=float)
    return junctions.assign(x=xy[:, 0], y=xy[:, 1]), routes


def _points(reading: Reading, kind: str, indices: list[int]) -> dict[int, list[Point]]:
    """Points of each element by its index, from `geo` or from the geodata table."""
    table = reading.net.get(kind)
    if table is not None and "geo" in table and table["geo"].notna().any():
        return {index: parse_points(table["geo"].get(index)) for index in indices}
    geodata = reading.net.get(f"{kind}_geodata")
    if geodata is None or not len(geodata):
        return {}
    return {index: _old_points(geodata.loc[index]) for index in indices if index in geodata.index}


def _old_points(row: Any) -> list[Point]:
    if "coords" in row:
        return parse_points({"type": "LineString", "coordinates": row["coords"]})
    return parse_points({"type": "Point", "coordinates": [row["x"], row["y"]]})


def _turned(
    reading: Reading, pipes: pd.DataFrame, places: dict[str, Point], routes: Routes
) -> bool:
    """Whether latitude stands first, from the lengths of routes and of straight connections."""
    if not len(pipes):
        return False
    lines, length_m = [], []
    for pipe in pipes.itertuples():
        ends = [places.get(pipe.from_junction), places.get(pipe.to_junction)]
        line = routes.get(pipe.name) or [end for end in ends if end is not None]
        lines.append(line)
        length_m.append(pipe.length_m)
    if not latitude_first(lines, length_m):
        return False
    reading.notes.append(
        "coordinates hold latitude before longitude (only so do they give the pipes' lengths); "
        "exchanged"
    )
    return True


def _fill(
    reading: Reading,
    junctions: pd.DataFrame,
    pipes: pd.DataFrame,
    places: dict[str, Point],
    routes: Routes,
) -> None:
    """Add to `places` what routes and valves tell about junctions without coordinates."""
    missing = [name for name in junctions["name"] if name not in places]
    if not missing or not places:
        return
    for pipe in pipes.itertuples():
        if pipe.name in routes:
            places.setdefault(pipe.from_junction, routes[pipe.name][0])
            places.setdefault(pipe.to_junction, routes[pipe.name][-1])
    for first, second in reading.joined:
        if first in places or second in places:
            places.setdefault(first, places.get(second, (np.nan, np.nan)))
            places.setdefault(second, places[first])
    found = [name for name in missing if name in places]
    if found:
        reading.notes.append(
            f"{len(found)} junctions without coordinates stand where a pipe's line ends or a valve "
            f"joins them: {', '.join(found)}"
        )
    if len(found) < len(missing):
        reading.notes.append(f"{len(missing) - len(found)} junctions have no coordinates")
