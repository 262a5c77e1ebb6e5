"""A grid solved here and by pandapower, and every difference judged by pandapower's own equations.

The judge takes pandapower's admittance matrix and its powers of the buses, and looks for itself
whether voltages hold: P and Q where nothing holds a voltage, P and the set voltage (or Q at a
limit) at machines, one common share where the slack is distributed.
"""

from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandapower as pp
from pandapower.pypower.idx_brch import BR_STATUS, SHIFT
from pandapower.pypower.idx_bus import BUS_TYPE, CID_P, CID_Q, CZD_P, CZD_Q, GS, PD, QD, REF
from pandapower.pypower.idx_gen import GEN_BUS, PG, QMAX, QMIN, VG
from pandapower.pypower.makeYbus import makeYbus
from pandapower_peer import by_row, voltages
from scipy.sparse.csgraph import connected_components

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.results.generators import machines
from tvilling.sciml.systems.power_grid.results.planner_units import branch_flows, loads, star_points
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve
from tvilling.sciml.systems.power_grid.solver.flow import Flow, Outcome

CLOSE_PU, CLOSE_MW = 1e-7, 1e-6  # of voltages; of powers, or of their greatest
FINE_MVA = 1e-11
SHORTED_PU, WIDE_DEGREE = 0.05, 90.0
ENDS = {"line": ("from", "to"), "trafo": ("hv", "lv"), "impedance": ("from", "to")}
REGULATED = ("enforce_q_lims", "distributed_slack")


@dataclass(frozen=True)
class Finding:
    """What a comparison came to; `word` is "equal" where nothing differs."""

    word: str
    detail: str = ""


class Judge:
    """pandapower's equations of a net, without what it does about limits and shared slack."""

    def __init__(self, net: Any, options: dict[str, Any]) -> None:
        net = deepcopy(net)
        self.net = net
        self.shared = bool(options.get("distributed_slack"))
        self.limits = bool(options.get("enforce_q_lims"))
        plain = {name: value for name, value in options.items() if name not in REGULATED}
        with suppress(pp.LoadflowNotConverged):  # the matrices are there all the same
            voltages(net, **plain)
        inside = net["_ppc"]["internal"]
        if "baseMVA" not in inside:  # slack buses alone, for which it solves nothing
            inside = _of_slack_alone(net["_ppc"])
        self.base, self.y = float(inside["baseMVA"]), inside["Ybus"]
        self.bus, self.gen = inside["bus"].real, inside["gen"].real
        self.ref, self.pv, self.branch = inside["ref"], inside["pv"], inside["branch"].real
        self.own_mw = np.zeros(len(self.bus))  # of generators at slack buses, before they make up
        bus = net["_pd2ppc_lookups"]["bus"][net.gen["bus"].to_numpy(int)]
        on = net.gen["in_service"].to_numpy(bool) & np.isin(bus, self.ref)
        np.add.at(self.own_mw, bus[on], (net.gen["p_mw"] * net.gen["scaling"]).to_numpy()[on])

    def asked(self, v: np.ndarray) -> np.ndarray:
        """What machines at every bus have to give for the voltages `v` [MW + j Mvar]."""
        size, load = np.abs(v), self.bus
        p = load[:, PD] * (1 + load[:, CID_P] * (size - 1) + load[:, CZD_P] * (size**2 - 1))
        q = load[:, QD] * (1 + load[:, CID_Q] * (size - 1) + load[:, CZD_Q] * (size**2 - 1))
        return np.asarray(v * np.conj(self.y @ v) * self.base + p + 1j * q)

    def widest(self, v: np.ndarray) -> float:
        """Greatest angle over a branch, beside that of its ideal transformer [degree]."""
        start, end = self.branch[:, :2].astype(int).T
        turn = np.exp(-1j * np.radians(self.branch[:, SHIFT]))
        return float(np.degrees(np.abs(np.angle(v[start] * turn / v[end]))).max(initial=0.0))

    def faults(self, v: np.ndarray, weight: np.ndarray) -> list[str]:
        """What is wrong with `v` `[bus]`; `weight` are shares of a distributed slack."""
        give, n = self.asked(v), len(v)
        at = self.gen[:, GEN_BUS].astype(int)
        set_p, low, high = (np.bincount(at, self.gen[:, k], n) for k in (PG, QMIN, QMAX))
        vm = np.zeros(n)
        vm[at] = self.gen[:, VG]
        held = np.zeros(n, bool)
        held[self.pv] = True
        slack = np.zeros(n, bool)
        slack[self.ref] = True
        tolerance = 1e-6 * max(1.0, np.abs(give).max(), self.base)
        own_p = give.real - np.where(slack, self.own_mw, set_p)
        if self.shared:
            own_p = own_p - self._share(own_p, weight)
            slack_p = np.zeros(n, bool)
        else:
            slack_p = slack
        found = []
        if np.abs(own_p[~slack_p]).max(initial=0) > tolerance:
            found.append(f"P off by {np.abs(own_p[~slack_p]).max():.2g} MW")
        loose = ~held & ~slack
        if np.abs(give.imag[loose]).max(initial=0) > tolerance:
            found.append(f"Q off by {np.abs(give.imag[loose]).max():.2g} Mvar")
        keeps = np.abs(np.abs(v) - vm) < CLOSE_PU
        inside = (give.imag > low - tolerance) & (give.imag < high + tolerance)
        ends = np.minimum(np.abs(give.imag - low), np.abs(give.imag - high)) < tolerance
        good = (keeps & inside) | ends if self.limits else keeps
        if not good[held].all():
            found.append("a machine neither holds its voltage nor is at a limit")
        if not keeps[slack].all():
            found.append("a slack bus does not hold its voltage")
        return found

    def _share(self, extra: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """What the weights make of the sum of `extra` in each connected part."""
        _, part = connected_components(abs(self.y), directed=False)
        total, sums = np.bincount(part, extra), np.bincount(part, weight)
        return np.asarray(total[part] * weight / np.where(sums > 0, sums, 1.0)[part])


def _of_slack_alone(ppc: Any) -> dict[str, Any]:
    bus = ppc["bus"][ppc["bus"][:, BUS_TYPE] == REF]
    number, branch = np.arange(len(bus)), ppc["branch"]
    on = (branch[:, BR_STATUS].real == 1) & (branch[:, :2].real < len(bus)).all(axis=1)
    y, _, _ = makeYbus(ppc["baseMVA"], bus, branch[on])
    parts = {"bus": bus, "gen": ppc["gen"], "ref": number, "pv": number[:0], "branch": branch[on]}
    return {"baseMVA": ppc["baseMVA"], "Ybus": y, **parts}


def compare(net: Any, options: dict[str, Any], judged: bool = True) -> Finding:
    """Solve `net` both ways and say how they differ, and why.

    Where they agree, the judge looks at what both say only if it is asked to, as `judged`.
    """
    theirs, reason = _theirs(net, options)
    try:
        flow = solve(from_pandapower(net, **options))
    except InputError as error:
        return Finding("refused here", f"{error} | there: {reason or 'solved'}")
    grid = flow.grid
    if not judged and theirs is not None and flow.solved[0] and _same(flow, theirs):
        return _compared(flow, net, options)
    judge = Judge(net, options)
    if not flow.solved[0]:
        if theirs is None:
            return Finding("no solution here nor there", f"{flow.reached[0]:.3f}, {reason}")
        v = net["_ppc"]["internal"].get("V", np.ones(1))
        if flow.outcome[0] == Outcome.UNKNOWN and judge.widest(v) > WIDE_DEGREE:
            return Finding("more than 90° over a branch there", f"{judge.widest(v):.0f}°")
        shorted = np.abs(v).min() < SHORTED_PU or judge.faults(v, grid.slack_weight)
        word = "no solution here, a false one there" if shorted else "UNSOLVED"
        return Finding(word, f"reached {flow.reached[0]:.4f}, lowest {np.abs(v).min():.3f}")
    wrong = judge.faults(flow.v[0], grid.slack_weight)
    wrong += _sums(flow, judge)
    if wrong:
        return Finding("WRONG", f"{wrong}; there: {reason or 'solved'}")
    if theirs is None:
        return Finding("solved here alone", reason)
    ours = by_row(grid, flow.v[0])
    if not np.array_equal(np.isnan(ours), np.isnan(theirs)):
        return Finding("SUPPLY DIFFERS", f"{np.isnan(ours)} {np.isnan(theirs)}")
    if _same(flow, theirs):
        return _compared(flow, net, options)
    return _why(net, options, flow, judge, theirs)


def _compared(flow: Flow, net: Any, options: dict[str, Any]) -> Finding:
    """Of equal voltages: whether the tables are equal too, where need be at a finer tolerance."""
    different = _tables(flow, net)
    if different:  # small transformers show what the tolerance leaves
        with suppress(pp.LoadflowNotConverged):
            voltages(net, FINE_MVA, **options)
            different = _tables(flow, net)
    return Finding("RESULTS DIFFER", str(different)) if different else Finding("equal")


def _same(flow: Flow, theirs: np.ndarray) -> bool:
    return np.allclose(by_row(flow.grid, flow.v[0]), theirs, rtol=0, atol=CLOSE_PU, equal_nan=True)


def _theirs(net: Any, options: dict[str, Any]) -> tuple[np.ndarray | None, str]:
    try:
        return voltages(net, 1e-9, **options), ""
    except pp.LoadflowNotConverged:
        return None, "not converged"
    except (NotImplementedError, IndexError, ValueError, KeyError) as error:
        return None, f"{type(error).__name__}: {error}"[:70]


def _why(
    net: Any, options: dict[str, Any], flow: Flow, judge: Judge, theirs: np.ndarray
) -> Finding:
    """Which known fault of pandapower the difference comes of, proved for this net."""
    told = f"{np.nanmax(np.abs(by_row(flow.grid, flow.v[0]) - theirs)):.2g} p.u."
    if "V" not in net["_ppc"]["internal"]:
        v = np.zeros(flow.grid.n_bus, complex)
        on = flow.grid.buses.bus >= 0
        v[flow.grid.buses.bus[on]] = theirs[on]
        if judge.shared and judge.faults(v, flow.grid.slack_weight):
            return Finding("slack buses alone, not shared there", told)
        same_size = np.abs(np.abs(v) - flow.vm_pu[0]).max() < CLOSE_PU
        if same_size and not np.angle(v).any() and net.ext_grid["va_degree"].any():
            return Finding("slack buses alone, at no angle there", told)
        return Finding("ANOTHER SOLUTION", told)
    v = net["_ppc"]["internal"]["V"]
    off = judge.faults(v, flow.grid.slack_weight)
    if off and judge.shared and len(net.xward) > 1:
        ordered = deepcopy(net)
        ordered["xward"] = net.xward.sort_values("bus").reset_index(drop=True)
        again = voltages(ordered, 1e-9, **options)
        if np.nanmax(np.abs(by_row(flow.grid, flow.v[0]) - again)) < CLOSE_PU:
            return Finding("weights of extended wards mixed up there", told)
    if off and judge.limits:
        return Finding("a machine at its limit scaled with loads there", f"{told} {off}")
    if off:
        return Finding("not solved there", f"{told} {off}")
    if np.abs(v).min() < SHORTED_PU:
        return Finding("a short-circuited bus there", told)
    if judge.widest(v) > WIDE_DEGREE >= judge.widest(flow.v[0]):
        return Finding("more than 90° over a branch there", f"{told} {judge.widest(v):.0f}°")
    return Finding("ANOTHER SOLUTION", f"{told}, lowest here {flow.vm_pu.min():.3f}, there "
                   f"{np.abs(v).min():.3f}")  # fmt: skip


def _sums(flow: Flow, judge: Judge) -> list[str]:
    """Powers of machines against the judge's, bus by bus, and losses against their sum."""
    grid, v = flow.grid, flow.v[0]
    give, given = judge.asked(v), np.zeros(grid.n_bus, complex)
    for kind, one in machines(flow).items():
        bus = grid.elements[kind].bus
        np.add.at(given, bus[bus >= 0], (one.p_mw + 1j * one.q_mvar)[0, bus >= 0])
    size = 1e-6 * max(1.0, float(np.abs(give).max()), judge.base)
    wards = grid.groups["xward"].branch if "xward" in grid.groups else np.zeros(0, int)
    behind = np.concatenate([grid.from_bus[wards[wards >= 0]], grid.to_bus[wards[wards >= 0]]])
    inner = np.setdiff1d(behind, grid.buses.bus)
    given[inner] = give[inner]  # the machine of an extended ward is no element of the file
    found = [] if np.abs(given - give).max() < size else ["powers of machines"]
    shunts = judge.bus[:, GS] * np.abs(v) ** 2
    shunts[star_points(grid)[1]] = 0.0
    lost = (v * np.conj(judge.y @ v)).real.sum() * judge.base - shunts.sum()
    if len(wards):
        lost -= branch_flows(flow, "xward").pl_mw.sum()
    ends = grid.elements["dcline"]
    pairs = (ends.bus.reshape(-1, 2) >= 0).all(axis=1)
    lost -= (ends.p_mw * ends.sign).reshape(-1, 2)[pairs].sum()
    if abs(loads(flow).losses_mw[0] - lost) > size:
        found.append(f"losses {loads(flow).losses_mw[0]:.6g} MW, the balance {lost:.6g}")
    return found


def _tables(flow: Flow, net: Any) -> list[str]:
    """Quantities of branches that differ from pandapower's tables."""
    found, groups, full = [], flow.grid.groups, loads(flow).percent
    for kind in [kind for kind in (*ENDS, "trafo3w") if kind in groups]:
        own, table = branch_flows(flow, kind), net[f"res_{kind}"]
        rows = len(table)
        places = [("from", "hv", 0), ("to", "mv", 1), ("to", "lv", 2)]
        if kind != "trafo3w":
            places = [("from", ENDS[kind][0], 0), ("to", ENDS[kind][1], 0)]
        for end, side, third in places:
            for quantity, unit in (("p", "mw"), ("q", "mvar"), ("i", "ka")):
                values = getattr(own, f"{quantity}_{end}_{unit}")[0]
                part = values[third * rows : (third + 1) * rows]
                if _apart(part, table[f"{quantity}_{side}_{unit}"]):
                    found.append(f"{kind} {quantity}_{side}")
        if _apart(own.pl_mw[0].reshape(-1, rows).sum(axis=0), table["pl_mw"]):
            found.append(f"{kind} pl_mw")
        if kind in full and _apart(full[kind][0], table["loading_percent"]):
            found.append(f"{kind} loading")
    return found


def _apart(ours: np.ndarray, theirs: Any) -> bool:
    theirs = np.asarray(theirs, float)
    theirs = np.where(np.isnan(theirs), ours, theirs)  # it has none where a winding is open
    return bool(
        np.abs(ours - theirs).max(initial=0) > CLOSE_MW * max(np.abs(theirs).max(initial=0), 1.0)
    )
