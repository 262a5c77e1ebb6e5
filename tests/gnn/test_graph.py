import jax.numpy as jnp
import networkx as nx
import numpy as np
import pytest

from tvilling.gnn.graph import DIRECTION, Scaling, Wiring, batched, from_network, joined
from tvilling.gnn.message import summed
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.network import Network

HEAT_W = jnp.array([[0.0, 10.0, 20.0], [0.0, 11.0, 21.0]])


def small_network(length_m=(5.0, 7.0), receiver=(1, 2)) -> Network:
    """Three nodes in a row under two scenarios of demand."""
    return Network(
        sender=jnp.array([0, 1]),
        receiver=jnp.array(receiver),
        node={"heat_w": HEAT_W, "height_m": jnp.array([3.0, 2.0, 1.0])},
        edge={"length_m": jnp.array(length_m)},
        node_names=("plant", "fork", "house"),
        edge_names=("main", "service"),
    )


def test_every_edge_comes_both_ways_with_named_features():
    graph = from_network(small_network())
    assert graph.node_features == ("heat_w", "height_m")
    assert graph.edge_features == ("length_m", DIRECTION)
    assert graph.batch == (2,)
    np.testing.assert_array_equal(graph.node[1], [[0, 3], [11, 2], [21, 1]])
    np.testing.assert_array_equal(graph.edge[0], [[5, 1], [7, 1], [5, -1], [7, -1]])
    ends = list(zip(graph.wiring.sender, graph.wiring.receiver, strict=True))
    assert ends == [(0, 1), (1, 2), (1, 0), (2, 1)]


def test_one_way_keeps_the_edges_as_they_are():
    graph = from_network(small_network(), both_ways=False)
    assert graph.edge_features == ("length_m",)
    assert graph.edge.shape == (2, 2, 1)
    np.testing.assert_array_equal(graph.wiring.sender, [0, 1])


def test_an_edge_to_nowhere_is_refused():
    with pytest.raises(InputError, match="edge service joins nodes 1 and 3, expected 0 to 2"):
        from_network(small_network(receiver=(1, 3)))


def test_a_batch_leads_with_the_graphs_and_needs_one_wiring():
    one, other = from_network(small_network()), from_network(small_network((6.0, 8.0)))
    both = batched([one, other])
    assert both.batch == (2, 2)
    np.testing.assert_array_equal(both.edge[1], other.edge)
    with pytest.raises(InputError, match="graph 1 differs"):
        batched([one, from_network(small_network(), both_ways=False)])


def test_joined_graphs_have_no_edges_between_them():
    graph = from_network(small_network())
    one = graph.__class__(
        graph.node[0], graph.edge[0], graph.wiring, graph.node_features, graph.edge_features
    )
    whole = joined([one, one, one])
    edges = zip(whole.wiring.sender.tolist(), whole.wiring.receiver.tolist(), strict=True)
    parts = list(nx.weakly_connected_components(nx.DiGraph(edges)))
    assert parts == [{0, 1, 2}, {3, 4, 5}, {6, 7, 8}]
    with pytest.raises(InputError, match="graph 0 has a batch"):
        joined([graph])


def test_scaled_features_have_no_mean_and_unit_spread_unless_they_do_not_vary():
    graph = from_network(small_network())
    scaled = Scaling.of(graph)(graph)
    np.testing.assert_allclose(scaled.node.mean(axis=(0, 1)), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.node.std(axis=(0, 1)), 1)
    constant = from_network(small_network(length_m=(5.0, 5.0)))
    np.testing.assert_array_equal(Scaling.of(constant)(constant).edge[..., 0], 0)


def test_sums_at_nodes_are_those_of_numpy():
    random = np.random.default_rng(0)
    sender, receiver = random.integers(0, 7, (2, 30))
    values = random.standard_normal((4, 30, 3))
    expected = np.zeros((4, 7, 3))
    for scenario in range(4):
        np.add.at(expected[scenario], receiver, values[scenario])
    found = summed(jnp.asarray(values), Wiring(sender, receiver, 7))
    np.testing.assert_allclose(found, expected, atol=1e-13)


def test_a_quantity_that_is_no_number_is_refused():
    with pytest.raises(InputError, match="length_m is not a finite number at 1 places"):
        from_network(small_network(length_m=(5.0, float("nan"))))


def test_what_does_not_vary_is_scaled_by_its_size():
    """The lengths of another network then are a few times that size, not thousands."""
    constant = from_network(small_network(length_m=(5000.0, 5000.0)))
    other = from_network(small_network(length_m=(4000.0, 7000.0)))
    lengths = Scaling.of(constant)(other).edge[..., 0].ravel()
    np.testing.assert_allclose(sorted(set(np.asarray(lengths).tolist())), [-0.2, 0.4], rtol=1e-9)
