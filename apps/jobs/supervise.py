"""One attempt at a run, in a process of its own: begun, watched, ended, and told."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import IO

from tvilling.apps.jobs.job import sha256_of
from tvilling.apps.jobs.kinds import kind_named
from tvilling.apps.jobs.outcome import fail, finish, hand_back, renew, tell_started
from tvilling.apps.jobs.result import is_published, read_result, sweep
from tvilling.apps.jobs.run import Claim
from tvilling.apps.jobs.store import Store
from tvilling.apps.jobs.worker import Order
from tvilling.sciml.errors import InputError

POLL_S = 0.25
KEPT_BYTES = 4000  # of what a failed worker printed


@dataclass
class Report:
    """What a worker told: the stage it is at, and why it failed."""

    stage: str = ""
    failed: str = ""
    tell: Callable[[str], None] = field(default=lambda stage: None)

    def listen(self, stream: IO[bytes]) -> None:
        """Take lines until the worker closes its end."""
        for line in stream:
            told = json.loads(line)
            self.stage = told.get("stage", self.stage)
            self.failed = told.get("failed", self.failed)
            if "stage" in told:
                self.tell(self.stage)


def attempt(
    store: Store, claim: Claim, stop: Event, tell: Callable[[str], None] = lambda stage: None
) -> None:
    """Make one attempt at the claimed run, to its end or until `stop` is set.

    A result that an earlier attempt published before it was killed is taken as it is. `tell` is
    called with each stage, from another thread.
    """
    final = claim.run.folder(store)
    try:
        if not is_published(final):
            sweep(final)
            reason, error = _work(store, claim, final, stop, tell)
            sweep(final, claim.run.attempt)
            if reason is None:
                return
            if not is_published(final):
                fail(store, claim, reason, error)
                return
        held, digest = read_result(final)
        if held["attempt"] != claim.run.attempt:
            tell("the result is there already")
        finish(store, claim, final, held["facts"], digest)
    except BaseException:
        hand_back(store, claim, "the process that had it ended")
        raise


def _work(
    store: Store, claim: Claim, final: Path, stop: Event, tell: Callable[[str], None]
) -> tuple[str | None, str]:
    """Why the worker ended without a result, and what it printed; None where we gave up the run."""
    run, job = claim.run, claim.job
    try:
        function = kind_named(job.kind).turns[run.turn]
        digest = sha256_of(job.case)
    except (InputError, IndexError) as error:
        return str(error), ""
    about = {**run.key, "kind": job.kind, "function": function, "case": job.case_path,
             "case_sha256": digest}  # fmt: skip
    tell_started(store, claim, function, digest)
    order = Order(function, job.case_path, run.scheduled_s, str(final), about)
    report = Report(tell=tell)
    with tempfile.TemporaryFile() as printed:
        reason = _watched(store, claim, order, report, stop, printed)
        printed.seek(max(0, printed.seek(0, os.SEEK_END) - KEPT_BYTES))
        return reason, printed.read().decode(errors="replace")


def _watched(
    store: Store, claim: Claim, order: Order, report: Report, stop: Event, printed: IO[bytes]
) -> str | None:
    """Start the worker, hold the claim while it works, and say how it ended."""
    command = [sys.executable, "-m", "tvilling.apps.jobs.worker"]
    environment = {"OMP_NUM_THREADS": "1", **os.environ}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=printed, env=environment,
        start_new_session=True,
    ) as worker:  # fmt: skip
        assert worker.stdin is not None
        assert worker.stdout is not None
        listener = Thread(target=report.listen, args=(worker.stdout,), daemon=True)
        listener.start()
        try:
            with suppress(BrokenPipeError):  # it ended at once, which its exit code tells
                worker.stdin.write(order.line())
                worker.stdin.flush()
            reason = _wait(store, claim, worker, stop)
        finally:
            _kill(worker)
            listener.join(5.0)
    if reason is None:  # where the claim was lost, there is nothing to hand back
        hand_back(store, claim, "the process that had it was told to stop")
        return None
    at = f", at: {report.stage}" if report.stage else ""
    return report.failed or f"{reason}{at}"


def _wait(store: Store, claim: Claim, worker: "subprocess.Popen[bytes]", stop: Event) -> str | None:
    """How the worker ended, or why it must; None where we have to let go of the run."""
    began = renewed = time.monotonic()
    while True:
        try:
            code = worker.wait(POLL_S)
        except subprocess.TimeoutExpired:
            now = time.monotonic()
            if now - began > claim.job.limit_s:
                return f"took longer than {claim.job.limit_s} s"
            if stop.is_set():
                return None
            if now - renewed > claim.lease_s / 4:
                renewed = now
                if not renew(store, claim):
                    return None
        else:
            how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
            return f"its process {how}"


def _kill(worker: "subprocess.Popen[bytes]") -> None:
    """End the worker, if it is still there, and all that it started."""
    if worker.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
