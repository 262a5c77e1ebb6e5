"""Where the buses and branches of a grid stand on a drawing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.sciml.systems.power_grid.model.geometry import geo_points

if TYPE_CHECKING:
    from pandapower import pandapowerNet

    from tvilling.sciml.systems.power_grid.model.grid import Buses

ENDS = {
    "line": ("from_bus", "to_bus"),
    "trafo": ("hv_bus", "lv_bus"),
    "impedance": ("from_bus", "to_bus"),
    "dcline": ("from_bus", "to_bus"),
}
SIDES = (("hv_bus", "mv_bus"), ("hv_bus", "lv_bus"))  # how a three-winding transformer is drawn
FEW = 300  # buses up to which springs are worth their time
TREELIKE = 1.03  # connections for each bus, up to which a grid is drawn as a tree
NO_PLACES = "The file has no coordinates: the drawing shows what is connected; "
ON_FILE = "Drawn on the coordinates of the file."


@dataclass(frozen=True)
class Layout:
    """Places for a drawing.

    Attributes
    ----------
    place
        Of every row of the bus table `[row, 2]`; NaN where it is not known.
    paths
        By table, the points of every row's path.
    origin
        Where the places come from, in a sentence.
    to_scale
        Whether both directions have one scale.
    """

    place: np.ndarray
    paths: dict[str, list[np.ndarray]]
    origin: str
    to_scale: bool = True


def layout_of(net: "pandapowerNet", buses: "Buses") -> Layout:
    """Places from the coordinates of the file, or else from how the buses are connected."""
    place = np.column_stack([buses.x, buses.y])
    has = ~np.isnan(place).any(axis=1)
    if has.mean() > 0.5:
        missing = int((~has).sum())
        without = f" {missing} buses have none and are left out." if missing else ""
        return Layout(*_scaled(place, _paths(net, place, _routes(net))), ON_FILE + without)
    place, how, is_tree = _arranged(net)
    return Layout(place, _paths(net, place, {}), NO_PLACES + how, to_scale=not is_tree)


def _routes(net: "pandapowerNet") -> dict[int, np.ndarray]:
    """Paths of lines by row, where the file has them."""
    if "geo" not in net.line:
        return {}
    return {at: geo_points(cell) for at, cell in enumerate(net.line["geo"])}


def _paths(
    net: "pandapowerNet", place: np.ndarray, routes: dict[int, np.ndarray]
) -> dict[str, list[np.ndarray]]:
    row = {index: at for at, index in enumerate(net.bus.index)}
    paths = {}
    for kind, (start, end) in ENDS.items():
        table = net[kind]
        pairs = zip(table[start], table[end], strict=True)
        paths[kind] = [place[[row[one], row[other]]] for one, other in pairs]
    for at, route in routes.items():
        if len(route) > 1:
            paths["line"][at] = route
    buses = zip(net.trafo3w["hv_bus"], net.trafo3w["mv_bus"], net.trafo3w["lv_bus"], strict=True)
    paths["trafo3w"] = [place[[row[mv], row[hv], row[lv]]] for hv, mv, lv in buses]
    return paths


def _scaled(
    place: np.ndarray, paths: dict[str, list[np.ndarray]]
) -> tuple[np.ndarray, dict[str, list[np.ndarray]]]:
    """Degrees, which are told by their range, with both directions on one scale."""
    low, high = np.nanmin(place, axis=0), np.nanmax(place, axis=0)
    if max(-low[0], high[0]) > 180 or max(-low[1], high[1]) > 90:
        return place, paths
    scale = np.array([np.cos(np.radians((low[1] + high[1]) / 2)), 1.0])
    return place * scale, {kind: [path * scale for path in each] for kind, each in paths.items()}


def off_rows(net: "pandapowerNet", kind: str) -> np.ndarray:
    """Rows of the table that are out of service, or open at a switch."""
    off = ~net[kind]["in_service"].to_numpy(bool)
    letter = {"line": "l", "trafo": "t", "trafo3w": "t3"}.get(kind)
    switch = net.switch[(net.switch["et"] == letter) & ~net.switch["closed"].astype(bool)]
    return np.flatnonzero(off | net[kind].index.isin(switch["element"]))


def pairs(net: "pandapowerNet") -> Iterator[tuple[int, int, int]]:
    """Rows of buses that something in service joins, and the row of the line where one does."""
    row = {index: at for at, index in enumerate(net.bus.index)}
    ends = [(kind, *pair) for kind, pair in ENDS.items()]
    ends += [("trafo3w", *pair) for pair in SIDES]
    for kind, start, end in ends:
        table, off = net[kind], set(off_rows(net, kind).tolist())
        for at, (one, other) in enumerate(zip(table[start], table[end], strict=True)):
            if at not in off:
                yield row[one], row[other], at if kind == "line" else -1
    for one, other in _closed(net):
        yield row[one], row[other], -1


def feeding_rows(net: "pandapowerNet") -> list[int]:
    """Rows of the buses with an external grid or a slack generator in service."""
    row = {index: at for at, index in enumerate(net.bus.index)}
    gen = net.gen[net.gen["in_service"].astype(bool) & net.gen["slack"].astype(bool)]
    grids = net.ext_grid[net.ext_grid["in_service"].astype(bool)]
    return [row[bus] for bus in [*grids["bus"], *gen["bus"]]]


def _closed(net: "pandapowerNet") -> Iterator[tuple[int, int]]:
    """Buses at either side of the closed switches between buses."""
    switch = net.switch[(net.switch["et"] == "b") & net.switch["closed"].astype(bool)]
    return zip(switch["bus"], switch["element"], strict=True)


def _joined(net: "pandapowerNet") -> np.ndarray:
    """Number of the place of every bus; those that closed switches join share one."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    row = {index: at for at, index in enumerate(net.bus.index)}
    joined = [(row[one], row[other]) for one, other in _closed(net)]
    ends = np.array(joined, int).reshape(-1, 2).T
    size = (len(net.bus), len(net.bus))
    graph = coo_matrix((np.ones(ends.shape[1]), ends), shape=size)
    return np.asarray(connected_components(graph, directed=False)[1])


def _arranged(net: "pandapowerNet") -> tuple[np.ndarray, str, bool]:
    """Places found from the connections, what they tell, and whether they are those of a tree."""
    import networkx as nx

    node = _joined(net)
    graph = nx.Graph()
    graph.add_nodes_from(range(int(node.max(initial=-1)) + 1))
    graph.add_edges_from((node[one], node[other]) for one, other, _ in pairs(net))
    few = graph.number_of_nodes() <= FEW
    is_tree = not few or graph.number_of_edges() <= TREELIKE * graph.number_of_nodes()
    if is_tree:
        spots = _tree(graph, [int(node[row]) for row in feeding_rows(net)])
        how = "the further right, the more branches from the feeding bus."
    else:
        spots = nx.kamada_kawai_layout(graph)
        how = "lengths follow the number of branches between buses, not distances."
    place = np.array([spots[one] for one in node.tolist()], float).reshape(-1, 2)
    return place, how, is_tree


def _tree(graph: Any, roots: list[int]) -> dict[int, tuple[float, float]]:
    """Buses to the right by steps from the feeding one; trees below each other."""
    import networkx as nx

    spots: dict[int, tuple[float, float]] = {}
    for root in [*roots, *(min(part) for part in nx.connected_components(graph))]:
        if root not in spots:
            lowest = min((y for _, y in spots.values()), default=0.0)
            spots |= _branching(nx.bfs_tree(graph, root), root, lowest - 2.0)
    return spots


def _branching(tree: Any, root: int, top: float) -> dict[int, tuple[float, float]]:
    """Spots of one tree below `top`, each bus level with its longest way on."""
    import networkx as nx

    depth = nx.single_source_shortest_path_length(tree, root)
    height = dict.fromkeys(tree, 0)
    for one in reversed(list(nx.topological_sort(tree))):
        for child in tree.successors(one):
            height[one] = max(height[one], height[child] + 1)

    def shortest_first(below: Any) -> list[int]:
        return sorted(below, key=height.__getitem__)

    spots: dict[int, tuple[float, float]] = {}
    leaf = top
    for one in nx.dfs_postorder_nodes(tree, root, sort_neighbors=shortest_first):
        below = list(tree.successors(one))
        if below:
            level = spots[max(below, key=height.__getitem__)][1]
        else:
            leaf, level = leaf - 1.0, leaf
        spots[one] = (float(depth[one]), level)
    return spots
