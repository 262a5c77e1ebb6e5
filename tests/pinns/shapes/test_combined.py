"""Composed shapes against closed forms and shapely."""

import numpy as np
import pytest
import shapely
from shape_checks import check_distance, check_divergence, within_error

from tvilling.pinns.shapes import Disk, Interval, Rectangle, difference, intersection, union
from tvilling.sciml.core.errors import InputError

PLATE = Rectangle((0, 0), (2, 1))


@pytest.fixture(scope="module")
def lug():
    """A plate with half a disk at its right side, and a hole."""
    body = union(plate=PLATE, lug=Disk((2, 0.5), 0.5))
    return difference(body=body, hole=Disk((0.5, 0.5), 0.25))


AREA = 2 + np.pi / 8 - np.pi / 16
LENGTH = 5 + np.pi / 2 + np.pi / 2


def test_edges_are_those_of_the_parts_that_are_left(lug):
    sides = ("body plate bottom", "body plate top", "body plate left")
    assert lug.edges == ("boundary", "body", "body plate", *sides, "body lug", "hole")


def test_sizes_are_estimated(lug):
    assert lug.size == pytest.approx(AREA, rel=0.01)
    assert lug.edge_size("boundary") == pytest.approx(LENGTH, rel=0.01)
    assert lug.edge_size("body lug") == pytest.approx(np.pi / 2, rel=0.01)


def test_divergence(lug):
    check_divergence(lug, AREA, LENGTH)


def test_points_lie_inside_and_are_uniform(lug):
    points = lug.draw(np.random.default_rng(0), 10_000)
    middle = (2 * 1 + (2 + 4 * 0.5 / (3 * np.pi)) * np.pi / 8 - 0.5 * np.pi / 16) / AREA
    assert within_error(points[:, 0], middle)
    assert lug.inside(points).all()


@pytest.mark.parametrize("edge", [None, "body lug"])
def test_distance(lug, edge):
    check_distance(lug, edge, corners=[(2, 0), (2, 1), (0, 0), (2, 0.5), (0.5, 0.5)])


def test_intersection_against_shapely():
    shape = intersection(plate=PLATE, other=Rectangle((1.5, 0.5), (3, 3)))
    exact = shapely.box(0, 0, 2, 1).intersection(shapely.box(1.5, 0.5, 3, 3))
    check_divergence(shape, exact.area, exact.length)
    np.testing.assert_array_equal(shape.bounds, np.reshape(exact.bounds, (2, 2)))


def test_a_corner_may_be_cut_flush_with_its_sides():
    shape = difference(plate=Rectangle((0, 0), (2, 2)), corner=Rectangle((1, 1), (2, 2)))
    check_divergence(shape, 3.0, 8.0)
    assert "corner top" not in shape.edges
    check_distance(shape, "corner")


@pytest.mark.parametrize(
    ("build", "faults"),
    [
        (lambda: union(a=PLATE, b=Rectangle((2, 0), (3, 1))), ["a and b share a piece"]),
        (lambda: intersection(a=PLATE, b=Rectangle((1, 0), (3, 2))), ["a and b share a piece"]),
        (lambda: intersection(a=PLATE, b=Rectangle((3, 0), (4, 1))), ["nothing is left of a, b"]),
        (lambda: difference(a=Disk((1, 0.5), 0.2), b=PLATE), ["nothing is left of a, b"]),
        (lambda: union(a=PLATE, b=Interval(0, 1)), ["coordinates differ: a 2, b 1"]),
        (lambda: union(a=PLATE), ["1 part"]),
    ],
)
def test_faults(build, faults):
    with pytest.raises(InputError) as told:
        build()
    assert len(told.value.faults) == len(faults)
    for fault in faults:
        assert told.match(fault)
