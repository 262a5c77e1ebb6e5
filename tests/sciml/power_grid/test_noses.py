"""How far grids can be loaded: the share that is told, against a continuation in scipy.

Each grid is asked for more than it can carry, little and far; the share told times what was asked
is the nose.
"""

import numpy as np
import pytest
from continuation import curve, equations
from loaded_grids import Loaded
from merged_grids import merged, solved

from tvilling.datasets.readers.power_grid.reader import read_power_net
from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve
from tvilling.sciml.systems.power_grid.solver.flow import Outcome

BEYOND = np.array([1.02, 1.7, 6.0])
CLOSE = 1e-3
FAST = ("case9", "case14", "case30", "case39", "case33bw")
SLOW = (
    "GBreducednetwork",
    "case118",
    "case1354pegase",
    "case1888rte",
    "case24_ieee_rts",
    "case2869pegase",
    "case300",
    "case3120sp",
    "case4gs",
    "case5",
    "case57",
    "case6ww",
    "case89pegase",
    "case_ieee30",
    "case_illinois200",
    "iceland",
    "mv_oberrhein",
)
MERGED = (("case30", 5, "line"), ("case118", 3, "trafo"))


@pytest.mark.parametrize(
    "name", [*FAST, *(pytest.param(one, marks=pytest.mark.slow) for one in SLOW)]
)
def test_noses_are_those_of_a_continuation(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    loaded = Loaded(f"pandapower:{name}")
    nose = curve(loaded.equations).nose
    flow = solve(loaded.grid, loaded.scaled(nose * BEYOND))
    assert (flow.outcome == Outcome.INFEASIBLE).all()
    off = np.abs(flow.reached * BEYOND - 1.0).max()
    with capsys.disabled():
        print(
            f"\n{name}: nose at {nose:.6g} times the file's powers, here within {off:.1e}", end=""
        )
    assert off <= CLOSE


@pytest.mark.slow
@pytest.mark.parametrize(("name", "copies", "by"), MERGED)
def test_noses_of_merged_grids(name: str, copies: int, by: str) -> None:
    net, _ = merged(solved(read_power_net(f"pandapower:{name}").net), copies, by)
    nose = curve(equations(net)).nose
    for table in ("load", "gen", "sgen"):
        for column in {"p_mw", "q_mvar"} & {*net[table].columns}:
            net[table][column] *= 1.3 * nose
    flow = solve(from_pandapower(net))
    assert flow.outcome[0] == Outcome.INFEASIBLE
    assert flow.reached[0] * 1.3 == pytest.approx(1.0, rel=CLOSE)
