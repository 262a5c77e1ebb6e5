import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

pytest.importorskip("torch_geometric")
import torch
from torch_geometric.data import Batch, Data

from tvilling.gnn import model as parts
from tvilling.gnn.graph import Graph, Wiring, batched, joined
from tvilling.gnn.model import GraphNetwork, ModelSettings, split
from tvilling.gnn.pyg_adapter import PygNetwork, from_pyg, to_pyg
from tvilling.sciml.errors import InputError

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
        "entry 1 has no edge_index and no y",
        "entry 2: edge_attr has 3 rows, expected 1",
    )
