"""One kind of element at a time, against pandapower."""

import element_nets
import numpy as np
import pytest
from pandapower_peer import by_row, voltages

from tvilling.sciml.systems.power_grid.convert import from_pandapower
from tvilling.sciml.systems.power_grid.solve import solve


@pytest.mark.parametrize("name", element_nets.CHANGES)
def test_element_is_modelled_as_pandapower_does(name: str) -> None:
    net, options = element_nets.net_with(name)
    grid = from_pandapower(net, **options)
    flow = solve(grid)
    found = by_row(grid, flow.v[0])
    expected = voltages(net, **options)
    assert flow.solved.all()
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_allclose(found, expected, atol=1e-10, rtol=0)
