"""Random scenarios of a grid: how voltages and loadings are spread, and how often limits break.

Scenarios are drawn, solved and reduced in blocks, each from its own stream of random numbers: the
results do not depend on the number of threads, and memory does not grow with the number of
scenarios but for five figures of each. With `out`, the voltages and loadings of every scenario
go to a Zarr store as they are found.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.results.labels import attributes, outcome_variables
from tvilling.sciml.systems.power_grid.results.planner_units import loads, vm_pu
from tvilling.sciml.systems.power_grid.results.violations import (
    SLACK_PERCENT,
    SLACK_PU,
    Limits,
    limits_of,
)
from tvilling.sciml.systems.power_grid.solver.batch_solver import base_case, solve
from tvilling.sciml.systems.power_grid.solver.flow import DEFAULT, Options, Outcome, holds
from tvilling.sciml.systems.power_grid.studies.draws import DRAWN, Draws, draw_block
from tvilling.sciml.systems.power_grid.studies.monitored import Monitored
from tvilling.sciml.systems.power_grid.studies.monte_carlo_store import Store
from tvilling.sciml.systems.power_grid.studies.risk import exact_interval
from tvilling.sciml.systems.power_grid.studies.running import Running, running

if TYPE_CHECKING:
    import xarray as xr

QUANTILES = (0.01, 0.05, 0.5, 0.95, 0.99)
VM_BINS = (0.5, 1.5, 4000)  # from, to [p.u.], number: 0.00025 p.u. wide
LOADING_BINS = (0.0, 250.0, 2000)  # 0.125 % wide
FIGURES = {
    "lowest_vm_pu": ("1", "least voltage of all buses, of the rated one"),
    "highest_vm_pu": ("1", "greatest voltage of all buses, of the rated one"),
    "highest_loading_percent": ("percent", "greatest loading of all branches"),
    "losses_mw": ("MW", "active power lost in all branches"),
    "violations": ("1", "buses out of their band and branches overloaded"),
}


def monte_carlo(
    grid: PowerGrid,
    draws: Draws,
    count: int,
    seed: int,
    out: Path | None = None,
    limits: Limits | None = None,
    options: Options = DEFAULT,
) -> "xr.Dataset":
    """`count` random scenarios, solved.

    Parameters
    ----------
    draws
        What they are drawn from.
    out
        Zarr store to make for the voltages and loadings of every scenario, in single precision.
    limits
        Those of the file, with the defaults of `limits_of` where it has none.
    options
        How to solve; its threads share the blocks.

    Returns
    -------
    xarray.Dataset
        Over `scenario`: `FIGURES` and `outcome`; `violations` is -1 where no solution was found.
        Over `bus`: `vm_mean_pu`, `vm_deviation_pu`, `vm_least_pu`, `vm_greatest_pu`,
        `vm_quantile_pu` (with `quantile`), `voltage_risk` (share of the solved scenarios in which
        the voltage is out of its band) and `voltage_risk_interval` (with `bound`). Over `branch`
        the same of loadings. `violation_risk` is the share of all scenarios that have no solution
        or break a limit, `no_solution_risk` that of the former. With `out`, `vm_pu` and
        `loading_percent` over `scenario` as well, opened lazily.

    Raises
    ------
    InputError
        If `count` is below one, or `out` is there already.
    """
    if count < 1:
        raise InputError("random scenarios", [f"count is {count}, expected 1 or more"])
    limits = limits or limits_of(grid)
    run = _Run(grid, draws, count, seed, Monitored(grid, limits), replace(options, threads=1))
    widths = {"bus": len(limits.vm_min_pu), "branch": len(run.watched.loading_percent)}
    vm, loading = running(widths["bus"], *VM_BINS), running(widths["branch"], *LOADING_BINS)
    figures = {name: np.empty(count, np.float32) for name in FIGURES}
    figures["violations"] = np.empty(count, np.int32)
    figures["outcome"] = np.empty(count, np.int8)
    with Store(out, count, widths) if out else nullcontext() as store:
        for rows, block in run.blocks(options.workers):
            vm.add(block.vm_pu, *run.band)
            loading.add(block.loading_percent, *run.most)
            for name, values in block.figures.items():
                figures[name][rows] = values
            if store:
                store.add(block.vm_pu, block.loading_percent)
        data = _labelled(run, figures, vm, loading)
        return store.finish(data) if store else data


@dataclass(frozen=True)
class _Block:
    vm_pu: np.ndarray
    loading_percent: np.ndarray
    figures: dict[str, np.ndarray]


@dataclass(frozen=True)
class _Run:
    grid: PowerGrid
    draws: Draws
    count: int
    seed: int
    watched: Monitored
    options: Options

    @property
    def band(self) -> tuple[np.ndarray, np.ndarray]:
        limits = self.watched.limits
        return limits.vm_min_pu - SLACK_PU, limits.vm_max_pu + SLACK_PU

    @property
    def most(self) -> tuple[np.ndarray, np.ndarray]:
        most = self.watched.loading_percent + SLACK_PERCENT
        return np.full(len(most), -np.inf), most

    def blocks(self, workers: int) -> Iterator[tuple[slice, _Block]]:
        """All blocks in order; no more are held than are solved at the same time."""
        base_case(self.grid)
        numbers = range((self.count + DRAWN - 1) // DRAWN)
        with ThreadPoolExecutor(workers) as pool:
            for first in range(0, len(numbers), workers):
                some = numbers[first : first + workers]
                for number, block in zip(some, pool.map(self._block, some), strict=True):
                    begin = number * DRAWN
                    yield slice(begin, begin + len(block.vm_pu)), block

    def _block(self, number: int) -> _Block:
        rest = min(DRAWN, self.count - number * DRAWN)
        drawn = draw_block(self.grid, self.draws, number, self.seed)
        flow = solve(
            self.grid, {name: values[:rest] for name, values in drawn.items()}, None, self.options
        )
        vm = vm_pu(flow).astype(np.float32)
        carried = loads(flow, dtype=np.float32)
        loading = np.concatenate(
            [np.empty((len(vm), 0), np.float32)]
            + [carried.percent[kind] for kind in self.watched.kinds],
            axis=1,
        )
        figures = {
            "lowest_vm_pu": vm[:, self.watched.bus_row].min(axis=1),
            "highest_vm_pu": vm[:, self.watched.bus_row].max(axis=1),
            "highest_loading_percent": _greatest(loading),
            "losses_mw": carried.losses_mw,
            "violations": np.where(flow.solved, self._violations(vm, loading), -1),
            "outcome": flow.outcome,
        }
        return _Block(vm, loading, figures)

    def _violations(self, vm: np.ndarray, loading: np.ndarray) -> np.ndarray:
        """Limits broken `[scenario]`; buses that closed switches join break theirs once."""
        low, high = self.watched.band_pu
        own = vm[:, self.watched.bus_row]
        out = (own < low - SLACK_PU) | (own > high + SLACK_PU)
        return np.asarray(out.sum(axis=1) + (loading > self.most[1]).sum(axis=1))


def _greatest(loading: np.ndarray) -> np.ndarray:
    if not loading.shape[1]:
        return np.full(len(loading), np.nan, loading.dtype)
    return np.asarray(loading.max(axis=1))


def _labelled(
    run: _Run, figures: dict[str, np.ndarray], vm: Running, loading: Running
) -> "xr.Dataset":
    import xarray as xr

    words = outcome_variables(solve(run.grid))["outcome"][2]
    variables: dict[str, Any] = {
        name: ("scenario", figures[name], {"units": unit, "long_name": text})
        for name, (unit, text) in FIGURES.items()
    }
    variables["outcome"] = ("scenario", figures["outcome"], words)
    variables |= _statistics(vm, "vm", "bus", ("pu", "1", "voltage"), vm.below + vm.above)
    variables |= _statistics(
        loading, "loading", "branch", ("percent", "percent", "loading"), loading.above
    )
    lost = ~holds(figures["outcome"])
    unknown = figures["outcome"] == Outcome.UNKNOWN
    for name, hits, text in (
        ("no_solution", lost & ~unknown, "scenarios without a solution"),
        ("not_known", unknown, "scenarios with neither a solution nor a nose found"),
        ("violation", lost | (figures["violations"] > 0), "scenarios that break a limit"),
    ):
        variables |= _risk(name, (), np.asarray(hits.sum()), np.asarray(run.count), text)
    coordinates = {
        **run.watched.coordinates(),
        "scenario": np.arange(run.count),
        "quantile": list(QUANTILES),
        "bound": ["low", "high"],
    }
    told = {
        "notes": "\n".join((*run.grid.notes, *run.watched.limits.notes)),
        "seed": run.seed,
        "draws": str(run.draws),
    }
    return xr.Dataset(variables, coordinates, attributes(run.grid) | told)


def _statistics(
    found: Running, name: str, dim: str, words: tuple[str, str, str], hits: np.ndarray
) -> dict[str, Any]:
    """Variables along `dim`: moments, extremes, quantiles and the risk of leaving the limits."""
    suffix, unit, text = words
    some = found.count > 0
    columns = {
        "mean": (np.where(some, found.mean, np.nan), "mean"),
        "deviation": (found.deviation, "standard deviation"),
        "least": (np.where(some, found.least, np.nan), "least"),
        "greatest": (np.where(some, found.greatest, np.nan), "greatest"),
    }
    variables: dict[str, Any] = {
        f"{name}_{key}_{suffix}": (dim, values, {"units": unit, "long_name": f"{word} {text}"})
        for key, (values, word) in columns.items()
    }
    variables[f"{name}_quantile_{suffix}"] = (
        ("quantile", dim),
        np.stack([found.quantile(share) for share in QUANTILES]),
        {"units": unit, "long_name": f"{text}, to {found.width:g}"},
    )
    return variables | _risk(text, (dim,), hits, found.count, f"{text} beyond its limits")


def _risk(
    name: str, dims: tuple[str, ...], hits: np.ndarray, count: np.ndarray, text: str
) -> dict[str, Any]:
    """Share of `count` and its interval."""
    share = np.where(count > 0, hits / np.maximum(count, 1), np.nan)
    interval = np.stack(exact_interval(hits, count))
    attrs = {"units": "1", "long_name": f"probability: {text}"}
    bounds = {"units": "1", "long_name": f"interval of 95 % confidence of {name}_risk"}
    return {
        f"{name}_risk": (dims, share, attrs),
        f"{name}_risk_interval": (("bound", *dims), interval, bounds),
    }
