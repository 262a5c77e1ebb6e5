"""`tvilling backtest`: every day of a period planned as it would have been, year by year."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.apps.plant.case import ZONE, PlantCase
from tvilling.apps.plant.replay import Stretch, replay
from tvilling.apps.shared.run_folder import RunFolder
from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

DEFAULT_OUT = Path("runs")
Period = tuple[date, date]


@dataclass(frozen=True)
class Backtested:
    """A backtest that was written.

    Attributes
    ----------
    years
        One dataset a calendar year, see `labelled.backtest_data`.
    summary
        What stands in `summary.json`.
    """

    folder: Path
    years: "dict[int, xr.Dataset]"
    summary: dict[str, Any]
    wall_s: float


def run_backtest(
    path: Path,
    period: Period,
    overrides: Sequence[str] = (),
    out: Path | None = None,
    cluster: str | None = None,
    tell: Callable[[str], None] = lambda stage: None,
) -> Backtested:
    """Run the period of the case in `path` again and write a folder under `out`.

    Parameters
    ----------
    period
        First and last day, Danish clock.
    cluster
        Where years are run: in this process, `local`, or the address of a dask scheduler.

    Raises
    ------
    InputError
        With every fault of the case, or where the records do not cover the period.
    """
    from tvilling.apps.shared.case_file import read_case

    case = read_case(path, overrides, PlantCase)
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{path.stem}-{period[0]}-{period[1]}"
    with RunFolder(out or DEFAULT_OUT, name) as folder:
        folder.log("started", case=str(path), overrides=list(overrides))
        done = write_backtest(case, path, period, folder.path, cluster, tell)
        folder.log("finished", wall_s=round(done.wall_s, 3))
        return Backtested(folder.finish(), done.years, done.summary, done.wall_s)


def write_backtest(
    case: PlantCase,
    path: Path,
    period: Period,
    folder: Path,
    cluster: str | None = None,
    tell: Callable[[str], None] = lambda stage: None,
) -> Backtested:
    """Run the period again, a calendar year at a time, and write its files into `folder`.

    Each year begins and ends with the store as full as the case says, so years do not depend on
    each other and may run side by side.

    Raises
    ------
    InputError
        See `run_backtest`.
    """
    from tvilling.apps.plant.inputs.known import unverified
    from tvilling.apps.plant.report.table import as_facts, ways_table
    from tvilling.apps.shared.cluster import map_over

    began = time.perf_counter()
    stretches = by_year(period)
    work = partial(_year, case, path, tell if cluster is None else None)
    found = list(map_over(work, list(stretches.values()), cluster))
    years = dict(zip(stretches, found, strict=True))
    tell("writing the results")
    wall_s = time.perf_counter() - began
    told = ("forecast", "forecast_mae_mw", "plans_on_true_load", "plans", "fallbacks")
    summary = {
        "title": case.title or path.stem,
        "tvilling_version": version("tvilling"),
        "period": [str(day) for day in period],
        "years": {
            str(year): {
                **{name: data.attrs[name] for name in told if name in data.attrs},
                "warnings": backtest_warnings(data),
                "unverified_rates": unverified(case, data["time"].values),
                "ways": as_facts(ways_table(data)),
            }
            for year, data in years.items()
        },
        "wall_s": round(wall_s, 3),
    }
    _write(case, path, folder, years, summary)
    return Backtested(folder, years, summary, wall_s)


def by_year(period: Period) -> dict[int, Stretch]:
    """The period cut at the Danish new year.

    Raises
    ------
    InputError
        It ends before it begins, or is shorter than two days.
    """
    first, last = period
    if last < first + timedelta(days=1):
        raise InputError("period", [f"{first} to {last}, expected two days or more, in order"])
    cuts = [first, *(date(year, 1, 1) for year in range(first.year + 1, last.year + 1))]
    ends = [*cuts[1:], last + timedelta(days=1)]
    return {
        begin.year: Stretch(_utc(begin), _utc(end)) for begin, end in zip(cuts, ends, strict=True)
    }


def _utc(day: date) -> np.datetime64:
    """Danish midnight at which `day` begins, UTC."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZONE)
    return np.datetime64(midnight.astimezone(UTC).replace(tzinfo=None), "ns")


def _year(
    case: PlantCase, path: Path, tell: Callable[[str], None] | None, stretch: Stretch
) -> "xr.Dataset":
    def stage(text: str) -> None:
        if tell is not None:
            tell(f"{str(stretch.time[len(stretch.time) // 2])[:4]}: {text}")

    return replay(case, path, stretch, stage)


def _write(
    case: PlantCase,
    path: Path,
    folder: Path,
    years: "dict[int, xr.Dataset]",
    summary: dict[str, Any],
) -> None:
    from tvilling.apps.plant.plan import write_case
    from tvilling.apps.plant.report.assumptions import backtest_assumptions
    from tvilling.apps.plant.report.report import write_backtest_report

    write_case(case, path, folder)
    for year, data in years.items():
        encoding = {name: {"zlib": True, "complevel": 1} for name in data.data_vars}
        data.to_netcdf(folder / f"backtest_{year}.nc", engine="h5netcdf", encoding=encoding)
    text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / "summary.json").write_text(text + "\n", encoding="utf-8")
    for year, data in years.items():
        write_backtest_report(
            folder / f"report_{year}.html",
            data.assign_attrs(title=f"{summary['title']}, {year}"),
            checked=None,
            assumptions=backtest_assumptions(case, data),
            warnings=backtest_warnings(data),
            facts={
                "Tvilling": summary["tvilling_version"],
                "Period": " to ".join(summary["period"]),
                "Plans": str(data.attrs["plans"]),
                "Time taken, all years": f"{summary['wall_s']:.1f} s",
            },
        )


def backtest_warnings(data: "xr.Dataset") -> list[str]:
    """What a year of a backtest is to be read with, in words."""
    lines = list(json.loads(data.attrs.get("notes", "[]")))
    if data.attrs["fallbacks"]:
        reasons = data.attrs["fallback_reasons"]
        lines.append(f"{data.attrs['fallbacks']} plans fell back to the rule or held: {reasons}")
    if data.attrs.get("plans_on_true_load"):
        count = data.attrs["plans_on_true_load"]
        lines.append(f"{count} plans were made on the true load, before there was a history")
    return lines
