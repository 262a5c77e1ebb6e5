"""A day of jobs on a clock that the test turns, each run taking as long as the test says."""

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from tvilling.apps.jobs import lease as leases
from tvilling.apps.jobs.job import Job, jobs
from tvilling.apps.jobs.outcome import finish
from tvilling.apps.jobs.queue import claim_next, make_due
from tvilling.apps.jobs.run import Claim, Run, history
from tvilling.apps.jobs.store import Store

LEASE_S = 59.0


@dataclass
class Day:
    """The server's loop without processes: `workers` runs go on at once.

    Attributes
    ----------
    takes_s
        How long a run of a claim takes [s].
    now_s
        The time, as everything in the store sees it.
    """

    store: Store
    takes_s: Callable[[Claim], float]
    now_s: float
    workers: int = 2
    at_work: list[tuple[float, Claim]] = field(default_factory=list)

    def serve(self, patch: pytest.MonkeyPatch, until_s: float) -> None:
        """Serve from `now_s` until `until_s`."""
        patch.setattr(time, "time", lambda: self.now_s)
        patch.setattr(os, "fsync", lambda handle: None)  # no power is cut here
        while self.now_s < until_s:
            lease = leases.take(self.store, "day", LEASE_S)
            assert lease is not None
            self._finish_those_that_are_through()
            known = jobs(self.store)
            for job in known:
                make_due(self.store, job.name, lease)
            while len(self.at_work) < self.workers:
                claim = claim_next(self.store, lease)
                if claim is None:
                    break
                self.at_work.append((self.now_s + self.takes_s(claim), claim))
            leases.give_back(self.store, lease)
            self.now_s = min([until_s, *(end_s for end_s, _ in self.at_work), *self._due(known)])

    def _due(self, known: list[Job]) -> list[float]:
        """When anything is due next, or may be tried again."""
        now = datetime.fromtimestamp(self.now_s, UTC)
        due = [next(job.times.after(now)).timestamp() for job in known]
        waiting = self.store.rows("SELECT due_s FROM run WHERE state = 'waiting'")
        return due + [row["due_s"] for row in waiting if row["due_s"] > self.now_s]

    def _finish_those_that_are_through(self) -> None:
        with self.store.transaction() as connection:
            connection.execute(
                "UPDATE run SET until_s = ? WHERE state = 'running'", (self.now_s + LEASE_S,)
            )
        for end_s, claim in list(self.at_work):
            if end_s <= self.now_s:
                self.at_work.remove((end_s, claim))
                assert finish(self.store, claim, self.store.results, {}, "")


def runs_by_job(store: Store, state: str) -> Counter[str]:
    """How many runs of each job are in `state`."""
    return Counter(run.job for run in every_run(store) if run.state == state)


def every_run(store: Store) -> list[Run]:
    """All runs of the store."""
    return history(store, last=1_000_000)
