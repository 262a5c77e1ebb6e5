"""Copies of one grid, joined: a large grid of which a solution is nearly known.

Copy k + 1 hangs on copy k by lines or transformers between buses of one rated voltage. The first
copy keeps its reference; those of the others are generators that give what they give alone.
Every copy has its loads times a factor of its own, so that power goes over what joins them.
"""

from copy import deepcopy
from typing import Any

import numpy as np
import pandapower as pp
import pandas as pd
from pandapower_peer import quiet

ENDS = ("bus", "from_bus", "to_bus", "hv_bus", "mv_bus", "lv_bus")
SWITCHED = {"b": "bus", "l": "line", "t": "trafo", "t3": "trafo3w"}
BASE_MVA = 100.0
JOINS = 3  # between one copy and the next
X_PU, R_PU = 0.05, 0.005  # of a join, on `BASE_MVA`


def merged(net: Any, copies: int, by: str, seed: int = 0) -> tuple[Any, np.ndarray]:
    """`copies` of `net` joined by `by`, line or trafo; and voltages by row of its bus table.

    `net` has to be solved: its results say what the references give, and tiled they are the
    voltages that come back [p.u.].
    """
    rng = np.random.default_rng(seed)
    out = deepcopy(net)
    step = {name: int(net[name].index.max()) + 1 for name in net if _numbered(net[name])}
    for name in step:
        if not name.startswith(("res_", "_")) and "_cost" not in name:
            parts = [_moved(net, name, k, step) for k in range(copies)]
            out[name] = pd.concat(parts)
    for k in range(copies):
        rows = out.load.index // step["load"] == k
        out.load.loc[rows, ["p_mw", "q_mvar"]] *= rng.uniform(0.97, 1.03)
    _with_one_reference(out, net, copies, step)
    _joined(out, net, copies, by, step["bus"], rng)
    result = net.res_bus.loc[net.bus.index]
    v = result["vm_pu"].to_numpy() * np.exp(1j * np.radians(result["va_degree"].to_numpy()))
    return out, np.tile(v, copies)


def _numbered(table: Any) -> bool:
    return isinstance(table, pd.DataFrame) and len(table) > 0 and table.index.dtype.kind == "i"


def _moved(net: Any, name: str, k: int, step: dict[str, int]) -> pd.DataFrame:
    """Table `name` of copy `k`, with its own numbers."""
    table = net[name].copy()
    table.index = table.index + k * step[name]
    for column in ENDS:
        if column in table:
            table[column] = table[column] + k * step["bus"]
    if name == "switch":
        for kind, other in SWITCHED.items():
            rows = table["et"] == kind
            table.loc[rows, "element"] += k * step.get(other, 0)
    return table


def _with_one_reference(out: Any, net: Any, copies: int, step: dict[str, int]) -> None:
    """External grids, and generators that are slack, of all copies but the first hold P and V."""
    if len(net.gen):
        again = out.gen.index >= step["gen"]
        slack = again & out.gen["slack"].to_numpy(bool)
        alone = net.res_gen.loc[out.gen.index[slack] % step["gen"], "p_mw"]
        out.gen.loc[slack, "p_mw"] = alone.to_numpy()
        out.gen.loc[slack, "slack"] = False
    out["ext_grid"] = out.ext_grid.iloc[: len(net.ext_grid)]
    for k in range(1, copies):
        for row in net.ext_grid[net.ext_grid.in_service].index:
            bus = int(net.ext_grid.bus[row]) + k * step["bus"]
            p_mw, vm_pu = float(net.res_ext_grid.p_mw[row]), float(net.ext_grid.vm_pu[row])
            pp.create_gen(out, bus, p_mw, vm_pu=vm_pu)


def _joined(out: Any, net: Any, copies: int, by: str, step: int, rng: np.random.Generator) -> None:
    """Lines, or transformers of 1 % more or less, from each copy to the next."""
    live = net.bus.index[np.isfinite(net.res_bus["vm_pu"].loc[net.bus.index])]
    kv = net.bus.vn_kv.loc[live]
    top = live[kv == kv[kv.duplicated(keep=False)].max()]
    for k in range(copies - 1):
        for _ in range(JOINS):
            a, b = (int(bus) for bus in rng.choice(top, 2))
            ends = a + k * step, b + (k + 1) * step
            ohm = float(kv[a]) ** 2 / BASE_MVA
            if by == "line":
                pp.create_line_from_parameters(
                    out, *ends, 1.0, R_PU * ohm, X_PU * ohm, 0.0, max_i_ka=10.0
                )
            else:
                pp.create_transformer_from_parameters(
                    out, *ends, BASE_MVA, kv[a] * rng.choice([0.99, 1.0, 1.01]), kv[a],
                    vkr_percent=100 * R_PU, vk_percent=100 * float(np.hypot(R_PU, X_PU)),
                    pfe_kw=0.0, i0_percent=0.0,
                )  # fmt: skip


def solved(net: Any) -> Any:
    """`net`, solved by pandapower."""
    with quiet():
        pp.runpp(net, lightsim2grid=False, numba=False, max_iteration=30)
    return net
