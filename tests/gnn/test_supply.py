from dataclasses import replace

import jax
import jax.numpy as jnp
import networkx as nx
import numpy as np
import pytest
from heat_networks import CP, PLAIN_WATER, line, steady

from tvilling.datasets.simulated.street_tree import street_tree
from tvilling.gnn import physics, supply
from tvilling.gnn.supply import supply_network, supply_tree, transfer_units
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_network import Options, build
from tvilling.sciml.systems.heat_network.example import looped_tables

balance = jax.jit(physics.balance, static_argnums=1)
temperatures = jax.jit(supply.temperatures, static_argnums=0)

SUPPLY_DEGC, GROUND_DEGC, RETURN_DEGC = 75.0, 8.0, 40.0
LENGTH_M, LOSS_W_PER_MK = 120.0, 0.3  # of `line`


@pytest.fixture(scope="module")
def streets():
    """A network of 25 consumers, its supply tree, and demands of two thirds."""
    tables = street_tree(25, seed=3)
    network = build(tables, Options(cells=2))
    heat_w = jnp.asarray(tables.consumers["heat_w"].to_numpy()) * 2 / 3
    return tables, network, supply_tree(network), heat_w


def solved(network, tree, heat_w):
    drive = {"heat_w": heat_w, "ground_degc": jnp.array(GROUND_DEGC)}
    output = steady(network, {"supply_degc": jnp.array([SUPPLY_DEGC])}, drive)[1]
    return output, output["junction_degc"][tree.place]


def test_the_tree_holds_the_supply_junctions_of_the_tables(streets):
    tables, _, tree, _ = streets
    names = [name for name in tables.junctions["name"] if name.startswith("s_")]
    assert list(tree.names) == names
    pipes = tables.pipes.iloc[tree.pipe[tree.below]]
    assert [tree.names[at] for at in tree.parent[tree.below]] == list(pipes["from_junction"])
    assert [tree.names[at] for at in tree.below] == list(pipes["to_junction"])
    assert [tree.names[at] for at in tree.consumer] == list(tables.consumers["from_junction"])
    assert tree.names[tree.source] == "s_plant"


def test_pipes_carry_what_hangs_below_them(streets):
    """Descendants counted by networkx."""
    tables, _, tree, heat_w = streets
    pipes = tables.pipes[tables.pipes["name"].str.startswith("s_")]
    graph = nx.from_pandas_edgelist(pipes, "from_junction", "to_junction", create_using=nx.DiGraph)
    demand = dict(zip(tables.consumers["from_junction"], np.asarray(heat_w), strict=True))
    expected = [
        sum(demand.get(below, 0.0) for below in {name, *nx.descendants(graph, name)})
        for name in tree.names
    ]
    np.testing.assert_allclose(tree.carried(heat_w), expected, rtol=1e-12)
    assert tree.depth == nx.dag_longest_path_length(graph)


def test_features_are_those_of_the_pipes_and_the_drives(streets):
    tables, network, tree, heat_w = streets
    graphs = jax.jit(supply.supply_graphs, static_argnums=1)
    graph = graphs(network, tree, heat_w[None], jnp.array([70.0]), jnp.array([5.0]))
    assert graph.batch == (1,)
    assert graph.node_features == ("heat_w", "source", "supply_degc", "ground_degc")
    edge = dict(zip(graph.edge_features, jnp.moveaxis(graph.edge[0], -1, 0), strict=True))
    pipes = tables.pipes.iloc[tree.pipe[tree.below]]
    count = len(pipes)
    np.testing.assert_allclose(np.exp(edge["log_length_m"][:count]), pipes["length_m"])
    loss = pipes["length_m"] * pipes["loss_w_per_mk"]
    np.testing.assert_allclose(np.exp(edge["log_loss_w_per_k"][count:]), loss)
    np.testing.assert_array_equal(edge["direction"], np.repeat([1, -1], count))
    with_names = supply_network(network, tree, heat_w, jnp.array(70.0), jnp.array(5.0))
    assert with_names.edge_names == tuple(pipes["name"])


def test_a_pipe_cools_exponentially_behind_its_transfer_units():
    """Two pipes in line, with water of constant heat capacity: T falls as exp(-U L/(m cp))."""
    flow = {"flow_kg_per_s": 0.02, "return_degc": RETURN_DEGC}
    network = build(line([flow, flow]), Options(water=PLAIN_WATER))
    tree = supply_tree(network)
    _, degc = solved(network, tree, jnp.zeros(2))
    units = LOSS_W_PER_MK * LENGTH_M / CP / np.array([0.04, 0.02])
    fall = (SUPPLY_DEGC - GROUND_DEGC) * np.exp(-np.cumsum(units))
    np.testing.assert_allclose(degc[1:], GROUND_DEGC + fall, atol=1e-6)
    drives = jnp.array(SUPPLY_DEGC), jnp.array(GROUND_DEGC)
    np.testing.assert_allclose(temperatures(tree, jnp.asarray(units), *drives), degc, atol=1e-6)


def test_transfer_units_and_temperatures_undo_each_other(streets):
    _, network, tree, heat_w = streets
    _, degc = solved(network, tree, heat_w)
    drives = jnp.array(SUPPLY_DEGC), jnp.array(GROUND_DEGC)
    again = temperatures(tree, transfer_units(tree, degc, *drives), *drives)
    np.testing.assert_allclose(again, degc, atol=1e-10)


def test_networks_that_are_no_tree_are_refused():
    with pytest.raises(InputError, match="the supply side has 1 loops, expected 0"):
        supply_tree(build(looped_tables()))
    tables = line([{"heat_w": 1e4, "return_degc": RETURN_DEGC}] * 2)
    pipes = tables.pipes.assign(ground_degc=[10.0, np.nan, np.nan, np.nan])
    with pytest.raises(InputError, match="1 pipes have a ground_degc of their own"):
        supply_tree(build(replace(tables, pipes=pipes)))


@pytest.mark.parametrize("cells", [1, 2])
def test_the_solver_conserves_energy_to_rounding(streets, cells):
    """So what is found of others is theirs, not the check's."""
    tables, _, _, heat_w = streets
    network = build(tables, Options(cells=cells))
    tree = supply_tree(network)
    output, degc = solved(network, tree, heat_w)
    found = balance(network, tree, degc, heat_w, jnp.array(SUPPLY_DEGC), jnp.array(GROUND_DEGC))
    assert float(found.gross_share) < 1e-9
    np.testing.assert_allclose(found.delivered_w, output["delivered_w"].sum(), rtol=1e-9)
    on_supply = output["pipe_loss_w"][tree.pipe[tree.below]]
    np.testing.assert_allclose(found.lost_w, on_supply.sum(), rtol=1e-9)
    sent = found.source_w - found.delivered_w - found.lost_w
    np.testing.assert_allclose(sent, found.residual_w.sum(), atol=1e-6)


def test_a_junction_said_too_warm_shows_where_power_appears():
    """A kelvin more at the end of a line: power m cp appears there, and more on its way."""
    consumer = {"heat_w": 2e4, "return_degc": RETURN_DEGC}
    network = build(line([consumer, consumer]), Options(water=PLAIN_WATER))
    tree, heat_w = supply_tree(network), jnp.array([2e4, 2e4])
    _, degc = solved(network, tree, heat_w)
    drives = heat_w, jnp.array(SUPPLY_DEGC), jnp.array(GROUND_DEGC)
    residual = balance(network, tree, degc.at[2].add(1.0), *drives).residual_w
    flow = 2e4 / CP / (float(degc[2]) + 1 - RETURN_DEGC)
    arriving = GROUND_DEGC + (float(degc[1]) - GROUND_DEGC) * np.exp(
        -LOSS_W_PER_MK * LENGTH_M / CP / flow
    )
    np.testing.assert_allclose(residual[2], flow * CP * (arriving - degc[2] - 1), rtol=1e-6)
    assert float(jnp.abs(residual[0])) < 1e-6
