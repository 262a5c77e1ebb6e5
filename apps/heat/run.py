"""The main job: a case file in, a folder with labelled results and a report out."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvilling.apps.heat.case import Case
from tvilling.apps.shared.case_file import read_case
from tvilling.apps.shared.run_folder import RunFolder

if TYPE_CHECKING:
    import xarray as xr

    from tvilling.apps.heat.comparison import Figures
    from tvilling.apps.heat.network_case import Prepared

DEFAULT_OUT = Path("runs")


@dataclass(frozen=True)
class RunResult:
    """A finished run.

    Attributes
    ----------
    folder
        Holds `result.nc`, `summary.json`, `report.html`, `case.yaml` and `log.jsonl`.
    case, case_hash
        The case as it was run, and eight digits that change with whatever decides the result.
    figures
        What each controller cost and delivered.
    warnings
        What went wrong on the way, in words; empty where nothing did.
    notes
        What the reader has to say, and what the case replaces of what the network states.
    wall_s
        How long it took [s].
    """

    folder: Path
    case: Case
    case_hash: str
    data: "xr.Dataset"
    figures: "dict[str, Figures]"
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    wall_s: float = 0.0


def run_case(
    path: Path,
    overrides: Sequence[str] = (),
    out: Path | None = None,
    tell: Callable[[str], None] = lambda stage: None,
) -> RunResult:
    """Run the case in `path` with `overrides` (`key=value`) and write a folder under `out`.

    `tell` is called with each stage as it begins. Nothing is written before the input has been
    found good, and nothing stands under its final name before all of it is written.

    Raises
    ------
    InputError
        With every fault of the case or of the network.
    """
    from tvilling.apps.heat.comparison import figures
    from tvilling.apps.heat.network_case import prepare
    from tvilling.apps.heat.report import write_report

    began, started = time.perf_counter(), datetime.now(UTC)
    prepared = prepare(read_case(path, overrides), path, tell)
    case = prepared.case
    name = f"{started:%Y%m%dT%H%M%SZ}-{path.stem}-{prepared.hash}"
    with RunFolder(out or DEFAULT_OUT, name) as folder:

        def stage(text: str, **facts: Any) -> None:
            folder.log(text, **facts)
            tell(text)

        folder.log("started", case=str(path), overrides=list(overrides), case_hash=prepared.hash)
        data, warnings = simulate_case(prepared, stage)
        found = figures(data)
        stage("writing the results")
        _write_case(case, prepared, path, folder.path)
        _write_data(case, data, folder.path)
        stage("drawing the report")
        elapsed_s = time.perf_counter() - began
        write_report(folder.path / "report.html", prepared, data, found, warnings, elapsed_s)
        wall_s = time.perf_counter() - began
        _write_summary(folder.path, prepared, found, warnings, wall_s)
        folder.log("finished", wall_s=round(wall_s, 3), warnings=warnings)
        notes = prepared.notes
        return RunResult(folder.finish(), case, prepared.hash, data, found, warnings, notes, wall_s)


def simulate_case(
    prepared: "Prepared", tell: Callable[[str], None]
) -> "tuple[xr.Dataset, list[str]]":
    """The labelled run of every controller along `controller`, and its failures in words.

    Each run starts from the steady state of its first step.
    """
    import jax
    import xarray as xr

    from tvilling.apps.heat.network_case import make_controller
    from tvilling.sciml.core.results import HELD, failures, label
    from tvilling.sciml.core.scenario import Scenario
    from tvilling.sciml.core.simulate import simulate
    from tvilling.sciml.systems.heat_network.limits import limits

    case, network = prepared.case, prepared.network
    steady, run = jax.jit(type(network).steady), jax.jit(simulate)
    first = {name: values[0] for name, values in prepared.drive.items()}
    start, dt_s = case.horizon.start.isoformat(), case.horizon.dt_s
    parts = []
    for name, settings in case.controllers.items():
        tell(f"simulating {name}")
        sources = prepared.tables.sources
        controller = make_controller(settings, len(sources), sources)
        action, _ = controller(controller.init(), None, {k: v[None] for k, v in first.items()})
        state, _ = steady(network, action, first)
        scenario = Scenario(state, prepared.drive, dt_s)
        trajectory = jax.block_until_ready(run(network, controller, scenario))
        parts.append(label(trajectory, network, start, dt_s, **_provenance(prepared)))
    data = xr.concat(parts, xr.Variable("controller", list(case.controllers)), data_vars="all")
    driven = label(trajectory, network, start, dt_s, prepared.drive)
    data = data.assign({channel.name: driven[channel.name] for channel in network.drives})
    outdoor = prepared.weather["outdoor_degc"]
    attrs = {"units": "°C", "long_name": "Outdoors", **HELD}
    data["outdoor_degc"] = ("time", outdoor.values, attrs)
    return data, failures(data, limits(data, prepared.tables))


def _provenance(prepared: "Prepared") -> dict[str, Any]:
    """Attributes that say where a result comes from."""
    return {
        "title": prepared.case.title,
        "case_hash": prepared.hash,
        "network_digest": prepared.digest,
        "seed": prepared.case.seed,
        "clock": prepared.weather.attrs["clock"],
        "weather": prepared.weather.attrs["source"],
    }


def _write_case(case: Case, prepared: "Prepared", path: Path, folder: Path) -> None:
    """The case with every override and default and the weather source that was used.

    So it can be run again from anywhere, and with other data at hand.
    """
    from tvilling.apps.heat.network_case import network_source
    from tvilling.sciml.io.strict_yaml import dump_yaml

    fields = case.model_dump(mode="json")
    fields["network"]["source"] = network_source(case, path.parent)
    text = dump_yaml(fields)
    (folder / "case.yaml").write_text(text, encoding="utf-8")


def _write_data(case: Case, data: "xr.Dataset", folder: Path) -> None:
    if case.outputs.variables:
        data = data[[*case.outputs.variables, "status"]]
    encoding = {name: {"zlib": True, "complevel": 1} for name in data.data_vars}
    data.to_netcdf(folder / "result.nc", engine="h5netcdf", encoding=encoding)


def _write_summary(
    folder: Path,
    prepared: "Prepared",
    found: "dict[str, Figures]",
    warnings: list[str],
    wall_s: float,
) -> None:
    import json
    from importlib.metadata import version

    from tvilling.sciml.systems.heat_network.summary import summarise

    case = prepared.case
    summary = {
        "title": case.title,
        "case_hash": prepared.hash,
        "network_digest": prepared.digest,
        "tvilling_version": version("tvilling"),
        "seed": case.seed,
        "wall_s": round(wall_s, 3),
        "weather": prepared.weather.attrs["source"],
        "controllers": {name: one.as_dict() for name, one in found.items()},
        "warnings": warnings,
        "notes": prepared.notes,
        "network": summarise(prepared.tables).as_dict(),
    }
    text = json.dumps(summary, indent=2, ensure_ascii=False)
    (folder / "summary.json").write_text(text + "\n", encoding="utf-8")
