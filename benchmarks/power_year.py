"""A medium-voltage grid of SimBench with its own year of quarter-hours, 35 136 steps."""

import json
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvilling.benchmarks.measurement import Measurement

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

    from tvilling.benchmarks.power_grids import Case, Varying
    from tvilling.benchmarks.power_reduced import Reduced

REPEATS = 3
COMMANDS = 2  # the first one warms the disk
SLOW_STEPS = 100  # of pandapower's own module for time series


def measure() -> Measurement:
    """CPU time to solve the year, beside power-grid-model; and what the command takes in all."""
    from dataclasses import replace

    from tvilling.benchmarks import power_pgm
    from tvilling.benchmarks.power_contest import Ours, Peer, race
    from tvilling.benchmarks.power_grids import MV_URBAN, Case
    from tvilling.benchmarks.power_injections import pandapower_away_pu, solved
    from tvilling.benchmarks.power_reduced import reduced
    from tvilling.datasets.power_profiles import read_profiles
    from tvilling.datasets.readers.power_grid.reader import read_power_net
    from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
    from tvilling.sciml.systems.power_grid.solver.batch_solver import solve
    from tvilling.sciml.systems.power_grid.solver.flow import Options
    from tvilling.sciml.systems.power_grid.studies.year import scenarios_of

    version = power_pgm.version()
    read = read_power_net(MV_URBAN)
    case = Case(read.net, from_pandapower(read.net, read.source, read.notes))
    profiles = read_profiles(read)
    varying = scenarios_of(case.grid, profiles)
    flow = solved(case, varying)
    small = reduced(case.grid)
    steps = len(flow.e)
    found = race(
        "power_year",
        "s CPU to solve a year of quarter-hours",
        Ours(
            run=lambda threads: lambda: solve(case.grid, varying, options=Options(threads=threads)),
            voltages=flow.v[:, small.bus],
            count=steps,
        ),
        [Peer(power_pgm.NAME, version, lambda threads: _pgm_ways(small, varying, threads))],
        {
            "grid": MV_URBAN,
            "pandapower_away_pu": pandapower_away_pu(case, varying, flow),
            "command_s": _command_s(MV_URBAN),
            "pandapower_timeseries_s_extrapolated": _pandapower_year_s(case, profiles),
        },
        REPEATS,
    )
    assert found.peer is not None  # for the type checker: a race always has a peer
    return replace(found, ours=found.ours * steps / 1e6, peer=found.peer * steps / 1e6)


def _pgm_ways(small: "Reduced", varying: "Varying", threads: int) -> dict[str, Any]:
    from tvilling.benchmarks.power_injections import pgm_ways

    ways = pgm_ways(small, varying, threads)
    return {name: way for name, way in ways.items() if not name.startswith("linear")}


def _command_s(source: str) -> dict[str, float]:
    """Seconds of `tvilling grid year` from its start to its end, and of its parts."""
    command = str(Path(sys.executable).with_name("tvilling"))
    took: dict[str, float] = {}
    for _ in range(COMMANDS):
        with tempfile.TemporaryDirectory() as folder:
            began, clock = time.time(), time.perf_counter()
            subprocess.run(
                [command, "grid", "year", source, "--out", folder], check=True, capture_output=True
            )
            total = time.perf_counter() - clock
            log = next(Path(folder).glob("*/log.jsonl")).read_text(encoding="utf-8")
        stamps = {line["event"]: line for line in map(json.loads, log.splitlines())}
        took = {"all": total} | _parts(began, stamps)
    return took


def _parts(began: float, stamps: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Seconds for starting and reading, solving, writing results, and the report."""
    at = {name: datetime.fromisoformat(line["time"]).timestamp() for name, line in stamps.items()}
    solve_s = float(stamps["solved"]["solve_s"])
    return {
        "start and read": at["solved"] - solve_s - began,
        "solve and reduce": solve_s,
        "limits and write": at["written"] - at["solved"],
        "report": at["finished"] - at["written"],
    }


def _pandapower_year_s(case: "Case", profiles: "xr.Dataset") -> float:
    """Seconds that pandapower's `run_timeseries` would take for the year, by its first steps."""
    from copy import deepcopy

    import pandas as pd
    from pandapower.control import ConstControl
    from pandapower.timeseries import DFData, OutputWriter, run_timeseries

    net = deepcopy(case.net)
    for name, values in profiles.data_vars.items():
        kind, column = str(name).split("_", 1)
        courses: np.ndarray = values.values[: SLOW_STEPS + 1]
        if not courses.size:
            continue
        table = pd.DataFrame(courses, columns=profiles[kind].values)
        ConstControl(
            net,
            kind,
            column,
            element_index=list(table.columns),
            profile_name=list(table.columns),
            data_source=DFData(table),
        )
    OutputWriter(net, log_variables=[("res_bus", "vm_pu"), ("res_line", "loading_percent")])
    run_timeseries(net, time_steps=range(1), verbose=False)
    clock = time.process_time()
    run_timeseries(net, time_steps=range(1, SLOW_STEPS + 1), verbose=False)
    return (time.process_time() - clock) / SLOW_STEPS * profiles.sizes["time"]
