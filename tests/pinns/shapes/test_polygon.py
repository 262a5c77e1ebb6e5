"""Polygons against shapely, closed forms and the published formula of their distance."""

import jax
import numpy as np
import pytest
import shapely
from shape_checks import check_distance, check_divergence, within_error

from tvilling.pinns.shapes import Polygon, Polygons, Rectangle
from tvilling.sciml.core.errors import InputError

ELL = [(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)]
YARD = [(0.3, 0.3), (0.6, 0.3), (0.7, 0.7), (0.3, 0.6)]
SHAPELY = shapely.Polygon(ELL, [YARD])


@pytest.fixture(scope="module")
def ell():
    return Polygon(ELL, [YARD], names={"inlet": ["outer 2", "outer 5"]})


def test_size_and_edges(ell):
    assert ell.size == pytest.approx(SHAPELY.area, rel=1e-14)
    assert ell.edge_size("boundary") == pytest.approx(SHAPELY.length, rel=1e-14)
    assert ell.edge_size("hole 1") == pytest.approx(SHAPELY.interiors[0].length, rel=1e-14)
    assert ell.edge_size("inlet") == 2.0
    np.testing.assert_array_equal(ell.bounds, [[0, 0], [2, 2]])


def test_points_are_uniform(ell):
    points = ell.draw(np.random.default_rng(0), 20_000)
    assert shapely.intersects_xy(SHAPELY, *points.T).all()
    for axis, middle in enumerate(SHAPELY.centroid.coords[0]):
        assert within_error(points[:, axis], middle)
    part = shapely.box(0.2, 0.2, 1.5, 0.8)
    share = SHAPELY.intersection(part).area / SHAPELY.area
    assert within_error(shapely.contains_xy(part, *points.T).astype(float), share)


def test_area_by_points_of_the_bounds(ell):
    points = np.random.default_rng(1).uniform(0, 2, (20_000, 2))
    assert within_error(4.0 * ell.inside(points), SHAPELY.area)


@pytest.mark.parametrize("turn", [1, -1])
def test_divergence_whichever_way_the_rings_run(turn):
    shape = Polygon(ELL[::turn], [YARD[::-turn]])
    check_divergence(shape, SHAPELY.area, SHAPELY.length)


def test_sides_keep_their_numbers_whichever_way_the_ring_runs():
    points, normals = Polygon(ELL[::-1]).draw_edge("outer 2", np.random.default_rng(0), 5)
    assert shapely.distance(shapely.LineString([ELL[4], ELL[3]]), shapely.points(points)).max() == 0
    np.testing.assert_allclose(normals, np.tile([1.0, 0.0], (5, 1)), atol=1e-15)


@pytest.mark.parametrize("edge", [None, "inlet"])
def test_distance(ell, edge):
    on_extended_sides = [(1, 0.5), (0.5, 1), (1, 0.9999999)]
    check_distance(ell, edge, corners=[*ell.segments.start, *on_extended_sides])


def test_distance_is_the_published_one():
    """By Sukumar and Srivastava as it is printed, for a half diagonal of one."""
    corners = np.array([(0.0, 0.0), (1.6, 0.0), (0.0, 1.2)])  # bounds of 1.6 by 1.2
    shape = Polygon(corners)
    points = shape.draw(np.random.default_rng(0), 200)
    inverse = np.zeros(200)
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        length = np.linalg.norm(end - start)
        (x, y), (dx, dy) = (points - start).T, end - start
        line = (x * dy - y * dx) / length
        trim = ((length / 2) ** 2 - np.sum((points - (start + end) / 2) ** 2, axis=1)) / length
        varphi = np.sqrt(trim**2 + line**4)
        inverse += 1 / np.sqrt(line**2 + ((varphi - trim) / 2) ** 2)
    found = jax.vmap(shape.distance())(*points.T)
    np.testing.assert_allclose(found, 1 / inverse, rtol=1e-12)


@pytest.mark.parametrize("holes", [[], [YARD]])
def test_distance_tends_to_shapelys_at_the_edge(holes):
    """Normalised to first order, the error falls with the square of the distance."""
    shape, exact = Polygon(ELL, holes), shapely.Polygon(ELL, holes)
    points, normals = shape.draw_edge("boundary", np.random.default_rng(4), 500)
    ends = shapely.MultiPoint(shape.segments.start)
    away = shapely.distance(ends, shapely.points(points)) > 0.05
    look = jax.jit(jax.vmap(shape.distance()))
    errors = []
    for step in (1e-3, 1e-4):
        inner = (points - step * normals)[away]
        wanted = shapely.distance(exact.boundary, shapely.points(inner))
        np.testing.assert_allclose(wanted, step, rtol=1e-9)
        errors.append(np.abs(np.asarray(look(*inner.T)) - wanted).max())
    assert np.log10(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("count", [50, 200])
def test_distance_does_not_depend_on_how_fine_a_circle_is(count):
    """In the middle of a circle ∮ ds/r² is 2π/R."""
    angles = 2 * np.pi * np.arange(count) / count
    shape = Polygon(3.0 * np.stack([np.cos(angles), np.sin(angles)], axis=1))
    assert float(shape.distance()(0.0, 0.0)) == pytest.approx(3 / (2 * np.pi), rel=0.01)


def test_distance_has_the_sign_of_shapelys_side(ell):
    points = np.random.default_rng(5).uniform(-1, 3, (5000, 2))
    found = np.asarray(jax.jit(jax.vmap(ell.distance()))(*points.T))
    np.testing.assert_array_equal(found > 0, shapely.contains_xy(SHAPELY, *points.T))


def test_too_many_sides_for_a_distance():
    angles = np.linspace(0, 2 * np.pi, 202)[:-1]
    shape = Polygon(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    with pytest.raises(InputError, match="201 straight sides, expected at most 200"):
        shape.distance()
    assert float(shape.distance("outer 1")(0.0, 0.0)) > 0


def test_rectangle():
    shape = Rectangle((1, 2), (4, 4))
    assert shape.edges == ("boundary", "bottom", "right", "top", "left")
    assert shape.size == 6
    points, normals = shape.draw_edge("left", np.random.default_rng(0), 50)
    assert (points[:, 0] == 1).all()
    assert (normals == [-1, 0]).all()


def test_polygons_as_one_region():
    parts = [Rectangle((0, 0), (1, 1)), Polygon([(2, 0), (3, 0), (2, 2)])]
    shape = Polygons(parts)
    assert shape.size == 2
    assert shape.edge_size("part 2 outer 2") == pytest.approx(np.sqrt(5))
    check_divergence(shape, 2.0, 4 + 3 + np.sqrt(5))
    with pytest.raises(InputError, match="parts 1 and 2 overlap or share a side"):
        Polygons([parts[0], Rectangle((0.5, 0), (2, 1))])


@pytest.mark.parametrize(
    ("build", "faults"),
    [
        (
            lambda: Polygon([(0, 0), (1, 1), (1, 0), (0, 1)], [[(0, 0), (1, np.nan), (1, 1)]]),
            ["outer: Self-intersection", "hole 1: point 2 is .* expected finite"],
        ),
        (
            lambda: Polygon(ELL, [[(5, 5), (6, 5), (6, 6)], [(5, 5), (6, 5), (6, 6)]]),
            ["hole 1: it does not lie", "hole 2: it does not lie", "holes 1 and 2 meet"],
        ),
        (
            lambda: Polygon([(0, 0), (1, 1), (2, 2)], [[(0, 0), (1, 1)]]),
            ["outer: area is 0", "hole 1: 2 corners, expected at least 3"],
        ),
        (lambda: Polygon([(0, 0), (1, 0), (1, 0), (1, 1)]), ["corner 2 .* repeated"]),
        (lambda: Polygon([1, 2, 3]), [r"outer: shape is \(3,\)"]),
        (
            lambda: Polygon(ELL, names={"x": ["outer 9"], "outer": ["outer 1"]}),
            ["outer 9", "already"],
        ),
        (lambda: Rectangle((1, 1), (0, 2)), ["expected low below high"]),
        (lambda: Polygons([]), ["there is no polygon"]),
        (lambda: Rectangle((0, 0), (1, 1)).distance("east"), ["'east' is no edge"]),
    ],
)
def test_faults_are_told_together(build, faults):
    with pytest.raises(InputError) as told:
        build()
    assert len(told.value.faults) == len(faults)
    for fault in faults:
        assert told.match(fault)
