"""A power grid as arrays: what is connected, what may vary, and the plan to solve it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import jax
import numpy as np
import scipy.sparse as sp

from tvilling.sciml.systems.power_grid.kernel.elimination import Plan
from tvilling.sciml.systems.power_grid.kernel.elimination import plan as make_plan
from tvilling.sciml.systems.power_grid.kernel.workspace import Admittance, Kinds
from tvilling.sciml.systems.power_grid.model.branches import Branches, two_port
from tvilling.sciml.systems.power_grid.model.unserved import NOTHING, Unserved


@dataclass(frozen=True, eq=False)
class Elements:
    """Loads, generators … of one kind, at the buses that they feed.

    Attributes
    ----------
    kind
        Table of the network file: `load`, `sgen`, `storage`, `gen`, `ext_grid`; `dcline` with two
        rows for each line, one for the machine at either end.
    index, name
        Row of the table, and its name.
    bus
        Number of the bus in the grid; -1 where the element is out of service.
    sign
        +1 where positive power enters the grid, -1 where it leaves; times the table's scaling.
    p_mw, q_mvar
        As the file has them, before scaling.
    q_min_mvar, q_max_mvar
        Range by which machines at one bus share its reactive power.
    slack_share
        Share in what their bus has to make up where it is a slack bus: 1 at each bus together; 0
        for all others.
    slack_weight
        Weight by which each takes part in a distributed slack.
    """

    kind: str
    index: np.ndarray
    name: np.ndarray
    bus: np.ndarray
    sign: np.ndarray
    p_mw: np.ndarray
    q_mvar: np.ndarray
    q_min_mvar: np.ndarray
    q_max_mvar: np.ndarray
    slack_share: np.ndarray
    slack_weight: np.ndarray


@dataclass(frozen=True, eq=False)
class BranchGroup:
    """Branches that stem from one table of the network file.

    Attributes
    ----------
    kind
        `line`, `trafo`, `trafo3w`, `impedance`, `xward` or `switch`.
    index, name
        Row of the table, and its name. A three-winding transformer is three branches, one after
        the other for each side.
    branch
        Number of the branch in the grid; -1 where it is out of service.
    rated_ka_from, rated_ka_to
        Current that is 100 % loading at either end [kA]; infinite where it has none.
    limit_percent
        Greatest loading that the file allows; NaN where it has none.
    rated_mva
        Apparent power that is 100 % loading at the ends with a rated current, where the file asks
        for loading by power (`trafo_loading`); None where loading goes by current.
    """

    kind: str
    index: np.ndarray
    name: np.ndarray
    branch: np.ndarray
    rated_ka_from: np.ndarray
    rated_ka_to: np.ndarray
    limit_percent: np.ndarray
    rated_mva: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Buses:
    """The buses of the file, each at the one of the grid that closed switches make it part of.

    Attributes
    ----------
    index, name
        Row of the table, and its name.
    bus
        Number of the bus in the grid; -1 where it has no supply or is out of service.
    vn_kv
        Rated voltage.
    vm_min_pu, vm_max_pu
        Limits; NaN where the file has none.
    x, y
        Coordinates as the file has them; NaN where it has none.
    """

    index: np.ndarray
    name: np.ndarray
    bus: np.ndarray
    vn_kv: np.ndarray
    vm_min_pu: np.ndarray
    vm_max_pu: np.ndarray
    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True, eq=False)
class PowerGrid:
    """A grid in one topology. Buses and branches are numbered from 0, without those switched off.

    Attributes
    ----------
    source
        Where it came from.
    base_mva
        Base power of the per-unit system.
    vn_kv
        Rated voltage of each bus.
    from_bus, to_bus
        Ends of the branches.
    branches
        The π-circuits.
    shunt_g, shunt_b
        Admittance from each bus to earth [p.u.].
    p_pu, q_pu
        What enters each bus in the base case, without machines' unknown reactive power [p.u.].
    slack, slack_va_rad
        Buses whose voltage is given, and its angle.
    held
        Buses whose voltage a machine holds.
    vm_pu
        Voltage to hold, at every bus; 1 where nothing holds it.
    q_min_pu, q_max_pu
        Reactive power that the machines at each bus of `held` may give [p.u.].
    slack_weight
        Weight of each bus in what a distributed slack has to make up, as the file has it.
    depends, depends_share
        Buses with voltage-dependent loads, and shares of constant current and impedance of P,
        then of Q.
    depends_p_pu, depends_q_pu
        Power of those loads at 1 p.u., as an injection.
    elements, groups, buses
        The tables of the file behind the arrays.
    start
        Complex voltages that Newton's method begins with: angles of a DC power flow [p.u.].
    stored
        Those that the file has of its own, as from an earlier power flow; None where it has none.
    notes
        What the reader repaired or assumed, and what the file asks for.
    options
        Options of pandapower's power flow that were asked for, or that the file carries.
    unserved
        Elements of the file that no slack reaches, and that are therefore no part of the arrays.
    """

    source: str
    base_mva: float
    vn_kv: np.ndarray
    from_bus: np.ndarray
    to_bus: np.ndarray
    branches: Branches
    shunt_g: np.ndarray
    shunt_b: np.ndarray
    p_pu: np.ndarray
    q_pu: np.ndarray
    slack: np.ndarray
    slack_va_rad: np.ndarray
    held: np.ndarray
    vm_pu: np.ndarray
    q_min_pu: np.ndarray
    q_max_pu: np.ndarray
    slack_weight: np.ndarray
    depends: np.ndarray
    depends_share: np.ndarray
    depends_p_pu: np.ndarray
    depends_q_pu: np.ndarray
    elements: Mapping[str, Elements]
    groups: Mapping[str, BranchGroup]
    buses: Buses
    start: np.ndarray
    notes: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    unserved: Unserved = NOTHING
    stored: np.ndarray | None = None

    @property
    def n_bus(self) -> int:
        """Number of buses."""
        return len(self.vn_kv)

    @property
    def n_branch(self) -> int:
        """Number of branches."""
        return len(self.from_bus)

    @cached_property
    def _planned(self) -> tuple[Plan, np.ndarray]:
        return make_plan(self.n_bus, self.from_bus, self.to_bus, self.slack)

    @property
    def plan(self) -> Plan:
        """The plan of elimination."""
        return self._planned[0]

    @property
    def bus_at(self) -> np.ndarray:
        """The bus at each position of the plan."""
        return self._planned[1]

    @cached_property
    def place(self) -> np.ndarray:
        """The position of each bus in the plan."""
        place = np.empty(self.n_bus, np.int64)
        place[self.bus_at] = np.arange(self.n_bus)
        return place

    @cached_property
    def kinds(self) -> Kinds:
        """What each row of the plan is."""
        holder = np.full(self.plan.m, -1, np.int64)
        holder[self.place[self.held]] = np.arange(len(self.held))
        depends = np.full(self.n_bus, -1, np.int64)
        depends[self.place[self.depends]] = np.arange(len(self.depends))
        return Kinds(
            holder,
            depends[: self.plan.m],
            np.ascontiguousarray(self.depends_share),
            np.full(self.plan.m, -1.0),  # without load all determinants are negative, as a rule
        )

    @cached_property
    def two_port(self) -> np.ndarray:
        """Re and Im of Y_ff, Y_ft, Y_tf, Y_tt of every branch `[branch, 8]` [p.u.]."""
        return np.asarray(two_port(jax.tree.map(np.asarray, self.branches)))

    @cached_property
    def admittance(self) -> Admittance:
        """The admittance matrix at the places of the plan."""
        return admittance(self, self.two_port, self.shunt_g + 1j * self.shunt_b)

    @cached_property
    def bus_admittance(self) -> sp.csr_matrix:
        """The admittance matrix `[bus, bus]` [p.u.]."""
        y_ff, y_ft, y_tf, y_tt = np.ascontiguousarray(self.two_port).view(complex).T
        a, b, own = self.from_bus, self.to_bus, np.arange(self.n_bus)
        values = np.concatenate([y_ff, y_ft, y_tf, y_tt, self.shunt_g + 1j * self.shunt_b])
        rows, columns = np.concatenate([a, a, b, b, own]), np.concatenate([a, b, a, b, own])
        return sp.csr_matrix((values, (rows, columns)), shape=(self.n_bus, self.n_bus))

    @cached_property
    def slots(self) -> tuple[np.ndarray, np.ndarray]:
        """Slot of Y_ft in the row of each branch's from-end, and of Y_tf in its to-end's."""
        entry, plan = self.entries, self.plan
        slot = np.append(plan.entry_slot, -1)
        return slot[entry[0]], slot[entry[1]]

    @cached_property
    def entries(self) -> tuple[np.ndarray, np.ndarray]:
        """Number of the plan's entry for Y_ft and for Y_tf of each branch; -1 in slack rows."""
        a, b = self.place[self.from_bus], self.place[self.to_bus]
        return _entry(self.plan, a, b), _entry(self.plan, b, a)

    def with_branches(self, branches: Branches) -> "PowerGrid":
        """The grid with other π-circuits on the same lines."""
        return replace(self, branches=branches)


def admittance(grid: PowerGrid, two_port: np.ndarray, shunt: np.ndarray) -> Admittance:
    """Entries of Y for the branches' `two_port` `[branch, 8]` and `shunt` `[bus]` [p.u.]."""
    plan, place = grid.plan, grid.place
    y_ff, y_ft, y_tf, y_tt = np.ascontiguousarray(two_port).view(complex).T
    own = shunt.astype(complex)
    np.add.at(own, grid.from_bus, y_ff)
    np.add.at(own, grid.to_bus, y_tt)
    loops = grid.from_bus == grid.to_bus
    np.add.at(own, grid.from_bus[loops], (y_ft + y_tf)[loops])
    count = len(plan.entry_col)
    off, mirror = np.zeros(count + 1, complex), np.zeros(count + 1, complex)
    forth, back = grid.entries
    np.add.at(off, forth, y_ft)
    np.add.at(off, back, y_tf)
    np.add.at(mirror, forth, y_tf)
    np.add.at(mirror, back, y_ft)
    own_at = np.empty(grid.n_bus, complex)
    own_at[place] = own
    parts = (off[:count], mirror[:count], own_at[: plan.m])
    return Admittance(*(np.ascontiguousarray(p) for z in parts for p in (z.real, z.imag)))


def bus_admittance(grid: PowerGrid) -> sp.csr_matrix:
    """The admittance matrix `[bus, bus]` [p.u.]; it is kept, and not to be changed."""
    return grid.bus_admittance


def _entry(plan: Plan, row: np.ndarray, col: np.ndarray) -> np.ndarray:
    """Number of the entry at `row`, `col`; -1 where the row is a slack's or the two are equal."""
    rows = np.repeat(np.arange(plan.m), np.diff(plan.entry_ptr))
    keys = rows * plan.n + plan.entry_col
    at = np.searchsorted(keys, row * plan.n + col)
    at = np.minimum(at, max(len(keys) - 1, 0))
    found = (row < plan.m) & (row != col)
    return np.where(found, at, -1)
