"""Sizing: flows against networkx, gradients against an explicit formula, limits kept tightly."""

import itertools
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import networkx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_network import FILES, write_small

from tvilling.datasets.readers.heat.network import read_network
from tvilling.datasets.readers.heat.tables import read_heat_tables
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_network.builder import build
from tvilling.sciml.systems.heat_network.sizing.catalogue import pipe_sizes
from tvilling.sciml.systems.heat_network.sizing.pipes import (
    SizingOptions,
    _pipe_loads,
    design_flow,
    simultaneity,
    size,
)
from tvilling.sciml.systems.heat_network.sizing.trenches import trenches
from tvilling.sciml.systems.heat_network.tables import HeatNetworkTables
from tvilling.sciml.systems.heat_network.topology.paths import shortest_paths

PLAIN = SizingOptions(simultaneity="none")
WATER_80 = (971.8, 3.543e-4)  # density [kg/m3] and viscosity [Pa s] at 80 °C, IAPWS
WATER_45 = (990.2, 5.960e-4)


@pytest.fixture
def small(tmp_path: Path) -> HeatNetworkTables:
    return read_heat_tables(write_small(tmp_path))


@pytest.fixture(scope="module")
def town() -> HeatNetworkTables:
    tables = read_network("pandapipes:schutterwald_heat")
    rows = tables.consumers.assign(heat_w=30e3, flow_kg_per_s=np.nan, return_degc=45.0)
    return replace(tables, consumers=rows)


def swamee_jain_pa_per_m(
    flow: np.ndarray, diameter: np.ndarray, roughness: float, water: tuple[float, float]
) -> np.ndarray:
    """Explicit friction formula, within 1 % of Colebrook for 5e3 < Re < 1e8."""
    density, viscosity = water
    velocity = flow / (density * np.pi / 4 * diameter**2)
    reynolds = density * velocity * diameter / viscosity
    factor = 0.25 / np.log10(roughness / diameter / 3.7 + 5.74 / reynolds**0.9) ** 2
    return factor * density * velocity**2 / (2 * diameter)


def test_flows_of_the_small_network_by_hand(small: HeatNetworkTables) -> None:
    """A: 50 kW over 40 K; B: 80 kW over 35 K, and a little more for the heat lost on the way.

    P1 and P2 lead to B one way round the loop, P3 the other; their pressure drops are equal.
    """
    changes = size(small, PLAIN).changes.set_index("name")
    flow, drop = changes["flow_kg_per_s"], changes["gradient_pa_per_m"]
    first, second = 50 / (4.187 * 40), 80 / (4.187 * 35)
    assert flow["Q1"] == pytest.approx(1.025 * (first + second), rel=0.02)
    assert flow["Q2"] == pytest.approx(1.035 * second, rel=0.02)
    assert flow["P1"] + flow["P3"] == pytest.approx(flow["Q1"], rel=1e-9)
    assert flow["P2"] + flow["P3"] == pytest.approx(flow["Q2"], rel=1e-9)
    assert 100 * drop["P1"] + 80 * drop["P2"] == pytest.approx(150 * drop["P3"], rel=0.01)
    assert changes["side"].to_dict() == {
        "P1": "supply", "P2": "none", "P3": "supply", "Q1": "return", "Q2": "return"
    }  # fmt: skip
    assert changes["consumers"].tolist() == [1, 0, 1, 2, 1]
    assert changes["within_limits"].all()


def test_each_pipe_is_the_smallest_within_the_limits(town: HeatNetworkTables) -> None:
    """Checked with another friction formula, which leaves 2 % about the limit open."""
    changes = size(town, PLAIN).changes.assign(trench=trenches(town))
    changes = changes[changes["flow_kg_per_s"] > 0]
    sizes = pipe_sizes(2)
    at = sizes["dn"].searchsorted(changes["dn"])
    inner = sizes["inner_diameter_m"].to_numpy()
    flow = changes["flow_kg_per_s"].to_numpy()
    needed = np.zeros(len(changes), bool)
    for side, water in (("supply", WATER_80), ("return", WATER_45)):
        mine = (changes["side"] == side).to_numpy()
        chosen = swamee_jain_pa_per_m(flow[mine], inner[at[mine]], 0.05e-3, water)
        np.testing.assert_allclose(changes["gradient_pa_per_m"][mine], chosen, rtol=0.02)
        assert (chosen < 102).all()
        smaller = inner[np.maximum(at[mine] - 1, 0)]
        steep = swamee_jain_pa_per_m(flow[mine], smaller, 0.05e-3, water) > 98
        fast = flow[mine] / (water[0] * np.pi / 4 * smaller**2) > 0.98
        needed[mine] = steep | fast | (at[mine] == 0)
    assert pd.Series(needed).groupby(changes["trench"].to_numpy()).any().all()


def test_supply_and_return_of_a_trench_have_one_size(town: HeatNetworkTables) -> None:
    """The return is colder, more viscous and alone would need more at some places."""
    changes = size(town, PLAIN).changes
    names = changes["name"].str.removeprefix("return_")
    assert (names.value_counts() == 2).mean() > 0.99
    assert (changes.groupby(names.to_numpy())["dn"].nunique() == 1).all()


def ring(**plant: float) -> HeatNetworkTables:
    """Eight consumers on a ring, fed from one side and by a heat pump of a stated flow."""
    count, ends = 8, {"lift_bar": 2.0}
    pipes = [
        {"name": f"{side}{k}", "length_m": 150.0, "inner_diameter_m": 0.1, "loss_w_per_mk": 0.2,
         "from_junction": f"{side}{a}", "to_junction": f"{side}{b}"}
        for k in range(count) for side, (a, b) in
        (("s", (k, (k + 1) % count)), ("r", ((k + 1) % count, k)))
    ]  # fmt: skip
    houses = [
        {"name": f"c{k}", "from_junction": f"s{k}", "to_junction": f"r{k}", "heat_w": 40e3,
         "return_degc": 45.0, "min_dp_bar": 0.3}
        for k in range(count)
    ]  # fmt: skip
    sources = [
        {"name": "boiler", "supply_junction": "s0", "return_junction": "r0"} | ends,
        {"name": "pump", "supply_junction": "s3", "return_junction": "r3",
         "flow_kg_per_s": 1.4} | plant,
    ]  # fmt: skip
    return HeatNetworkTables(
        junctions=pd.DataFrame({"name": [f"{side}{k}" for side in "sr" for k in range(count)]}),
        pipes=pd.DataFrame(pipes),
        consumers=pd.DataFrame(houses),
        sources=pd.DataFrame(sources).assign(supply_degc=80.0),
    ).checked()


def test_pipes_of_a_ring_keep_the_limits_at_the_flows_they_carry() -> None:
    """The sized network is solved anew, with its heat losses; gradients by an explicit formula."""
    tables = ring()
    sized = size(tables, PLAIN)
    network = build(sized.tables)
    action = {"supply_degc": jnp.full(2, 80.0)}
    heat_w = jnp.asarray(tables.consumers["heat_w"].to_numpy())
    drive = {"heat_w": heat_w, "ground_degc": jnp.array(8.0)}
    output = jax.jit(type(network).steady)(network, action, drive)[1]
    flow = np.abs(np.asarray(output["pipe_kg_per_s"]))
    np.testing.assert_allclose(sized.changes["flow_kg_per_s"], flow, rtol=0.05, atol=0.01)
    inner = sized.changes["inner_diameter_m"].to_numpy()
    gradient = swamee_jain_pa_per_m(np.maximum(flow, 1e-3), inner, 0.05e-3, WATER_80)
    assert (gradient[flow > 0.05] < 103).all()
    assert sized.changes["within_limits"].all()
    trench = sized.changes["name"].str[1:]
    assert (sized.changes.groupby(trench.to_numpy())["dn"].nunique() == 1).all()
    assert float(output["source_kg_per_s"][1]) == pytest.approx(1.4)


def test_a_stated_flow_that_nobody_takes_is_told() -> None:
    notes = size(ring(flow_kg_per_s=6.0), PLAIN).tables.notes
    assert any("water runs backwards through source boiler" in note for note in notes)


def test_velocity_limits_bind_where_the_gradient_does_not(small: HeatNetworkTables) -> None:
    slow = replace(PLAIN, velocity_limits=((0.03, 0.2), (0.1, 0.2)))
    changes = size(small, slow).changes
    assert (changes["velocity_m_per_s"] <= 0.2).all()
    assert (changes["dn"] >= size(small, PLAIN).changes["dn"]).all()


def test_simultaneity_falls_from_one_and_is_applied(town: HeatNetworkTables) -> None:
    count = np.arange(1, 400)
    share = simultaneity(count)
    assert share[0] == pytest.approx(1.0, abs=1e-3)
    assert (np.diff(share) <= 0).all()
    assert share[199] == share[-1] == pytest.approx(0.5, abs=0.01)
    with_share, plain = size(town).changes, size(town, PLAIN).changes
    np.testing.assert_allclose(
        with_share["flow_kg_per_s"],
        plain["flow_kg_per_s"] * simultaneity(plain["consumers"].to_numpy()),
    )


def test_tables_take_what_the_catalogue_has(town: HeatNetworkTables) -> None:
    sized = size(town, replace(PLAIN, series=3))
    row = pipe_sizes(3).set_index("dn").loc[sized.changes["dn"]]
    for column in ("inner_diameter_m", "loss_w_per_mk", "wall_j_per_mk"):
        np.testing.assert_array_equal(sized.tables.pipes[column], row[column])
    assert (sized.tables.pipes["roughness_m"] == 0.05e-3).all()
    kept = [c for c in town.pipes if c not in (*row.columns, "roughness_m")]
    pd.testing.assert_frame_equal(sized.tables.pipes[kept], town.pipes[kept])
    assert "insulation series 3" in sized.tables.notes[-1]
    pd.testing.assert_frame_equal(sized.tables.checked().pipes, sized.tables.pipes)


@pytest.mark.slow
@settings(max_examples=10)
@given(data=st.data(), count=st.integers(2, 12))
def test_flows_on_any_network_are_those_of_networkx(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, count: int
) -> None:
    """Random mirrored networks with loops: each consumer's flow along networkx's shortest path."""
    lengths = st.integers(10, 500).map(float)
    ends = [(data.draw(st.integers(0, at - 1)), at) for at in range(1, count)]
    extra = data.draw(st.lists(st.tuples(*[st.integers(0, count - 1)] * 2), max_size=3))
    ends += [(a, b) for a, b in extra if a != b]
    # Distinct decimals keep two ways from being equally long.
    length = [data.draw(lengths) + 0.37**at for at in range(len(ends))]
    heat = [data.draw(st.integers(0, 200)) * 1e3 for _ in range(1, count)]
    tables = mirrored(tmp_path_factory.mktemp("net"), ends, length, heat)
    flow = design_flow(tables, PLAIN)[0]
    loads = _pipe_loads(tables, flow, *shortest_paths(tables))
    changes = loads.set_axis(tables.pipes["name"])
    graph = networkx.Graph()
    for at, (a, b) in enumerate(ends):
        if not graph.has_edge(a, b) or graph[a][b]["weight"] > length[at]:
            graph.add_edge(a, b, weight=length[at], pipe=at)
    expected = np.zeros(len(ends))
    for junction, load in enumerate(heat, start=1):
        way = networkx.shortest_path(graph, 0, junction, weight="weight")
        for a, b in itertools.pairwise(way):
            expected[graph[a][b]["pipe"]] += load / (4187 * 40)
    for side in "PQ":
        flow = [changes["flow_kg_per_s"][f"{side}{at}"] for at in range(len(ends))]
        np.testing.assert_allclose(flow, expected, rtol=2e-3, atol=1e-12)


def mirrored(
    folder: Path, ends: list[tuple[int, int]], length: list[float], heat: list[float]
) -> HeatNetworkTables:
    count = len(heat) + 1
    pipe = "name,from_junction,to_junction,length_m,inner_diameter_m\n"
    for at, (a, b) in enumerate(ends):
        pipe += f"P{at},J{a},J{b},{length[at]},0.1\nQ{at},R{b},R{a},{length[at]},0.1\n"
    consumers = FILES["consumers.csv"].split("\n")[0] + "\n"
    consumers += "".join(f"C{at},J{at},R{at},{load},40\n" for at, load in enumerate(heat, start=1))
    junctions = "name\n" + "".join(f"J{at}\nR{at}\n" for at in range(count))
    return read_heat_tables(
        write_small(folder, pipes=pipe, consumers=consumers, junctions=junctions)
    )


def test_prescribed_flow_bypass_and_sinks_count(small: HeatNetworkTables) -> None:
    rows = small.consumers.assign(bypass_kg_per_s=[0.05, 0.0])
    rows.loc[0, ["return_degc", "flow_kg_per_s"]] = [np.nan, 0.7]
    leak = pd.DataFrame({"name": ["leak"], "junction": ["J1"], "flow_kg_per_s": [-0.2]})
    changes = size(replace(small, consumers=rows, injections=leak), PLAIN).changes
    flow = changes.set_index("name")["flow_kg_per_s"]
    assert flow["P1"] + flow["P3"] == pytest.approx(0.95 + flow["Q2"])
    assert flow["Q1"] - flow["Q2"] == pytest.approx(0.75)


@pytest.mark.slow
def test_too_great_a_load_is_told(small: HeatNetworkTables) -> None:
    rows = small.consumers.assign(heat_w=[5e8, 1e4])
    sized = size(replace(small, consumers=rows), PLAIN)
    beyond = sized.changes.set_index("name")["within_limits"]
    assert {"P1", "Q1"} <= set(beyond[~beyond].index)
    named = ", ".join(beyond[~beyond].index)
    assert any(
        note.endswith(f"pipes exceed the limits even in the greatest size: {named}")
        for note in sized.tables.notes
    )


def test_every_fault_of_the_options_and_the_network_is_told(small: HeatNetworkTables) -> None:
    rows = small.consumers.assign(return_degc=[90.0, 45.0])
    wrong = SizingOptions(
        supply_degc=80.0, return_degc=85.0, max_gradient_pa_per_m=0.0, series=7, simultaneity="x"
    )
    with pytest.raises(InputError) as caught:
        size(replace(small, consumers=rows), wrong)
    for fragment in (
        "supply_degc must be at least 1 K above return_degc",
        "max_gradient_pa_per_m is 0 Pa/m, expected 1 to 2000 Pa/m",
        "series is 7",
        "simultaneity is x",
        "consumer A: the water would cool by -10 K",
    ):
        assert fragment in str(caught.value)
