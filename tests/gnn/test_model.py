from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax.test_util import check_grads

from tvilling.gnn import model as parts
from tvilling.gnn.graph import Graph, Wiring, joined
from tvilling.gnn.model import GraphNetwork, ModelSettings, split
from tvilling.sciml.core.errors import InputError

answer = jax.jit(parts.answer, static_argnums=0)

NODES, EDGES = 9, 20
SETTINGS = ModelSettings(hidden=12, layers=2, precision="float64")


def random_graph(seed=0, batch=()) -> Graph:
    random = np.random.default_rng(seed)
    ends = random.integers(0, NODES, (2, EDGES))
    return Graph(
        node=jnp.asarray(random.standard_normal((*batch, NODES, 3))),
        edge=jnp.asarray(random.standard_normal((*batch, EDGES, 2))),
        wiring=Wiring(*ends, NODES),
        node_features=("a", "b", "c"),
        edge_features=("d", "e"),
    )


def network(settings=SETTINGS):
    return split(GraphNetwork((3, 2), (2, 1), settings, nnx.Rngs(0)))


def test_answers_do_not_depend_on_the_numbering():
    """Nodes and edges in another order: the same answers in that order."""
    graph, model = random_graph(), network()
    random = np.random.default_rng(1)
    node, edge = random.permutation(NODES), random.permutation(EDGES)
    number = np.argsort(node)
    wiring = Wiring(number[graph.wiring.sender[edge]], number[graph.wiring.receiver[edge]], NODES)
    other = replace(graph, node=graph.node[node], edge=graph.edge[edge], wiring=wiring)
    nodes, edges = answer(*model, graph)
    for found, expected in zip(answer(*model, other), (nodes[node], edges[edge]), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_a_node_hears_of_what_is_as_many_edges_away_as_there_are_rounds(layers):
    """On a one-way path a change at its start reaches so many nodes, and no more."""
    wiring = Wiring(np.arange(NODES - 1), np.arange(1, NODES), NODES)
    graph = Graph(jnp.ones((NODES, 3)), jnp.ones((NODES - 1, 2)), wiring, ("x",) * 3, ("y",) * 2)
    model = network(replace(SETTINGS, layers=layers))
    moved = replace(graph, node=graph.node.at[0].add(1.0))
    change = np.abs(answer(*model, moved)[0] - answer(*model, graph)[0]).max(axis=1)
    assert (change[: layers + 1] > 1e-9).all()
    assert (change[layers + 1 :] == 0).all()


def test_a_batch_equals_a_loop():
    graph, model = random_graph(batch=(2, 3)), network()
    nodes, edges = answer(*model, graph)
    assert nodes.shape == (2, 3, NODES, 2)
    assert edges.shape == (2, 3, EDGES, 1)
    for at in np.ndindex(2, 3):
        one = replace(graph, node=graph.node[at], edge=graph.edge[at])
        np.testing.assert_allclose(answer(*model, one)[0], nodes[at], atol=1e-12)


def test_joined_graphs_do_not_hear_of_each_other():
    model, graphs = network(), [random_graph(0), random_graph(1)]
    nodes, _ = answer(*model, joined(graphs))
    apart = [answer(*model, graph)[0] for graph in graphs]
    np.testing.assert_allclose(nodes, jnp.concatenate(apart), atol=1e-12)


def test_gradients_are_finite_differences():
    graph = random_graph()
    structure, weights = network()

    def total(weights):
        nodes, edges = answer(structure, weights, graph)
        return (nodes**2).sum() + (edges**2).sum()

    check_grads(total, (weights,), order=1, modes=["rev"], eps=1e-6, rtol=1e-6)


def test_single_precision_is_good_to_one_part_in_a_hundred_thousand():
    graph, (structure, weights) = random_graph(), network()
    low = split(GraphNetwork((3, 2), (2, 1), replace(SETTINGS, precision="float32"), nnx.Rngs(0)))
    rounded = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), weights)
    exact, found = answer(structure, weights, graph)[0], answer(low[0], rounded, graph)[0]
    assert found.dtype == jnp.float64
    miss = float(jnp.abs(found - exact).max() / jnp.abs(exact).max())
    assert 1e-10 < miss < 1e-5  # rounded, and by no more than single precision rounds


def test_settings_out_of_range_are_told_together():
    with pytest.raises(InputError) as error:
        ModelSettings(hidden=0, layers=-1, precision="float16")
    assert "3 faults" in str(error.value)
