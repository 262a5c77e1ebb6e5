"""A plane region given as a mesh of triangles, as mesh generators write it."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import shapely
from jaxtyping import Float, Int

from tvilling.pinns.shapes.files import read_file
from tvilling.pinns.shapes.flat import Flat, areas
from tvilling.pinns.shapes.segments import Segments
from tvilling.pinns.shapes.shape import BOUNDARY, as_places
from tvilling.sciml.core.errors import InputError

Pairs = Int[np.ndarray, "line 2"]
STRAIGHT = 1e-9  # sine of the angle up to which two sides count as one


class TriangleMesh(Flat):
    """A mesh of triangles; its edges are the named groups of lines on its boundary.

    Lines that continue each other straight, in the same groups, become one side.

    Parameters
    ----------
    points
        Nodes `[node, 2]`.
    triangles
        Nodes of the triangles `[triangle, 3]`, counted from zero, either way round.
    groups
        Lines `[line, 2]` of each named edge. A group that lies inside altogether (an interface)
        names no edge.
    source
        What errors name as their place.

    Raises
    ------
    InputError
        With every node, triangle and group that is wrong.
    """

    def __init__(
        self,
        points: Float[np.ndarray, "node 2"],
        triangles: Int[np.ndarray, "triangle 3"],
        groups: Mapping[str, Pairs] | None = None,
        source: str = "mesh",
    ) -> None:
        nodes, faults = as_places(points, 2, "points")
        cells = np.asarray(triangles, int).reshape(-1, 3)
        faults += _cell_faults(nodes, cells) if not faults else []
        if faults:
            raise InputError(source, faults)
        corners = nodes[cells]
        cells = np.where(areas(corners)[:, None] > 0, cells, cells[:, ::-1])
        lines, faults = _boundary(cells)
        outline = shapely.union_all(shapely.polygons(nodes[cells]))
        whole = float(areas(nodes[cells]).sum())
        if outline.area < whole * (1 - 1e-9):
            faults.append(
                f"triangles overlap: their areas sum to {whole:g}, they cover {outline.area:g}"
            )
        members, wrong = _members(lines, groups or {})
        if faults or wrong:
            raise InputError(source, faults + wrong)
        shapely.prepare(outline)
        super().__init__(outline, nodes[cells], _straight(nodes, lines, members))


def read_mesh(path: str | Path, unit: float = 1.0) -> TriangleMesh:
    """The mesh of triangles in a .msh, .stl, .vtk, .ply, .obj or .off file, with its groups.

    Physical groups of lines become edges, by name, or `"group 7"` where there is a number only.

    Parameters
    ----------
    path
        File; its format goes by the ending.
    unit
        Length of the file's unit in the unit wanted, such as 0.001 for mm in m.
    """
    mesh = read_file(path)
    source = str(path)
    kinds = Counter(block.type for block in mesh.cells)
    odd = [kind for kind in kinds if kind not in ("triangle", "line", "vertex")]
    faults = [f"it has cells of kind {kind}, expected triangles of first order" for kind in odd]
    points, wrong = as_places(mesh.points, mesh.points.shape[-1], "points")
    faults += wrong
    if not wrong and points.shape[1] == 3 and np.ptp(points[:, 2]) > 1e-12 * np.ptp(points[:, :2]):
        faults.append(f"z runs from {points[:, 2].min():g} to {points[:, 2].max():g}, expected one")
    if "triangle" not in kinds:
        faults.append("there are no triangles")
    if faults:
        raise InputError(source, faults)
    names = {int(tag): name for name, (tag, dim) in mesh.field_data.items() if int(dim) == 1}
    lines: dict[str, list[Pairs]] = {}
    physical = mesh.cell_data.get("gmsh:physical", [np.zeros(0)] * len(mesh.cells))
    for block, tags in zip(mesh.cells, physical, strict=True):
        if block.type == "line":
            for tag in np.unique(tags[tags > 0]):
                name = names.get(int(tag), f"group {int(tag)}")
                lines.setdefault(name, []).append(np.asarray(block.data)[tags == tag])
    groups = {name: np.concatenate(found) for name, found in lines.items()}
    return TriangleMesh(unit * points[:, :2], mesh.cells_dict["triangle"], groups, source)


def _cell_faults(nodes: Float[np.ndarray, "node 2"], cells: Int[np.ndarray, "cell 3"]) -> list[str]:
    """No triangles, nodes that are missing, triangles without area."""
    if not len(cells):
        return ["there are no triangles"]
    missing = np.flatnonzero(((cells < 0) | (cells >= len(nodes))).any(axis=1))
    if len(missing):
        return [
            f"triangle {row + 1}: nodes are {cells[row]}, expected 0 to {len(nodes) - 1}"
            for row in missing
        ]
    least = 1e-14 * float(np.ptp(nodes, axis=0).max()) ** 2
    flat = np.flatnonzero(np.abs(areas(nodes[cells])) <= least)
    return [f"triangle {row + 1}: its area is 0, expected above 0" for row in flat]


def _boundary(cells: Int[np.ndarray, "cell 3"]) -> tuple[Pairs, list[str]]:
    """Lines that belong to one triangle only, the triangle on their left."""
    lines = np.concatenate([cells[:, [0, 1]], cells[:, [1, 2]], cells[:, [2, 0]]])
    _, first, counts = np.unique(
        np.sort(lines, axis=1), axis=0, return_index=True, return_counts=True
    )
    faults = [
        f"the line from node {lines[row][0]} to {lines[row][1]} belongs to {count} triangles, "
        "expected 1 or 2"
        for row, count in zip(first[counts > 2], counts[counts > 2], strict=True)
    ]
    return lines[np.sort(first[counts == 1])], faults


def _members(lines: Pairs, groups: Mapping[str, Pairs]) -> tuple[dict[str, set[int]], list[str]]:
    """Indices of the boundary lines in every group."""
    place = {frozenset(pair): index for index, pair in enumerate(lines.tolist())}
    members, faults = {}, []
    for name, pairs in groups.items():
        found = [place.get(frozenset(pair)) for pair in np.asarray(pairs, int).tolist()]
        inside = found.count(None)
        if name == BOUNDARY:
            faults.append(f"a group is named {name!r}, which is the name of all edges together")
        elif inside == len(found):
            continue
        elif inside:
            faults.append(f"{name}: {inside} of its {len(found)} lines do not lie on the boundary")
        else:
            members[name] = {index for index in found if index is not None}
    return members, faults


def _straight(
    nodes: Float[np.ndarray, "node 2"], lines: Pairs, members: dict[str, set[int]]
) -> Segments:
    """Sides, each of the lines that continue one another straight."""
    own = [
        frozenset(name for name in members if index in members[name]) for index in range(len(lines))
    ]
    along = nodes[lines[:, 1]] - nodes[lines[:, 0]]
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    leaving: dict[int, list[int]] = {}
    for index, (start, _) in enumerate(lines.tolist()):
        leaving.setdefault(start, []).append(index)
    follows = {}
    for index, (_, end) in enumerate(lines.tolist()):
        following = leaving.get(end, [])
        if len(following) == 1 and own[following[0]] == own[index]:
            first, second = along[index], along[following[0]]
            turn = abs(first[0] * second[1] - first[1] * second[0])
            if turn < STRAIGHT and first @ second > 0:
                follows[index] = following[0]
    sides: list[tuple[int, int]] = []
    groups: dict[str, list[int]] = {name: [] for name in members}
    for index in sorted(set(range(len(lines))) - set(follows.values())):
        for name in own[index]:
            groups[name].append(len(sides))
        last = index
        while last in follows:
            last = follows[last]
        sides.append((int(lines[index, 0]), int(lines[last, 1])))
    ends = np.asarray(sides)
    found = {name: np.asarray(side) for name, side in groups.items()}
    return Segments(nodes[ends[:, 0]], nodes[ends[:, 1]], found)
