"""Triangle meshes, from arrays and from a Gmsh file, against closed forms."""

from pathlib import Path

import numpy as np
import pytest
from shape_checks import check_distance, check_divergence, within_error

from tvilling.pinns.shapes import TriangleMesh, read_mesh
from tvilling.sciml.core.errors import InputError

FILE = Path(__file__).parent / "data" / "plate.msh"
# a regular polygon of 16 corners, cut out of a plate of 2 by 1
HOLE_AREA = 8 * 0.25**2 * np.sin(np.pi / 8)
HOLE_LENGTH = 32 * 0.25 * np.sin(np.pi / 16)

SQUARE = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0.5, 0.0)], float)
CELLS = [(0, 4, 3), (4, 2, 3), (2, 4, 1)]  # the last one the other way round


GMSH_4 = """$MeshFormat
4.1 0 8
$EndMeshFormat
$PhysicalNames
1
1 3 "inlet"
$EndPhysicalNames
$Entities
0 2 1 0
1 0 0 0 1 0 0 1 3 0
2 0 0 0 1 1 0 1 9 0
1 0 0 0 1 1 0 1 5 2 1 2
$EndEntities
$Nodes
1 3 1 3
2 1 0 3
1
2
3
0 0 0
1 0 0
0 1 0
$EndNodes
$Elements
3 3 1 3
1 1 1 1
1 1 2
1 2 1 1
2 2 3
2 1 2 1
3 1 2 3
$EndElements
"""


@pytest.fixture(scope="module")
def plate():
    return read_mesh(FILE)


def test_gmsh_file(plate):
    assert plate.edges == ("boundary", "hole", "left", "right", "walls")
    assert plate.size == pytest.approx(2 - HOLE_AREA, rel=1e-12)
    assert plate.edge_size("hole") == pytest.approx(HOLE_LENGTH, rel=1e-12)
    assert plate.edge_size("walls") == pytest.approx(4, rel=1e-12)
    points, normals = plate.draw_edge("left", np.random.default_rng(0), 20)
    np.testing.assert_allclose(points[:, 0], -1)
    np.testing.assert_allclose(normals, np.tile([-1.0, 0.0], (20, 1)), atol=1e-12)


def test_gmsh_file_of_the_present_format(tmp_path):
    """Format 4.1 as in Gmsh's manual; one group of lines has a name, one a number only."""
    path = tmp_path / "triangle.msh"
    path.write_text(GMSH_4)
    mesh = read_mesh(path)
    assert mesh.edges == ("boundary", "inlet", "group 9")
    assert mesh.size == 0.5
    assert mesh.edge_size("group 9") == pytest.approx(np.sqrt(2))
    points, normals = mesh.draw_edge("inlet", np.random.default_rng(0), 5)
    assert (points[:, 1] == 0).all()
    np.testing.assert_allclose(normals, np.tile([0.0, -1.0], (5, 1)), atol=1e-15)


def test_unit_of_the_file():
    assert read_mesh(FILE, unit=0.001).size == pytest.approx(1e-6 * (2 - HOLE_AREA), rel=1e-12)


def test_divergence_and_points(plate):
    check_divergence(plate, 2 - HOLE_AREA, 6 + HOLE_LENGTH)
    points = plate.draw(np.random.default_rng(0), 20_000)
    assert plate.inside(points).all()
    square = (2 * (4 + 1) / 12 - np.mean(_hole_squares()) * HOLE_AREA) / (2 - HOLE_AREA)
    assert within_error(np.sum(points**2, axis=1), square)


def _hole_squares():
    """Mean of r² over a regular polygon of n corners: R² (2 + cos(2π/n))/6."""
    return 0.25**2 * (2 + np.cos(np.pi / 8)) / 6


def test_distance(plate):
    check_distance(plate)


def test_straight_lines_become_one_side_unless_a_group_ends_there():
    mesh = TriangleMesh(SQUARE, CELLS)
    assert len(mesh.segments.start) == 4
    groups = {"inlet": [(4, 0)], "interface": [(3, 4)]}
    mesh = TriangleMesh(SQUARE, CELLS, groups)
    assert mesh.edges == ("boundary", "inlet")
    assert mesh.edge_size("inlet") == 0.5
    assert len(mesh.segments.start) == 5
    assert mesh.size == 1


def test_quadrilaterals_and_heights_are_refused(tmp_path):
    import meshio

    places = np.concatenate([SQUARE, np.arange(5.0)[:, None]], axis=1)
    path = tmp_path / "odd.vtk"
    meshio.Mesh(places, [("quad", [(0, 1, 2, 3)])]).write(path)
    with pytest.raises(InputError) as told:
        read_mesh(path)
    assert [fault.split(",")[0] for fault in told.value.faults] == [
        "it has cells of kind quad",
        "z runs from 0 to 4",
        "there are no triangles",
    ]


@pytest.mark.parametrize("text", ["", "$MeshFormat\n9.9 0 8\n$EndMeshFormat\n"])
def test_a_broken_file(tmp_path, text):
    path = tmp_path / "broken.msh"
    path.write_text(text)
    with pytest.raises(InputError, match="meshio cannot read it"):
        read_mesh(path)


@pytest.mark.parametrize(
    ("build", "faults"),
    [
        (lambda: read_mesh("missing.msh"), ["no such file"]),
        (lambda: TriangleMesh(SQUARE, np.zeros((0, 3), int)), ["there are no triangles"]),
        (lambda: TriangleMesh(SQUARE * np.nan, CELLS), [f"point {row} " for row in range(1, 6)]),
        (
            lambda: TriangleMesh(SQUARE, [(0, 1, 4), (0, 4, 1), (1, 2, 3)]),
            ["triangle 1: its area is 0", "triangle 2: its area is 0"],
        ),
        (lambda: TriangleMesh(SQUARE, [(0, 1, 5)]), ["triangle 1: nodes are .* expected 0 to 4"]),
        (
            lambda: TriangleMesh(SQUARE, [(0, 1, 2), (0, 1, 3)], {"boundary": [(0, 1)]}),
            ["triangles overlap", "a group is named 'boundary'"],
        ),
        (
            lambda: TriangleMesh(SQUARE, CELLS, {"inlet": [(0, 4), (3, 4)]}),
            ["inlet: 1 of its 2 lines do not lie on the boundary"],
        ),
    ],
)
def test_faults(build, faults):
    with pytest.raises(InputError) as told:
        build()
    assert len(told.value.faults) == len(faults)
    for fault in faults:
        assert told.match(fault)
