"""Grids of which little or nothing is in service: results all the same, or a refusal."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandapower as pp
import pytest

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.power_system import system
from tvilling.sciml.systems.power_grid.results.generators import machines
from tvilling.sciml.systems.power_grid.results.labels import label
from tvilling.sciml.systems.power_grid.results.planner_units import branch_flows, loads
from tvilling.sciml.systems.power_grid.results.violations import limits_of, violations
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve

CABLE = "NA2XS2Y 1x240 RM/25 12/20 kV"


def lone() -> Any:
    """One bus with its external grid."""
    net = pp.create_empty_network()
    pp.create_bus(net, 20.0)
    pp.create_ext_grid(net, 0)
    return net


def dark() -> Any:
    """Branches of every kind, none of which is in service or has supply."""
    net = lone()
    pp.create_bus(net, 20.0)
    pp.create_bus(net, 0.4)
    pp.create_bus(net, 110.0)
    pp.create_line(net, 0, 1, 1.0, CABLE, in_service=False)
    pp.create_transformer(net, 1, 2, "0.63 MVA 20/0.4 kV")
    pp.create_transformer3w_from_parameters(
        net, 3, 1, 2, 110.0, 20.0, 0.4, 40.0, 25.0, 1.0, 10.0, 10.0, 10.0, 0.3, 0.3, 0.3, 30.0, 0.1
    )
    pp.create_impedance(net, 0, 1, 0.1, 0.1, 1.0, in_service=False)
    pp.create_xward(net, 1, 0.1, 0.1, 0.1, 0.1, 0.1, 1.0, 1.0, slack_weight=1.0)
    pp.create_dcline(net, 1, 3, 0.1, 0.0, 0.0, 1.0, 1.0)
    pp.create_load(net, 1, 1.0)
    return net


def sources_alone() -> Any:
    """Two slack buses and the line between them."""
    net = lone()
    pp.create_bus(net, 20.0)
    pp.create_ext_grid(net, 1)
    pp.create_line(net, 0, 1, 1.0, CABLE)
    pp.create_load(net, 0, 1.0)
    return net


@pytest.mark.parametrize("build", [lone, dark, sources_alone])
@pytest.mark.parametrize("shared", [False, True])
def test_labels_and_limits_hold(build: Callable[[], Any], shared: bool) -> None:
    """Labelling took a branch's loading from an array without branches, which crashed."""
    grid = from_pandapower(build(), distributed_slack=shared, enforce_q_lims=shared)
    flow = solve(grid)
    data = label(flow)
    assert flow.solved.all()
    assert np.isfinite(data["losses_mw"]).all()
    assert not violations(data, limits_of(grid))["quantity"].eq("no solution").any()
    given = machines(flow)["ext_grid"].p_mw.sum()
    drawn = -grid.p_pu.sum() * grid.base_mva
    assert given == pytest.approx(drawn + loads(flow).losses_mw[0], abs=1e-9)
    for kind in grid.groups:
        assert branch_flows(flow, kind).p_from_mw.shape == (1, len(grid.groups[kind].branch))


def test_a_bus_alone_is_a_system() -> None:
    plant = system(from_pandapower(lone()))
    action = {"ext_grid_vm_pu": jnp.ones(1)}
    _, output = plant.step((), action, {}, 900.0)
    assert int(output["status"]) == 0
    assert float(output["loss_w"]) == 0.0


def nothing() -> Any:
    return pp.create_empty_network()


def no_source() -> Any:
    net = lone()
    net.ext_grid["in_service"] = False
    return net


def bus_out_of_service() -> Any:
    net = lone()
    net.bus["in_service"] = False
    return net


def injection_without_a_value() -> Any:
    net = sources_alone()
    pp.create_sgen(net, 1, np.nan, name="sun")
    return net


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (nothing, "No reference bus"),
        (no_source, "No reference bus"),
        (bus_out_of_service, "No reference bus"),
        (injection_without_a_value, r"bus 1 \(bus 1\): something there has no value"),
    ],
)
def test_what_has_no_answer_is_refused(build: Callable[[], Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        from_pandapower(build())


def test_an_injection_of_nan_in_a_scenario_is_refused_by_name() -> None:
    net = sources_alone()
    pp.create_sgen(net, 1, 0.1, name="sun")
    with pytest.raises(InputError, match="1 values are not finite, the first in scenario 1 at sun"):
        solve(from_pandapower(net), {"sgen_p_mw": np.array([[0.1], [np.nan]])})
