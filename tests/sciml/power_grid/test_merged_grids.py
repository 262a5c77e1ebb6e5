"""Copies of shipped grids, joined: solved as a second Newton's method does, or said to be unknown.

Newton's method alone fails on many of them: what enters over the joins adds up along the chain, and
angles of a DC power flow go round more than once.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
from merged_grids import merged, solved
from newton_peer import peer_equations, peer_voltages
from pandapower_peer import by_row

from tvilling.datasets.readers.power_grid.reader import read_power_net
from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.solver.angles import widest_degree
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve
from tvilling.sciml.systems.power_grid.solver.flow import Outcome

CLOSE_PU = 1e-6
SMALL = ("case30", "case57", "case118", "case_illinois200")
OTHERS = (
    "case89pegase",
    "case300",
    "case1354pegase",
    "case1888rte",
    "case2869pegase",
    "case3120sp",
)
LARGEST = ("case9241pegase", (2, 7))
A_FEW = tuple((name, copies, by) for name, copies, by in (
    ("case30", 8, "line"), ("case30", 5, "trafo"), ("case57", 3, "line"), ("case57", 8, "trafo"),
    ("case118", 2, "trafo"), ("case118", 6, "line"), ("case_illinois200", 4, "line"),
))  # fmt: skip
ALL = tuple(
    (name, copies, by)
    for name in (*SMALL, *OTHERS)
    for copies in range(2, 9)
    for by in ("line", "trafo")
) + tuple((LARGEST[0], copies, by) for copies in LARGEST[1] for by in ("line", "trafo"))


@dataclass(frozen=True)
class Compared:
    """What came of one merged grid: here, by the peer, and how far apart."""

    outcome: Outcome
    peer: bool
    apart_pu: float
    widest_degree: float


@cache
def base_net(name: str) -> Any:
    return solved(read_power_net(f"pandapower:{name}").net)


def compared(name: str, copies: int, by: str) -> Compared:
    net, near = merged(base_net(name), copies, by, seed=copies)
    grid = from_pandapower(net)
    flow = solve(grid)
    peer, place = peer_equations(net, near)
    expected = peer_voltages(peer)
    outcome = Outcome(flow.outcome[0])
    apart = np.nan
    if outcome == Outcome.SOLVED:
        found = by_row(grid, flow.v[0])
        live = (place >= 0) & np.isfinite(found)
        if expected is not None:
            apart = np.abs(found - expected[place])[live].max()
    return Compared(outcome, expected is not None, float(apart), widest_degree(grid, flow.v[0]))


def told(found: dict[tuple[str, int, str], Compared]) -> str:
    both = [one for one in found.values() if one.outcome == Outcome.SOLVED and one.peer]
    near = [one for one in both if one.apart_pu <= CLOSE_PU]
    alone = sum(one.outcome == Outcome.SOLVED and not one.peer for one in found.values())
    neither = sum(one.outcome != Outcome.SOLVED and not one.peer for one in found.values())
    unknown = sum(one.outcome == Outcome.UNKNOWN for one in found.values())
    infeasible = sum(one.outcome == Outcome.INFEASIBLE for one in found.values())
    return (
        f"{len(found)} merged grids: {len(both)} solved by both, {len(near)} of them within "
        f"{CLOSE_PU:g} p.u. (farthest {max((one.apart_pu for one in both), default=0.0):.1e}), "
        f"{alone} solved here alone, {neither} by neither; {unknown} not known, "
        f"{infeasible} infeasible"
    )


@pytest.mark.parametrize(
    "cases",
    [pytest.param(A_FEW, id="a few"), pytest.param(ALL, id="all", marks=pytest.mark.slow)],
)
def test_merged_grids_are_solved_like_a_second_newton(
    cases: tuple[tuple[str, int, str], ...], capsys: pytest.CaptureFixture[str]
) -> None:
    found = {}
    for case in cases:
        found[case] = compared(*case)
        with capsys.disabled():
            print(f"\n{case}: {found[case]}", end="")
    with capsys.disabled():
        print("\n" + told(found))
    for case, one in found.items():
        if one.outcome == Outcome.SOLVED:
            assert one.widest_degree < 90.0, case
            assert not one.peer or one.apart_pu <= CLOSE_PU, case
        elif one.outcome == Outcome.INFEASIBLE:
            assert not one.peer, case
