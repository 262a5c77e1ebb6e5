"""Numbers in the tables that are allowed and yet hardly meant: other units, other places.

Each check has a stated limit; what it finds is a note, so that an unusual network still runs.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from tvilling.sciml.systems.heat_network.hydraulics.singular import unknown_temperatures
from tvilling.sciml.systems.heat_network.tables import HeatNetworkTables
from tvilling.sciml.systems.heat_network.topology.connectivity import NAMES_SHOWN

MIN_HEAT_W = 100.0  # of one consumer; a house in summer takes more over a day
MIN_SHARE_OF_MEDIAN = 1 / 100  # of the median demand of the network
MAX_TIMES_MEDIAN = 300.0
MIN_VELOCITY_M_PER_S = 0.002  # median over pipes, at the stated demands and temperatures
MAX_VELOCITY_M_PER_S = 10.0
SHORT_SHARE, SHORT_M = 0.95, 1.0  # of, and below, the distance between a pipe's ends
MIN_MEDIAN_LENGTH_M = 0.5  # of pipes without coordinates
LONG_FACTOR = 20.0
MIN_DISTANCE_M = 1.0  # below it positions are too coarse to tell
MIN_DIAMETER_M, MAX_DIAMETER_M = 0.005, 1.6
MAX_SUPPLY_DEGC, MAX_PRESSURE_BAR = 150.0, 40.0
EARTH_M_PER_DEG = 111_195.0
J_PER_KGK, KG_PER_M3 = 4190.0, 975.0
MIN_COOLING_K = 10.0


def implausible(tables: HeatNetworkTables) -> list[str]:
    """What looks like a wrong unit or a wrong place in checked tables, one line a finding."""
    return [
        *_heat(tables),
        *_lengths(tables),
        *_sizes(tables),
        *_sources(tables),
        *unknown_temperatures(tables),
    ]


def _heat(tables: HeatNetworkTables) -> list[str]:
    """Demands that look like kilowatts, singly or all together."""
    rows = tables.consumers
    heat = rows["heat_w"]
    asked = heat > 0
    if not asked.any():
        return []
    median, notes = float(heat[asked].median()), []
    low = asked & (heat < MIN_HEAT_W) & (heat < MIN_SHARE_OF_MEDIAN * median)
    high = heat > MAX_TIMES_MEDIAN * median
    notes += _note(
        rows, low, "consumers", "heat_w", "W",
        f"below {MIN_HEAT_W:g} W and 1 % of the median {median:.4g} W; perhaps typed in kW",
    )  # fmt: skip
    notes += _note(
        rows, high & (heat > 1e7), "consumers", "heat_w", "W",
        f"above 10 MW and 300 times the median {median:.4g} W; is it a sum or another unit?",
    )  # fmt: skip
    if median < MIN_HEAT_W:
        notes.append(
            f"consumers: half of the demands are below {MIN_HEAT_W:g} W (median {median:.3g} W); "
            "perhaps heat_w is typed in kW"
        )
    velocity = _velocity_m_per_s(tables)
    if velocity is not None and not low.any() and median >= MIN_HEAT_W:
        if velocity < MIN_VELOCITY_M_PER_S:
            notes.append(
                f"consumers and pipes: at all demands the widest pipe has {velocity:.2g} m/s, "
                f"expected at least {MIN_VELOCITY_M_PER_S:g} m/s; demands in another unit, "
                "or diameters?"
            )
        elif velocity > MAX_VELOCITY_M_PER_S:
            notes.append(
                f"consumers and pipes: at all demands the widest pipe has {velocity:.3g} m/s, "
                f"expected at most {MAX_VELOCITY_M_PER_S:g} m/s; demands in another unit, "
                "or diameters?"
            )
    return notes


def _velocity_m_per_s(tables: HeatNetworkTables) -> float | None:
    """Velocity that all demands together would have in as many of the widest pipe as sources."""
    rows, pipes = tables.consumers, tables.pipes
    if not len(pipes):
        return None
    supply = float(tables.sources["supply_degc"].max())
    cooling = rows["cooling_k"].fillna(supply - rows["return_degc"]).fillna(30.0)
    asked = rows["heat_w"] / (J_PER_KGK * cooling.clip(lower=MIN_COOLING_K))
    flow = float(rows["flow_kg_per_s"].fillna(asked).fillna(0.0).sum())
    area = np.pi / 4 * float(pipes["inner_diameter_m"].max()) ** 2
    return flow / (KG_PER_M3 * area * len(tables.sources))


def _lengths(tables: HeatNetworkTables) -> list[str]:
    """Pipes shorter than the distance of their ends, or very much longer."""
    pipes, distance = tables.pipes, end_distance_m(tables)
    known = pd.Series(distance > MIN_DISTANCE_M, index=pipes.index)
    ratio = pd.Series(pipes["length_m"].to_numpy(float) / np.maximum(distance, 1e-9), pipes.index)
    missing = pd.Series(distance - pipes["length_m"].to_numpy(float), pipes.index)
    short = known & (ratio < SHORT_SHARE) & (missing > SHORT_M)
    long = known & (ratio > LONG_FACTOR)
    real = pipes["length_m"][pipes["length_m"] > 0]
    if not known.any() and len(real) and real.median() < MIN_MEDIAN_LENGTH_M:
        return [
            f"pipes: half of the lengths are below {MIN_MEDIAN_LENGTH_M:g} m (median "
            f"{real.median():.3g} m); perhaps length_m is typed in km"
        ]
    if known.any() and (ratio[known] < 0.01).mean() > 0.5:
        return [
            f"pipes: lengths are {float(ratio[known].median()):.2g} times the distance of the "
            "pipes' ends in the median; perhaps length_m is typed in km"
        ]
    if known.any() and (ratio[known] > LONG_FACTOR).mean() > 0.5:
        return [
            f"pipes: lengths are {float(ratio[known].median()):.3g} times the distance of the "
            "pipes' ends in the median; another unit, or coordinates of another place?"
        ]
    return [
        *_note(
            pipes, short, "pipes", "length_m", "m",
            "shorter than the distance of its ends in the coordinates", distance,
        ),
        *_note(
            pipes, long & (pipes["length_m"] > 100.0), "pipes", "length_m", "m",
            f"over {LONG_FACTOR:g} times the distance of its ends in the coordinates", distance,
        ),
    ]  # fmt: skip


def end_distance_m(tables: HeatNetworkTables) -> np.ndarray:
    """Distance between the ends of each pipe by the coordinates [m]; NaN where there are none.

    Degrees are taken as longitude and latitude on a sphere, anything else as metres; heights
    count as well.
    """
    place = tables.junctions.set_index("name")
    ends = [place.loc[tables.pipes[end]] for end in ("from_junction", "to_junction")]
    x, y, z = (
        np.stack([end[axis].to_numpy(float) for end in ends]) for axis in ("x", "y", "elevation_m")
    )
    every = place[["x", "y"]].dropna()
    if len(every) and (every["x"].abs() <= 180).all() and (every["y"].abs() <= 90).all():
        x = x * EARTH_M_PER_DEG * np.cos(np.radians(np.nanmean(y)))
        y = y * EARTH_M_PER_DEG
    level = np.hypot(x[1] - x[0], y[1] - y[0])
    return np.hypot(level, z[1] - z[0])


def _sizes(tables: HeatNetworkTables) -> list[str]:
    """Diameters that look like millimetres, inches or decimetres."""
    notes = []
    for kind in ("pipes", "valves", "exchangers"):
        rows = getattr(tables, kind)
        wide = rows["inner_diameter_m"] > MAX_DIAMETER_M
        thin = rows["inner_diameter_m"] < MIN_DIAMETER_M
        says = f"expected {MIN_DIAMETER_M:g} to {MAX_DIAMETER_M:g} m; another unit?"
        notes += _note(rows, wide | thin, kind, "inner_diameter_m", "m", says)
    return notes


def _sources(tables: HeatNetworkTables) -> list[str]:
    """Temperatures and pressures that look like kelvin, Fahrenheit or kilopascal."""
    rows = tables.sources
    says = f"above {MAX_SUPPLY_DEGC:g} °C; perhaps in °F or K"
    notes = _note(rows, rows["supply_degc"] > MAX_SUPPLY_DEGC, "sources", "supply_degc", "°C", says)
    for name in ("supply_bar", "lift_bar"):
        says = f"above {MAX_PRESSURE_BAR:g} bar; perhaps in kPa, psi or metres"
        notes += _note(rows, rows[name] > MAX_PRESSURE_BAR, "sources", name, "bar", says)
    return notes


def _note(
    rows: pd.DataFrame,
    bad: pd.Series,
    kind: str,
    column: str,
    unit: str,
    says: str,
    distance_m: np.ndarray | None = None,
) -> list[str]:
    """One line that names the first rows in `bad`, with their values."""
    at: Iterable[int] = np.flatnonzero(bad.to_numpy())
    named = [
        f"{rows['name'].iloc[k]} {rows[column].iloc[k]:g} {unit}"
        + (f" of {distance_m[k]:.4g} m" if distance_m is not None else "")
        for k in list(at)[:NAMES_SHOWN]
    ]
    count = int(bad.sum())
    more = f" and {count - NAMES_SHOWN} more" if count > NAMES_SHOWN else ""
    return [f"{kind}: {column} of {', '.join(named)}{more}: {says}"] if count else []
