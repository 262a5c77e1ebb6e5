"""`tvilling job` and `tvilling ledger` as a user types them."""

import importlib.metadata
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import job_kinds
import pytest

from tvilling.apps.cli import main as cli
from tvilling.apps.jobs.lease import take
from tvilling.apps.jobs.store import Store


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def tvilling(*arguments: object) -> Done:
    """The command in this process, as its entry point runs it."""
    out, err, code = StringIO(), StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["tvilling", *map(str, arguments)])
        try:
            cli.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


def in_a_process(*arguments: object) -> str:
    command = [sys.executable, job_kinds.__file__, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def said(*arguments: object) -> str:
    done = tvilling(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def added(case: Callable[..., Path]) -> Path:
    path = case("write")
    said("job", "add", "morning", path, "--at", "06:00")
    return path


def test_a_job_from_the_cradle_to_the_grave(added: Path, calls: Callable[[], list[str]]) -> None:
    assert "write  at 06:00" in said("job", "list")
    assert "06:00:00 CE" in said("job", "list")
    first = said("job", "run", "morning", "--at", "2026-03-29T06:00")
    assert "attempt 1\nwriting\nmorning of 2026-03-29 06:00:00 CEST: done in" in first
    assert "already done" in said("job", "run", "morning", "--at", "2026-03-29T04:00+00:00")
    assert calls() == ["20260329T040000Z"]
    assert "done   1" in said("job", "history")
    shown = said("job", "show", "morning", "--run", "2026-03-29T06:00")
    assert f"case: {added}\n" in shown
    assert "run started: job=morning scheduled=2026-03-29T04:00:00Z attempt=1" in shown
    assert "paused" in said("job", "pause", "morning")
    assert "paused" in said("job", "list")
    assert "next 20" in said("job", "resume", "morning")
    said("job", "remove", "morning")
    assert "morning" not in said("job", "list")
    assert "done   1" in said("job", "history", "morning")
    assert "job removed: job=morning" in said("ledger", "show", "--last", "1")


def test_run_does_the_work_of_the_last_time_it_was_due(added: Path, store: Store) -> None:
    """Which is the last 06:00 in Denmark; not the minute at which cron happens to start it."""
    assert "06:00:00 CE" in said("job", "run", "morning")
    assert "already done" in said("job", "run", "morning")


def test_serve_once_does_what_is_due_and_ends(
    case: Callable[..., Path], calls: Callable[[], list[str]]
) -> None:
    said("job", "add", "a", case("falls"), "--every", "1d", "--retries", "0")
    store = Store.at_home()
    with store.transaction() as connection:
        connection.execute("UPDATE job SET since_s = since_s - 86400, grace_s = 90000")
    told = in_a_process("job", "serve", "--once")
    assert "waits for attempt 2: its process was killed by signal 11" in told
    assert "done in" in told
    assert "ended" in told
    assert len(calls()) == 3


def test_a_run_that_fails_ends_with_code_3_and_its_reason(case: Callable[..., Path]) -> None:
    said("job", "add", "a", case("nan"), "--at", "06:00", "--retries", "0")
    done = tvilling("job", "run", "a")
    assert done.returncode == 3
    assert "failed: ValueError: Out of range float values" in done.stdout
    assert "printed before it failed: Traceback" in said("job", "show", "a")


def test_a_tampered_ledger_is_found(added: Path, store: Store) -> None:
    said("job", "run", "morning")
    whole = said("ledger", "verify")
    assert "3 lines, whole" in whole
    head = whole.split("head: ")[1].strip()
    path = store.ledger.path
    text = path.read_bytes()
    path.write_bytes(text.replace(b'"call": 1', b'"call": 2'))
    done = tvilling("ledger", "verify")
    assert done.returncode == 3
    assert "3 lines, BROKEN" in done.stdout
    assert "line 3: " in done.stdout
    path.write_bytes(text[: text[:-1].rindex(b"\n") + 1])
    done = tvilling("ledger", "verify", path)
    assert done.returncode == 3
    assert "2 lines, BROKEN" in done.stdout
    assert "the last line that ledger.jsonl.head notes is gone or changed" in done.stdout
    path.with_name("ledger.jsonl.head").unlink()
    assert "2 lines, whole" in said("ledger", "verify", path)
    done = tvilling("ledger", "verify", path, "--head", head)
    assert done.returncode == 3
    assert "is gone or changed" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("job add x CASE", "expected one of --at, --every and --cron"),
        ("job add x CASE --at 06:00 --every 1h", "expected one of"),
        ("job add x CASE --at 25:00", "00:00 to 23:59"),
        ("job add x CASE --at 06:00 --limit 0s", "limit: 1 fault"),
        ("job add x CASE --at 06:00 --zone Mars", "IANA"),
        ("job add x missing.yaml --at 06:00", "missing.yaml: 1 fault"),
        ("job run x", "job x: 1 fault\n  - is not known; known are: morning"),
        ("job show x", "is not known"),
        ("job pause x", "is not known"),
        ("job remove x", "is not known"),
        ("job history x", "is not known"),
        ("job show morning --run 2020-01-01", "has no run at 2020-01-01"),
        ("job run morning --at 2101-01-01", "lies ahead"),
        ("ledger verify missing.jsonl", "no such ledger"),
        ("ledger show missing.jsonl", "no such ledger"),
    ],
)
def test_faults_end_with_code_2_and_one_message(added: Path, arguments: str, told: str) -> None:
    done = tvilling(*arguments.replace("CASE", str(added)).split())
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_the_clock_is_kept_by_one(added: Path, store: Store) -> None:
    assert take(store, "machine:1:abc", 60.0) is not None
    with pytest.raises(AssertionError, match="machine:1:abc keeps the clock already"):
        in_a_process("job", "serve", "--once")


def test_without_apscheduler_serve_names_the_extra_and_run_works(added: Path, store: Store) -> None:
    hide = (
        "import sys; sys.modules['apscheduler'] = None; import job_kinds\n"
        "from tvilling.apps.cli.main import main\n"
        "sys.argv = ['tvilling', *sys.argv[1:]]; main()"
    )

    def without(*arguments: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-c", hide, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert importlib.metadata.version("apscheduler").startswith("3.")
    serve = without("job", "serve")
    assert serve.returncode == 2
    assert "pip install 'tvilling[jobs]' brings it" in serve.stderr
    assert "Traceback" not in serve.stderr
    assert store.rows("SELECT * FROM lease") == []
    assert "done in" in without("job", "run", "morning").stdout


@pytest.mark.slow
def test_a_case_of_a_network_is_run_by_its_job(case_file: Path, store: Store) -> None:
    """The real work: what `tvilling run` writes, under the key of the run."""
    said("job", "add", "ring", case_file, "--at", "06:00")
    assert "at 06:00" in said("job", "list")
    told = said("job", "run", "ring", "--at", "2026-01-31T06:00")
    assert "simulating curve" in told
    folder = store.results / "ring" / "20260131T050000Z"
    assert (folder / "report.html").stat().st_size > 10_000
    subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, check=True, capture_output=True)
    assert '"delivered_mwh"' in said("job", "show", "ring")
