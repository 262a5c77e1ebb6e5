"""What of a checked pandapower net is computed as it stands, though its author may not mean it."""

from typing import TYPE_CHECKING

import numpy as np

from tvilling.datasets.readers.pandapower.columns import COLUMNS, SCALING
from tvilling.datasets.readers.power_grid.checks import numbers
from tvilling.datasets.readers.power_grid.labels import elements

if TYPE_CHECKING:
    from pandapower import pandapowerNet


def oddities(net: "pandapowerNet") -> list[str]:
    """Notes on ratings, voltages, taps, scalings and phases, naming the elements."""
    notes = [*_unrated(net), *_two_voltages(net), *_taps_beyond(net)]
    return [*notes, *_turned(net), *_asymmetric(net)]


def _unrated(net: "pandapowerNet") -> list[str]:
    bare = ~(numbers(net.line, "max_i_ka") > 0)
    if not bare.any():
        return []
    where = elements(net.line, "line", bare)
    return [f"max_i_ka is 0 or has no value: no rating, and the loading is not judged: {where}"]


def _two_voltages(net: "pandapowerNet") -> list[str]:
    """Lines between two rated voltages: their p.u. values belong to that of from_bus."""
    kv = net.bus["vn_kv"].astype(float)
    one, other = (kv.loc[net.line[end]].to_numpy() for end in ("from_bus", "to_bus"))
    bad = ~np.isclose(one, other, rtol=1e-6)
    if not bad.any():
        return []
    where = elements(net.line, "line", bad)
    return [f"joins buses of different vn_kv, as if both had that of from_bus: {where}"]


def _taps_beyond(net: "pandapowerNet") -> list[str]:
    notes = []
    for kind in ("trafo", "trafo3w"):
        table = net[kind]
        at, low, high = (numbers(table, f"tap_{name}") for name in ("pos", "min", "max"))
        bad = (at < low) | (at > high)
        if bad.any():
            where = elements(table, kind, bad)
            notes.append(f"tap_pos is outside tap_min to tap_max, and kept: {where}")
    return notes


def _turned(net: "pandapowerNet") -> list[str]:
    notes = []
    for kind in (kind for kind, columns in COLUMNS.items() if SCALING in columns):
        bad = numbers(net[kind], "scaling") < 0 if kind in net else np.zeros(0, bool)
        if bad.any():
            where = elements(net[kind], kind, bad)
            notes.append(f"scaling is negative, which turns the power round: {where}")
    return notes


def _asymmetric(net: "pandapowerNet") -> list[str]:
    return [
        f"taken as balanced, with the sum of their three phases: {len(net[kind])} of {kind}"
        for kind in ("asymmetric_load", "asymmetric_sgen")
        if kind in net and len(net[kind])
    ]
