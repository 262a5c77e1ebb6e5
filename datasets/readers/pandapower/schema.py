"""What the columns of a pandapower net are for: those of its own structure, and optional ones.

Tables of elements and of results are those of the installed pandapower. Its optional columns are
listed after its documentation of elements (`network_schema`), as far as a power flow, its limits
and costs, or a conversion from an older format use them.
"""

import functools
from typing import TYPE_CHECKING

import pandas as pd

from tvilling.datasets.readers.json import cells as json_cells
from tvilling.datasets.readers.json.cells import CellKind
from tvilling.datasets.readers.json.table import Schema
from tvilling.datasets.readers.pandapower.columns import COLUMNS
from tvilling.datasets.readers.power_grid.labels import listening

if TYPE_CHECKING:
    from pandapower import pandapowerNet

NUMBER, WHOLE, FLAG = json_cells.NUMBER, json_cells.WHOLE, json_cells.FLAG
WORD, FLAG_OR_BLANK = json_cells.WORD, json_cells.FLAG_OR_BLANK
EMPTY = "_empty_"
NEEDED_FLAGS = {"in_service", "closed"}
BLANK_WHOLES = {"max_step", "ref_bus"}
NOT_NEEDED = {"controller", "group", "measurement"}  # by a power flow
LIMITS = ("min_p_mw", "max_p_mw", "min_q_mvar", "max_q_mvar")
TWO_WINDINGS = (
    "tap2_neutral", "tap2_min", "tap2_max", "tap2_step_percent", "tap2_step_degree", "tap2_pos",
    "leakage_resistance_ratio_hv", "leakage_reactance_ratio_hv", "tap_phase_shifter_degree",
)  # fmt: skip
NUMBERS: dict[str, tuple[str, ...]] = {
    "bus": ("min_vm_pu", "max_vm_pu"),
    **dict.fromkeys(("load", "sgen", "storage"), LIMITS),
    "gen": (*LIMITS, "min_vm_pu", "max_vm_pu", "vn_kv", "va_degree"),
    "ext_grid": LIMITS,
    "dcline": ("min_p_mw",),
    "line": ("max_loading_percent", "alpha", "temperature_degree_celsius"),
    "trafo": ("max_loading_percent", *TWO_WINDINGS),
    "trafo3w": ("max_loading_percent",),
    "trafo_characteristic_table": (
        "step", "voltage_ratio", "angle_deg", "vk_percent", "vkr_percent",
        *(f"{short}_{side}_percent" for short in ("vk", "vkr") for side in ("hv", "mv", "lv")),
    ),
    "shunt_characteristic_table": ("step", "q_mvar", "p_mw"),
    "q_capability_curve_table": ("p_mw", "q_min_mvar", "q_max_mvar"),
    "bus_geodata": ("x", "y"),
    "bus_dc_geodata": ("x", "y"),
    "pwl_cost": (),
}  # fmt: skip
FLAGS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("load", "sgen", "storage", "gen", "ext_grid"), ("controllable",)),
    "line": ("tdpf",),
    **dict.fromkeys(("trafo", "trafo3w"), ("tap_phase_shifter", "tap_dependent_impedance")),
}
WORDS = {"trafo": ("tap2_side", "tap2_changer_type", "vector_group"), "trafo3w": ("vector_group",)}
OLD = ("bus_geodata", "line_geodata", "bus_dc_geodata", "line_dc_geodata", "polynomial_cost",
       "piecewise_linear_cost")  # fmt: skip
"""Tables of older formats, which pandapower converts."""


@functools.cache
def _empty() -> "pandapowerNet":
    with listening():
        import pandapower

        return pandapower.create_empty_network(add_stdtypes=False)


@functools.cache
def schemas() -> dict[str, Schema]:
    """Kind of each known column, by table; of results too."""
    found: dict[str, dict[str, CellKind]] = {
        name.removeprefix(EMPTY): {column: _kind(column, table) for column in table}
        for name, table in _empty().items()
        if isinstance(table, pd.DataFrame) and (name.startswith(EMPTY) or name[0] not in "_r")
    }
    for name in (*NUMBERS, *OLD):
        found.setdefault(name, {})
    for name in NOT_NEEDED:
        del found[name]
    for kind, name, columns in (
        *((NUMBER, name, columns) for name, columns in NUMBERS.items()),
        *((FLAG_OR_BLANK, name, columns) for name, columns in FLAGS.items()),
        *((WORD, name, columns) for name, columns in WORDS.items()),
    ):
        for column in columns:
            found[name].setdefault(column, kind)
    for name, needed in COLUMNS.items():
        for one in needed:
            found[name].setdefault(one.name, NUMBER)
    return dict(found)


@functools.cache
def units(table: str) -> dict[str, str]:
    """What is expected of the columns of a table, in words with units."""
    return {
        column.name: column.expected().removeprefix("expected ")
        for column in COLUMNS.get(table, ())
    }


def _kind(column: str, table: pd.DataFrame) -> CellKind:
    """Kind of a column of the installed pandapower's own structure."""
    if column == "geo":
        return json_cells.GEOMETRY
    if column == "points":
        return json_cells.LIST
    dtype = table[column].dtype
    if isinstance(dtype, pd.Int64Dtype) or column in BLANK_WHOLES:
        return json_cells.WHOLE_OR_BLANK
    if dtype.kind == "b":
        return FLAG if column in NEEDED_FLAGS else FLAG_OR_BLANK
    return {"f": NUMBER, "i": WHOLE, "u": WHOLE}.get(dtype.kind, WORD)
