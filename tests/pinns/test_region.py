"""Domains of any shape with time, against shapely."""

import numpy as np
import pytest

from tvilling.pinns import Axis
from tvilling.pinns.fields.region import Region
from tvilling.pinns.shapes import Disk, Rectangle, difference
from tvilling.sciml.core.errors import InputError

PLATE = difference(plate=Rectangle((0, 0), (2, 1)), hole=Disk((1, 0.5), 0.25))


@pytest.fixture(scope="module")
def region():
    return Region(PLATE, ("x_m", "y_m"), "m", (Axis("time_s", "s", 10.0, 20.0),))


def test_axes(region):
    assert region.names == ("x_m", "y_m", "time_s")
    assert region.axis("x_m") == Axis("x_m", "m", 0.0, 2.0)
    assert region.edges == PLATE.edges


def test_points_lie_inside_with_one_time_in_every_slice(region):
    points = region.draw(np.random.default_rng(0), 500)
    assert tuple(points) == region.names
    assert region.inside(points).all()
    assert (np.hypot(points["x_m"] - 1, points["y_m"] - 0.5) > 0.25).all()
    slices = np.floor((points["time_s"] - 10) / 10 * 500)
    np.testing.assert_array_equal(np.sort(slices), np.arange(500))
    assert abs(np.corrcoef(points["x_m"], points["time_s"])[0, 1]) < 5 / np.sqrt(500)
    late = {**points, "time_s": points["time_s"] + 10}
    assert not region.inside(late).any()


def test_points_on_an_edge(region):
    points, normals = region.draw_edge("hole", np.random.default_rng(0), 200)
    assert tuple(points) == region.names
    assert (normals["time_s"] == 0).all()
    np.testing.assert_allclose(normals["x_m"], (1 - points["x_m"]) / 0.25, atol=1e-12)
    np.testing.assert_allclose(normals["y_m"], (0.5 - points["y_m"]) / 0.25, atol=1e-12)


def test_distance_takes_a_point_by_name(region):
    point = {"x_m": 0.001, "y_m": 0.4, "time_s": 12.0}
    assert float(region.distance("plate left")(point)) == pytest.approx(0.001, rel=1e-4)
    assert float(region.distance()(point)) == pytest.approx(0.001, rel=1e-2)


def test_faults_are_told_together():
    others = (Axis("x_m", "s", 1.0, 0.0),)
    with pytest.raises(InputError) as told:
        Region(PLATE, ("x_m",), "m", others)
    assert [fault.split(",")[0] for fault in told.value.faults] == [
        "names are 1 (x_m)",
        "x_m is the name of 2 axes",
        "x_m: its range is 1 to 0 s",
    ]
