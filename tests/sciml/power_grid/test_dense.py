"""The dense form against the kernel, which pandapower has checked."""

import numpy as np
import pandapower.networks as pn
import pytest

from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve
from tvilling.sciml.systems.power_grid.solver.dense import solve_dense
from tvilling.sciml.systems.power_grid.solver.flow import Options, Outcome


def test_equals_the_kernel_and_hands_over_what_it_cannot_solve() -> None:
    """Loads and set-points vary; one scenario is far, one has no solution."""
    net = pn.case30()
    grid = from_pandapower(net, "case30")
    draw = np.random.default_rng(4)
    scale = np.r_[draw.uniform(0.5, 1.5, 18), 3.0, 30.0][:, None]
    varying = {
        "load_p_mw": net.load.p_mw.to_numpy() * scale,
        "load_q_mvar": net.load.q_mvar.to_numpy() * scale,
        "gen_vm_pu": np.full((20, len(net.gen)), 1.01),
        "ext_grid_vm_pu": np.full((20, 1), 1.02),
    }
    dense, sparse = solve_dense(grid, varying), solve(grid, varying)
    np.testing.assert_array_equal(dense.outcome, sparse.outcome)
    assert dense.outcome[-1] == Outcome.INFEASIBLE
    assert (dense.worst_pu[:-1] <= 1e-9).all()
    np.testing.assert_allclose(dense.v, sparse.v, atol=1e-8, rtol=0)


def test_says_what_it_has_not() -> None:
    """Limits are the kernel's."""
    grid = from_pandapower(pn.case9(), "case9")
    with pytest.raises(ValueError, match="no limits"):
        solve_dense(grid, {"load_p_mw": np.ones((1, 3))}, Options(q_limits=True))
