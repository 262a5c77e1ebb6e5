"""`tvilling grid flow`: one power flow of a grid as its file has it."""

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvilling.apps.grid.grid_input import GridInput, GridOptions, Tell, open_grid, out_of_range
from tvilling.apps.grid.writers import (
    DEFAULT_OUT,
    provenance,
    result_attrs,
    run_name,
    write_data,
    write_summary,
    write_violations,
)
from tvilling.apps.shared.run_folder import RunFolder

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import xarray as xr

    from tvilling.sciml.systems.power_grid.model.grid import PowerGrid

GIVEN = tuple(
    f"{kind}_{part}"
    for kind in ("ext_grid", "gen", "dcline", "xward")
    for part in ("p_mw", "q_mvar")
)


@dataclass(frozen=True)
class Scaled:
    """Factors on the powers of the file, and how the flow is solved.

    Attributes
    ----------
    loads
        On active and reactive power of every load.
    generation
        On active and reactive power of static generators, and on active power of generators that
        hold a voltage.
    """

    loads: float = 1.0
    generation: float = 1.0


@dataclass(frozen=True)
class FlowRun:
    """A finished power flow.

    Attributes
    ----------
    folder
        Holds `result.nc`, `violations.csv`, `summary.json`, `report.html` and `log.jsonl`.
    data
        As `labels.label` gives it, of one scenario.
    violations
        Every limit that is broken.
    assumptions
        What the reader repaired, and limits that were assumed.
    """

    folder: Path
    data: "xr.Dataset"
    violations: "pd.DataFrame"
    assumptions: list[str]
    wall_s: float


def run_flow(
    file: str,
    asked: GridOptions | None = None,
    scaled: Scaled | None = None,
    out: Path | None = None,
    tell: Tell = lambda stage: None,
) -> FlowRun:
    """One power flow of the grid in `file`, in a folder under `out`.

    Raises
    ------
    InputError
        With every fault of the file or of what was asked.
    """
    began, started = time.perf_counter(), datetime.now(UTC)
    from tvilling.apps.grid.report.flow_report import write_flow_report
    from tvilling.sciml.systems.power_grid.results.labels import label
    from tvilling.sciml.systems.power_grid.results.violations import violations
    from tvilling.sciml.systems.power_grid.solver.batch_solver import solve

    asked, scaled = asked or GridOptions(), scaled or Scaled()
    faults = out_of_range("--scale-loads", scaled.loads, 0.0, 100.0, "")
    faults += out_of_range("--scale-generation", scaled.generation, 0.0, 100.0, "")
    opened = open_grid(file, asked, tell, faults)
    options = {**asdict(opened.asked), **asdict(scaled)}
    with RunFolder(out or DEFAULT_OUT, run_name(file, "flow", opened.digest, started)) as folder:
        folder.log("started", file=file, **options)
        tell("solving")
        varying = scaled_powers(opened.grid, scaled)
        found = solve(opened.grid, varying, options=asked.options())
        data = label(found, varying).assign_attrs(result_attrs(opened, options))
        broken = violations(data, opened.limits)
        tell("writing")
        write_data(data, folder.path)
        write_violations(broken, folder.path)
        wall_s = time.perf_counter() - began
        write_flow_report(folder.path / "report.html", opened, data, broken, options, wall_s)
        write_summary(_summary(opened, data, broken, options), folder.path)
        wall_s = time.perf_counter() - began
        folder.log("finished", wall_s=round(wall_s, 3), violations=len(broken))
        return FlowRun(folder.finish(), data, broken, opened.assumptions, wall_s)


def scaled_powers(grid: "PowerGrid", scaled: Scaled) -> "dict[str, np.ndarray]":
    """Powers of the file times their factors, as one scenario."""
    varying = {}
    for kind, factor in (
        ("load", scaled.loads),
        ("sgen", scaled.generation),
        ("gen", scaled.generation),
    ):
        one = grid.elements[kind]
        if factor != 1.0 and len(one.index):
            varying[f"{kind}_p_mw"] = factor * one.p_mw[None]
            if kind != "gen":
                varying[f"{kind}_q_mvar"] = factor * one.q_mvar[None]
    return varying


def _summary(
    opened: GridInput, data: "xr.Dataset", broken: "pd.DataFrame", options: dict[str, Any]
) -> dict[str, Any]:
    from tvilling.apps.grid.summary_stats import (
        count_limits,
        extremes_summary,
        outcome_word,
        rounded,
    )

    return {
        "study": "flow",
        **provenance(opened, options),
        "outcome": outcome_word(data),
        "reached": rounded(data["reached"].values[0]),
        "start": data.attrs["start"],
        **extremes_summary(data),
        "losses_mw": rounded(data["losses_mw"].values[0]),
        **{name: rounded(data[name].values[0].sum()) for name in GIVEN if name in data},
        "violations": count_limits(broken),
    }
