"""Heat networks as plain tables: one CSV file a kind of element, and GeoJSON lines as an option.

The columns are those of `COLUMNS` in `tvilling.sciml.systems.heat_network.tables`; they are
written out in docs/network-files.md. Files are UTF-8, with commas between the columns, or with
semicolons and then either decimal sign.
"""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tvilling.datasets.readers.heat.geometry import (
    Point,
    in_degrees,
    latitude_first,
    parse_points,
    route_length_m,
    swap,
)
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.csv_table import read_cells
from tvilling.sciml.io.strict_json import read_json
from tvilling.sciml.systems.heat_network.hydraulics.held_pressure import unheld_notes
from tvilling.sciml.systems.heat_network.tables import COLUMNS, HeatNetworkTables, check_tables
from tvilling.sciml.systems.heat_network.topology.connectivity import connectivity

NEEDED = ("junctions", "pipes", "consumers", "sources")
GEOJSON = "network.geojson"
Routes = dict[str, list[Point]]


def read_heat_tables(folder: str | Path) -> HeatNetworkTables:
    """Tables of the network in `folder`.

    Reads `junctions.csv`, `pipes.csv`, `consumers.csv` and `sources.csv`, and where they are
    there `valves.csv`, `pumps.csv`, `exchangers.csv`, `injections.csv` and `network.geojson`:
    a LineString for a pipe or a Point for a junction, in WGS84 (longitude first), each with the
    property `name`. Other CSV files are faults, so that a misspelt name is not overlooked.

    Raises
    ------
    InputError
        With every fault of every file: encoding, columns, values, duplicates, dangling ends,
        what has no path to a source.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(str(folder), ["no such folder"])
    tables: dict[str, pd.DataFrame | None] = {}
    faults = _unknown_files(folder)
    for kind in COLUMNS:
        path = folder / f"{kind}.csv"
        if os.path.lexists(path) or kind in NEEDED:
            tables[kind], found = _read_csv(path, kind)
            faults += found
    points, routes, found = _read_geojson(folder / GEOJSON)
    checked, more = check_tables(tables, suffix=".csv")
    faults += found + more
    faults += _unknown_names(checked, points, routes, tables)
    if faults:
        raise InputError(str(folder), faults)
    points, routes, notes = _longitude_first(checked["pipes"], points, routes)
    checked["junctions"] = _with_points(checked["junctions"], points)
    network = HeatNetworkTables(**checked, source=str(folder), routes=routes)
    apart = connectivity(network)
    if apart.faults:
        raise InputError(str(folder), apart.faults)
    return replace(
        network, notes=(*notes, *apart.notes, *unheld_notes(network), *_odd_lengths(network))
    )


def write_heat_tables(tables: HeatNetworkTables, folder: str | Path) -> list[Path]:
    """Write `tables` as the files that `read_heat_tables` reads; gives their paths.

    Empty tables and columns that hold only their default are left out. Coordinates and routes in
    degrees go into `network.geojson`, others stay in `junctions.csv`.

    Raises
    ------
    InputError
        The folder exists and is not empty; nothing is overwritten.
    """
    folder = Path(folder)
    if folder.exists() and any(folder.iterdir()):
        raise InputError(str(folder), ["is not empty; nothing is overwritten"])
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    xy = tables.junctions[["x", "y"]].to_numpy(dtype=float)
    as_geojson = in_degrees(xy[~np.isnan(xy).any(axis=1)]) and bool(tables.routes)
    for kind, columns in COLUMNS.items():
        table = getattr(tables, kind)
        if not len(table) and kind not in NEEDED:
            continue
        kept = [c.name for c in columns if c.required or not _is_default(table[c.name], c.default)]
        if as_geojson:
            kept = [name for name in kept if kind != "junctions" or name not in ("x", "y")]
        text = table[kept].replace(np.inf, np.nan)
        text.to_csv(folder / f"{kind}.csv", index=False, encoding="utf-8", lineterminator="\n")
        written.append(folder / f"{kind}.csv")
    if as_geojson:
        content = json.dumps(_geojson(tables), ensure_ascii=False, indent=1)
        (folder / GEOJSON).write_text(content + "\n", encoding="utf-8")
        written.append(folder / GEOJSON)
    return written


def _unknown_files(folder: Path) -> list[str]:
    known = {f"{kind}.csv" for kind in COLUMNS} | {GEOJSON}
    return [
        f"{path.name}: is not known; known are {', '.join(sorted(known))}"
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in (".csv", ".geojson") and path.name not in known
    ]


def _read_csv(path: Path, kind: str) -> tuple[pd.DataFrame | None, list[str]]:
    """Cells of a file as text, indexed by line less two; None with a fault if unreadable."""
    numbers = {column.name for column in COLUMNS[kind] if column.kind == "float"}
    try:
        cells, faults = read_cells(path, numbers.__contains__)
    except InputError as unread:
        return None, [f"{path.name}: {fault}" for fault in unread.faults]
    return (cells if len(cells.columns) else None), faults


def _read_geojson(path: Path) -> tuple[dict[str, Point], Routes, list[str]]:
    """Points of junctions and lines of pipes by name, and the faults of the file."""
    points: dict[str, Point] = {}
    routes: Routes = {}
    if not os.path.lexists(path):
        return points, routes, []
    try:
        features = read_json(path)["features"]
    except InputError as unread:
        return points, routes, [f"{path.name}: {fault}" for fault in unread.faults]
    except (KeyError, TypeError):
        return points, routes, [f"{path.name}: is not a GeoJSON FeatureCollection"]
    faults = []
    for at, feature in enumerate(features if isinstance(features, list) else []):
        place = f"{path.name}, feature {at + 1}"
        name, line = _feature(feature)
        if not name:
            faults.append(f"{place}: has no property name")
        elif not line:
            faults.append(f"{place} ({name}): expected a Point or a LineString of numbers")
        elif not in_degrees(np.array(line)) or abs(line[0][1]) > 90:
            faults.append(f"{place} ({name}): {line[0]} is not longitude, latitude in degrees")
        elif name in (points if len(line) == 1 else routes):
            faults.append(f"{place}: name {name} stands twice")
        elif len(line) == 1:
            points[name] = line[0]
        else:
            routes[name] = line
    return points, routes, faults


def _feature(feature: Any) -> tuple[str, list[Point]]:
    if not isinstance(feature, dict):
        return "", []
    properties = feature.get("properties")
    name = properties.get("name") if isinstance(properties, dict) else None
    return ("" if name is None else str(name)), parse_points(feature.get("geometry"))


def _unknown_names(
    checked: dict[str, pd.DataFrame],
    points: dict[str, Point],
    routes: Routes,
    read: dict[str, pd.DataFrame | None],
) -> list[str]:
    faults = []
    for kind, found in (("junctions", points), ("pipes", routes)):
        if read.get(kind) is not None:
            known = set(checked[kind]["name"])
            faults += [
                f"{GEOJSON}: {name} is not in {kind}.csv" for name in found if name not in known
            ]
    return faults


def _with_points(junctions: pd.DataFrame, points: dict[str, Point]) -> pd.DataFrame:
    """Junctions with the coordinates of `points`, where they have none of their own."""
    if not points:
        return junctions
    found = junctions["name"].map(points)
    x, y = (found.map(lambda p, i=i: p[i] if isinstance(p, tuple) else np.nan) for i in (0, 1))
    return junctions.assign(x=junctions["x"].fillna(x), y=junctions["y"].fillna(y))


def _longitude_first(
    pipes: pd.DataFrame, points: dict[str, Point], routes: Routes
) -> tuple[dict[str, Point], Routes, list[str]]:
    """Points and lines with longitude first, and a note where that was not so."""
    length_m = dict(zip(pipes["name"], pipes["length_m"], strict=True))
    if not latitude_first(list(routes.values()), [length_m[name] for name in routes]):
        return points, routes, []
    note = (
        f"{GEOJSON} holds latitude before longitude (only so does it give the pipes' lengths); "
        "exchanged"
    )
    turned = {name: (y, x) for name, (x, y) in points.items()}
    return turned, {name: swap(line) for name, line in routes.items()}, [note]


def _odd_lengths(tables: HeatNetworkTables) -> list[str]:
    """A note on pipes whose length is far from that of their line: a unit may be wrong."""
    length = dict(zip(tables.pipes["name"], tables.pipes["length_m"], strict=True))
    odd = [
        f"{name} ({length[name]:g} m, its line {found:.0f} m)"
        for name, line in tables.routes.items()
        if (found := route_length_m(line, degrees=True)) > 10
        and not 0.5 * found <= length[name] <= 2 * found
    ]
    if not odd:
        return []
    shown = ", ".join(odd[:10]) + (f" and {len(odd) - 10} more" if len(odd) > 10 else "")
    return [f"length and line differ by more than a factor 2 for {len(odd)} pipes: {shown}"]


def _is_default(values: pd.Series, default: float | str | bool) -> bool:
    if values.dtype == object:
        return bool((values == "").all())
    if isinstance(default, float) and np.isnan(default):
        return bool(values.isna().all())
    return bool((values == default).all())


def _geojson(tables: HeatNetworkTables) -> dict[str, Any]:
    def feature(kind: str, name: str, coordinates: Any) -> dict[str, Any]:
        geometry = {"type": kind, "coordinates": coordinates}
        return {"type": "Feature", "properties": {"name": name}, "geometry": geometry}

    placed = tables.junctions.dropna(subset=["x", "y"])
    points = [
        feature("Point", name, [x, y])
        for name, x, y in zip(placed["name"], placed["x"], placed["y"], strict=True)
    ]
    lines = [feature("LineString", name, line) for name, line in tables.routes.items()]
    return {"type": "FeatureCollection", "features": points + lines}
