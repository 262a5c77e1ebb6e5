"""What may differ between the scenarios of a batch, checked and brought to per unit."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.kernel.groups import inject
from tvilling.sciml.systems.power_grid.kernel.lanes import WIDTH
from tvilling.sciml.systems.power_grid.model.grid import PowerGrid

POWERS = {  # name: (table, whether it is reactive)
    "load_p_mw": ("load", False),
    "load_q_mvar": ("load", True),
    "sgen_p_mw": ("sgen", False),
    "sgen_q_mvar": ("sgen", True),
    "storage_p_mw": ("storage", False),
    "storage_q_mvar": ("storage", True),
    "gen_p_mw": ("gen", False),
}
VOLTAGES = {"gen_vm_pu": "gen", "ext_grid_vm_pu": "ext_grid"}


@dataclass(frozen=True)
class Outages:
    """Branches that are changed or switched off, by scenario.

    Attributes
    ----------
    branch
        Numbers of branches `[scenario, change]`; -1 where there is none.
    delta
        What comes on top of each branch's admittances `[scenario, change, 8]` [p.u.].
    """

    branch: np.ndarray
    delta: np.ndarray


def outages(grid: PowerGrid, branch: np.ndarray) -> Outages:
    """Scenarios in which the branches `[scenario, k]` are switched off; -1 for none.

    A branch that stands twice in a scenario is switched off once.

    Raises
    ------
    InputError
        With every number that is no branch of the grid.
    """
    given = np.atleast_2d(np.asarray(branch))
    wrong = given[(given != np.trunc(given)) | (given < -1) | (given >= grid.n_branch)]
    if wrong.size:
        faults = [
            f"branch {value} is not known, expected -1 to {grid.n_branch - 1}"
            for value in np.unique(wrong)
        ]
        raise InputError(grid.source, faults)
    branch = np.sort(given.astype(np.int64), axis=1)
    again = np.zeros(branch.shape, bool)
    again[:, 1:] = branch[:, 1:] == branch[:, :-1]
    branch = np.where(again, -1, branch)
    delta = np.where((branch >= 0)[..., None], -grid.two_port[branch], 0.0)
    return Outages(branch, delta)


def check(grid: PowerGrid, varying: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """`varying` as contiguous arrays `[scenario, element]`.

    Raises
    ------
    InputError
        With every name that is not known, shape that does not fit and value that is not finite,
        and machines at one bus that are to hold different voltages.
    """
    faults: list[str] = []
    found: dict[str, np.ndarray] = {}
    counts: dict[str, int] = {}
    for name, values in varying.items():
        kind = POWERS[name][0] if name in POWERS else VOLTAGES.get(name)
        if kind is None:
            faults.append(f"{name} is not known; known are {', '.join([*POWERS, *VOLTAGES])}")
            continue
        array = np.ascontiguousarray(values, float)
        width = len(grid.elements[kind].index)
        if array.ndim != 2 or array.shape[1] != width:
            faults.append(f"{name} has shape {array.shape}, expected (scenarios, {width})")
            continue
        counts[name] = len(array)
        found[name] = array
        with np.errstate(invalid="ignore", over="ignore"):
            suspect = not np.isfinite(array.sum())  # one pass, without an array of answers
        bad = ~np.isfinite(array) if suspect else np.zeros(0, bool)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            faults.append(
                f"{name}: {bad.sum()} values are not finite, the first in scenario {row} "
                f"at {grid.elements[kind].name[column]}"
            )
        elif name in VOLTAGES:
            faults += _unfit_voltages(grid, name, array)
    if len(set(counts.values())) > 1:
        faults.append(f"numbers of scenarios differ: {counts}")
    if faults:
        raise InputError(grid.source, faults)
    return found


def _unfit_voltages(grid: PowerGrid, name: str, values: np.ndarray) -> list[str]:
    faults = []
    if ((values < 0.5) | (values > 1.5)).any():
        faults.append(f"{name} reaches {values.min():g} to {values.max():g}, expected 0.5 to 1.5")
    elements = grid.elements[VOLTAGES[name]]
    own = _ruling(grid, VOLTAGES[name])
    _, first, at = np.unique(elements.bus[own], return_index=True, return_inverse=True)
    other = own[first][at]  # the first machine at the bus of each
    for row, one in zip(own, other, strict=True):
        apart = np.flatnonzero(values[:, row] != values[:, one])
        if len(apart):
            names = f"{elements.name[one]} and {elements.name[row]}"
            faults.append(f"{name} of {names} at one bus differs in scenario {apart[0]}")
    return faults


def _ruling(grid: PowerGrid, kind: str) -> np.ndarray:
    """Machines that say what voltage is held: none where an external grid already does."""
    bus = grid.elements[kind].bus
    on = bus >= 0
    if kind == "gen":
        on &= ~np.isin(bus, grid.elements["ext_grid"].bus)
    return np.flatnonzero(on)


@dataclass(frozen=True)
class ScenarioValues:
    """What the buses ask for in a run of scenarios, as the kernel takes it."""

    s: np.ndarray
    load: np.ndarray
    slack_v: np.ndarray


def asked(
    grid: PowerGrid, varying: Mapping[str, np.ndarray], first: int, last: int
) -> ScenarioValues:
    """Scenarios `first` to `last` of `varying` on top of the base case."""
    count = last - first
    n_groups = (count + WIDTH - 1) // WIDTH
    m = grid.plan.m
    base = np.zeros(max(2 * m, 1))  # the kernel has one row even where all buses are slack
    at = grid.bus_at[:m]
    base[0 : 2 * m : 2] = grid.p_pu[at]
    base[1 : 2 * m : 2] = grid.q_pu[at]
    s = np.empty((n_groups, len(base), WIDTH))
    s[:] = base[:, None]
    rows = [name for name in varying if name in POWERS]
    depends = len(grid.depends)
    load = np.zeros((n_groups if depends else 1, max(2 * depends, 1), WIDTH))
    if depends:
        load[:, 0::2] = grid.depends_p_pu[:, None]
        load[:, 1::2] = grid.depends_q_pu[:, None]
    for name in rows:
        kind, reactive = POWERS[name]
        elements = grid.elements[kind]
        nominal = elements.q_mvar if reactive else elements.p_mw
        weight = np.where(elements.bus >= 0, elements.sign, 0.0) / grid.base_mva
        part = varying[name][first:last]
        inject(part, nominal, grid.place[elements.bus], weight, s, int(reactive))
        if depends and kind != "gen":
            number = np.full(grid.n_bus, depends, np.int64)
            number[grid.depends] = np.arange(depends)
            inject(part, nominal, number[elements.bus], weight, load, int(reactive))
    slack_v = _voltages(grid, varying, first, last, s)
    return ScenarioValues(s, load, slack_v)


def _voltages(
    grid: PowerGrid, varying: Mapping[str, np.ndarray], first: int, last: int, s: np.ndarray
) -> np.ndarray:
    """Squares of the voltages to hold into `s`; complex voltages of the slack buses back."""
    count = last - first
    vm = np.broadcast_to(grid.vm_pu, (1, grid.n_bus))
    if any(name in varying for name in VOLTAGES):
        vm = np.repeat(vm, count, axis=0)
        for name, kind in VOLTAGES.items():
            if name in varying:
                own = _ruling(grid, kind)
                vm[:, grid.elements[kind].bus[own]] = varying[name][first:last][:, own]
    rows = 2 * grid.place[grid.held] + 1
    if len(vm) == 1:
        s[:, rows] = (vm[0, grid.held] ** 2)[:, None]
    else:
        padded = np.ones((len(s) * WIDTH, len(grid.held)))
        padded[:count] = vm[:, grid.held] ** 2
        s[:, rows] = padded.reshape(len(s), WIDTH, -1).transpose(0, 2, 1)
    return vm[:, grid.slack] * np.exp(1j * grid.slack_va_rad)
