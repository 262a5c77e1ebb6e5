"""The store of jobs against the ledger: a row that says something else was damaged or changed."""

import json
from pathlib import Path
from typing import Any

from tvilling.apps.jobs.job import jobs
from tvilling.apps.jobs.run import RUN_COLUMNS, Run
from tvilling.apps.jobs.store import Store
from tvilling.sciml.io.checksums import SUMS, sha256_of
from tvilling.twins.ledger import verify

ADDED, REMOVED, DONE = "job added", "job removed", "run done"
ENABLED = {"job paused": 0, "job resumed": 1}
OF_JOB = {"kind": "kind", "case": "case_path", "case_sha256": "case_sha256",
          **{name: name for name in ("schedule", "zone", "retries", "backoff_s", "limit_s",
                                     "grace_s", "enabled")}}  # fmt: skip
Lines = dict[tuple[str, ...], dict[str, Any]]


def audit(store: Store) -> list[str]:
    """One sentence a fault of the ledger, and a row or a result that is not as the ledger has it.

    What the ledger does not hold, such as leases, times, and runs that wait, has its row's SHA-256.

    Raises
    ------
    InputError
        If the store cannot be read at all.
    """
    known, runs = jobs(store), store.rows(f"SELECT {RUN_COLUMNS} FROM run WHERE state = 'done'")
    faults = store.damaged_rows()
    if not store.ledger.path.is_file():
        return [*faults, f"{store.ledger.path} is missing"] if known or runs else faults
    faults += [f"{store.ledger.path.name}: {fault}" for fault in verify(store.ledger.path).faults]
    added, done = _told(store)
    held = {job.name for job in known}
    faults += [f"job {name} is in ledger.jsonl, not in the store"
               for (name,) in added if name not in held]  # fmt: skip
    for job in known:
        faults += _differing(f"job {job.name}", vars(job), added.get((job.name,)), OF_JOB)
    for row in runs:
        faults += _run_faults(Run(*row), done)
    return faults


def _told(store: Store) -> tuple[Lines, Lines]:
    """The facts of the jobs there are, and of the last result of each run, by their keys."""
    added: Lines = {}
    done: Lines = {}
    for line in store.ledger.read():
        about = line["facts"]
        event, job = about.get("event"), str(about.get("job"))
        if event == ADDED:
            added[job,] = {**about, "enabled": 1}
        elif event in ENABLED and (job,) in added:
            added[job,]["enabled"] = ENABLED[str(event)]
        elif event == REMOVED:
            added.pop((job,), None)
        elif event == DONE:
            done[job, str(about.get("scheduled"))] = about
    return added, done


def _run_faults(run: Run, done: Lines) -> list[str]:
    """What is not as the ledger says of a run that is done."""
    name, about = f"run {run.job} {run.key['scheduled']}", done.get((run.job, run.key["scheduled"]))
    row = {**vars(run), "facts": _parsed(run.facts)}
    same = {key: key for key in ("attempt", "result", "reason", "facts")}
    faults = _differing(name, row, about, same)
    sums = Path(run.result) / SUMS
    if about is not None and not faults and run.result:
        if not sums.is_file():
            faults.append(f"{name}: {sums} is missing")
        elif sha256_of(sums) != about.get("result_sha256"):
            faults.append(f"{name}: {sums} is not the one that the ledger noted")
    return faults


def _differing(
    what: str, row: dict[str, Any], about: dict[str, Any] | None, names: dict[str, str]
) -> list[str]:
    if about is None:
        return [f"{what} is in the store, not in ledger.jsonl"]
    return [
        f"{what}: {column} is {row[column]!r}, the ledger says {about[name]!r}"
        for name, column in names.items()
        if name in about and about[name] != row[column]
    ]


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
