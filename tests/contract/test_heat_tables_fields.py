"""Every column of every table of a heat network changes the outcome, or is refused or noted."""

from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pandas as pd
import pytest
from every_element import every_element

from tvilling.apps.heat.report_map import places
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_network.builder import Options, build
from tvilling.sciml.systems.heat_network.network import HeatNetwork
from tvilling.sciml.systems.heat_network.summary import summarise
from tvilling.sciml.systems.heat_network.tables import COLUMNS, HeatNetworkTables

# table and column: row to change, and its new value
CHANGES: dict[tuple[str, str], tuple[int, Any]] = {
    ("junctions", "elevation_m"): (2, 12.0),
    ("junctions", "x"): (0, 570_010.0),
    ("junctions", "y"): (0, 6_220_010.0),
    ("pipes", "name"): (0, "renamed"),
    ("pipes", "from_junction"): (2, "c_s"),
    ("pipes", "to_junction"): (2, "c_s"),
    ("pipes", "length_m"): (0, 300.0),
    ("pipes", "inner_diameter_m"): (0, 0.08),
    ("pipes", "roughness_m"): (0, 1e-3),
    ("pipes", "zeta"): (0, 20.0),
    ("pipes", "loss_w_per_mk"): (0, 0.5),
    ("pipes", "wall_j_per_mk"): (0, 6000.0),
    ("pipes", "ground_degc"): (0, 2.0),
    ("valves", "name"): (0, "renamed"),
    ("valves", "from_junction"): (0, "b_s"),
    ("valves", "to_junction"): (0, "f_s"),
    ("valves", "inner_diameter_m"): (0, 0.05),
    ("valves", "zeta"): (0, 40.0),
    ("valves", "is_open"): (0, False),
    ("pumps", "name"): (0, "renamed"),
    ("pumps", "from_junction"): (0, "c_s"),
    ("pumps", "to_junction"): (0, "d_s"),
    ("pumps", "lift0_bar"): (0, 0.6),
    ("pumps", "lift1_bar_h_per_m3"): (0, -0.02),
    ("pumps", "lift2_bar_h2_per_m6"): (0, -0.01),
    ("exchangers", "name"): (0, "renamed"),
    ("exchangers", "from_junction"): (0, "d_r"),
    ("exchangers", "to_junction"): (0, "c_r"),
    ("exchangers", "inner_diameter_m"): (0, 0.05),
    ("exchangers", "zeta"): (0, 30.0),
    ("exchangers", "heat_w"): (0, 4e3),
    ("consumers", "name"): (0, "renamed"),
    ("consumers", "from_junction"): (0, "a_s"),
    ("consumers", "to_junction"): (0, "a_r"),
    ("consumers", "heat_w"): (0, 90e3),
    ("consumers", "return_degc"): (0, 35.0),
    ("consumers", "cooling_k"): (1, 25.0),
    ("consumers", "flow_kg_per_s"): (4, 0.4),
    ("consumers", "bypass_kg_per_s"): (0, 0.05),
    ("consumers", "min_flow_kg_per_s"): (0, 1.5),
    ("consumers", "max_flow_kg_per_s"): (0, 0.2),
    ("consumers", "min_dp_bar"): (0, 5.0),
    ("consumers", "ua_w_per_k"): (3, 6e3),
    ("consumers", "secondary_supply_degc"): (3, 55.0),
    ("consumers", "secondary_return_degc"): (3, 25.0),
    ("sources", "name"): (0, "renamed"),
    ("sources", "supply_junction"): (0, "a_s"),
    ("sources", "return_junction"): (0, "a_r"),
    ("sources", "supply_degc"): (0, 80.0),
    ("sources", "supply_bar"): (0, 7.0),
    ("sources", "lift_bar"): (0, 2.5),
    ("sources", "flow_kg_per_s"): (1, 0.7),
    ("injections", "name"): (0, "renamed"),
    ("injections", "junction"): (0, "b_r"),
    ("injections", "flow_kg_per_s"): (0, -0.1),
}
# Names of what has no output of its own; messages name them, and none may be given twice.
IDENTIFIERS = {
    ("valves", "name"),
    ("pumps", "name"),
    ("exchangers", "name"),
    ("injections", "name"),
}
_step = jax.jit(
    lambda network, *inputs: network.step(network.init(jax.random.key(0)), *inputs, 900.0)
)


def changed(kind: str, column: str) -> HeatNetworkTables:
    """The network with the change of one column; InputError where it is refused."""
    at, value = CHANGES[kind, column]
    tables = every_element()
    table: pd.DataFrame = getattr(tables, kind).copy()
    if column not in table.columns:
        table[column] = pd.Series([None] * len(table), dtype=object)
    table.loc[at, column] = value
    return replace(tables, **{kind: table}).checked()


def said(tables: HeatNetworkTables, network: HeatNetwork) -> str:
    """What a user reads and sees before anything is solved: labels, summary, notes, the map."""
    labels = [channel.labels for channel in (*network.outputs, *network.drives)]
    return repr((labels, summarise(tables).as_dict(), places(tables)))


def built(tables: HeatNetworkTables) -> HeatNetwork:
    return build(tables, Options(cells=1, rounds=8))


def solved(tables: HeatNetworkTables, network: HeatNetwork) -> np.ndarray:
    """Every output of one step from the nominal state, in a row."""
    action = {"supply_degc": tables.sources["supply_degc"].to_numpy(float)}
    drive = {
        "heat_w": tables.consumers["heat_w"].fillna(0.0).to_numpy(float),
        "ground_degc": np.array(8.0),
    }
    _, output = _step(network, action, drive)
    return np.concatenate([np.ravel(values).astype(float) for values in output.values()])


@pytest.fixture(scope="module")
def base() -> tuple[HeatNetworkTables, HeatNetwork]:
    tables = every_element().checked()
    return tables, built(tables)


@pytest.fixture(scope="module")
def base_solved(base) -> np.ndarray:
    return solved(*base)


def test_every_column_of_the_tables_has_a_change_to_try():
    columns = {(kind, column.name) for kind, group in COLUMNS.items() for column in group}
    assert columns == {*CHANGES, ("junctions", "name")}
    print(f"{len(columns)} columns of {len(COLUMNS)} tables")


@pytest.mark.parametrize(("kind", "column"), sorted(set(CHANGES) - IDENTIFIERS), ids=str)
def test_a_change_of_a_column_changes_what_a_user_gets(kind, column, base, base_solved):
    """Another layout of the model counts as a change here; the slow test solves those as well."""
    tables = changed(kind, column)
    network = built(tables)
    if said(tables, network) != said(*base):
        return
    if jax.tree.structure(network) != jax.tree.structure(base[1]):
        return
    assert not np.allclose(solved(tables, network), base_solved, rtol=1e-9, atol=0, equal_nan=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "column"),
    [key for key in CHANGES if key[1].endswith(("junction", "is_open"))],
    ids=str,
)
def test_another_place_changes_the_solution(kind, column, base_solved):
    tables = changed(kind, column)
    after = solved(tables, built(tables))
    assert not np.allclose(after, base_solved, rtol=1e-9, atol=0, equal_nan=True)


def test_the_name_of_a_junction_is_that_of_the_ends_at_it():
    tables = every_element()
    junctions = tables.junctions.replace("b_s", "renamed")
    with pytest.raises(InputError, match=r"from_junction b_s is not in junctions"):
        replace(tables, junctions=junctions).checked()


@pytest.mark.parametrize(("kind", "column"), sorted(IDENTIFIERS))
def test_a_name_that_stands_twice_is_refused_by_name(kind, column):
    tables = every_element()
    table = getattr(tables, kind)
    table = pd.concat([table, table.iloc[[0]]], ignore_index=True)
    with pytest.raises(InputError, match=f"{kind}: name {table[column].iloc[0]} stands 2 times"):
        replace(tables, **{kind: table}).checked()
