"""Runs attempts, each in a child of a parent that has imported everything already.

Linux alone: the child is a fork, so that no start and no import counts for the input.
"""

import contextlib
import importlib
import io
import json
import os
import pkgutil
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attempt import Attempt
from bases import grid_json
from watch import Watch

LIMIT_S, LIMIT_BYTES = 10.0, 1_000_000_000
WALL_S = 40.0  # other processes may have the processor meanwhile; a wait that never ends has none
FOLDERS = ("apps", "datasets", "gnn", "pinns", "rl_control", "sciml", "twins")
GUESTS = ("web", "gym_env", "sb3", "deepxde", "pyg", "cluster")
LATE = ("pandapower", "pandapipes", "xarray", "h5netcdf", "zarr", "meshio", "openpyxl", "lxml.etree",
        "orbax.checkpoint", "shapely", "pandapower.networks", "pandapipes.networks", "simbench",
        "tvilling.apps.web.access", "dask.array", "pandas.io.formats.style", "scipy.io")  # fmt: skip
CACHE = Path.home() / ".cache" / "tvilling"  # of compiled programs
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt; `faults` is empty where all is as it must be."""

    attempt: Attempt
    faults: tuple[str, ...]
    cpu_s: float
    peak_mb: float


def warm_up() -> None:
    """Import what a command may import, and start neither threads nor JAX's backend."""
    for name in FOLDERS:
        package = importlib.import_module(f"tvilling.{name}")
        _import_below(package)
    for name in LATE:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    _compile_grids()
    from jax._src import xla_bridge

    assert not xla_bridge._backends, "a fork must not share a backend"


def _compile_grids() -> None:
    """Solve a grid in a child: numba keeps what it compiles, and would in the first attempt."""
    child = os.fork()
    if not child:
        import pandapower

        from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
        from tvilling.sciml.systems.power_grid.results.planner_units import loads
        from tvilling.sciml.systems.power_grid.solver.batch_solver import solve

        loads(solve(from_pandapower(pandapower.from_json_string(grid_json()))))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _import_below(package: Any) -> None:
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if any(guest in found.name for guest in GUESTS):
            continue
        with contextlib.suppress(ImportError):
            module = importlib.import_module(found.name)
            if found.ispkg:
                _import_below(module)


def run(attempt: Attempt) -> Outcome:
    """One attempt, in a fresh folder and a child of its own."""
    top = Path(tempfile.mkdtemp(prefix="tvilling-hostile-"))
    work, home = top / "work", top / "home"
    work.mkdir(), home.mkdir()
    try:
        attempt.write(work)
        before = set(_below(top))
        began = time.monotonic()
        child = os.fork()
        if child == 0:
            _in_child(attempt, top)
        usage, status = _waited(child, began)
        faults = list(_judged(attempt, top, status, before))
        cpu_s = usage.ru_utime + usage.ru_stime
        told = top / "report.json"
        base = json.loads(told.read_text())["base_kb"] if told.exists() else usage.ru_maxrss
        peak_mb = (usage.ru_maxrss - base) / 1e3
        if cpu_s > LIMIT_S:
            faults.append(f"took {cpu_s:.1f} s")
        if peak_mb > LIMIT_BYTES / 1e6:
            faults.append(f"took {peak_mb:.0f} MB")
        return Outcome(attempt, tuple(faults), cpu_s, peak_mb)
    finally:
        shutil.rmtree(top, ignore_errors=True)


def run_all(attempts: list[Attempt]) -> Iterator[Outcome]:
    """Every attempt, one after the other."""
    for attempt in attempts:
        yield run(attempt)


def _waited(child: int, began: float) -> tuple[Any, int]:
    """Usage and status of a child, which is ended where it takes too long."""
    killed = False
    while True:
        found, status, usage = os.wait4(child, 0 if killed else os.WNOHANG)
        if found:
            return usage, -1 if killed else status
        if time.monotonic() - began > WALL_S:
            os.kill(child, signal.SIGKILL)
            killed = True
        time.sleep(0.004)


def _in_child(attempt: Attempt, top: Path) -> None:
    """Never returns."""
    code = 70
    try:
        base_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        (top / "report.json").write_text(json.dumps({"base_kb": base_kb, "seen": []}))
        resource.setrlimit(resource.RLIMIT_CPU, (int(LIMIT_S) + 2, int(LIMIT_S) + 3))
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + 6 * LIMIT_BYTES, resource.RLIM_INFINITY))
        os.environ |= {"TVILLING_HOME": str(top / "home"), "HOME": str(top / "home")}
        os.environ |= attempt.extra
        (top / "tmp").mkdir()
        tempfile.tempdir = os.environ["TMPDIR"] = str(top / "tmp")
        os.environ.pop("TVILLING_DATA", None)
        os.chdir(top / "work")
        # libraries write what they find wrong past Python's streams, too
        out, err = (os.open(top / name, os.O_CREAT | os.O_RDWR) for name in ("out", "err"))
        os.dup2(out, 1), os.dup2(err, 2)
        sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", False), "utf-8", write_through=True)
        sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", False), "utf-8", write_through=True)
        code = _watched(attempt, top, base_kb)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _watched(attempt: Attempt, top: Path, base_kb: int) -> int:
    """The exit code."""
    content = b"".join(_begin(path) for path in _below(top / "work") if _is_file(path))
    source = Path(importlib.import_module("tvilling.sciml").__path__[0]).resolve().parent
    readable = (Path(sys.prefix), Path(sys.base_prefix), source, *map(Path, filter(None, sys.path)))
    watch = Watch(content, (top, CACHE), readable)
    watch.begin()
    fault = ""
    try:
        code = _called(attempt)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    seen = list(watch.found)
    watch.busy = True
    if code == 0 and attempt.right is not None and not _right(attempt, top):
        fault = "accepted with a wrong value"
    report = {"base_kb": base_kb, "seen": seen, "fault": fault}
    (top / "report.json").write_text(json.dumps(report))
    return code


RESULT: dict[str, Any] = {}


def _called(attempt: Attempt) -> int:
    from tvilling.apps.cli.main import main
    from tvilling.sciml.core.errors import InputError

    if not callable(attempt.command):
        sys.argv = ["tvilling", *attempt.command]
        main()
        return 0
    try:
        RESULT["value"] = attempt.command()
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _right(attempt: Attempt, top: Path) -> bool:
    assert attempt.right is not None
    try:
        shown = (top / "out").read_text("utf-8", "replace")
        return bool(attempt.right(RESULT.get("value", shown)))
    except Exception:
        traceback.print_exc()
        return False


def _judged(attempt: Attempt, top: Path, status: int, before: set[Path]) -> Iterator[str]:
    """What is not as it must be."""
    out, err = (_text(top / name) for name in ("out", "err"))
    if status == -1 or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU):
        yield "ran without end"
        return
    if os.WIFSIGNALED(status):
        yield f"ended by signal {os.WTERMSIG(status)}"
        return
    code = os.WEXITSTATUS(status)
    if code != attempt.code:
        yield f"code {code}, expected {attempt.code}: {' '.join((err or out).split())[-300:]}"
    for name, text in (("stdout", out), ("stderr", err)):
        if "Traceback (most recent call last)" in text:
            yield f"a traceback on {name}: {' '.join(text.split())[-300:]}"
        if odd := CONTROL.search(text):
            yield f"{name} has the control character {odd[0]!r}"
    if attempt.says and attempt.says not in err + out:
        yield f"says {' '.join((err or out).split())[-300:]!r}, expected {attempt.says!r}"
    if code == 2 and (left := sorted(set(_below(top)) - before - _own(top))):
        yield f"left {', '.join(str(path.relative_to(top)) for path in left[:3])}"
    report = json.loads((top / "report.json").read_text())
    yield from report["seen"]
    if report.get("fault"):
        yield report["fault"]


def _own(top: Path) -> set[Path]:
    return {top / name for name in ("out", "err", "report.json", "tmp")}


def _below(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        yield from (Path(where) / name for name in (*folders, *files))


def _begin(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(1_000_000)


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.exists() else ""
