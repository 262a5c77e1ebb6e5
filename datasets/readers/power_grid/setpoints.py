"""Machines that hold one point of a grid at different voltages: no power flow can obey them all.

One point is a bus, or several that closed switches or branches of next to no impedance join. The
fault names the machines and what each holds; without it a solver could only say that there is no
solution.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tvilling.datasets.readers.power_grid.checks import in_service, numbers
from tvilling.datasets.readers.power_grid.labels import element

if TYPE_CHECKING:
    from pandapower import pandapowerNet

ONE_POINT_MVA = 1e8
"""Short-circuit power of a branch from which on its ends are one point: 0.01 p.u. between them
would drive 1e6 MVA, which is beyond every grid."""
TOLERANCE = 1e-5  # relative, as pandapower's own check
HOLDING = (("ext_grid", "bus", "vm_pu"), ("gen", "bus", "vm_pu"),
           ("dcline", "from_bus", "vm_from_pu"), ("dcline", "to_bus", "vm_to_pu"))  # fmt: skip


@dataclass(frozen=True)
class _Held:
    """A machine, its bus, and what it holds there."""

    name: str
    bus: int
    value: float


def setpoint_faults(net: "pandapowerNet") -> list[str]:
    """A fault for each point that machines hold at different voltages or angles.

    Parameters
    ----------
    net
        A net whose tables have no other faults.
    """
    point = _points(net)
    voltages = [one for kind, end, column in HOLDING for one in _held(net, kind, end, column)]
    counts = (net.get("user_pf_options") or {}).get("calculate_voltage_angles", True)
    angles = list(_held(net, "ext_grid", "bus", "va_degree")) if counts else []
    faults = _conflicts(net, point, voltages, "p.u.", TOLERANCE)
    return faults + _conflicts(net, point, angles, "degree", 0.0)


def _held(net: "pandapowerNet", kind: str, end: str, column: str) -> Iterator[_Held]:
    """Machines of a table that are in service, at buses that are."""
    table = net.get(kind)
    if not isinstance(table, pd.DataFrame) or table.empty or column not in table:
        return
    alive = net.bus.index[in_service(net.bus)]
    on = in_service(table) & table[end].isin(alive).to_numpy()
    values = numbers(table, column)
    for row in np.flatnonzero(on & np.isfinite(values)):
        name = element(table, kind, int(row)) + {"from_bus": " (from)", "to_bus": " (to)"}.get(
            end, ""
        )
        yield _Held(name, int(table[end].iloc[row]), float(values[row]))


def _points(net: "pandapowerNet") -> pd.Series:
    """Number of the point that each bus is a part of, by bus."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    place = pd.Series(np.arange(len(net.bus)), net.bus.index)
    pairs = np.concatenate([_switched(net), _stiff(net)])
    alive = in_service(net.bus)[place.loc[pairs.ravel()].to_numpy()].reshape(-1, 2).all(axis=1)
    one, other = (place.loc[ends].to_numpy() for ends in pairs[alive].T)
    joined = csr_matrix((np.ones(len(one)), (one, other)), shape=(len(place), len(place)))
    return pd.Series(connected_components(joined, directed=False)[1], net.bus.index)


def _switched(net: "pandapowerNet") -> np.ndarray:
    """Pairs of buses that a closed switch joins."""
    switch = net.switch
    closed = (switch["closed"] == True).to_numpy(bool)  # noqa: E712  it may hold other things
    kv = net.bus["vn_kv"].astype(float)
    between = closed & (switch["et"] == "b").to_numpy(bool)
    ohm = np.nan_to_num(numbers(switch, "z_ohm"))
    at = kv.reindex(switch["bus"]).to_numpy()
    stiff = between & (np.abs(ohm) * ONE_POINT_MVA <= at**2)
    return switch.loc[stiff, ["bus", "element"]].to_numpy(np.int64).reshape(-1, 2)


def _stiff(net: "pandapowerNet") -> np.ndarray:
    """Pairs of buses that lines or impedances of next to nothing join."""
    line, impedance = net.line, net.impedance
    kv = net.bus["vn_kv"].astype(float).reindex(line["from_bus"]).to_numpy()
    ohm = np.hypot(numbers(line, "r_ohm_per_km"), numbers(line, "x_ohm_per_km"))
    ohm = ohm * numbers(line, "length_km") / np.maximum(numbers(line, "parallel"), 1)
    open_ended = net.switch.loc[
        (net.switch["et"] == "l") & (net.switch["closed"] != True), "element"  # noqa: E712
    ]
    on = in_service(line) & ~line.index.isin(open_ended)
    pairs = [_ends(line, on & (ohm * ONE_POINT_MVA <= kv**2))]
    size = np.hypot(numbers(impedance, "rft_pu"), numbers(impedance, "xft_pu"))
    stiff = size * ONE_POINT_MVA <= numbers(impedance, "sn_mva")
    return np.concatenate([*pairs, _ends(impedance, in_service(impedance) & stiff)])


def _ends(table: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
    return table.loc[rows, ["from_bus", "to_bus"]].to_numpy(np.int64).reshape(-1, 2)


def _conflicts(
    net: "pandapowerNet", point: pd.Series, machines: list[_Held], unit: str, tolerance: float
) -> list[str]:
    at: dict[int, list[_Held]] = {}
    for one in machines:
        at.setdefault(int(point[one.bus]), []).append(one)
    faults = []
    for group in at.values():
        first = group[0]
        for other in group[1:]:
            if np.isclose(other.value, first.value, rtol=tolerance, atol=1e-8):
                continue
            names = [_bus(net, one.bus) for one in (first, other)]
            where = names[0] if first.bus == other.bus else f"{' and '.join(names)}, joined as one,"
            faults.append(
                f"{where} is held at {first.value:g} {unit} by {first.name} and at "
                f"{other.value:g} {unit} by {other.name}, expected one set-point"
            )
    return faults


def _bus(net: "pandapowerNet", index: int) -> str:
    return element(net.bus, "bus", int(np.flatnonzero(net.bus.index == index)[0]))
