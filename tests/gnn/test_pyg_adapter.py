import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

pytest.importorskip("torch_geometric")
import torch
from torch_geometric.data import Batch, Data, HeteroData

from tvilling.gnn import model as parts
from tvilling.gnn.graph import Graph, Wiring, batched, joined
from tvilling.gnn.model import GraphNetwork, ModelSettings, split
from tvilling.gnn.pyg_adapter import PygNetwork, from_pyg, to_pyg
from tvilling.sciml.core.errors import InputError

answer = jax.jit(parts.answer, static_argnums=0)


@pytest.fixture(autouse=True)
def _one_thread():
    """A second thread of torch beside the pool of JAX slows both."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def random_graph(seed=0, nodes=11, edges=30, batch=()) -> Graph:
    random = np.random.default_rng(seed)
    return Graph(
        node=jnp.asarray(random.standard_normal((*batch, nodes, 4))),
        edge=jnp.asarray(random.standard_normal((*batch, edges, 3))),
        wiring=Wiring(*random.integers(0, nodes, (2, edges)), nodes),
        node_features=("x0", "x1", "x2", "x3"),
        edge_features=("edge_attr0", "edge_attr1", "edge_attr2"),
    )


def model(precision="float64", answers=(2, 1)) -> GraphNetwork:
    return GraphNetwork((4, 3), answers, ModelSettings(16, 3, precision), nnx.Rngs(3))


def test_the_same_weights_give_the_same_answers_in_pyg():
    """Gather, scatter and linear maps of another library, to rounding."""
    ours, graph = model(), random_graph(batch=(5,))
    nodes, edges = answer(*split(ours), graph)
    twin = PygNetwork(ours)
    with torch.no_grad():
        for scenario, data in enumerate(to_pyg(graph)):
            found = twin(data)
            np.testing.assert_allclose(found[0].numpy(), nodes[scenario], atol=1e-10)
            np.testing.assert_allclose(found[1].numpy(), edges[scenario], atol=1e-10)
    assert float(nodes.std()) > 0.01


def test_graphs_of_other_wiring_agree_with_a_batch_of_pyg():
    ours = model(answers=(1, 0))
    graphs = [random_graph(seed, nodes=6 + seed, edges=9 + seed) for seed in range(3)]
    nodes, edges = answer(*split(ours), joined(graphs))
    data = Batch.from_data_list([to_pyg(graph)[0] for graph in graphs])
    with torch.no_grad():
        found = PygNetwork(ours)(data)
    np.testing.assert_allclose(found[0].numpy(), nodes, atol=1e-10)
    assert found[1].shape == edges.shape == (30, 0)


def test_single_precision_stays_single():
    ours = model("float32")
    nodes, _ = answer(*split(ours), random_graph())
    twin = PygNetwork(ours).double()
    with torch.no_grad():
        found = twin(to_pyg(random_graph())[0])[0].numpy()
    np.testing.assert_allclose(found, nodes, atol=1e-5)


def test_elements_without_features_start_alike():
    """Answers then follow from the wiring alone, and agree with PyG."""
    full = random_graph()
    graph = Graph(full.node[:, :0], full.edge[:, :0], full.wiring, (), ())
    ours = GraphNetwork((0, 0), (1, 0), ModelSettings(8, 2, "float64"), nnx.Rngs(0))
    nodes, _ = answer(*split(ours), graph)
    with torch.no_grad():
        found, _ = PygNetwork(ours)(to_pyg(graph)[0])
    np.testing.assert_allclose(found.numpy(), nodes, atol=1e-10)
    assert float(nodes.std()) > 1e-3


def test_there_and_back():
    graph = random_graph(batch=(3,))
    truth = jnp.arange(3 * 11.0).reshape(3, 11, 1)
    graphs, answers = from_pyg(to_pyg(graph, truth))
    again = batched(graphs)
    assert again.wiring == graph.wiring
    assert again.features == graph.features
    np.testing.assert_array_equal(again.node, graph.node)
    np.testing.assert_array_equal(again.edge, graph.edge)
    np.testing.assert_array_equal(jnp.stack(answers), truth)


def test_whole_numbers_and_missing_edge_features_are_taken():
    index = torch.tensor([[0, 1], [1, 0]])
    graphs, answers = from_pyg([Data(x=torch.tensor([1, 2]), edge_index=index, y=torch.ones(1))])
    np.testing.assert_array_equal(graphs[0].node, [[1.0], [2.0]])
    assert graphs[0].edge.shape == (2, 0)
    assert answers[0].shape == (1,)


def test_every_fault_of_a_data_set_is_told():
    index = torch.tensor([[0, 5], [1, 0]])
    x, y = torch.zeros(2, 1), torch.zeros(2)
    broken = [
        Data(x=x, edge_index=index, y=y),
        Data(x=x),
        Data(x=x, edge_index=index[:, :1], edge_attr=torch.zeros(3, 1), y=y),
    ]
    with pytest.raises(InputError) as error:
        from_pyg(broken)
    assert error.value.faults == (
        "entry 0: edge_index is 0 to 5, expected 0 to 1",
        "entry 1 has no edge_index",
        "entry 2: edge_attr has 3 rows, expected 1",
    )


INDEX = torch.tensor([[0, 1], [1, 2]])


def test_weights_of_edges_are_features_and_what_is_left_out_is_told():
    """The weight counts: another one gives another answer, the same in PyG as here."""
    weight = torch.tensor([1.0, 5.0])
    data = Data(
        x=torch.randn(4, 2, generator=torch.Generator().manual_seed(0)),
        edge_index=INDEX,
        edge_weight=weight,
        train_mask=torch.tensor([1, 1, 0, 0], dtype=torch.bool),
        pos=torch.zeros(4, 3),
    )
    found = from_pyg([data])
    assert found.notes == (
        "pos of 1 entries is left out",
        "train_mask of 1 entries is left out",
        "1 of 1 entries have no y",
    )
    assert found.answers == [None]
    graph = found.graphs[0]
    assert graph.edge_features == ("edge_weight",)
    np.testing.assert_array_equal(graph.edge, [[1.0], [5.0]])
    ours = GraphNetwork((2, 1), (1, 0), ModelSettings(8, 2, "float64"), nnx.Rngs(0))
    nodes, _ = answer(*split(ours), graph)
    with torch.no_grad():
        np.testing.assert_allclose(PygNetwork(ours)(data)[0].numpy(), nodes, atol=1e-10)
        data.edge_weight = 2 * weight
        assert np.abs(PygNetwork(ours)(data)[0].numpy() - nodes).max() > 1e-3
    data.edge_attr = torch.ones(2, 3)
    wider = from_pyg([data])[0][0]
    assert wider.edge_features == ("edge_attr0", "edge_attr1", "edge_attr2", "edge_weight")
    np.testing.assert_array_equal(wider.edge[:, -1], [2.0, 10.0])


def test_names_go_there_and_back():
    graph = random_graph()
    named = Graph(graph.node, graph.edge, graph.wiring, ("a_w", "b", "c", "d"), ("l_m", "d_m", "q"))
    assert from_pyg(to_pyg(named)).graphs[0].features == named.features


def test_gradients_are_left_and_precision_is_as_asked():
    leaf = torch.ones(4, 2, requires_grad=True)
    data = Data(x=leaf * 2, edge_index=INDEX.int(), y=leaf[:, 0] * 3)
    answers = from_pyg([data]).answers
    np.testing.assert_array_equal(answers[0], np.full(4, 3.0))
    half = Data(x=torch.ones(4, 2, dtype=torch.bfloat16), edge_index=INDEX)
    assert from_pyg([half]).graphs[0].node.dtype == np.float32
    double = random_graph()
    assert to_pyg(double)[0].x.dtype == torch.float64
    single = to_pyg(double, precision="float32")[0]
    assert single.x.dtype == single.edge_attr.dtype == torch.float32
    with torch.no_grad():  # features are brought to the precision of the weights
        assert PygNetwork(model("float32"))(to_pyg(double)[0])[0].dtype == torch.float32


def test_a_batch_is_taken_apart():
    data = [to_pyg(random_graph(seed, nodes=5 + seed), jnp.ones((1, 2)))[0] for seed in range(3)]
    graphs, answers = from_pyg([Batch.from_data_list(data)])
    assert [graph.wiring.nodes for graph in graphs] == [5, 6, 7]
    assert [one.shape for one in answers] == [(1, 2)] * 3


def test_what_does_not_fit_is_refused_by_name():
    x, nan = torch.ones(4, 2), float("nan")
    bad = torch.tensor([[1.0, nan]] * 4)
    broken = [
        Data(x=x, edge_index=INDEX, y=torch.ones(3)),
        Data(x=bad, edge_index=INDEX),
        Data(x=x, edge_index=INDEX, edge_weight=torch.tensor([1.0, nan])),
        Data(x=x, edge_index=INDEX, edge_weight=torch.ones(3)),
        Data(x=x, edge_index=INDEX.float()),
        Data(x=torch.ones(4, 2, 2), edge_index=INDEX),
        HeteroData({"pipe": {"x": x}, "node": {"x": x}}),
    ]
    with pytest.raises(InputError) as error:
        from_pyg(broken)
    assert error.value.faults == (
        "entry 0: y has 3 rows, expected 4 of the nodes, 2 of the edges or 1 of the graph",
        "entry 1: x holds 4 numbers that are not finite",
        "entry 2: edge_weight holds 1 numbers that are not finite",
        "entry 3: edge_weight has 3 rows, expected 2",
        "entry 4: edge_index is (2, 2) of torch.float32, expected whole numbers [2, edge]",
        "entry 5: x has shape (4, 2, 2), not rows, expected 4",
        "entry 6 has 2 kinds of nodes; give one kind, by its to_homogeneous()",
    )
    with pytest.raises(InputError, match="11 nodes, 30 edges or 1"):
        to_pyg(random_graph(batch=(5,)), jnp.ones((5, 7, 1)))
