"""power-grid-model on a grid of ours: batches of loads, and of branches switched off."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.sciml.io.extras import needs_extra

if TYPE_CHECKING:
    from tvilling.benchmarks.power_reduced import Reduced

NAME = "power-grid-model"
BRANCHES, LOADS, SGENS, FIXED, SHUNTS, SOURCES = (k * 1_000_000 for k in range(1, 7))
STEPS = 30
TOLERANCE = 1e-8
ALONE = -1  # its argument `threading`, which else is a number of threads
STIFF_VA = 1e20  # short-circuit power of the source, which then holds its voltage exactly


def version() -> str:
    """Version that is installed.

    Raises
    ------
    MissingExtraError
        None is.
    """
    from importlib.metadata import version

    with needs_extra("peers"):
        import power_grid_model  # noqa: F401
    return version("power-grid-model")


def model(small: "Reduced") -> Any:
    """Its model of the grid.

    Raises
    ------
    ValueError
        If generators hold voltages, which it does not know.
    """
    with needs_extra("peers"):
        from power_grid_model import PowerGridModel
    if len(small.grid.held):
        raise ValueError(f"{small.grid.source}: generators hold voltages")
    return PowerGridModel(_tables(small), system_frequency=50.0)


def load_batch(small: "Reduced", varying: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Its form of `varying`, by columns; `rows` makes rows of it."""
    update: dict[str, Any] = {}
    for kind, table, first, count in (
        ("load", "sym_load", LOADS, len(small.load)),
        ("sgen", "sym_gen", SGENS, len(small.sgen)),
    ):
        columns = {}
        for power, unit in (("p_mw", "p_specified"), ("q_mvar", "q_specified")):
            if f"{kind}_{power}" in varying:
                columns[unit] = small.power(f"{kind}_{power}", varying[f"{kind}_{power}"]) * 1e6
        if columns:
            scenarios = len(next(iter(columns.values())))
            ids = np.tile(np.arange(count, dtype=np.int32) + first, (scenarios, 1))
            update[table] = {"id": ids, **columns}
    return update


def rows(update: dict[str, Any]) -> dict[str, Any]:
    """A batch by rows, the other form that it reads."""
    with needs_extra("peers"):
        from power_grid_model import ComponentType, DatasetType, initialize_array
    tables = {}
    for kind, columns in update.items():
        shape = columns["id"].shape
        tables[kind] = initialize_array(DatasetType.update, ComponentType[kind], shape)
        for name, values in columns.items():
            tables[kind][name] = values
    return tables


def outage_batch(opened: np.ndarray) -> dict[str, Any]:
    """Its form of outages `[scenario, k]` of branches of the reduced grid."""
    off = np.zeros(opened.shape, np.int8)
    ids = (opened + BRANCHES).astype(np.int32)
    return {"generic_branch": {"id": ids, "from_status": off, "to_status": off}}


def batch(
    program: Any, update: dict[str, Any], method: str, threads: int
) -> Callable[[], dict[str, np.ndarray]]:
    """A function that solves the batch `update` and returns magnitudes and angles of nodes."""
    with needs_extra("peers"):
        from power_grid_model import CalculationMethod, ComponentType

    def run() -> dict[str, np.ndarray]:
        found = program.calculate_power_flow(
            update_data=update,
            symmetric=True,
            error_tolerance=TOLERANCE,
            max_iterations=STEPS,
            calculation_method=CalculationMethod[method],
            threading=ALONE if threads == 1 else threads,
            output_component_types={ComponentType.node: ["u_pu", "u_angle"]},
            continue_on_batch_error=True,
        )
        nodes: dict[str, np.ndarray] = found[ComponentType.node]
        return nodes

    return run


def voltages(nodes: Mapping[str, np.ndarray]) -> np.ndarray:
    """Complex voltages `[scenario, bus]` of the nodes [p.u.]; NaN where they have no supply."""
    v = nodes["u_pu"] * np.exp(1j * nodes["u_angle"])
    return np.where(nodes["u_pu"] == 0, np.nan, v)


def _tables(small: "Reduced") -> dict[str, Any]:
    grid = small.grid
    fixed = np.flatnonzero((small.fixed_mw != 0) | (small.fixed_mvar != 0))
    load, sgen = grid.elements["load"], grid.elements["sgen"]
    size = np.abs(load.sign)[small.load], np.abs(sgen.sign)[small.sgen]
    tables = {
        "node": _nodes(small),
        "generic_branch": _branches(small),
        "sym_load": _powers(
            "sym_load",
            np.r_[np.arange(len(small.load)) + LOADS, np.arange(len(fixed)) + FIXED],
            np.r_[small.load_bus, fixed],
            np.r_[load.p_mw[small.load] * size[0], -small.fixed_mw[fixed]],
            np.r_[load.q_mvar[small.load] * size[0], -small.fixed_mvar[fixed]],
        ),
        "sym_gen": _powers(
            "sym_gen",
            np.arange(len(small.sgen)) + SGENS,
            small.sgen_bus,
            sgen.p_mw[small.sgen] * size[1],
            sgen.q_mvar[small.sgen] * size[1],
        ),
        "shunt": _shunts(small),
        "source": _sources(small),
    }
    return {name: table for name, table in tables.items() if len(table)}


def _array(kind: str, count: int) -> Any:
    with needs_extra("peers"):
        from power_grid_model import ComponentType, DatasetType, initialize_array
    return initialize_array(DatasetType.input, ComponentType[kind], count)


def _nodes(small: "Reduced") -> Any:
    table = _array("node", len(small.bus))
    table["id"] = np.arange(len(small.bus))
    table["u_rated"] = small.grid.vn_kv[small.bus] * 1e3
    return table


def _branches(small: "Reduced") -> Any:
    grid, at = small.grid, small.branch
    b = grid.branches
    table = _array("generic_branch", len(at))
    table["id"] = np.arange(len(at)) + BRANCHES
    table["from_node"], table["to_node"] = small.from_bus, small.to_bus
    table["from_status"] = table["to_status"] = 1
    ohm = grid.vn_kv[grid.to_bus[at]] ** 2 / grid.base_mva
    table["r1"], table["x1"] = b.r[at] * ohm, b.x[at] * ohm
    table["g1"], table["b1"] = b.g[at] / ohm, b.b[at] / ohm
    table["k"], table["theta"] = b.ratio[at], b.shift_rad[at]
    table["sn"] = grid.base_mva * 1e6
    return table


def _powers(kind: str, ids: np.ndarray, bus: np.ndarray, p: np.ndarray, q: np.ndarray) -> Any:
    table = _array(kind, len(ids))
    table["id"], table["node"], table["status"], table["type"] = ids, bus, 1, 0
    table["p_specified"], table["q_specified"] = p * 1e6, q * 1e6
    return table


def _shunts(small: "Reduced") -> Any:
    at = np.flatnonzero(small.shunt)
    siemens = small.shunt[at] * small.grid.base_mva / small.grid.vn_kv[small.bus[at]] ** 2
    table = _array("shunt", len(at))
    table["id"], table["node"], table["status"] = np.arange(len(at)) + SHUNTS, at, 1
    table["g1"], table["b1"] = siemens.real, siemens.imag
    return table


def _sources(small: "Reduced") -> Any:
    grid = small.grid
    table = _array("source", len(grid.slack))
    table["id"], table["status"] = np.arange(len(grid.slack)) + SOURCES, 1
    table["node"] = small.number[grid.slack]
    table["u_ref"], table["u_ref_angle"] = grid.vm_pu[grid.slack], grid.slack_va_rad
    table["sk"], table["rx_ratio"] = STIFF_VA, 0.1
    return table
