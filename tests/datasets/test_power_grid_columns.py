"""Every column that pandapower knows changes a result, is noted, is refused, or is stated."""

import inspect
from copy import deepcopy
from functools import cache
from typing import Any

import element_nets
import numpy as np
import pandapower as pp
import pandas as pd
import pytest
from pandapower.network_structure import get_structure_dict

from tvilling.datasets.readers.power_grid import reader as power_grid
from tvilling.datasets.readers.power_grid.unused import STATED
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.results.labels import label
from tvilling.sciml.systems.power_grid.results.violations import limits_of
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve

CREATED = {
    "bus": pp.create_bus, "load": pp.create_load, "sgen": pp.create_sgen, "gen": pp.create_gen,
    "ext_grid": pp.create_ext_grid, "storage": pp.create_storage, "motor": pp.create_motor,
    "asymmetric_load": pp.create_asymmetric_load, "asymmetric_sgen": pp.create_asymmetric_sgen,
    "shunt": pp.create_shunt, "ward": pp.create_ward, "xward": pp.create_xward,
    "line": pp.create_line_from_parameters, "trafo": pp.create_transformer_from_parameters,
    "trafo3w": pp.create_transformer3w_from_parameters, "impedance": pp.create_impedance,
    "dcline": pp.create_dcline, "switch": pp.create_switch,
}  # fmt: skip
NO_COLUMNS = {"net", "index", "kwargs", "geodata", "coords"}
ROWS = {("gen", "slack"): 0, ("gen", "min_q_mvar"): 2, ("gen", "max_q_mvar"): 2}
ALL_ON = {"enforce_q_lims": True, "distributed_slack": True, "consider_line_temperature": True}


def columns_of(kind: str) -> list[str]:
    """Columns of a table: those of an empty network, and those that can be given to its rows."""
    own = [*get_structure_dict()[kind], *inspect.signature(CREATED[kind]).parameters]
    return [name for name in dict.fromkeys(own) if name not in NO_COLUMNS]


@cache
def full_net() -> Any:
    """A grid with rows in every table, on which every column has a part."""
    net, _ = element_nets.net_with("machines")
    limits = {"min_q_from_mvar": -5, "max_q_from_mvar": 5, "min_q_to_mvar": -5, "max_q_to_mvar": 5}
    tap = {"tap_side": "hv", "tap_neutral": 0, "tap_min": -8, "tap_max": 8, "tap_pos": 2}
    tap |= {"tap_step_percent": 1.2, "tap_step_degree": 10.0, "tap_changer_type": "Ratio"}
    tertiary = pp.create_bus(net, 10.0)
    three = {**element_nets.TRAFO3W, "shift_mv_degree": 150.0}
    pp.create_transformer3w_from_parameters(net, 1, 2, tertiary, **three, **tap)
    second = {f"tap2_{name.removeprefix('tap_')}": value for name, value in tap.items()}
    pp.create_transformer_from_parameters(
        net, 1, 2, **element_nets.TRAFO, shift_degree=150.0, **tap,
        **{**second, "tap2_side": "lv", "tap2_pos": 1},
    )  # fmt: skip
    for name, value in (("resistance", 0.3), ("reactance", 0.6)):
        net.trafo[f"leakage_{name}_ratio_hv"] = value
    pp.create_dcline(net, 3, 7, 0.4, 1.5, 0.02, 1.0, 1.01, max_p_mw=1.0, **limits)
    pp.create_load(net, tertiary, 1.0, 0.3, const_z_p_percent=20, const_i_p_percent=20,
                   const_z_q_percent=20, const_i_q_percent=20)  # fmt: skip
    pp.create_storage(net, 4, 0.2, 1.0, q_mvar=0.1)
    pp.create_motor(net, 4, 0.3, 0.9, 90.0, 80.0)
    for build in (pp.create_asymmetric_load, pp.create_asymmetric_sgen):
        build(net, 4, 0.1, 0.12, 0.1, 0.05, 0.06, 0.04)
    pp.create_shunt(net, 4, 0.3, 0.05, step=1, max_step=3)
    pp.create_ward(net, 4, 0.2, 0.1, 0.1, 0.1)
    pp.create_xward(net, 4, 0.2, 0.1, 0.1, 0.1, 0.5, 4.0, 1.0, slack_weight=0.5)
    pp.create_impedance(net, 3, 5, 0.1, 0.3, 10.0, 0.12, 0.35, gf_pu=0.01, bf_pu=0.01,
                        gt_pu=0.02, bt_pu=0.02)  # fmt: skip
    beside = pp.create_bus(net, 20.0)
    pp.create_switch(net, 4, beside, "b", z_ohm=0.3)
    pp.create_load(net, beside, 0.4, 0.1)
    net.line["temperature_degree_celsius"], net.line["alpha"] = 60.0, 0.004
    net.gen["slack_weight"], net.gen["slack"] = 1.0, False
    net.gen["min_q_mvar"], net.gen["max_q_mvar"] = [-0.01, -3.0, -9.0, 0.0], [0.01, 3.0, 9.0, 1.0]
    net.bus["min_vm_pu"], net.bus["max_vm_pu"] = 0.9, 1.1
    for kind in ("line", "trafo", "trafo3w"):
        net[kind]["max_loading_percent"] = 90.0
    return net


@cache
def apart() -> Any:
    """The same without limits, so that machines hold their voltages."""
    net = deepcopy(full_net())
    net.gen["min_q_mvar"], net.gen["max_q_mvar"] = -9.0, 9.0
    return net


def seen(net: Any, **options: bool) -> tuple[list[np.ndarray], tuple[str, ...]]:
    """All that a user sees of the net: results, limits and notes; a refusal is a note too."""
    try:
        read = power_grid._checked(net, "net", [], simbench=False)
        grid = from_pandapower(read.net, "net", read.notes, **options)
        flow = solve(grid)
    except InputError as error:
        return [], tuple(error.faults)
    data, limits = label(flow), limits_of(grid)
    numbers = [one.values for one in data.data_vars.values()]
    numbers += [limits.vm_min_pu, limits.vm_max_pu, *limits.loading_percent.values()]
    return numbers, (*grid.notes, *(str(one.values.tolist()) for one in data.coords.values()))


def differ(one: Any, other: Any) -> bool:
    if one[1] != other[1] or len(one[0]) != len(other[0]):
        return True
    return any(
        a.shape != b.shape or not np.allclose(a, b, rtol=1e-9, atol=1e-9, equal_nan=True)
        for a, b in zip(one[0], other[0], strict=True)
    )


SPECIAL: dict[tuple[str, str], Any] = {
    ("switch", "et"): "x",
    ("switch", "in_ka"): 0.1,
    ("dcline", "max_p_mw"): 0.1,
    ("dcline", "min_q_from_mvar"): 9.0,
    ("dcline", "min_q_to_mvar"): 9.0,
    ("dcline", "max_q_from_mvar"): -9.0,
    ("dcline", "max_q_to_mvar"): -9.0,
    ("shunt", "max_step"): 0,
    ("gen", "min_q_mvar"): 8.9,
    ("gen", "max_q_mvar"): -8.9,
    ("trafo", "tap_min"): 5,
    ("trafo", "tap_max"): 0,
    ("trafo3w", "tap_min"): 5,
    ("trafo3w", "tap_max"): 0,
    ("gen", "reactive_capability_curve"): True,
    ("sgen", "reactive_capability_curve"): True,
    ("xward", "bus"): 5,
    ("line", "parallel"): 2,
    ("trafo", "parallel"): 2,
    ("line", "df"): 0.8,
    ("trafo", "df"): 0.8,
}
WORDS = {"hv": "lv", "lv": "hv", "Ratio": "Ideal", "wye": "delta"}


def change(net: Any, kind: str, column: str) -> None:
    """Another value in the column, in the row in service that comes last."""
    table = net[kind]
    row = table.index[-1]
    if "in_service" in table:
        row = table.index[table["in_service"].astype(bool)][-1]
    row = ROWS.get((kind, column), row)
    if column not in table:
        table[column] = pd.Series(np.nan, table.index, object)
    value = SPECIAL.get((kind, column))
    if value is None:
        value = _other(table.at[row, column], column)
    table[column] = table[column].astype(object)
    table.at[row, column] = value
    if not any(isinstance(one, str | type(None)) for one in table[column]):
        table[column] = table[column].infer_objects()


def _other(value: Any, column: str) -> Any:
    if isinstance(value, bool | np.bool_):
        return not value
    if isinstance(value, str) or value is None:
        return WORDS.get(str(value), "another")
    if column.endswith("bus") or column == "element":
        return {0: 1, 1: 0, 4: 3}.get(int(value), 4)
    if pd.isna(value):
        return True if column.endswith("table") and "dependency" in column else 1.0
    return int(value) + 1 if isinstance(value, int | np.integer) else 1.03 * float(value) + 1e-3


@pytest.mark.parametrize("kind", CREATED)
def test_every_column_counts_or_is_stated(kind: str) -> None:
    silent = []
    columns = [name for name in columns_of(kind) if name not in STATED[kind]]
    for column in columns:
        for base in (full_net(), apart()):
            net = deepcopy(base)
            change(net, kind, column)
            if differ(seen(net, **ALL_ON), known(base)):
                break
        else:
            silent.append(column)
    assert not silent, f"{len(silent)} of {len(columns)} columns of {kind} change nothing"


@cache
def _known(number: int) -> Any:
    return seen(deepcopy((full_net(), apart())[number]), **ALL_ON)


def known(base: Any) -> Any:
    return _known(0 if base is full_net() else 1)


def test_the_base_is_solved_and_the_walk_is_large() -> None:
    assert len(known(full_net())[0]) > 30
    assert len(known(apart())[0]) > 30
    total = sum(len(columns_of(kind)) for kind in CREATED)
    stated = sum(len(set(STATED[kind]) & set(columns_of(kind))) for kind in CREATED)
    assert total - stated > 170
    assert set(STATED) == set(CREATED)


@pytest.mark.parametrize("kind", ["measurement", "bus_dc", "load_dc", "source_dc"])
def test_tables_without_a_part_are_noted(kind: str) -> None:
    net = deepcopy(element_nets.base_net())
    pp.create_bus_dc(net, 20.0)
    if kind != "bus_dc":
        net[kind] = pd.DataFrame({name: [0] for name in get_structure_dict()[kind]})
        net[kind]["in_service"] = False
    _, notes = seen(net)
    assert any(
        note.startswith("no part of a power flow") and f"1 of {kind}" in note for note in notes
    )
