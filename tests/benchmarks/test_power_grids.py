"""What the benchmarks of power grids do to be fair: checked without the programs they race."""

import sys
import time

import numpy as np
import pandapower
import pytest

from tvilling.benchmarks.power_contest import Ours, Way, choose, distance_pu
from tvilling.benchmarks.power_reduced import reduced
from tvilling.sciml.io.extras import MissingExtraError
from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.model.grid import PowerGrid

V = np.ones((3, 2), complex)


@pytest.fixture(scope="module")
def net() -> pandapower.pandapowerNet:
    """Three buses in a row and a cable that is open at its far end."""
    net = pandapower.create_empty_network(sn_mva=1.0)
    bus = [pandapower.create_bus(net, 20.0) for _ in range(4)]
    pandapower.create_ext_grid(net, bus[0], vm_pu=1.02)
    for a, b in ((0, 1), (1, 2), (2, 3)):
        pandapower.create_line(net, bus[a], bus[b], 5.0, "NA2XS2Y 1x240 RM/25 12/20 kV")
    pandapower.create_switch(net, bus[3], 2, "l", closed=False)
    net.bus.loc[bus[3], "in_service"] = False
    pandapower.create_load(net, bus[1], 1.0, 0.2)
    pandapower.create_load(net, bus[2], 2.0, 0.5, scaling=0.5)
    pandapower.create_sgen(net, bus[2], 0.7, 0.1)
    pandapower.create_shunt(net, bus[1], q_mvar=0.3, p_mw=0.01)
    return net


def admittance(n: int, ends: np.ndarray, two_port: np.ndarray, shunt: np.ndarray) -> np.ndarray:
    y = np.diag(shunt.astype(complex))
    for (a, b), (y_ff, y_ft, y_tf, y_tt) in zip(ends, two_port, strict=True):
        y[a, a] += y_ff
        y[a, b] += y_ft
        y[b, a] += y_tf
        y[b, b] += y_tt
    return y


def whole(grid: PowerGrid) -> np.ndarray:
    ends = np.c_[grid.from_bus, grid.to_bus]
    two_port = np.ascontiguousarray(grid.two_port).view(complex)
    return admittance(grid.n_bus, ends, two_port, grid.shunt_g + 1j * grid.shunt_b)


def test_an_open_end_is_left_out_as_its_schur_complement(net):
    grid = from_pandapower(net)
    small = reduced(grid)
    kept, gone = small.bus, np.setdiff1d(np.arange(grid.n_bus), small.bus)
    assert len(kept) == 3
    assert len(gone) == 1
    y = whole(grid)
    schur = y[np.ix_(kept, kept)] - y[np.ix_(kept, gone)] @ np.linalg.solve(
        y[np.ix_(gone, gone)], y[np.ix_(gone, kept)]
    )
    two_port = np.ascontiguousarray(grid.two_port[small.branch]).view(complex)
    mine = admittance(3, np.c_[small.from_bus, small.to_bus], two_port, small.shunt)
    np.testing.assert_allclose(mine, schur, rtol=1e-12)


def test_powers_of_elements_and_what_is_fixed_make_up_those_of_the_buses(net):
    grid = from_pandapower(net)
    small = reduced(grid)
    load = small.power("load_p_mw", np.array([[1.0, 2.0]]))[0]
    assert load.tolist() == [1.0, 1.0]  # the second one is scaled by half
    total = small.fixed_mw.copy()
    np.subtract.at(total, small.load_bus, load)
    np.add.at(total, small.sgen_bus, small.power("sgen_p_mw", np.array([[0.7]]))[0])
    np.testing.assert_allclose(total, grid.p_pu[small.bus] * grid.base_mva, atol=1e-12)


def test_the_fastest_way_wins_unless_it_is_off():
    def way(seconds: float, v: np.ndarray) -> Way:
        def work() -> np.ndarray:
            end = time.process_time() + seconds
            while time.process_time() < end:
                pass
            return v

        return Way(work, lambda found: found)

    ways = {
        "slow": way(0.03, V),
        "fast": way(0.01, V + 5e-9),
        "off": way(0.0, V + 2e-8),
        "none": way(0.0, np.full_like(V, np.nan)),
    }
    ours = Ours(run=lambda threads: lambda: V, voltages=V, count=3)
    found = choose(ways, ours)
    assert found.name == "fast"
    assert found.away_pu == pytest.approx(5e-9)
    assert found.tried["slow"]["us_cpu"] > found.tried["fast"]["us_cpu"] > 3000
    assert found.tried["off"] == {"away_pu": pytest.approx(2e-8)}
    assert found.tried["none"] == {}
    with pytest.raises(RuntimeError, match=r"2e-08 p.u. from .*off, none"):
        choose({name: ways[name] for name in ("off", "none")}, ours)


def test_voltages_that_only_one_side_has_are_infinitely_far():
    lacking = np.array([[1.0, np.nan], [1.0, 1.0], [1.0, 1.0]])
    assert distance_pu(lacking, lacking) == 0.0
    assert distance_pu(V, lacking) == np.inf
    assert distance_pu(V, V[:2]) == np.inf


def test_a_peer_that_is_missing_is_told_by_its_extra(monkeypatch):
    from tvilling.benchmarks.runner import run_benchmarks

    monkeypatch.setitem(sys.modules, "power_grid_model", None)
    with pytest.raises(MissingExtraError, match=r"power_grid_model .* 'tvilling\[peers\]'"):
        list(run_benchmarks(["power_mv_batch"]))
