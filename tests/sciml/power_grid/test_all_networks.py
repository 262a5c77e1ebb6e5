"""Every network that ships in pandapower, and grids of SimBench, against pandapower's Newton.

Where rounding keeps pandapower from 1e-10 MVA, the least tolerance that it reaches is taken:
1e-8 MVA for SimBench's grids of the highest voltage.
"""

from collections.abc import Callable

import numpy as np
import pytest
from pandapower_peer import best_voltages, by_row

from tvilling.datasets.readers.power_grid.reader import read_power_net, shipped_networks
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve
from tvilling.sciml.systems.power_grid.solver.flow import Outcome

CLOSE_PU = 1e-8
# Loaded a fifth of a per cent beyond its nose, as `test_infeasible` shows by continuation;
# pandapower finds no solution from any start either.
WITHOUT_SOLUTION = {"pandapower:case11_iwamoto"}
SPREAD = (
    "1-LV-rural1--0-sw",
    *(
        f"pandapower:{name}"
        for name in (
            "GBreducednetwork",
            "case11_iwamoto",
            "case118",
            "case145",
            "case300",
            "case33bw",
            "case57",
            "case89pegase",
            "create_cigre_network_lv",
            "create_cigre_network_mv?with_der=all",
            "create_dickert_lv_network",
            "example_multivoltage",
            "iceland",
            "ieee_european_lv_asymmetric",
            "kb_extrem_landnetz_kabel_trafo",
            "mv_oberrhein?include_substations=True",
        )
    ),
)
SIMBENCH = tuple(
    f"1-{grid}sw"
    for grid in (
        "EHV-mixed--0-",
        "EHVHV-mixed-1-0-",
        "EHVHV-mixed-all-0-",
        "HV-mixed--0-",
        "HV-mixed--2-no_",
        "HV-urban--0-",
        "HVMV-mixed-1.105-0-",
        "HVMV-mixed-all-0-",
        "HVMV-urban-2.203-0-",
        "HVMV-urban-all-0-",
        "LV-rural1--0-",
        "LV-rural2--1-",
        "LV-rural3--2-",
        "LV-semiurb4--0-",
        "LV-semiurb5--0-",
        "LV-urban6--0-",
        "MV-comm--0-",
        "MV-rural--0-",
        "MV-semiurb--1-",
        "MV-urban--0-",
        "MV-urban--2-",
        "MVLV-comm-3.403-0-",
        "MVLV-rural-all-0-",
        "MVLV-semiurb-4.201-0-",
        "MVLV-urban-5.303-0-",
        "complete_data-mixed-all-0-",
    )
)


def far_off(source: str) -> float | str:
    """Greatest distance of a voltage from pandapower's [p.u.], or what was told instead."""
    net = read_power_net(source)
    try:
        grid = from_pandapower(net.net, source)
    except InputError as told:
        return str(told)
    flow = solve(grid)
    assert np.isfinite(flow.v).all()
    expected, _, _ = best_voltages(net.net)
    if flow.outcome[0] == Outcome.INFEASIBLE or expected is None:
        assert expected is None, f"{source}: pandapower has a solution"
        assert flow.outcome[0] == Outcome.INFEASIBLE, f"{source}: pandapower has no solution"
        return "no solution"
    found = by_row(grid, flow.v[0])
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected), err_msg=source)
    return float(np.nanmax(np.abs(found - expected)))


@pytest.mark.parametrize(
    "sources",
    [
        pytest.param(lambda: SPREAD, id="a spread of them"),
        pytest.param(lambda: (*shipped_networks(), *SIMBENCH), id="all", marks=pytest.mark.slow),
    ],
)
def test_voltages_are_pandapowers(
    sources: Callable[[], tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    found = {source: far_off(source) for source in sources()}
    off = {source: far for source, far in found.items() if isinstance(far, float)}
    told = {source: far for source, far in found.items() if isinstance(far, str)}
    without = {source for source, far in told.items() if far == "no solution"}
    refused = told.keys() - without
    worst = max(off, key=off.__getitem__)
    with capsys.disabled():
        print(
            f"\n{len(found)} networks: {sum(far <= CLOSE_PU for far in off.values())} within "
            f"{CLOSE_PU:g} p.u. of pandapower (farthest {off[worst]:.1e}, {worst}), "
            f"{len(without)} without a solution in either, {len(refused)} refused"
        )
    assert off[worst] <= CLOSE_PU, off
    assert without == WITHOUT_SOLUTION
    assert not refused, refused
