"""Optimal power flow by gradient: the cheapest set-points that keep every limit.

The voltages are not unknowns of the optimisation. Set-points go in, the solver's power flow
comes out, and the derivatives of every limit by every set-point come from one batched solve with
its Jacobian (`differentiable`): a reduced-space method, Dommel and Tinney, IEEE Trans. PAS-87(10),
1968, doi:10.1109/TPAS.1968.292150. The reduced problem goes to sequential quadratic programming
(SLSQP of scipy: Kraft, DFVLR-FB 88-28, 1988). What it returns is solved once more and
checked; a local optimum is all that can be promised.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.results.measures import bus_power, loading_percent
from tvilling.sciml.systems.power_grid.results.violations import Limits, limits_of
from tvilling.sciml.systems.power_grid.solver.differentiable import Voltages, power_flow
from tvilling.sciml.systems.power_grid.solver.equations import injected
from tvilling.sciml.systems.power_grid.solver.flow import Options, Outcome, Tolerance, holds
from tvilling.sciml.systems.power_grid.solver.scenarios import VOLTAGES

PASSED = 1e-4  # by which a limit [p.u., or share of a loading] may be passed at the end
OPTIONS = Options(  # limits are constraints here, and one machine makes up what is missing
    tolerance=Tolerance(mismatch_pu=1e-11), q_limits=False, distributed_slack=False
)
ENDLESS_MVAR = 1e8  # pandapower writes 1e9 where there is no limit
RATED = ("line", "trafo")


@dataclass(frozen=True)
class Machines:
    """Machines whose power may be chosen, those at slack buses last.

    Attributes
    ----------
    name
        As in the file.
    kind, row
        Table (`gen`, `sgen` or `ext_grid`) and row in it, counted from 0.
    p_min_mw, p_max_mw
        Range of active power.
    cost
        Cost c0 + c1 P + c2 P² by machine `[machine, 3]`, P in MW, in the file's money per hour.
    """

    name: np.ndarray
    kind: np.ndarray
    row: np.ndarray
    p_min_mw: np.ndarray
    p_max_mw: np.ndarray
    cost: np.ndarray


@dataclass(frozen=True)
class OptimalFlow:
    """The cheapest operation that was found.

    Attributes
    ----------
    machines, p_mw
        The machines, and what each gives.
    set_points
        Arrays by name, as `solve` takes them, without the axis of scenarios.
    cost, cost_before
        Cost per hour of the result, and of the file's own set-points; the latter may break limits.
    keeps_limits
        Whether the result, solved once more, keeps every limit to `PASSED`.
    worst_passed
        By how much the worst limit is passed [p.u., or share of a loading]; negative is room.
    binding, broken
        Limits that the result lies at, and those that it passes, in words.
    status
        What the optimiser says.
    iterations
        Its steps.
    """

    machines: Machines
    p_mw: np.ndarray
    set_points: dict[str, np.ndarray]
    cost: float
    cost_before: float
    keeps_limits: bool
    worst_passed: float
    binding: tuple[str, ...]
    broken: tuple[str, ...]
    status: str
    iterations: int

    __repr__ = short_repr


def machines_of(net: Any, grid: PowerGrid) -> Machines:
    """Controllable machines of a pandapower network, with ranges and polynomial costs.

    Raises
    ------
    InputError
        If there is no cost, or costs are piecewise linear or by reactive power.
    """
    rows = []
    for kind in ("gen", "sgen", "ext_grid"):
        table = net[kind]
        for row, (index, data) in enumerate(table.iterrows()):
            may = data.get("controllable", kind != "sgen")
            if grid.elements[kind].bus[row] >= 0 and (may if may == may else kind != "sgen"):
                at_slack = kind == "ext_grid" or bool(data.get("slack", False))
                rows.append((at_slack, kind, row, index, data))
    rows.sort(key=lambda entry: entry[0])
    faults = []
    if len(net.pwl_cost):
        faults.append(f"pwl_cost has {len(net.pwl_cost)} rows, expected costs in poly_cost only")
    poly = net.poly_cost
    by_q = [name for name in poly if name.startswith("cq") and poly[name].fillna(0).any()]
    faults += [f"poly_cost: {name} is not zero, expected costs of active power" for name in by_q]
    costs = {(cost["et"], cost["element"]): cost for _, cost in poly.iterrows()}
    if not costs:
        faults.append("poly_cost is empty, expected a cost for some machine")
    for _, kind, row, _, data in rows:
        ends = _limit(data, "min_p_mw", -np.inf), _limit(data, "max_p_mw", np.inf)
        if ends[0] > ends[1]:
            name = grid.elements[kind].name[row]
            faults.append(f"{name}: min_p_mw {ends[0]:g} MW is above max_p_mw {ends[1]:g} MW")
    if faults:
        raise InputError(grid.source, faults)
    names = ("cp0_eur", "cp1_eur_per_mw", "cp2_eur_per_mw2")
    coefficients = [
        [float(costs.get((kind, index), {}).get(name, 0.0)) for name in names]
        for _, kind, _, index, _ in rows
    ]
    return Machines(
        name=np.array([grid.elements[kind].name[row] for _, kind, row, _, _ in rows], object),
        kind=np.array([kind for _, kind, *_ in rows], object),
        row=np.array([row for _, _, row, *_ in rows], int),
        p_min_mw=np.array([_limit(data, "min_p_mw", -np.inf) for *_, data in rows]),
        p_max_mw=np.array([_limit(data, "max_p_mw", np.inf) for *_, data in rows]),
        cost=np.array(coefficients).reshape(-1, 3),
    )


def _limit(data: Any, name: str, missing: float) -> float:
    value = data.get(name, np.nan)
    return missing if value is None or np.isnan(value) or abs(value) > ENDLESS_MVAR else value


def optimal_flow(
    grid: PowerGrid,
    machines: Machines,
    limits: Limits | None = None,
    free_supply: bool = False,
    steps: int = 300,
) -> OptimalFlow:
    """The cheapest powers and voltages of the machines that keep voltages, loadings and ranges.

    Parameters
    ----------
    machines
        As `machines_of` gives them; one at a slack bus gives what the others leave.
    limits
        By default those of the file.
    free_supply
        Choose the voltage of external grids too, as MATPOWER does; pandapower leaves it as it is.
    steps
        Steps of the optimiser at most.

    Raises
    ------
    InputError
        If not exactly one machine stands at the slack buses, or the file's own set-points have
        no power flow to start from.
    """
    from scipy.optimize import minimize

    problem = _Problem(grid, machines, limits or limits_of(grid), free_supply)
    start = problem.start()
    if not holds(int(problem.voltages(jnp.asarray(start)).outcome)):
        raise InputError(grid.source, ["the file's own set-points have no power flow"])
    cost = jax.jit(jax.value_and_grad(problem.cost))
    room, slope = jax.jit(problem.room), jax.jit(jax.jacfwd(problem.room))
    scale = max(float(cost(start)[0]), 1.0)
    found = minimize(
        lambda x: tuple(np.asarray(part) / scale for part in cost(x)),
        np.clip(start, *problem.bounds),
        jac=True,
        bounds=np.transpose(problem.bounds),
        constraints={
            "type": "ineq",
            "fun": lambda x: np.asarray(room(x)),
            "jac": lambda x: np.asarray(slope(x)),
        },
        method="SLSQP",
        options={"maxiter": steps, "ftol": 1e-9},
    )
    left = np.asarray(room(found.x))
    solved = int(problem.voltages(jnp.asarray(found.x)).outcome) == Outcome.SOLVED
    return OptimalFlow(
        machines=machines,
        p_mw=np.asarray(problem.powers(jnp.asarray(found.x))),
        set_points={k: np.asarray(v) for k, v in problem.set_points(jnp.asarray(found.x)).items()},
        cost=float(cost(found.x)[0]),
        cost_before=float(cost(start)[0]),
        keeps_limits=bool(solved and left.min(initial=0.0) >= -PASSED),
        worst_passed=float(-left.min(initial=np.inf)),
        binding=tuple(problem.words[at] for at in np.flatnonzero(np.abs(left) < PASSED)),
        broken=tuple(problem.words[at] for at in np.flatnonzero(left < -PASSED)),
        status=str(found.message),
        iterations=int(found.nit),
    )


class _Problem:
    """The reduced problem: x is power [p.u.] of the machines but the last, then held voltages."""

    def __init__(
        self, grid: PowerGrid, machines: Machines, limits: Limits, free_supply: bool
    ) -> None:
        at_slack = [
            grid.elements[kind].bus[row] in grid.slack
            for kind, row in zip(machines.kind, machines.row, strict=True)
        ]
        if sum(at_slack) != 1 or not at_slack[-1]:
            faults = [f"{sum(at_slack)} machines stand at slack buses, expected one, the last"]
            raise InputError(grid.source, faults)
        self.grid, self.machines, self.limits = grid, machines, limits
        self.chosen = len(machines.kind) - 1
        self.low_pu, self.high_pu = _band(grid, limits)
        self.volts = {
            name: np.flatnonzero(grid.elements[kind].bus >= 0)
            for name, kind in VOLTAGES.items()
            if len(grid.elements[kind].index) and (kind == "gen" or free_supply)
        }
        self.words = self._words()

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Least and greatest x."""
        base, grid = self.grid.base_mva, self.grid
        low = [self.machines.p_min_mw[: self.chosen] / base]
        high = [self.machines.p_max_mw[: self.chosen] / base]
        for name, rows in self.volts.items():
            bus = grid.elements[name.removesuffix("_vm_pu")].bus[rows]
            low.append(self.low_pu[bus])
            high.append(self.high_pu[bus])
        return np.concatenate(low), np.concatenate(high)

    def start(self) -> np.ndarray:
        """The file's own set-points."""
        grid, base = self.grid, self.grid.base_mva
        power = [
            grid.elements[kind].p_mw[row] / base
            for kind, row in zip(
                self.machines.kind[: self.chosen], self.machines.row[: self.chosen], strict=True
            )
        ]
        volts = [
            grid.vm_pu[grid.elements[name.removesuffix("_vm_pu")].bus[rows]]
            for name, rows in self.volts.items()
        ]
        return np.concatenate([power, *volts])

    def set_points(self, x: jax.Array) -> dict[str, jax.Array]:
        """What `power_flow` takes."""
        grid, given = self.grid, {}
        for kind in ("gen", "sgen"):
            own = np.flatnonzero(self.machines.kind[: self.chosen] == kind)
            if len(own):
                p_mw = jnp.asarray(grid.elements[kind].p_mw)
                given[f"{kind}_p_mw"] = p_mw.at[self.machines.row[own]].set(x[own] * grid.base_mva)
        at = self.chosen
        for name, rows in self.volts.items():
            elements = grid.elements[name.removesuffix("_vm_pu")]
            vm = jnp.asarray(np.where(elements.bus >= 0, grid.vm_pu[elements.bus], 1.0))
            given[name] = vm.at[rows].set(x[at : at + len(rows)])
            at += len(rows)
        return given

    def voltages(self, x: jax.Array) -> Voltages:
        """The power flow at x."""
        return power_flow(self.grid, self.set_points(x), options=OPTIONS)

    def powers(self, x: jax.Array) -> jax.Array:
        """Active power of every machine [MW]; the last gives what is left."""
        grid, given = self.grid, self.set_points(x)
        p, _ = bus_power(grid, power_flow(grid, given, options=OPTIONS))
        left = (p - injected(grid, given, False))[grid.slack].sum()
        return jnp.append(x[: self.chosen], left) * grid.base_mva

    def cost(self, x: jax.Array) -> jax.Array:
        """Cost per hour."""
        p_mw, cost = self.powers(x), self.machines.cost
        return jnp.sum(cost[:, 0] + cost[:, 1] * p_mw + cost[:, 2] * p_mw**2)

    def room(self, x: jax.Array) -> jax.Array:
        """What is left to every limit; negative where it is passed."""
        grid, voltages = self.grid, self.voltages(x)
        free = self._free()
        vm = voltages.vm_pu[free]
        parts = [vm - self.low_pu[free], self.high_pu[free] - vm]
        for kind, rows in self._rated():
            limit = self.limits.loading_percent[kind][rows]
            parts.append(1.0 - (loading_percent(grid, voltages, kind)[rows] / limit) ** 2)
        _, q = bus_power(grid, voltages)
        q = (q - injected(grid, self.set_points(x), True))[grid.held]
        limited = self._limited()
        parts += [(q - grid.q_min_pu)[limited], (grid.q_max_pu - q)[limited]]
        last = self.powers(x)[-1] / grid.base_mva
        ends = self.machines.p_min_mw[-1], self.machines.p_max_mw[-1]
        if np.isfinite(ends).all():
            parts.append(
                jnp.stack([last - ends[0] / grid.base_mva, ends[1] / grid.base_mva - last])
            )
        return jnp.concatenate(parts)

    def _free(self) -> np.ndarray:
        """Buses whose voltage is not set."""
        return np.setdiff1d(np.arange(self.grid.n_bus), np.r_[self.grid.held, self.grid.slack])

    def _rated(self) -> list[tuple[str, np.ndarray]]:
        return [
            (kind, np.flatnonzero((group.branch >= 0) & np.isfinite(group.rated_ka_from)))
            for kind, group in self.grid.groups.items()
            if kind in RATED
        ]

    def _limited(self) -> np.ndarray:
        most = ENDLESS_MVAR / self.grid.base_mva
        ends = np.abs(self.grid.q_min_pu), np.abs(self.grid.q_max_pu)
        return np.flatnonzero(np.maximum(*ends) < most)

    def _words(self) -> list[str]:
        """A name for every entry of `room`."""
        grid = self.grid
        name = {bus: grid.buses.name[row] for row, bus in enumerate(grid.buses.bus)}
        free = [name.get(bus, f"node {bus}") for bus in self._free()]
        held = [name.get(bus, f"node {bus}") for bus in grid.held[self._limited()]]
        words = [f"{side} voltage of {bus}" for side in ("least", "greatest") for bus in free]
        for kind, rows in self._rated():
            words += [f"loading of {grid.groups[kind].name[row]}" for row in rows]
        words += [f"{side} reactive power at {bus}" for side in ("least", "most") for bus in held]
        return [*words, "least power of the slack machine", "most power of the slack machine"]


def _band(grid: PowerGrid, limits: Limits) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest voltage of every bus of the grid: the tightest of its rows [p.u.]."""
    low, high = np.zeros(grid.n_bus), np.full(grid.n_bus, 2.0)
    on = grid.buses.bus >= 0
    np.maximum.at(low, grid.buses.bus[on], np.nan_to_num(limits.vm_min_pu[on], nan=0.0))
    np.minimum.at(high, grid.buses.bus[on], np.nan_to_num(limits.vm_max_pu[on], nan=2.0))
    return low, high
