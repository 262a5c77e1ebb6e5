"""Bodies in space from STL files, against closed forms."""

from pathlib import Path

import jax
import numpy as np
import pytest
from shape_checks import check_distance, check_divergence, within_error

from tvilling.pinns.shapes import Surface, read_mesh, read_stl
from tvilling.sciml.core.errors import InputError

FILE = Path(__file__).parent / "data" / "wedge.stl"
SLOPE = np.hypot(3, 2)
TETRA = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)], float)
CELLS = np.array([(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)])


@pytest.fixture(scope="module")
def wedge():
    """The triangle (0, 0), (3, 0), (0, 2), one high."""
    return read_stl(FILE)


def test_sizes(wedge):
    assert wedge.size == pytest.approx(3)
    assert wedge.edge_size("boundary") == pytest.approx(6 + 5 + SLOPE)
    found = sorted(wedge.edge_size(edge) for edge in wedge.edges[1:])
    np.testing.assert_allclose(found, [2, 3, 3, 3, SLOPE])
    assert read_stl(FILE, unit=10).size == pytest.approx(3000)


def test_binary_file(tmp_path):
    import meshio

    path = tmp_path / "tetra.stl"
    meshio.Mesh(TETRA, [("triangle", CELLS)]).write(path, binary=True)
    assert read_stl(path).size == pytest.approx(1 / 6)


@pytest.mark.parametrize("content", [b"", b"solid x\nfacet normal 0 0 1\nouter", b"\x00" * 200])
def test_a_broken_file(tmp_path, content):
    path = tmp_path / "broken.stl"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"broken\.stl"):
        read_stl(path)


def test_inside_is_what_the_inequalities_say(wedge):
    points = np.random.default_rng(0).uniform(-0.5, 3.5, (5000, 3))
    x, y, z = points.T
    exact = (x > 0) & (y > 0) & (x / 3 + y / 2 < 1) & (z > 0) & (z < 1)
    np.testing.assert_array_equal(wedge.inside(points), exact)
    found = np.asarray(jax.jit(jax.vmap(wedge.distance()))(x, y, z))
    np.testing.assert_array_equal(found > 0, exact)


def test_points_and_normals(wedge):
    check_divergence(wedge, 3.0, 11 + SLOPE)
    points = wedge.draw(np.random.default_rng(0), 10_000)
    for axis, middle in enumerate((1.0, 2 / 3, 0.5)):
        assert within_error(points[:, axis], middle)


@pytest.mark.parametrize("edge", [None, "face 2"])
def test_distance(wedge, edge):
    check_distance(wedge, edge)


def test_triangles_that_run_the_other_way_are_turned():
    shape = Surface(TETRA, CELLS[:, ::-1])
    assert shape.size == pytest.approx(1 / 6)
    check_divergence(shape, 1 / 6, 1.5 + np.sqrt(3) / 2)


def test_a_smooth_surface_is_one_face():
    """Caps of a cylinder are faces of their own; its 24 sides turn by 15° each, below a crease."""
    count = 24
    angles = 2 * np.pi * np.arange(count) / count
    ring = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
    points = np.concatenate([ring, ring + np.array([0, 0, 1]), [(0, 0, 0), (0, 0, 1)]])
    cells = []
    for one in range(count):
        other = (one + 1) % count
        cells += [(one, other, count + other), (one, count + other, count + one)]
        cells += [(other, one, 2 * count), (count + one, count + other, 2 * count + 1)]
    shape = Surface(points, cells)
    area = count / 2 * np.sin(2 * np.pi / count)
    side = 2 * count * np.sin(np.pi / count)
    np.testing.assert_allclose(
        sorted(shape.edge_size(edge) for edge in shape.edges[1:]), [area, area, side]
    )


@pytest.mark.parametrize(
    ("build", "faults"),
    [
        (lambda: Surface(TETRA, CELLS[:3]), ["3 sides have no triangle on the other side"]),
        (
            lambda: Surface(TETRA, [*CELLS[:3], (1, 3, 2)]),
            ["3 sides are run through twice", "3 sides have no triangle"],
        ),
        (lambda: Surface(TETRA * [1, 1, 0], CELLS), ["area is 0", "sides"]),
        (lambda: Surface(TETRA / 0.0, CELLS), [f"point {row} is" for row in (1, 2, 3, 4)]),
        (lambda: Surface(TETRA, []), ["there are no triangles"]),
        (lambda: Surface(TETRA, [(0, 1, 4)]), ["corners up to 4, there are 4"]),
        (lambda: read_stl("missing.stl"), ["no such file"]),
        (lambda: read_mesh(FILE), ["z runs from 0 to 1"]),
    ],
)
@pytest.mark.filterwarnings("ignore:(divide|invalid):RuntimeWarning")
def test_faults(build, faults):
    with pytest.raises(InputError) as told:
        build()
    for fault in faults:
        assert told.match(fault)
