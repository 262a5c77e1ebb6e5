"""Outlines in longitude and latitude against published lengths of a degree."""

import json
from pathlib import Path

import numpy as np
import pytest
from shape_checks import check_divergence

from tvilling.pinns.shapes import LocalProjection, Polygon, read_geojson
from tvilling.sciml.core.errors import InputError

FILE = Path(__file__).parent / "data" / "sites.geojson"
EAST_M, NORTH_M = 55_800.0, 111_412.0  # a degree at 60°, to a metre (WGS 84, published tables)


@pytest.mark.parametrize(
    ("latitude", "east_km", "north_km"),
    [(0, 111.320, 110.574), (15, 107.551, 110.649), (45, 78.847, 111.132), (60, 55.800, 111.412)],
)
def test_length_of_a_degree(latitude, east_km, north_km):
    found = LocalProjection(10.0, latitude).metres_per_degree / 1000
    np.testing.assert_allclose(found, [east_km, north_km], atol=6e-4)


def test_there_and_back():
    projection = LocalProjection.of(FILE)
    places = np.random.default_rng(0).uniform(-100, 100, (10, 2))
    np.testing.assert_allclose(projection.to_m(projection.to_degrees(places)), places, atol=1e-7)
    assert projection.longitude_deg == pytest.approx(18.002)


def test_sites():
    shape = read_geojson(FILE)
    in_degrees = 0.004 * 0.001 + 0.002 * 0.001 - 0.0005 * 0.0003 + 0.001 * 0.0005 / 2
    area = in_degrees * EAST_M * NORTH_M
    assert shape.size == pytest.approx(area, rel=1e-4)
    assert shape.edge_size("part 1 outer 1") == pytest.approx(0.004 * EAST_M, rel=1e-4)
    assert "part 2 outer 3" in shape.edges
    check_divergence(shape, shape.size, shape.edge_size("boundary"))


def test_metres_stay_as_they_are(tmp_path):
    ring = [[0, 0, 7.5], [200, 0, 7.5], [200, 100, 7.5], [0, 0, 7.5]]  # heights are left out
    path = _written(tmp_path, {"type": "Polygon", "coordinates": [ring]})
    shape = read_geojson(path, metric=True)
    assert isinstance(shape, Polygon)
    assert shape.size == 10_000
    with pytest.raises(InputError, match="for metres say metric=True"):
        read_geojson(path)


def _written(folder, content):
    path = folder / "outline.geojson"
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        ({"type": "Point", "coordinates": [1, 2]}, ["it holds a Point"]),
        ({"type": "FeatureCollection", "features": []}, ["there is no polygon"]),
        ({"type": "Polygon", "coordinates": []}, ["it has no ring"]),
        ({"type": "Polygon", "coordinates": [[[0, 0], [9, 0], [9, 9]]]}, ["it extends 9 ° by 9 °"]),
        (
            {"type": "MultiPolygon", "coordinates": [[[[0, 0], ["x", 0]]], [[[0], [1]]]]},
            ["polygon 1: expected numbers", r"polygon 2: shape is \(2, 1\)"],
        ),
        (
            {"type": "MultiPolygon", "coordinates": [[[[0, 0], [0.1, 0.1]]], [[[0, 0]]]]},
            ["polygon 1: outer: 2 corners", "polygon 2: outer: 1 corners"],
        ),
    ],
)
def test_faults(tmp_path, content, faults):
    with pytest.raises(InputError) as told:
        read_geojson(_written(tmp_path, content))
    assert len(told.value.faults) == len(faults)
    for fault in faults:
        assert told.match(fault)


def test_no_file_and_no_json(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_geojson(tmp_path / "missing.geojson")
    path = tmp_path / "text.geojson"
    path.write_text("{")
    with pytest.raises(InputError, match="is not JSON: line 1"):
        read_geojson(path)
    with pytest.raises(InputError, match="latitude is 90 °"):
        LocalProjection(0.0, 90.0)
