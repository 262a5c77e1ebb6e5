"""`tvilling plan`: a case in, a folder with the plan, its report and its reasons out."""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tvilling.apps.plant.case import PlantCase
from tvilling.apps.shared.run_folder import RunFolder
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.strict_yaml import dump_yaml

if TYPE_CHECKING:
    import xarray as xr

    from tvilling.apps.plant.inputs.known import PlantInputs
    from tvilling.apps.plant.planning import Plan

DEFAULT_OUT = Path("runs")
RESULT = "plan.nc"
TOLD = (  # attributes of the data that summary and ledger repeat
    "title",
    "case_hash",
    "moment_utc",
    "tvilling_version",
    "how",
    "reason",
    "status",
    "forecast_model",
    "forecast_weather",
    "load",
    "weather",
    "prices",
)


@dataclass(frozen=True)
class Planned:
    """A plan that was written.

    Attributes
    ----------
    data
        What stands in `plan.nc`, see `labelled.plan_data`.
    summary
        What stands in `summary.json`; also the facts of the ledger.
    warnings
        What was missing or fell short, in words.
    """

    folder: Path
    data: "xr.Dataset"
    summary: dict[str, Any]
    warnings: list[str] = field(default_factory=list)
    wall_s: float = 0.0


def run_plan(
    path: Path,
    overrides: Sequence[str] = (),
    out: Path | None = None,
    at: datetime | None = None,
    tell: Callable[[str], None] = lambda stage: None,
) -> Planned:
    """Make one plan of the case in `path` and write a folder under `out`; the ledger is told.

    Parameters
    ----------
    at
        The time it is made, in place of the moment that the case names; by default now.

    Raises
    ------
    InputError
        With every fault of the case, or where there is neither an outlook nor a plan to hold on to.
    """
    from tvilling.apps.plant.inputs.known import moment_made, moment_of
    from tvilling.apps.shared.case_file import read_case
    from tvilling.sciml.io.array_store import home_folder
    from tvilling.twins.ledger import Ledger

    case = read_case(path, overrides, PlantCase)
    if at is not None:
        case = case.model_copy(update={"plan": case.plan.model_copy(update={"moment": None})})
    out = out or DEFAULT_OUT
    task = Task(case, path, moment_of(case, at), out, made=moment_made(at))
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{path.stem}-{task.hash}"
    with RunFolder(out, name) as folder:
        folder.log("started", case=str(path), overrides=list(overrides))

        def stage(text: str) -> None:
            folder.log(text)
            tell(text)

        made = write_plan(task, folder.path, stage)
        folder.log("finished", how=made.summary["how"], warnings=made.warnings)
        # A plan without its line in the ledger is none: both, or neither and a message.
        Ledger(home_folder() / "ledger.jsonl").append({"event": "plan", **made.summary})
        final = folder.finish()
    return Planned(final, made.data, made.summary, made.warnings, made.wall_s)


@dataclass(frozen=True)
class Task:
    """One plan to be made.

    Attributes
    ----------
    path
        The case file; paths in the case start at its folder.
    moment
        First hour, UTC.
    earlier
        Folder below which earlier plans stand, to hold on to where there is no outlook.
    only, reason
        `rule` or `hold`, to go no further than that, and why.
    made
        When it is made (UTC); blank: at its first hour.
    strict
        Whether an input that is late or at fault is an error, and no reason for a plan without it.
    passed_over
        Earlier plans that are damaged, a sentence each; goes into the warnings.
    """

    case: PlantCase
    path: Path
    moment: np.datetime64
    earlier: Path
    only: Literal["", "rule", "hold"] = ""
    reason: str = ""
    made: np.datetime64 | None = None
    strict: bool = False
    passed_over: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Headline of the case, by which later plans know it."""
        return self.case.title or self.path.stem

    @property
    def hash(self) -> str:
        """Eight digits that change with any field of the case and with the hour."""
        text = f"{self.case.model_dump_json()} {self.moment.astype('datetime64[s]')}"
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    @property
    def provenance(self) -> dict[str, str]:
        """Attributes of the result."""
        moment = str(self.moment.astype("datetime64[s]"))
        return {"title": self.title, "case_hash": self.hash, "moment_utc": moment}


def write_plan(task: Task, folder: Path, tell: Callable[[str], None]) -> Planned:
    """Make the plan and write its files into `folder`.

    Raises
    ------
    LateInputError
        An input is not in yet, and the task is `strict`.
    InputError
        See `run_plan`.
    """
    from tvilling.apps.plant.inputs.known import HOUR, gather
    from tvilling.apps.plant.inputs.last_plan import last_plan
    from tvilling.apps.plant.inputs.late_inputs import check_inputs_are_in
    from tvilling.apps.plant.inputs.supply_network import read_town
    from tvilling.apps.plant.planning import make_plan

    began, case, moment = time.perf_counter(), task.case, task.moment
    passed_over: list[str] = []
    units = case.plant.unit_names
    last = last_plan(task.earlier, task.title, units, moment, passed_over.append)
    task = replace(task, passed_over=tuple(passed_over))
    try:
        if task.only == "hold":
            raise InputError("plan", [task.reason])
        tell("reading the records")
        facts = gather(case, task.path, moment, moment + case.plan.horizon_h * HOUR)
        facts = replace(facts, made=task.made)
        if task.strict:
            check_inputs_are_in(case, facts, moment)
        town = read_town(case, task.path, tell)
        why = task.reason if task.only == "rule" else ""
        plan = make_plan(case, facts, moment, why, town, last, tell)
    except InputError as error:
        if last is None and passed_over and not task.strict:
            raise InputError(error.source, [*error.faults, *passed_over]) from None
        if last is None or task.strict:
            raise
        why = f"{error.source}: {'; '.join(error.faults)}"
        return _write_held(task, folder, last, why, began)
    return _write_made(task, folder, plan, facts, began, tell)


def _write_made(
    task: Task,
    folder: Path,
    plan: "Plan",
    facts: "PlantInputs",
    began: float,
    tell: Callable[[str], None],
) -> Planned:
    """Write a plan that was made, or the rule in its place."""
    from tvilling.apps.plant.report.labelled import plan_data

    data = plan_data(plan, **task.provenance, **facts.record.attrs)
    summary = _summary(data, plan, time.perf_counter() - began)
    tell("drawing the report")
    return _write(task, folder, data, summary, plan.checked.as_facts())


def _write_held(task: Task, folder: Path, last: "xr.Dataset", reason: str, began: float) -> Planned:
    """Write the last plan, held on for `reason`."""
    from tvilling.apps.plant.inputs.last_plan import held

    data = held(last, task.moment, task.case.plan.horizon_h).assign_attrs(
        task.provenance,
        how="hold",
        reason=reason,
        stood="as the last plan foresaw",
        gap=np.nan,
        bound_dkk=np.nan,
    )
    warnings = [f"no plan: {reason}", f"the plan of {last.attrs['held_from']} is held on"]
    told = {name: data.attrs[name] for name in TOLD}
    summary = {
        **told,
        "gap": None,
        "bound_dkk": None,
        "outlook_sha256": "",
        "plan_sha256": digest(data["load"].sel(way="plan").values),
        "warnings": warnings,
        "ways": {},
        "checked_on_plant": None,
        "held_from": last.attrs["held_from"],
        "wall_s": round(time.perf_counter() - began, 3),
    }
    return _write(task, folder, data, summary, None)


def digest(*arrays: np.ndarray) -> str:
    """SHA-256 over numbers."""
    whole = np.concatenate([np.asarray(part, "<f8").ravel() for part in arrays])
    return hashlib.sha256(whole.tobytes()).hexdigest()


def _summary(data: "xr.Dataset", plan: "Plan", wall_s: float) -> dict[str, Any]:
    """The decision as plain facts, those that a ledger wants among them."""
    from tvilling.apps.plant.inputs.known import unverified
    from tvilling.apps.plant.plan_warnings import plan_warnings
    from tvilling.apps.plant.report.table import as_facts, ways_table

    outlook = plan.outlook
    return {
        **{name: data.attrs[name] for name in TOLD},
        "gap": _finite(plan.decision.gap),
        "bound_dkk": _finite(plan.schedule.bound_dkk),
        "outlook_sha256": digest(outlook.load_mw, outlook.price_dkk_per_kwh, outlook.outdoor_degc),
        "plan_sha256": digest(plan.schedule.load),
        "warnings": plan_warnings(plan),
        "ways": as_facts(ways_table(data)),
        "checked_on_plant": plan.checked.as_facts(),
        "reserve_mwh": plan.reserve_mwh,
        "stood": plan.stood,
        "unverified_rates": unverified(plan.case, outlook.time),
        **({"network": plan.behind} if plan.behind else {}),
        "wall_s": round(wall_s, 3),
    }


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _write(
    task: Task,
    folder: Path,
    data: "xr.Dataset",
    summary: dict[str, Any],
    checked: dict[str, Any] | None,
) -> Planned:
    """Write every file of a plan."""
    from tvilling.apps.plant.report.assumptions import plan_assumptions
    from tvilling.apps.plant.report.report import write_plan_report

    summary = {**summary, "warnings": [*summary["warnings"], *task.passed_over]}
    encoding = {name: {"zlib": True, "complevel": 1} for name in data.data_vars}
    data.to_netcdf(folder / RESULT, engine="h5netcdf", encoding=encoding)
    write_case(task.case, task.path, folder)
    text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / "summary.json").write_text(text + "\n", encoding="utf-8")
    facts = {
        "Tvilling": summary["tvilling_version"],
        "Case hash": summary["case_hash"],
        "Made for": f"{summary['moment_utc']} UTC",
        "Outlook": summary["outlook_sha256"][:16],
        "Plan": summary["plan_sha256"][:16],
        "Time taken": f"{summary['wall_s']:.1f} s",
    }
    write_plan_report(
        folder / "report.html",
        data,
        checked=checked,
        assumptions=plan_assumptions(task.case, data),
        warnings=summary["warnings"],
        facts=facts,
    )
    return Planned(folder, data, summary, summary["warnings"], summary["wall_s"])


def write_case(case: PlantCase, path: Path, folder: Path) -> None:
    """The case with every default, so that it can be run again from anywhere."""
    fields = case.model_dump(mode="json")
    if "path" in fields["load"]:
        fields["load"]["path"] = str((path.parent / fields["load"]["path"]).resolve())
    text = dump_yaml(fields)
    (folder / "case.yaml").write_text(text, encoding="utf-8")
