"""A grid as other programs take it: π-circuits, shunts and powers, with nothing in vain.

A line that a switch opens at one end has a bus of its own there, which pandapower's conversion
makes. Other programs need not solve for it: seen from the closed end such a line is a shunt,
Y_ff - Y_ft Y_tf / Y_tt, exactly.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tvilling.sciml.systems.power_grid.model.branches import Branches
    from tvilling.sciml.systems.power_grid.model.grid import PowerGrid


@dataclass(frozen=True, eq=False)
class Reduced:
    """A grid for other programs; buses, branches and elements are numbered anew.

    Attributes
    ----------
    grid
        The grid that it was made of.
    bus, branch
        Its buses and branches, by their number in `grid`.
    from_bus, to_bus
        Ends of the branches.
    shunt
        Admittance to earth at each bus [p.u.].
    load, sgen
        Columns of the loads and static generators in service.
    load_bus, sgen_bus
        Their buses.
    fixed_mw, fixed_mvar
        Power into each bus besides them.
    """

    grid: "PowerGrid"
    bus: np.ndarray
    branch: np.ndarray
    from_bus: np.ndarray
    to_bus: np.ndarray
    shunt: np.ndarray
    load: np.ndarray
    sgen: np.ndarray
    load_bus: np.ndarray
    sgen_bus: np.ndarray
    fixed_mw: np.ndarray
    fixed_mvar: np.ndarray

    @property
    def number(self) -> np.ndarray:
        """The number here of each bus of `grid`; -1 where it is left out."""
        return _numbers(self.bus, self.grid.n_bus)

    def power(self, name: str, values: np.ndarray) -> np.ndarray:
        """Power of loads or static generators in service, scaled, from a `varying` array."""
        kind = name.split("_", 1)[0]
        column = self.load if kind == "load" else self.sgen
        return np.ascontiguousarray(
            values[:, column] * np.abs(self.grid.elements[kind].sign[column])
        )


def reduced(grid: "PowerGrid") -> Reduced:
    """`grid` without the open ends of lines.

    Raises
    ------
    ValueError
        If branches differ by direction or loads depend on voltage, which the others lack.
    """
    _refuse(grid)
    branch = np.arange(grid.n_branch)
    bus = np.arange(grid.n_bus)
    shunt = grid.shunt_g + 1j * grid.shunt_b
    for loose in _open_ends(grid):
        at = np.flatnonzero((grid.from_bus == loose) | (grid.to_bus == loose))[0]
        near, seen = _from_closed_end(grid, int(at), loose)
        shunt[near] += seen
        branch, bus = branch[branch != at], bus[bus != loose]
    number = _numbers(bus, grid.n_bus)
    load, sgen = grid.elements["load"], grid.elements["sgen"]
    at_load, at_sgen = np.flatnonzero(load.bus >= 0), np.flatnonzero(sgen.bus >= 0)
    p_mw, q_mvar = grid.p_pu * grid.base_mva, grid.q_pu * grid.base_mva
    for table, rows in ((load, at_load), (sgen, at_sgen)):
        np.subtract.at(p_mw, table.bus[rows], (table.sign * table.p_mw)[rows])
        np.subtract.at(q_mvar, table.bus[rows], (table.sign * table.q_mvar)[rows])
    return Reduced(
        grid=grid,
        bus=bus,
        branch=branch,
        from_bus=number[grid.from_bus[branch]],
        to_bus=number[grid.to_bus[branch]],
        shunt=shunt[bus],
        load=at_load,
        sgen=at_sgen,
        load_bus=number[load.bus[at_load]],
        sgen_bus=number[sgen.bus[at_sgen]],
        fixed_mw=_without_rounding(p_mw[bus]),
        fixed_mvar=_without_rounding(q_mvar[bus]),
    )


def _refuse(grid: "PowerGrid") -> None:
    b: Branches = grid.branches
    further = (b.r_asym, b.x_asym, b.g_asym, b.b_asym)
    if any(np.any(part) for part in further) or len(grid.depends):
        raise ValueError(f"{grid.source}: branches differ by direction, or loads depend on voltage")


def _open_ends(grid: "PowerGrid") -> np.ndarray:
    """Buses with one branch and nothing else, which no row of the file stands for."""
    degree = np.bincount(np.r_[grid.from_bus, grid.to_bus], minlength=grid.n_bus)
    own = np.isin(np.arange(grid.n_bus), grid.buses.bus)
    bare = (grid.p_pu == 0) & (grid.q_pu == 0) & (grid.shunt_g == 0) & (grid.shunt_b == 0)
    return np.flatnonzero((degree == 1) & ~own & bare)


def _from_closed_end(grid: "PowerGrid", branch: int, loose: int) -> tuple[int, complex]:
    """The bus at the other end of `branch`, and what it is seen from there."""
    y_ff, y_ft, y_tf, y_tt = np.ascontiguousarray(grid.two_port[branch]).view(complex)
    through = y_ft * y_tf
    if grid.to_bus[branch] == loose:
        return int(grid.from_bus[branch]), y_ff - through / y_tt
    return int(grid.to_bus[branch]), y_tt - through / y_ff


def _numbers(kept: np.ndarray, count: int) -> np.ndarray:
    number = np.full(count, -1)
    number[kept] = np.arange(len(kept))
    return number


def _without_rounding(power: np.ndarray) -> np.ndarray:
    """Zero what is left of a difference by rounding alone."""
    return np.where(np.abs(power) < 1e-12, 0.0, power)
