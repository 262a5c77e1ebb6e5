"""Reactive limits and distributed slack against pandapower."""

from typing import Any

import numpy as np
import pandapower as pp
import pandapower.networks as pn
import pytest
from pandapower_peer import voltages

from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.results.generators import machines
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve
from tvilling.sciml.systems.power_grid.solver.flow import Options

SCALES = np.array([0.9, 1.0, 1.05])


def loaded(name: str, scale: float) -> Any:
    """A network with loads, machines and weights that make limits bind."""
    net = getattr(pn, name)()
    net.load.p_mw *= scale
    net.load.q_mvar *= 1.1 * scale
    net.gen["slack_weight"] = np.abs(net.gen.p_mw) + 1.0
    net.ext_grid["slack_weight"] = 50.0
    return net


@pytest.mark.parametrize(
    "name",
    ["case118", *(pytest.param(name, marks=pytest.mark.slow) for name in ("case30", "case39"))],
)
@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({"enforce_q_lims": True}, Options(q_limits=True)),
        ({"distributed_slack": True}, Options(distributed_slack=True)),
        (
            {"distributed_slack": True, "enforce_q_lims": True},
            Options(distributed_slack=True, q_limits=True),
        ),
    ],
    ids=["limits", "slack", "both"],
)
def test_equals_pandapower(name: str, theirs: dict[str, bool], ours: Options) -> None:
    """A batch of three loads has the voltages that pandapower finds for each alone."""
    base = loaded(name, 1.0)
    grid = from_pandapower(base)
    loads = {
        "load_p_mw": base.load.p_mw.to_numpy() * SCALES[:, None],
        "load_q_mvar": base.load.q_mvar.to_numpy() * SCALES[:, None],
    }
    flow = solve(grid, loads, options=ours)
    for row, scale in enumerate(SCALES):
        net = loaded(name, scale)
        v = voltages(net, 1e-10, **theirs)
        np.testing.assert_allclose(flow.v[row, grid.buses.bus], v, atol=1e-8, rtol=0)
    if ours.q_limits and name == "case118":
        held = np.abs(flow.vm_pu[:, grid.held] - grid.vm_pu[grid.held]) < 1e-9
        assert not held.all()  # some limit binds, or the test could not fail


def test_generators_beside_a_source_keep_their_limits_too() -> None:
    """pandapower limits a generator at the bus of an external grid, which gives the rest."""
    net = pn.case9()
    pp.create_gen(net, 0, 20.0, vm_pu=1.0, min_q_mvar=-5.0, max_q_mvar=10.0)
    voltages(net, enforce_q_lims=True)
    given = machines(solve(from_pandapower(net), options=Options(q_limits=True)))
    assert net.res_gen.q_mvar.iloc[-1] == pytest.approx(10.0)
    for kind in ("gen", "ext_grid"):
        expected = net[f"res_{kind}"].q_mvar.to_numpy()
        np.testing.assert_allclose(given[kind].q_mvar[0], expected, atol=1e-6)


@pytest.mark.parametrize("limits", [(-np.inf, np.inf), (np.nan, np.nan), (-np.inf, 40.0)])
def test_limits_without_an_end_give_finite_powers(limits: tuple[float, float]) -> None:
    """A share of infinity would not be a number; the voltages are those without a limit there."""
    net = pn.case9()
    pp.create_gen(net, 1, 20.0, vm_pu=1.0, min_q_mvar=-5.0, max_q_mvar=20.0)
    plain = solve(from_pandapower(net))
    net.gen.loc[[0, 1], ["min_q_mvar", "max_q_mvar"]] = limits
    for asked in (False, True):
        flow = solve(from_pandapower(net), options=Options(q_limits=asked))
        np.testing.assert_allclose(flow.v, plain.v, atol=1e-9)
        given = machines(flow)
        assert all(np.isfinite(one.q_mvar).all() for one in given.values())
        total = [one["gen"].q_mvar[0, [0, -1]].sum() for one in (given, machines(plain))]
        assert total[0] == pytest.approx(total[1], abs=1e-6)
