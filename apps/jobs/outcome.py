"""What becomes of a claimed run, in the store and in the ledger.

Each of these does nothing, and says so, where the claim was lost: another process has the run then.
"""

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

from tvilling.apps.jobs.kinds import kind_named
from tvilling.apps.jobs.run import Claim
from tvilling.apps.jobs.store import Store
from tvilling.apps.jobs.worker import UNTIL_GRACE

LONGEST_WAIT_S = 3600
LATE_WAIT_S = 300  # of an input that is late: how long it may be in without being noticed


def renew(store: Store, claim: Claim) -> bool:
    """Hold a claim for another span; False where it is no longer ours."""
    with store.transaction() as connection:
        return _update(connection, claim, until_s=time.time() + claim.lease_s)


def tell_started(store: Store, claim: Claim, function: str, case_sha256: str) -> None:
    """Note in the ledger that an attempt begins, with what it is made from."""
    changed = case_sha256 != claim.job.case_sha256
    store.note(
        "run started", **claim.run.key, owner=claim.run.owner, kind=claim.job.kind,
        function=function, case=claim.job.case_path, case_sha256=case_sha256,
        **({"case_changed_since_added": True} if changed else {}),
    )  # fmt: skip


def finish(
    store: Store,
    claim: Claim,
    result: Path,
    facts: dict[str, Any],
    result_sha256: str,
    inputs: dict[str, str] | None = None,
) -> bool:
    """A run has its result, made from `inputs`, the SHA-256 of each file by its path.

    False where the claim was lost, and whoever has it will tell.
    """
    before = claim.run.reason if claim.run.turn else ""  # why the work fell back
    own = str(facts.get("reason") or "")
    reason = "; ".join(filter(None, (before, "" if own in before else own)))
    with store.transaction() as connection:
        ours = _update(
            connection, claim, state="done", ended_s=time.time(), result=str(result),
            facts=json.dumps(facts, ensure_ascii=False), reason=reason, until_s=0,
        )  # fmt: skip
        if ours:
            store.note(
                "run done", **claim.run.key, owner=claim.run.owner, result=str(result),
                result_sha256=result_sha256, reason=reason, inputs=inputs or {}, facts=facts,
            )  # fmt: skip
    return ours


def fail(store: Store, claim: Claim, reason: str, error: str, late: str = "") -> bool:
    """An attempt failed: another one, a fallback, or the end; False where the claim was lost.

    Parameters
    ----------
    late
        Whether an input was not in yet: `worker.RETRIED`, or `worker.UNTIL_GRACE` where it is known
        to come, and is waited for until the grace ends or the job is due again.
    """
    run, job, now = claim.run, claim.job, time.time()
    kind = kind_named(job.kind)
    failures = run.failures + 1
    following = kind.next_turn(run.turn, bool(late))
    longest_s = max(LATE_WAIT_S, job.backoff_s) if late else LONGEST_WAIT_S
    wait_s = min(job.backoff_s * 2 ** min(failures - 1, 20), longest_s)
    in_time = late == UNTIL_GRACE and now + wait_s < _waited_until_s(claim)
    change: dict[str, Any]
    if run.turn == 0 and (failures <= job.retries or in_time):
        event = "run waits for input" if late else "run to be retried"
        more: dict[str, Any] = {"wait_s": wait_s}
        change = {"state": "waiting", "failures": failures, "due_s": now + wait_s}
    elif following is not None:
        event, more = "run fell back", {"to": kind.turns[following]}
        change = {"state": "waiting", "failures": 0, "turn": following, "due_s": now}
        reason = "; ".join(filter(None, (run.reason if run.turn else "", reason)))
    else:
        event, more = "run failed", {}
        change = {"state": "failed", "failures": failures}
    change |= {"reason": reason, "error": error, "until_s": 0, "ended_s": now}
    with store.transaction() as connection:
        ours = _update(connection, claim, **change)
        if ours:
            store.note(event, **run.key, owner=run.owner, reason=reason, **more)
    return ours


def _waited_until_s(claim: Claim) -> float:
    """Until when a run waits for an input that is known to come [s]."""
    run, job = claim.run, claim.job
    due_again = next(job.times.after(run.scheduled), None)
    ends_s = run.scheduled_s + float(job.grace_s)
    return ends_s if due_again is None else min(ends_s, due_again.timestamp())


def hand_back(store: Store, claim: Claim, why: str) -> None:
    """Let another resume a run at once; it counts neither as failed nor as lost."""
    with store.transaction() as connection:
        if _update(connection, claim, owner="", until_s=0):
            store.note("run handed back", **claim.run.key, owner=claim.run.owner, reason=why)


def _update(connection: sqlite3.Connection, claim: Claim, **change: Any) -> bool:
    """Change the row of a claim; False where it is no longer ours."""
    run, names = claim.run, ", ".join(f"{name} = ?" for name in change)
    done = connection.execute(
        f"UPDATE run SET {names} WHERE job = ? AND scheduled_s = ? AND owner = ? AND attempt = ? "
        "AND state = 'running'",
        (*change.values(), run.job, run.scheduled_s, run.owner, run.attempt),
    )
    return done.rowcount == 1
