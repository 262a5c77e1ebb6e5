"""What a grid does when elements fail: N-1, N-2, or any sets of them, by full AC power flow.

Every contingency is a scenario of one batch. Newton's method starts from the base case and
factorises the Jacobian of each contingency anew. The other way, the factors of the base case
corrected for the four rows that an outage changes (Woodbury; Tinney, Compensation methods for
network solutions by optimally ordered triangular factorization), costs less for a step but needs
more of them: alone it measured 1.5 times slower on 118 to 1 354 buses, as the first two steps 1.2
times faster (docs/power-grid-studies.md).
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.results.labels import attributes, outcome_variables
from tvilling.sciml.systems.power_grid.results.violations import Limits, limits_of
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve
from tvilling.sciml.systems.power_grid.solver.flow import DEFAULT, Flow, Options, Outcome
from tvilling.sciml.systems.power_grid.solver.scenarios import check, outages
from tvilling.sciml.systems.power_grid.studies.extremes import Extremes, extremes
from tvilling.sciml.systems.power_grid.studies.monitored import Monitored
from tvilling.sciml.systems.power_grid.studies.outages import Failing
from tvilling.sciml.systems.power_grid.studies.worst_case import WorstCase, furthest

if TYPE_CHECKING:
    import xarray as xr

AT_ONCE = 2_000_000  # voltages held at once by a thread
SHORTEST, LONGEST = 256, 1024  # contingencies solved and reduced at once
KINDS_OF_POWER = ("load", "sgen", "storage", "gen")
ROUNDING_MW = 1e-9
TOLD = ("outcome", "reached", "weakest_bus")
Figures = dict[str, np.ndarray]


@dataclass(frozen=True)
class Quantity:
    """A figure of each contingency."""

    unit: str
    text: str
    dtype: type = np.float64


QUANTITIES = {
    "lost_buses": Quantity("1", "buses of the file without supply", np.int32),
    "lost_load_mw": Quantity("MW", "load without supply"),
    "lost_generation_mw": Quantity("MW", "generation without supply"),
    "vm_min_pu": Quantity("1", "least voltage, of the rated one"),
    "vm_min_bus": Quantity("1", "position along bus of the least voltage", np.int32),
    "vm_max_pu": Quantity("1", "greatest voltage, of the rated one"),
    "vm_max_bus": Quantity("1", "position along bus of the greatest voltage", np.int32),
    "loading_percent": Quantity("percent", "greatest current, of the rated one"),
    "loading_branch": Quantity("1", "position along branch of the greatest loading", np.int32),
    "violations": Quantity("1", "buses out of their band and branches overloaded", np.int32),
    "new_violations": Quantity("1", "of these, those that are none without outages", np.int32),
}


def study(
    grid: PowerGrid,
    elements: Failing,
    together: np.ndarray,
    *,
    limits: Limits | None = None,
    varying: Mapping[str, np.ndarray] | None = None,
    options: Options = DEFAULT,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> "xr.Dataset":
    """Every contingency in every scenario, and what each amounts to.

    Parameters
    ----------
    elements
        What may fail, as `outages.failing` lists it.
    together
        Numbers of the elements that fail together `[contingency, k]`, as `outages.alone` and
        `outages.pairs` give them; -1 for none.
    limits
        Those of the file, with the defaults of `limits_of` where it has none.
    varying
        Scenarios as `solve` takes them; the base case where nothing varies.
    tell
        Told how many are done, and of how many.

    Returns
    -------
    xarray.Dataset
        `QUANTITIES`, `outcome`, `reached` and `weakest_bus` over (`scenario`, `contingency`), and
        the same without outages over `scenario`, with `base_` before the name. A contingency is
        UNSUPPLIED where a bus of the file has lost its supply. Over `bus` and `branch`, as in
        `WorstCase.variables`, the worst that each sees, `when` by number: scenario times the
        number of contingencies plus the contingency.

    Raises
    ------
    InputError
        If `varying` does not fit the grid, or there is no contingency.
    """
    if not len(together):
        raise InputError(grid.source, ["no contingency is asked for"])
    found = check(grid, varying or {})
    one = replace(options, threads=1)
    run = _Run(grid, Monitored(grid, limits or limits_of(grid)), elements, together, found, one)
    base = run.without_outages(options)
    total = run.scenarios * len(together)
    columns = {name: np.empty(total, values.dtype) for name, values in base.figures.items()}
    length = int(np.clip(AT_ONCE // grid.n_bus, SHORTEST, LONGEST))
    spans = [slice(first, min(first + length, total)) for first in range(0, total, length)]

    def fill(span: slice) -> WorstCase:
        figures, found = run.block(np.arange(span.start, span.stop), base)
        for name, values in figures.items():
            columns[name][span] = values
        return furthest(found, span.start)

    tell(0, total)
    with ThreadPoolExecutor(options.workers) as pool:
        parts = pool.map(fill, spans)
        worst = next(parts)
        tell(spans[0].stop, total)
        for span, some in zip(spans[1:], parts, strict=True):
            worst.add(some)
            tell(span.stop, total)
    return _labelled(run, columns, base, worst)


@dataclass(frozen=True)
class _Base:
    """The scenarios without outages: their figures, the limits they break, words for outcomes."""

    figures: Figures
    extremes: Extremes
    attributes: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class _Run:
    grid: PowerGrid
    watched: Monitored
    elements: Failing
    together: np.ndarray
    varying: Mapping[str, np.ndarray]
    options: Options

    @property
    def scenarios(self) -> int:
        return len(next(iter(self.varying.values()), [()]))

    def without_outages(self, options: Options) -> _Base:
        flow = solve(self.grid, self.varying, options=options)
        found = extremes(flow, self.watched)
        told = outcome_variables(flow)
        return _Base(
            self._figures(flow, found, found, np.arange(self.scenarios)),
            found,
            {name: told[name][2] for name in TOLD},
        )

    def block(self, numbers: np.ndarray, base: _Base) -> tuple[Figures, Extremes]:
        """Figures of the contingencies `numbers`, counted through scenario by scenario."""
        scenario, contingency = np.divmod(numbers, len(self.together))
        chosen = self.together[contingency]
        branch = np.where(chosen[..., None] >= 0, self.elements.branch[chosen], -1)
        branch = branch.reshape(len(numbers), -1)
        varying = self.varying
        if self.scenarios > 1:
            varying = {name: values[scenario] for name, values in varying.items()}
        flow = solve(self.grid, varying, outages(self.grid, branch), self.options)
        found = extremes(flow, self.watched)
        return self._figures(flow, found, base.extremes, scenario), found

    def _figures(
        self, flow: Flow, found: Extremes, base: Extremes, scenario: np.ndarray
    ) -> Figures:
        told = outcome_variables(flow)
        broken = (found.broken_vm, found.broken_loading)
        known = (base.broken_vm[scenario], base.broken_loading[scenario])
        new = sum((here & ~there).sum(axis=1) for here, there in zip(broken, known, strict=True))
        lost_buses, lost_load, lost_generation = self._lost(flow, scenario)
        figures: Figures = {
            "lost_buses": lost_buses,
            "lost_load_mw": lost_load,
            "lost_generation_mw": lost_generation,
            "vm_min_pu": found.vm_min_pu,
            "vm_min_bus": found.vm_min_bus,
            "vm_max_pu": found.vm_max_pu,
            "vm_max_bus": found.vm_max_bus,
            "loading_percent": found.loading_percent,
            "loading_branch": found.loading_branch,
            "violations": sum(each.sum(axis=1) for each in broken),
            "new_violations": np.asarray(new),
        }
        figures = {name: np.asarray(figures[name], QUANTITIES[name].dtype) for name in figures}
        outcome = np.where(flow.solved & (lost_buses == 0), Outcome.SOLVED, flow.outcome)
        return (
            figures | {name: told[name][1] for name in TOLD} | {"outcome": outcome.astype(np.int8)}
        )

    def _lost(self, flow: Flow, scenario: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Buses of the file, load and generation [MW] without supply."""
        buses, load, generation = np.zeros((3, len(scenario)))
        if flow.dead is None:
            return buses, load, generation
        rows = np.flatnonzero(flow.dead.any(axis=1) & flow.solved)
        dead = flow.dead[rows].astype(float)
        buses[rows] = dead @ self.watched.joined
        first = scenario.min(initial=0)
        span = slice(first, scenario.max(initial=0) + 1)
        drawn, given = powers_at(self.grid, self.varying, span)
        load[rows] = (dead * drawn[scenario[rows] - first]).sum(axis=1)
        generation[rows] = (dead * given[scenario[rows] - first]).sum(axis=1)
        return buses, load, generation


def powers_at(
    grid: PowerGrid, varying: Mapping[str, np.ndarray], rows: slice
) -> tuple[np.ndarray, np.ndarray]:
    """Load and generation at every bus of the grid in the scenarios `rows` `[scenario, bus]` [MW].

    What loads, generators and storages of the file do not account for, such as wards and motors,
    counts by what it draws or gives in sum.
    """
    rest = grid.p_pu * grid.base_mva
    count = len(next(iter(varying.values()), [()])[rows])
    load, generation = np.zeros((2, count, grid.n_bus))
    for kind in KINDS_OF_POWER:
        elements = grid.elements[kind]
        on = elements.bus >= 0
        bus, sign = elements.bus[on], elements.sign[on]
        np.subtract.at(rest, bus, sign * elements.p_mw[on])
        p_mw = varying[f"{kind}_p_mw"][rows] if f"{kind}_p_mw" in varying else elements.p_mw[None]
        given = sign * p_mw[:, on]
        np.add.at(load.T, bus, np.maximum(-given, 0.0).T)
        np.add.at(generation.T, bus, np.maximum(given, 0.0).T)
    rest[np.abs(rest) < ROUNDING_MW] = 0.0
    return load + np.maximum(-rest, 0.0), generation + np.maximum(rest, 0.0)


def _labelled(run: _Run, columns: Figures, base: _Base, worst: WorstCase) -> "xr.Dataset":
    import xarray as xr

    shape = (run.scenarios, len(run.together))
    texts = base.attributes | {
        name: {"units": one.unit, "long_name": one.text} for name, one in QUANTITIES.items()
    }
    variables: dict[str, Any] = {}
    for name, values in columns.items():
        variables[name] = (("scenario", "contingency"), values.reshape(shape), texts[name])
        without = {**texts[name], "long_name": f"{texts[name]['long_name']}; without outages"}
        variables[f"base_{name}"] = (("scenario",), base.figures[name], without)
    variables |= worst.variables(run.watched)
    failed = [row[row >= 0] for row in run.together]
    coordinates = {
        "contingency": [" + ".join(run.elements.name[row]) for row in failed],
        "contingency_kind": (
            "contingency",
            [" + ".join(run.elements.kind[row]) for row in failed],
        ),
        "contingency_size": ("contingency", (run.together >= 0).sum(axis=1)),
        "scenario": np.arange(run.scenarios),
        **run.watched.coordinates(),
    }
    notes = "\n".join((*run.grid.notes, *run.watched.limits.notes))
    return xr.Dataset(variables, coordinates, attributes(run.grid) | {"notes": notes})
