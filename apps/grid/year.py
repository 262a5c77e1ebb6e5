"""`tvilling grid year`: power flow of every step of courses of power."""

import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.apps.grid.grid_input import GridInput, GridOptions, Tell, open_grid
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
    import pandas as pd
    import xarray as xr


@dataclass(frozen=True)
class YearRun:
    """A finished year, or whatever time the courses span.

    Attributes
    ----------
    folder
        Holds `result.nc`, `violations.csv`, `summary.json`, `report.html` and `log.jsonl`.
    data
        As `studies.year.year` gives it.
    violations
        Every limit that is broken.
    assumptions
        What the reader repaired, and limits that were assumed.
    solve_s
        Time for solving all steps and reducing them to `data` [s].
    """

    folder: Path
    data: "xr.Dataset"
    violations: "pd.DataFrame"
    assumptions: list[str]
    solve_s: float
    wall_s: float


def run_year(
    file: str,
    profiles: Path | None = None,
    asked: GridOptions | None = None,
    out: Path | None = None,
    tell: Tell = lambda stage: None,
) -> YearRun:
    """Power flow over the courses in `profiles`, or over those that come with the grid.

    Raises
    ------
    InputError
        With every fault of the grid, of the courses or of what was asked.
    """
    began, started = time.perf_counter(), datetime.now(UTC)
    from tvilling.apps.grid.report.flow_report import write_year_report
    from tvilling.datasets.power_profiles import read_profiles
    from tvilling.sciml.systems.power_grid.results.violations import time_notes, violations
    from tvilling.sciml.systems.power_grid.solver.batch_solver import base_case
    from tvilling.sciml.systems.power_grid.studies.year import year

    asked = asked or GridOptions()
    opened = open_grid(file, asked, tell)
    tell("reading the courses of power")
    courses = read_profiles(opened.power_net, profiles)
    opened = replace(opened, notes=(*time_notes(courses), *courses.attrs.get("notes", ())))
    options = {**asdict(opened.asked), "profiles": str(profiles) if profiles else None}
    with RunFolder(out or DEFAULT_OUT, run_name(file, "year", opened.digest, started)) as folder:
        folder.log("started", file=file, **options)
        base_case(opened.grid)  # loads what is compiled
        tell(f"solving {courses.sizes['time']} steps")
        clock = time.perf_counter()
        data = year(opened.grid, courses, asked.options())
        solve_s = time.perf_counter() - clock
        data = data.assign_attrs(result_attrs(opened, options))
        folder.log("solved", solve_s=round(solve_s, 3), steps=data.sizes["time"])
        broken = violations(data, opened.limits)
        tell("writing")
        write_data(data, folder.path)
        write_violations(broken, folder.path)
        folder.log("written")
        times = solve_s, time.perf_counter() - began
        write_year_report(folder.path / "report.html", opened, data, broken, options, times)
        write_summary(_summary(opened, data, broken, options), folder.path)
        wall_s = time.perf_counter() - began
        folder.log("finished", wall_s=round(wall_s, 3), violations=len(broken))
        return YearRun(folder.finish(), data, broken, opened.assumptions, solve_s, wall_s)


def _summary(
    opened: GridInput, data: "xr.Dataset", broken: "pd.DataFrame", options: dict[str, Any]
) -> dict[str, Any]:
    from tvilling.apps.grid.summary_stats import (
        count_limits,
        energies_mwh,
        extremes_summary,
        not_known,
        rounded,
        solved,
    )

    good = solved(data)
    return {
        "study": "year",
        **provenance(opened, options),
        "profiles": data.attrs["profiles"],
        "first": str(data["time"].values[0]),
        "last": str(data["time"].values[-1]),
        "steps": int(good.size),
        "steps_without_solution": int(np.count_nonzero(~good)),
        "steps_not_known": int(np.count_nonzero(not_known(data))),
        **extremes_summary(data),
        **{name: rounded(value, 3) for name, value in energies_mwh(data).items()},
        "violations": count_limits(broken),
    }
