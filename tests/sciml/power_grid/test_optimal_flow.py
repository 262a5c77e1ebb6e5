"""Optimal power flow against pandapower's, and sensitivities against finite differences."""

import numpy as np
import pandapower as pp
import pandapower.networks as pn
import pytest
from pandapower_peer import quiet, voltages

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.studies.gradient_opf import machines_of, optimal_flow
from tvilling.sciml.systems.power_grid.studies.sensitivity import sensitivities


@pytest.mark.parametrize("name", ["case9", "case39"])
def test_reaches_the_optimum_of_pandapower(name: str) -> None:
    """Its interior-point method finds the same cost; every limit is kept when it solves ours."""
    net = getattr(pn, name)()
    grid = from_pandapower(net, name)
    found = optimal_flow(grid, machines_of(net, grid))
    assert found.keeps_limits
    assert found.cost < found.cost_before
    with quiet():
        pp.runopp(net)
    assert found.cost == pytest.approx(net.res_cost, rel=1e-6)
    net.gen["p_mw"] = found.set_points["gen_p_mw"]
    net.gen["vm_pu"] = found.set_points["gen_vm_pu"]
    vm = np.abs(voltages(net))
    assert (vm < net.bus.max_vm_pu + 1e-4).all()
    assert (vm > net.bus.min_vm_pu - 1e-4).all()
    assert (net.res_line.loading_percent < 100.0 + 1e-2).all()
    given = np.concatenate([net.res_gen.p_mw, net.res_ext_grid.p_mw])
    np.testing.assert_allclose(np.sort(given), np.sort(found.p_mw), atol=1e-6)


def test_costs_that_cannot_be_used_are_told_together() -> None:
    """Piecewise linear costs, costs by reactive power, none at all: each in one line."""
    net = pn.case9()
    net.poly_cost["cq1_eur_per_mvar"] = 1.0
    net.pwl_cost.loc[0] = {name: None for name in net.pwl_cost}
    with pytest.raises(InputError) as told:
        machines_of(net, from_pandapower(net, "case9"))
    assert len(told.value.faults) == 2
    net = pn.case9()
    net.poly_cost = net.poly_cost.iloc[:0]
    with pytest.raises(InputError, match="poly_cost is empty"):
        machines_of(net, from_pandapower(net, "case9"))


def test_sensitivities_equal_differences_of_pandapower() -> None:
    """One load more at a bus, by central differences of full power flows of pandapower."""
    net = pn.case30()
    grid = from_pandapower(net, "case30")
    found = sensitivities(grid, observed=[25, 29])
    step = 1e-3
    for bus in (18, 29):
        at = {}
        for sign in (1, -1):
            moved = pn.case30()
            pp.create_sgen(moved, bus, p_mw=sign * step)
            vm = np.abs(voltages(moved))
            at[sign] = vm[[25, 29]], moved.res_line.pl_mw.sum() + moved.res_trafo.pl_mw.sum()
        slope = (at[1][0] - at[-1][0]) / (2 * step)
        np.testing.assert_allclose(found.vm_by_p[:, bus], slope, rtol=1e-5, atol=1e-9)
        loss = (at[1][1] - at[-1][1]) / (2 * step)
        assert float(found.loss_by_p[bus]) == pytest.approx(loss, rel=1e-4)
    with pytest.raises(InputError, match="bus 99 is not known"):
        sensitivities(grid, observed=[99])
