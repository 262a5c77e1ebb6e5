"""A store that cannot be written to: told by its cause, still read, nothing lost, nothing doubled.

By a limit on the size of files, which needs no rights, and on a file system that is full, or
read-only, where mounting is allowed.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import job_kinds
import pytest

from tvilling.apps.jobs.job import Effort, add_job, jobs
from tvilling.apps.jobs.once import run_once
from tvilling.apps.jobs.queue import ask_for
from tvilling.apps.jobs.run import history
from tvilling.apps.jobs.store import Store
from tvilling.apps.shared.run_folder import RunFolder
from tvilling.sciml.io.storage import StorageError, storing
from tvilling.twins.ledger import Ledger, verify

AT = datetime(2026, 1, 20, 9, tzinfo=UTC)


@contextmanager
def limited(most_bytes: int = 0) -> Iterator[None]:
    """No file of this process may become larger."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def filled(home: Path) -> Iterator[None]:
    """The file system has no room left."""
    filler = home / "filler"
    filler.touch()
    with suppress(OSError), filler.open("ab", buffering=0) as file:
        while file.write(bytes(1024)):
            pass
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def read_only(home: Path) -> Iterator[None]:
    subprocess.run(["mount", "-o", "remount,ro", home], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", home], check=True)


@pytest.fixture(params=["limit", "full", "read-only"])
def broken(request: pytest.FixtureRequest, store: Store) -> Iterator[tuple[Callable, str]]:
    """What makes the store of the test unwritable, and the cause to be told."""
    if request.param == "limit":
        yield limited, "larger than this process may write"
        return
    store.home.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(store.home)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed")
    try:
        if request.param == "full":
            yield lambda: filled(store.home), "the disk is full"
        else:
            yield lambda: read_only(store.home), "the file system is read-only"
    finally:
        subprocess.run(["umount", store.home], check=True)


@pytest.mark.parametrize("logged", [False, True], ids=["", "log"])
def test_changes_are_refused_by_their_cause_and_what_is_there_is_read(
    store: Store, case: Callable[..., Path], broken: tuple[Callable, str], logged: bool
) -> None:
    unwritable, cause = broken
    logged = logged and "read-only" not in cause  # nobody has it open there
    job = add_job(store, "day", case("write"), "at 10:00", effort=Effort(retries=0))
    keep = store._connect() if logged else None  # as a server does: what it wrote is in the log
    ask_for(store, job, AT)
    try:
        with unwritable():
            changes: tuple[Callable[[], object], ...] = (
                lambda: run_once(store, job, AT),
                lambda: add_job(store, "more", job.case, "at 10:00"),
                lambda: store.note("an event", text="x" * 9000),
            )
            for change in changes:
                with pytest.raises(StorageError, match=cause):
                    change()
            assert jobs(store) == [job]
            assert [run.state for run in history(store)] == ["waiting"]
    finally:
        if keep is not None:
            keep.close()
    run, before = run_once(store, job, AT)
    assert (run.state, run.attempt, before) == ("done", 1, False)
    verdict = verify(store.ledger.path)
    assert (verdict.ok, verdict.torn) == (True, ())
    told = [line["facts"]["event"] for line in store.ledger.read()]
    assert told.count("run done") == 1


def test_where_the_disk_fills_up_in_a_line_of_the_ledger_nothing_of_it_stays(
    tmp_path: Path,
) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.append({"event": "first"})
    before = ledger.path.read_bytes()
    with limited(len(before) + 20), pytest.raises(StorageError, match="larger than this process"):
        ledger.append({"event": "second"})
    assert ledger.path.read_bytes() == before
    ledger.append({"event": "third"})
    assert verify(ledger.path).lines == 2


def test_a_run_s_folder_says_why_it_cannot_be_written(tmp_path: Path) -> None:
    out = tmp_path / "runs"
    with (
        limited(1000),
        pytest.raises(StorageError, match="larger than this process may write"),
        RunFolder(out, "name") as folder,
    ):
        (folder.path / "result.nc").write_bytes(bytes(2000))
    assert not out.exists()


def test_a_home_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="a part of its path is a file"):
        Ledger(tmp_path / "file" / "ledger.jsonl").append({})
    with pytest.raises(StorageError, match="a part of its path is a file"):
        jobs(Store(tmp_path / "file"))


def test_an_error_that_has_nothing_to_do_with_storage_stays_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="of another kind"), storing(tmp_path):
        raise RuntimeError("of another kind")
    with pytest.raises(FileNotFoundError), storing(tmp_path):
        (tmp_path / "none").read_bytes()


def test_a_server_waits_for_room_and_goes_on(
    store: Store, case: Callable[..., Path], tmp_path: Path
) -> None:
    """The limit is put on it, and taken away again, while it serves."""
    add_job(store, "often", case("write"), "every 1s", effort=Effort(retries=0))
    log = (tmp_path / "log").open("wb")
    command = [sys.executable, job_kinds.__file__, "job", "serve", "--lease", "1"]
    server = subprocess.Popen(command, stdout=log, stderr=log)
    free = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)

    def until(holds: Callable[[], object]) -> None:
        deadline = time.monotonic() + 60
        while not holds():
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def done() -> int:
        return sum(run.state == "done" for run in history(store, last=1000))

    try:
        until(lambda: done() >= 1)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (1, free[1]))
        time.sleep(2.5)
        before = done()
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, free)
        until(lambda: done() > before)
    finally:
        server.terminate()
        assert server.wait(60) == 0
        log.close()
    verdict = verify(store.ledger.path)
    assert (verdict.ok, verdict.torn) == (True, ())
    told = [line["facts"] for line in store.ledger.read()]
    times = [facts["scheduled"] for facts in told if facts["event"] == "run done"]
    assert len(times) == len(set(times))
