import numpy as np
import pytest

from tvilling.sciml.systems.power_grid.model.geometry import geo_points


@pytest.mark.parametrize(
    ("cell", "points"),
    [
        ('{"type": "Point", "coordinates": [9.5, 55.25]}', [[9.5, 55.25]]),
        ('{"type": "Point", "coordinates": [9.5, 55.25, 12]}', [[9.5, 55.25]]),
        ('{"type": "LineString", "coordinates": [[9, 55], [10, 56, 3]]}', []),
        ('{"type": "LineString", "coordinates": [[9, 55], [10, 56]]}', [[9, 55], [10, 56]]),
        ('{"type": "Point", "coordinates": []}', []),
        ('{"type": "Point"}', []),
        ('{"coordinates": ["a", 2]}', []),
        ('{"coordinates": 5}', []),
        ("[9, 55]", []),
        ("a field", []),
        (float("nan"), []),
        (None, []),
    ],
)
def test_points_of_a_cell(cell, points):
    np.testing.assert_array_equal(geo_points(cell), np.reshape(points, (-1, 2)))
