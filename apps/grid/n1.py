"""`tvilling grid n1`: what a grid does when one of its branches, or two of them, fail."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvilling.apps.grid.background import Background, powers
from tvilling.apps.grid.grid_input import GridInput, GridOptions, Tell, by_current, open_grid
from tvilling.apps.grid.writers import (
    DEFAULT_OUT,
    plain,
    provenance,
    result_attrs,
    run_name,
    write_data,
    write_summary,
    write_violations,
)
from tvilling.apps.shared.run_folder import RunFolder
from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import xarray as xr

    from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
    from tvilling.sciml.systems.power_grid.studies.outages import Failing

ALL = "all"
MAX_SCENARIOS = 1000


@dataclass(frozen=True)
class Failures:
    """What may fail.

    Attributes
    ----------
    elements
        Names of lines and transformers; none: all in service.
    pairs
        None: each alone. `all`, or a number: also every two of them, or of that many of the most
        loaded.
    most
        Contingencies of one study.
    """

    elements: Sequence[str] = ()
    pairs: str | None = None
    most: int = 500_000

    def faults(self) -> list[str]:
        """What is wrong with it, one line each."""
        faults = []
        some = self.pairs is not None and self.pairs.isdecimal() and int(self.pairs) >= 2
        if self.pairs not in (None, ALL) and not some:
            faults.append(f"--n2 is {self.pairs!r}, expected all or a number from 2")
        if not 1 <= self.most <= 50_000_000:
            faults.append(f"--most is {self.most}, expected 1 to 50000000")
        return faults

    def named(self, grid: "PowerGrid") -> "np.ndarray":
        """Numbers of the elements that are named.

        Raises
        ------
        InputError
            With every name that is not one element's.
        """
        from tvilling.sciml.systems.power_grid.studies.outages import failing

        elements = failing(grid)
        try:
            return elements.find(self.elements, grid.source)
        except InputError as error:
            raise InputError(error.source, [f"--element {one}" for one in error.faults]) from None


@dataclass(frozen=True)
class N1Run:
    """A finished study of contingencies.

    Attributes
    ----------
    folder
        Holds `result.nc`, `contingencies.csv`, `violations.csv`, `summary.json`, `report.html` and
        `log.jsonl`.
    data
        As `contingency.study` gives it.
    ranked
        Every contingency, the worst first.
    violations
        Every limit that some contingency breaks.
    summary
        As `summary.json` has it.
    assumptions
        What the reader repaired, and what was assumed.
    """

    folder: Path
    data: "xr.Dataset"
    ranked: "pd.DataFrame"
    violations: "pd.DataFrame"
    summary: dict[str, Any]
    assumptions: list[str] = field(default_factory=list)
    wall_s: float = 0.0


def run_n1(
    file: str,
    asked: GridOptions | None = None,
    failures: Failures | None = None,
    background: Background | None = None,
    out: Path | None = None,
    tell: Tell = lambda stage: None,
) -> N1Run:
    """Fail every branch of the grid in `file`, in a folder under `out`.

    Raises
    ------
    InputError
        With every fault of the file or of what was asked.
    """
    began, started = time.perf_counter(), datetime.now(UTC)
    from tvilling.apps.grid.report.n1_report import write_n1_report
    from tvilling.sciml.systems.power_grid.studies.contingency import study
    from tvilling.sciml.systems.power_grid.studies.contingency_table import broken_limits, ranked
    from tvilling.sciml.systems.power_grid.studies.outages import failing

    asked, failures = asked or GridOptions(), failures or Failures()
    background = background or Background()
    faults = [*failures.faults(), *background.faults(MAX_SCENARIOS)]
    named = failures.named if failures.elements else None
    opened = by_current(open_grid(file, asked, tell, faults, named))
    elements = failing(opened.grid)
    together = _together(opened.grid, elements, failures)
    scenarios = powers(opened, background)
    total = len(together) * len(scenarios.names)
    if total > failures.most:
        raise InputError(
            file, [f"{total} contingencies, expected at most {failures.most}: --most allows more"]
        )
    options = plain({**asdict(opened.asked), **asdict(failures), **asdict(background)})
    with RunFolder(out or DEFAULT_OUT, run_name(file, "n1", opened.digest, started)) as folder:
        folder.log("started", file=file, contingencies=total, **options)
        tell(f"solving {total} contingencies")
        clock = time.perf_counter()
        data = study(
            opened.grid,
            elements,
            together,
            limits=opened.limits,
            varying=scenarios.varying,
            options=asked.options(),
            tell=lambda done, all_: tell(f"solved {done} of {all_} contingencies"),
        )
        solve_s = time.perf_counter() - clock
        folder.log("solved", solve_s=round(solve_s, 3))
        data = data.assign_attrs(result_attrs(opened, options))
        data = data.assign_coords(scenario=scenarios.names)
        table, broken = ranked(data), broken_limits(data, opened.limits)
        summary = _summary(opened, data, scenarios.told, options) | {"solve_s": round(solve_s, 3)}
        tell("writing")
        write_data(data, folder.path)
        table.to_csv(folder.path / "contingencies.csv", index=False)
        write_violations(broken, folder.path)
        write_summary(summary, folder.path)
        found = N1Run(
            folder.path, data, table, broken, summary, [scenarios.told, *opened.assumptions]
        )
        write_n1_report(folder.path / "report.html", opened, found)
        wall_s = time.perf_counter() - began
        folder.log("finished", wall_s=round(wall_s, 3), secure=summary["n1"]["secure"])
        return N1Run(folder.finish(), data, table, broken, summary, found.assumptions, wall_s)


def _together(grid: "PowerGrid", elements: "Failing", failures: Failures) -> "np.ndarray":
    """Numbers of the elements of each contingency; the second is -1 where one fails alone."""
    import numpy as np

    from tvilling.sciml.systems.power_grid.studies.outages import alone, most_loaded, pairs

    chosen = alone(elements)[:, 0]
    if failures.elements:
        chosen = failures.named(grid)
    if failures.pairs is None:
        return chosen[:, None]
    among = chosen
    if failures.pairs != ALL:
        ordered = most_loaded(grid, elements, len(elements.name))
        among = ordered[np.isin(ordered, chosen)][: int(failures.pairs)]
    single = np.stack([chosen, np.full(len(chosen), -1)], axis=1)
    return np.concatenate([single, pairs(elements, among, failures.most)])


def _summary(
    opened: GridInput, data: "xr.Dataset", told: str, options: dict[str, Any]
) -> dict[str, Any]:
    """What the study comes to, of single outages and of pairs."""
    import numpy as np

    from tvilling.apps.grid.summary_stats import rounded
    from tvilling.sciml.systems.power_grid.studies.contingency_table import sums

    found: dict[str, Any] = {"study": "n1", **provenance(opened, options), "powers": told}
    size = data["contingency_size"].values
    for number, name in ((1, "n1"), (2, "n2")):
        own = np.flatnonzero(size == number)
        if len(own):
            part = sums(data.isel(contingency=own))
            found[name] = {
                key: value if isinstance(value, int) else rounded(value)
                for key, value in part.items()
            }
    return found
