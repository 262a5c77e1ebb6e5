"""One attempt at a run, in a process of its own: begun, watched, ended, and told."""

import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from tvilling.apps.jobs.kinds import kind_named
from tvilling.apps.jobs.outcome import fail, finish, hand_back, renew, tell_started
from tvilling.apps.jobs.process import Process
from tvilling.apps.jobs.result import is_published, read_result, set_aside, sweep
from tvilling.apps.jobs.run import Claim
from tvilling.apps.jobs.store import Store
from tvilling.apps.jobs.worker import Order, packed
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.files import read_bytes
from tvilling.sciml.io.storage import StorageError

POLL_S = 0.25
KEPT_BYTES = 4000  # of what a failed worker printed


def attempt(
    store: Store, claim: Claim, stop: Event, tell: Callable[[str], None] = lambda stage: None
) -> None:
    """Make one attempt at the claimed run, to its end or until `stop` is set.

    A result that an earlier attempt published before it was killed is taken as it is; one of a
    fallback only where this attempt is no nearer to the kind's own work. `tell` is called with each
    stage.
    """
    final = claim.run.folder(store)
    try:
        if not _stands(store, claim, final):
            sweep(final)
            ended = _work(store, claim, final, stop, tell)
            sweep(final, claim.run.attempt)
            if ended is None:
                return
            if not _stands(store, claim, final):
                fail(store, claim, ended.reason, ended.printed, ended.late)
                return
        held, digest = read_result(final)
        if held["attempt"] != claim.run.attempt:
            tell("the result is there already")
        finish(store, claim, final, held["facts"], digest, held.get("inputs"))
    except BaseException:
        hand_back(store, claim, "the process that had it ended")
        raise


@dataclass(frozen=True)
class Ended:
    """Why a worker ended without a result, what it printed, and whether an input was late."""

    reason: str
    printed: str = ""
    late: str = ""


def _stands(store: Store, claim: Claim, final: Path) -> bool:
    """Whether there is a result that is as good as any that this attempt can give.

    A damaged one is set aside, so that it is made again, and the ledger says so.
    """
    if not is_published(final):
        return False
    turns = kind_named(claim.job.kind).turns
    try:
        function = read_result(final)[0].get("function")
    except InputError as error:
        set_aside(final)
        store.note("result damaged", **claim.run.key, reason=str(error))
        return False
    return function not in turns or turns.index(function) <= claim.run.turn


def _work(
    store: Store, claim: Claim, final: Path, stop: Event, tell: Callable[[str], None]
) -> Ended | None:
    """How the worker ended; None where we gave up the run."""
    run, job = claim.run, claim.job
    try:
        function = kind_named(job.kind).turns[run.turn]
        content = read_bytes(job.case)
    except (InputError, IndexError) as error:
        return Ended(str(error))
    digest = hashlib.sha256(content).hexdigest()
    about = {**run.key, "kind": job.kind, "function": function, "case": job.case_path,
             "case_sha256": digest}  # fmt: skip
    tell_started(store, claim, function, digest)
    replaces = read_result(final)[1] if is_published(final) else ""
    order = Order(
        function, job.case_path, packed(content), run.scheduled_s, str(final), replaces, about
    )
    with tempfile.TemporaryFile() as printed:
        with Process(order, printed, tell) as worker:
            reason = _watched(store, claim, worker, stop)
        printed.seek(max(0, printed.seek(0, os.SEEK_END) - KEPT_BYTES))
        said = printed.read().decode(errors="replace")
    if reason is None:  # where the claim was lost, there is nothing to hand back
        hand_back(store, claim, "the process that had it was told to stop")
        return None
    return Ended(reason, said, worker.late)


def _watched(store: Store, claim: Claim, worker: Process, stop: Event) -> str | None:
    """Hold the claim while the worker works, and say how it ended; None where we have to let go."""
    began = renewed = time.monotonic()
    while not worker.has_ended():
        worker.listen(POLL_S)
        now = time.monotonic()
        if now - began > claim.job.limit_s:
            at = f", at: {worker.stage}" if worker.stage else ""
            return f"took longer than {claim.job.limit_s} s{at}"
        if stop.is_set():
            return None
        if now - renewed > claim.lease_s / 4:
            renewed = now
            with suppress(StorageError):  # nobody else can take it up as long as nothing is written
                if not renew(store, claim):
                    return None
    code = worker.end()
    at = f", at: {worker.stage}" if worker.stage else ""
    how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
    return worker.failed or f"its process {how}{at}"
