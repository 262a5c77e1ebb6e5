"""What a heat network amounts to: counts, lengths, volumes, loops, loads."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tvilling.sciml.systems.heat_network.plausibility import implausible
from tvilling.sciml.systems.heat_network.tables import COLUMNS, HeatNetworkTables
from tvilling.sciml.systems.heat_network.topology.connectivity import loop_count
from tvilling.sciml.systems.heat_network.topology.paths import shortest_paths


@dataclass(frozen=True)
class Summary:
    """Figures of one network. Each unit is the ending of the name.

    Attributes
    ----------
    counts
        Elements by kind.
    supply_m, return_m
        Length of the pipes nearer to a supply junction of a source than to a return junction,
        and of the others [m].
    pipe_m, trench_m
        Length of all pipes, and of the trench: the longer of supply and return [m].
    supply_m3, return_m3
        Water in the pipes [m3].
    loops
        Independent loops; supply and return count each for itself.
    design_load_w
        Sum of the consumers' heat demands [W]; consumers that prescribe flow alone count with
        nothing.
    load_w_per_m
        Design load over the trench [W/m].
    inner_diameter_mm, elevation_m
        Least and greatest.
    loss_w_per_k
        Heat loss of all pipes per kelvin above the ground [W/K].
    closed_valves
        Names of the valves that are closed.
    notes
        What the reader has to say.
    """

    source: str
    counts: dict[str, int]
    pipe_m: float
    trench_m: float
    supply_m: float
    return_m: float
    supply_m3: float
    return_m3: float
    loops: int
    design_load_w: float
    load_w_per_m: float
    inner_diameter_mm: tuple[float, float]
    elevation_m: tuple[float, float]
    loss_w_per_k: float
    closed_valves: tuple[str, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The figures as plain values, for JSON."""
        return asdict(self)


def summarise(tables: HeatNetworkTables) -> Summary:
    """Figures of checked tables."""
    pipes, consumers, valves = tables.pipes, tables.consumers, tables.valves
    length_m = pipes["length_m"].to_numpy(dtype=float)
    volume_m3 = np.pi / 4 * pipes["inner_diameter_m"].to_numpy(dtype=float) ** 2 * length_m
    back = _on_return_side(tables)
    supply_m, return_m = float(length_m[~back].sum()), float(length_m[back].sum())
    trench_m = max(supply_m, return_m)
    load_w = float(consumers["heat_w"].sum())
    return Summary(
        source=tables.source,
        counts={kind: len(getattr(tables, kind)) for kind in COLUMNS},
        pipe_m=supply_m + return_m,
        trench_m=trench_m,
        supply_m=supply_m,
        return_m=return_m,
        supply_m3=float(volume_m3[~back].sum()),
        return_m3=float(volume_m3[back].sum()),
        loops=loop_count(tables),
        design_load_w=load_w,
        load_w_per_m=load_w / trench_m if trench_m > 0 else 0.0,
        inner_diameter_mm=_span(1000 * pipes["inner_diameter_m"].to_numpy(dtype=float)),
        elevation_m=_span(tables.junctions["elevation_m"].to_numpy(dtype=float)),
        loss_w_per_k=float((pipes["loss_w_per_mk"].to_numpy(dtype=float) * length_m).sum()),
        closed_valves=tuple(valves["name"][~valves["is_open"].astype(bool)]) if len(valves) else (),
        notes=(*tables.notes, *implausible(tables)),
    )


def _on_return_side(tables: HeatNetworkTables) -> np.ndarray:
    """Which pipes lie nearer to a return junction of a source than to a supply junction."""
    supply, back = shortest_paths(tables)
    position = {name: at for at, name in enumerate(tables.junctions["name"])}
    start = tables.pipes["from_junction"].map(position).to_numpy(dtype=int)
    end = tables.pipes["to_junction"].map(position).to_numpy(dtype=int)
    out = np.minimum(supply.distance_m[start], supply.distance_m[end])
    home = np.minimum(back.distance_m[start], back.distance_m[end])
    return home < out


def _span(values: np.ndarray) -> tuple[float, float]:
    return (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
