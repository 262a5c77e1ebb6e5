"""What of a pandapower network cannot be modelled, by name."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tvilling.sciml.systems.power_grid.model.grid import PowerGrid

TABLES = {
    "svc": "a static VAR compensator",
    "tcsc": "a thyristor-controlled series capacitor",
    "ssc": "a static synchronous compensator",
    "vsc": "a voltage-source converter",
    "b2b_vsc": "a back-to-back converter",
    "bi_vsc": "a bipolar converter",
    "line_dc": "a DC line",
}
SHOWN = 20


def refused_elements(net: Any, options: Mapping[str, Any]) -> list[str]:
    """Faults of a network whose power flow has unknowns beside the voltages of its buses.

    Parameters
    ----------
    options
        As `pandapower.runpp` takes them.
    """
    faults = []
    for kind, words in TABLES.items():
        rows = net.get(kind, ())
        if len(rows):
            rows = rows[rows["in_service"].astype(bool)]
            faults += [f"{_called(rows, kind, at)} is {words}: not modelled" for at in rows.index]
    if options.get("tdpf"):
        rows = net.line
        if "tdpf" in rows:
            rows = rows[rows["tdpf"].fillna(False).astype(bool)]
        faults += [
            f"{_called(rows, 'line', at)}: a resistance that follows the current (tdpf) is not "
            "modelled"
            for at in rows.index
        ]
    return faults


def unsound(grid: PowerGrid) -> list[str]:
    """Faults of buses and branches whose numbers no power flow can take."""
    at_bus = np.zeros(grid.n_bus, bool)
    for values in (grid.p_pu, grid.q_pu, grid.shunt_g, grid.shunt_b, grid.vm_pu, grid.vn_kv):
        at_bus |= ~np.isfinite(values)
    at_bus[grid.depends] |= ~np.isfinite(grid.depends_share).all(axis=1)
    buses = np.flatnonzero((grid.buses.bus >= 0) & at_bus[grid.buses.bus])
    faults = [
        f"bus {grid.buses.index[row]} ({grid.buses.name[row]}): something there has no value"
        for row in buses[:SHOWN]
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        bad = ~np.isfinite(grid.two_port).all(axis=1)
    for group in grid.groups.values():
        rows = np.flatnonzero(np.append(bad, False)[group.branch])
        faults += [
            f"{group.kind} {group.index[row]} ({group.name[row]}): its impedance is 0 or has no "
            "value"
            for row in rows[:SHOWN]
        ]
    return faults


def _called(table: Any, kind: str, index: Any) -> str:
    name = table.at[index, "name"] if "name" in table else None
    return f"{kind} {index} ({name})" if isinstance(name, str) and name else f"{kind} {index}"
