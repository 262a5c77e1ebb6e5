"""`tvilling grid hosting`: how much more solar power, heat pumps or charging each bus takes."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvilling.apps.grid.background import Background, powers
from tvilling.apps.grid.grid_input import (
    GridInput,
    GridOptions,
    Tell,
    by_current,
    open_grid,
    out_of_range,
)
from tvilling.apps.grid.writers import (
    DEFAULT_OUT,
    plain,
    provenance,
    result_attrs,
    run_name,
    write_data,
    write_summary,
)
from tvilling.apps.shared.run_folder import RunFolder
from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import xarray as xr

    from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
    from tvilling.sciml.systems.power_grid.studies.hosting import Technology

MAX_SCENARIOS = 100_000


@dataclass(frozen=True)
class HostingOptions:
    """What is to be added, and where.

    Attributes
    ----------
    technology
        `pv`, `heat_pump` or `ev`.
    alpha
        Probability of a broken limit that is accepted.
    buses
        Names of buses; none: every bus with a load.
    cos_phi
        Power factor in place of that of the technology.
    """

    technology: str = "pv"
    alpha: float = 0.05
    buses: Sequence[str] = ()
    cos_phi: float | None = None

    def faults(self) -> list[str]:
        """What is wrong with it, one line each."""
        from tvilling.sciml.systems.power_grid.studies.hosting import TECHNOLOGIES

        faults = out_of_range("--alpha", self.alpha, 0.0, 1.0, "")
        faults += out_of_range("--cos-phi", self.cos_phi, 0.5, 1.0, "")
        if self.technology not in TECHNOLOGIES:
            known = ", ".join(TECHNOLOGIES)
            faults.append(f"--technology is {self.technology!r}, expected {known}")
        return faults

    def named(self, grid: "PowerGrid") -> "np.ndarray":
        """Rows of the buses that are named; of every bus with a load where none is.

        Raises
        ------
        InputError
            With every name that is not one bus's, or that takes no size.
        """
        from tvilling.sciml.systems.power_grid.studies.hosting import places_of

        if not self.buses:
            return places_of(grid)
        try:
            return places_of(grid, self.buses)
        except InputError as error:
            raise InputError(error.source, [f"--bus {one}" for one in error.faults]) from None

    def added(self) -> "Technology":
        """The technology with what was asked for."""
        from tvilling.sciml.systems.power_grid.studies.hosting import TECHNOLOGIES

        found = TECHNOLOGIES[self.technology]
        return found if self.cos_phi is None else replace(found, cos_phi=self.cos_phi)


@dataclass(frozen=True)
class HostingRun:
    """A finished study of hosting capacity.

    Attributes
    ----------
    folder
        Holds `result.nc`, `capacities.csv`, `summary.json`, `report.html` and `log.jsonl`.
    data
        As `hosting.hosting` gives it.
    capacities
        As `hosting_table.capacities` gives them, in the order of `data`.
    summary
        As `summary.json` has it.
    assumptions
        What the reader repaired, and what was assumed.
    """

    folder: Path
    data: "xr.Dataset"
    capacities: "pd.DataFrame"
    summary: dict[str, Any]
    assumptions: list[str]
    wall_s: float = 0.0


def run_hosting(
    file: str,
    asked: GridOptions | None = None,
    wanted: HostingOptions | None = None,
    background: Background | None = None,
    out: Path | None = None,
    tell: Tell = lambda stage: None,
) -> HostingRun:
    """Hosting capacity of the grid in `file`, in a folder under `out`.

    Raises
    ------
    InputError
        With every fault of the file or of what was asked.
    """
    began, started = time.perf_counter(), datetime.now(UTC)
    from tvilling.apps.grid.report.hosting_report import write_hosting_report
    from tvilling.sciml.systems.power_grid.studies.hosting import hosting
    from tvilling.sciml.systems.power_grid.studies.hosting_table import capacities

    asked, wanted = asked or GridOptions(), wanted or HostingOptions()
    background = background or Background(scenarios=200)
    faults = [*wanted.faults(), *background.faults(MAX_SCENARIOS)]
    named = wanted.named if wanted.buses else None
    opened = by_current(open_grid(file, asked, tell, faults, named))
    places = wanted.named(opened.grid)
    scenarios = powers(opened, background)
    options = plain({**asdict(opened.asked), **asdict(wanted), **asdict(background)})
    with RunFolder(out or DEFAULT_OUT, run_name(file, "hosting", opened.digest, started)) as folder:
        count = len(places) * len(scenarios.names)
        folder.log("started", file=file, places=len(places), capacities=count, **options)
        tell(f"finding {count} capacities")
        clock = time.perf_counter()
        data = hosting(
            opened.grid,
            wanted.added(),
            places,
            varying=scenarios.varying,
            limits=opened.limits,
            options=asked.options(),
            tell=lambda done, all_: tell(f"found {done} of {all_} capacities"),
        )
        solve_s = time.perf_counter() - clock
        folder.log("solved", solve_s=round(solve_s, 3))
        data = data.assign_attrs(result_attrs(opened, options))
        data = data.assign_coords(scenario=scenarios.names)
        table = capacities(data, wanted.alpha)
        summary = _summary(opened, data, table, options)
        summary |= {"powers": scenarios.told, "solve_s": round(solve_s, 3)}
        tell("writing")
        write_data(data, folder.path)
        table.to_csv(folder.path / "capacities.csv", index=False)
        write_summary(summary, folder.path)
        found = HostingRun(folder.path, data, table, summary, [scenarios.told, *opened.assumptions])
        write_hosting_report(folder.path / "report.html", opened, found)
        wall_s = time.perf_counter() - began
        folder.log("finished", wall_s=round(wall_s, 3))
        return replace(found, folder=folder.finish(), wall_s=wall_s)


def _summary(
    opened: GridInput, data: "xr.Dataset", table: "pd.DataFrame", options: dict[str, Any]
) -> dict[str, Any]:
    from tvilling.apps.grid.summary_stats import rounded

    ordered = table.sort_values("capacity_mw", kind="stable")
    least, middle, most = (ordered.iloc[at] for at in (0, len(table) // 2, -1))
    violated = (data["size_mw"] == 0.0).all("place").values
    return {
        "study": "hosting",
        **provenance(opened, options),
        "technology": data.attrs["technology"],
        "cos_phi": data.attrs["cos_phi"],
        "alpha": options["alpha"],
        "places": len(table),
        "scenarios": data.sizes["scenario"],
        "scenarios_broken_with_nothing_added": int(violated.sum()),
        **{
            name: {"bus": row["bus"], "capacity_mw": rounded(row["capacity_mw"])}
            for name, row in (("least", least), ("median", middle), ("greatest", most))
        },
        "limits": {
            str(limit): int(count) for limit, count in table["limit"].value_counts().items()
        },
    }
