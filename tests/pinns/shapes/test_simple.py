"""Interval and disk against closed forms."""

import jax
import numpy as np
import pytest
from shape_checks import check_distance, check_divergence, within_error

from tvilling.pinns.shapes import Disk, Interval
from tvilling.sciml.core.errors import InputError

DISK = Disk((1.0, -2.0), 0.5)


def test_disk():
    check_divergence(DISK, np.pi / 4, np.pi)
    assert DISK.size == pytest.approx(np.pi / 4)
    points = DISK.draw(np.random.default_rng(0), 20_000)
    assert DISK.inside(points).all()
    radii = np.linalg.norm(points - [1, -2], axis=1)
    assert within_error(radii, 2 / 3 * 0.5)  # mean radius of a uniform disk
    check_distance(DISK)


def test_interval():
    shape = Interval(-1.0, 3.0)
    check_divergence(shape, 4.0, 2.0)
    check_distance(shape)
    check_distance(shape, "low")
    points, normals = shape.draw_edge("high", np.random.default_rng(0), 3)
    assert (points == 3).all()
    assert (normals == 1).all()
    points = shape.draw(np.random.default_rng(0), 20_000)
    assert within_error(points[:, 0] ** 2, 28 / 12)
    assert float(jax.grad(shape.distance("high"))(0.0)) == -1


@pytest.mark.parametrize(
    ("build", "faults"),
    [
        (lambda: Interval(1.0, 1.0), ["its ends are 1 and 1"]),
        (lambda: Disk((0, np.inf), -1.0), ["centre: point 1", "radius is -1"]),
        (lambda: DISK.draw_edge("east", np.random.default_rng(0), 1), ["'east' is no edge"]),
    ],
)
def test_faults(build, faults):
    with pytest.raises(InputError) as told:
        build()
    assert len(told.value.faults) == len(faults)
    for fault in faults:
        assert told.match(fault)
