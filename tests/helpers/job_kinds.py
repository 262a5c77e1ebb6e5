"""Kinds of jobs for tests, and `tvilling` with them: `python job_kinds.py job serve`.

Each notes its calls in the file `calls` beside its case, one line a call.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from tvilling.apps.jobs.kinds import KINDS, Kind
from tvilling.apps.shared.late_input import LateInputError
from tvilling.sciml.io.files import read_text

Tell = Callable[[str], None]


def is_gone(process: str) -> bool:
    """Whether it has ended; it may still wait for its parent to take notice."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", process], capture_output=True, check=False)
    return state.stdout.strip()[:1] in (b"", b"Z")


def note(case: Path, scheduled: datetime) -> int:
    """Adds a line, in one piece whoever else does, and gives how many there are for `scheduled`."""
    with (case.parent / "calls").open("a+") as calls:
        calls.write(f"{scheduled:%Y%m%dT%H%M%SZ}\n")
        calls.flush()
        calls.seek(0)
        return calls.read().split().count(f"{scheduled:%Y%m%dT%H%M%SZ}")


def write(case: Path, scheduled: datetime, out: Path, tell: Tell) -> dict[str, Any]:
    """Waits as many seconds as the case says between two halves of its plan."""
    count = note(case, scheduled)
    (case.parent / "pid").write_text(str(os.getpid()))
    print("noise on standard output")
    tell("writing")
    wait_s = yaml.safe_load(case.read_text()).get("wait_s", 0.0)
    (out / "plan.txt").write_text(f"half of {scheduled.isoformat()}\n")
    time.sleep(wait_s)
    (out / "plan.txt").write_text(f"plan of {scheduled.isoformat()}\n")
    return {"call": count}


def read_twice(case: Path, scheduled: datetime, out: Path, tell: Tell) -> dict[str, Any]:
    """Reads its case and the file it names, waits until both were edited, and reads them again."""
    path = case.parent / "meters.csv"
    first = [read_text(case), read_text(path)]
    note(case, scheduled)
    while not (case.parent / "edited").exists():
        time.sleep(0.02)
    again = [read_text(case), read_text(path)]
    (out / "case.yaml").write_text(again[0])
    return {"same": first == again, "meters": again[1]}


def fail_twice(case: Path, scheduled: datetime, out: Path, tell: Tell) -> dict[str, Any]:
    """Fails the first two times."""
    count = note(case, scheduled)
    if count < 3:
        raise RuntimeError(f"no price yet, call {count}\nand more")
    return {"call": count}


def wait_for_prices(case: Path, scheduled: datetime, out: Path, tell: Tell) -> dict[str, Any]:
    """Works once a file of prices is beside the case."""
    note(case, scheduled)
    if not (case.parent / "prices").exists():
        raise LateInputError("prices", ["24 of 35 are missing"], announced=True)
    (out / "plan.txt").write_text("on prices")
    return {"how": "plan"}


def do_without(case: Path, scheduled: datetime, out: Path, tell: Tell) -> dict[str, Any]:
    """Works without the prices."""
    (out / "plan.txt").write_text("without prices")
    return {"how": "rule", "reason": "by the rule"}


def hang(case: Path, scheduled: datetime, out: Path, tell: Tell) -> dict[str, Any]:
    """Never ends, and has a child that holds its pipes."""
    note(case, scheduled)
    tell("solving")
    child = os.fork()
    if child:
        (case.parent / "child").write_text(str(child))
    time.sleep(1000)
    return {}


def leave_a_child(case: Path, scheduled: datetime, out: Path, tell: Tell) -> dict[str, Any]:
    """Ends well, but a child of it goes on that holds its pipes."""
    child = os.fork()
    if child == 0:
        time.sleep(1000)
    (case.parent / "child").write_text(str(child))
    return {}


def crash(case: Path, scheduled: datetime, out: Path, tell: Tell) -> dict[str, Any]:
    """Takes the interpreter with it."""
    note(case, scheduled)
    os.kill(os.getpid(), signal.SIGSEGV)
    return {}


def give_nan(case: Path, scheduled: datetime, out: Path, tell: Tell) -> dict[str, Any]:
    """Gives what JSON cannot hold."""
    note(case, scheduled)
    return {"cost_dkk": float("nan")}


KINDS.update(
    write=Kind("job_kinds:write"),
    fail_twice=Kind("job_kinds:fail_twice"),
    reads=Kind("job_kinds:read_twice"),
    waits=Kind("job_kinds:wait_for_prices", ("job_kinds:crash",), without="job_kinds:do_without"),
    broken=Kind("job_kinds:crash", ("job_kinds:write",), without="job_kinds:do_without"),
    hang=Kind("job_kinds:hang"),
    leave=Kind("job_kinds:leave_a_child"),
    nan=Kind("job_kinds:give_nan"),
    missing=Kind("job_kinds:no_such_function"),
    falls=Kind("job_kinds:crash", fallbacks=("job_kinds:give_nan", "job_kinds:write")),
)

if __name__ == "__main__":
    from tvilling.apps.cli.main import main

    main()
