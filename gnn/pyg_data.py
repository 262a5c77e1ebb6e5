"""Graphs to and from the data of PyTorch Geometric: what is given is used, noted or refused."""

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.gnn.graph import Graph, Wiring
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.extras import needs_extra

with needs_extra("graph"):
    import torch
    from torch_geometric.data import Batch, Data

WEIGHT = "edge_weight"
NODE_NAMES, EDGE_NAMES = "x_names", "edge_attr_names"
USED = {"x", "edge_index", "edge_attr", WEIGHT, "y", NODE_NAMES, EDGE_NAMES, "num_nodes"}


class PygGraphs(tuple[list[Graph], list[Array | None]]):
    """Graphs and answers, a pair that also says what it could not take.

    Attributes
    ----------
    graphs, answers
        In the order of the data set; an answer has the shape that `y` has, and is None where an
        entry has none.
    notes
        One line for each attribute that is left out, such as `pos` and `train_mask`, and for
        answers that are not numbers.
    """

    notes: tuple[str, ...]

    def __new__(
        cls, graphs: list[Graph], answers: list[Array | None], notes: Iterable[str] = ()
    ) -> "PygGraphs":
        """A pair with notes."""
        made = super().__new__(cls, (graphs, answers))
        made.notes = tuple(notes)
        return made

    @property
    def graphs(self) -> list[Graph]:
        """The graphs."""
        return self[0]

    @property
    def answers(self) -> list[Array | None]:
        """Their answers."""
        return self[1]


def to_pyg(
    graph: Graph,
    answers: Float[Array, "*batch element answer"] | None = None,
    precision: Literal["float32", "float64"] | None = None,
) -> list[Any]:
    """One `Data` a scenario, with `x`, `edge_index`, `edge_attr`, and `answers` as `y`.

    Features keep their order, and their names as `x_names` and `edge_attr_names`; a graph without
    a batch gives one.

    Parameters
    ----------
    precision
        Of features and answers; without it their own. Layers of PyG are of float32 unless told
        otherwise, and take nothing else.

    Raises
    ------
    InputError
        Answers that are not of each scenario's nodes, edges, or of the graph as a whole.
    """
    dtype = None if precision is None else getattr(torch, precision)
    nodes, edges = _rows(graph.node, graph.batch), _rows(graph.edge, graph.batch)
    index = torch.tensor(np.stack([graph.wiring.sender, graph.wiring.receiver]))
    data = [
        Data(
            x=torch.tensor(node, dtype=dtype),
            edge_index=index,
            edge_attr=torch.tensor(edge, dtype=dtype),
        )
        for node, edge in zip(nodes, edges, strict=True)
    ]
    for one in data:
        setattr(one, NODE_NAMES, list(graph.node_features))
        setattr(one, EDGE_NAMES, list(graph.edge_features))
    if answers is not None:
        _check_answers(graph, answers)
        for one, answer in zip(data, _rows(answers, graph.batch), strict=True):
            one.y = torch.tensor(answer, dtype=dtype)
    return data


def _check_answers(graph: Graph, answers: Array) -> None:
    shape, lead = jnp.shape(answers), len(graph.batch)
    counts = (graph.wiring.nodes, graph.wiring.edges, 1)
    if shape[:lead] != graph.batch or len(shape) <= lead or shape[lead] not in counts:
        raise InputError(
            "answers of a graph",
            [
                f"shape is {shape}, expected {graph.batch} and then {counts[0]} nodes, {counts[1]} "
                "edges or 1 for the graph"
            ],
        )


def _rows(values: Array, batch: tuple[int, ...]) -> np.ndarray:
    """`values` with the whole batch on one axis."""
    return np.asarray(values).reshape(math.prod(batch), *values.shape[len(batch) :])


def from_pyg(dataset: Iterable[Any]) -> PygGraphs:
    """The graphs of a PyG data set, or of any iterable of `Data`, and their `y`.

    Features get the names that `to_pyg` left, else x0, x1, … and edge_attr0, …; an `edge_weight`
    is one more feature of the edges under its name. A `Batch` is taken apart into its graphs.
    Values are detached from the gradient. Graphs of one wiring become one by
    `tvilling.gnn.graph.batched`, others by `joined`.

    Raises
    ------
    InputError
        An entry lacks `x` or `edge_index`, has several kinds of nodes, features that are not
        finite numbers, or parts that do not fit each other.
    """
    entries: list[Any] = []
    for data in dataset:
        entries += data.to_data_list() if isinstance(data, Batch) else [data]
    faults = [fault for at, data in enumerate(entries) for fault in _faults(at, data)]
    if faults:
        raise InputError("PyG data set", faults)
    answers = [None if data.y is None else jnp.asarray(_numbers(data.y)) for data in entries]
    return PygGraphs([_graph(data) for data in entries], answers, _notes(entries, answers))


def _notes(entries: list[Any], answers: list[Array | None]) -> list[str]:
    """What is left out, and what answers lack."""
    counts = Counter(name for data in entries for name in data.to_dict() if name not in USED)
    notes = [f"{name} of {count} entries is left out" for name, count in sorted(counts.items())]
    missing = sum(answer is None for answer in answers)
    if missing:
        notes.append(f"{missing} of {len(entries)} entries have no y")
    bad = sum(int((~np.isfinite(answer)).sum()) for answer in answers if answer is not None)
    if bad:
        notes.append(f"{bad} numbers of y are not finite")
    return notes


def _faults(at: int, data: Any) -> list[str]:
    """What is wrong with one entry."""
    if hasattr(data, "node_types"):
        kinds = len(data.node_types)
        return [f"entry {at} has {kinds} kinds of nodes; give one kind, by its to_homogeneous()"]
    missing = [name for name in ("x", "edge_index") if getattr(data, name, None) is None]
    if missing:
        return [f"entry {at} has no {' and no '.join(missing)}"]
    nodes, index = len(data.x) if data.x.ndim else 0, data.edge_index
    if index.ndim != 2 or len(index) != 2 or index.is_floating_point():
        kind = f"{tuple(index.shape)} of {index.dtype}"
        return [f"entry {at}: edge_index is {kind}, expected whole numbers [2, edge]"]
    faults, edges = [], index.shape[1]
    if edges and not 0 <= int(index.min()) <= int(index.max()) < nodes:
        faults.append(
            f"entry {at}: edge_index is {int(index.min())} to {int(index.max())}, "
            f"expected 0 to {nodes - 1}"
        )
    for name, count in (("x", nodes), ("edge_attr", edges), (WEIGHT, edges)):
        faults += [f"entry {at}: {text}" for text in _feature_faults(name, data, count)]
    y = data.y
    if y is not None and y.ndim and len(y) not in (nodes, edges, 1):
        faults.append(
            f"entry {at}: y has {len(y)} rows, expected {nodes} of the nodes, {edges} of the edges "
            "or 1 of the graph"
        )
    return faults


def _feature_faults(name: str, data: Any, count: int) -> list[str]:
    """What is wrong with the features `name` of `count` elements."""
    values = getattr(data, name, None)
    if values is None:
        return []
    if values.ndim not in (1, 2) or len(values) != count:
        rows = len(values) if values.ndim in (1, 2) else f"shape {tuple(values.shape)}, not"
        return [f"{name} has {rows} rows, expected {count}"]
    if values.is_complex():
        return [f"{name} holds complex numbers, expected real ones"]
    bad = int((~torch.isfinite(values)).sum())
    return [f"{name} holds {bad} numbers that are not finite"] if bad else []


def _graph(data: Any) -> Graph:
    node = _two_dimensional(data.x)
    edges = data.edge_index.shape[1]
    edge = np.zeros((edges, 0)) if data.edge_attr is None else _two_dimensional(data.edge_attr)
    names = _names(data, EDGE_NAMES, "edge_attr", edge.shape[1])
    weight = getattr(data, WEIGHT, None)
    if weight is not None:
        columns = _two_dimensional(weight)
        edge = np.concatenate([edge, columns], axis=1)
        single = columns.shape[1] == 1
        names += (WEIGHT,) if single else _names(data, "", WEIGHT, columns.shape[1])
    sender, receiver = _numbers(data.edge_index)
    return Graph(
        node=jnp.asarray(node),
        edge=jnp.asarray(edge),
        wiring=Wiring(sender, receiver, len(node)),
        node_features=_names(data, NODE_NAMES, "x", node.shape[1]),
        edge_features=names,
    )


def _names(data: Any, kept: str, otherwise: str, count: int) -> tuple[str, ...]:
    """Names that `to_pyg` left, or numbered ones where there are none."""
    names = getattr(data, kept, None) if kept else None
    if isinstance(names, list) and len(names) == count:
        return tuple(str(name) for name in names)
    return tuple(f"{otherwise}{at}" for at in range(count))


def _numbers(values: "torch.Tensor") -> np.ndarray:
    """A tensor as an array, apart from its gradient; what is shorter than single, as single."""
    if values.is_floating_point() and values.element_size() < 4:
        values = values.float()
    array: np.ndarray = values.detach().cpu().numpy()
    return array


def _two_dimensional(values: "torch.Tensor") -> np.ndarray:
    """Features as floating-point numbers, one row an element."""
    array = _numbers(values)
    array = array if array.ndim > 1 else array[:, None]
    return array if np.issubdtype(array.dtype, np.floating) else array.astype(np.float64)
