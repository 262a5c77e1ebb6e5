"""The runs that go on in this process: each in a thread, which watches a process of its own."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

from tvilling.apps.jobs.lease import Lease
from tvilling.apps.jobs.queue import claim_next
from tvilling.apps.jobs.run import Claim, Run, find
from tvilling.apps.jobs.store import Store
from tvilling.apps.jobs.supervise import attempt
from tvilling.apps.jobs.times import shown


class Runner:
    """Begins what waits in the queue of `store`, at most `workers` at a time.

    Parameters
    ----------
    tell
        Called with a line for each beginning and each outcome.
    ended
        Called, from another thread, when a run has ended.
    """

    def __init__(
        self,
        store: Store,
        workers: int,
        tell: Callable[[str], None],
        ended: Callable[[], None],
    ) -> None:
        self.store, self.workers, self.tell, self.ended = store, workers, tell, ended
        self._stop = Event()
        self._at_work: set[Future[None]] = set()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="run")

    @property
    def busy(self) -> bool:
        """Whether any run goes on."""
        return bool(self._at_work)

    def begin(self, lease: Lease) -> None:
        """Begin as many runs as wait and as there is room for.

        Raises
        ------
        Exception
            Whatever ended the watch over an earlier run; not what a run itself met.
        """
        for future in [future for future in self._at_work if future.done()]:
            self._at_work.remove(future)
            future.result()
        while len(self._at_work) < self.workers:
            claim = claim_next(self.store, lease)
            if claim is None:
                return
            self.tell(f"{_name(claim)}: attempt {claim.run.attempt} begins")
            self._at_work.add(self._pool.submit(self._attempt, claim))

    def stop(self) -> None:
        """End the processes of all runs, which are handed back, and wait for that."""
        self._stop.set()
        self._pool.shutdown()

    def _attempt(self, claim: Claim) -> None:
        try:
            attempt(self.store, claim, self._stop)
            found = find(self.store, claim.run.job, claim.run.scheduled)
            if found is not None:
                self.tell(f"{_name(claim)}: {outcome(found)}")
        finally:
            self.ended()


def outcome(run: Run) -> str:
    """What became of a run, in one line."""
    reason = f": {run.reason.splitlines()[0]}" if run.reason else ""
    if run.state == "done":
        took_s = (run.ended_s or 0.0) - (run.started_s or 0.0)
        done = "fell back, done" if run.fell_back else "done"
        return f"{done} in {took_s:.1f} s, {run.result}{reason}"
    if run.state == "waiting" and run.attempt:
        return f"waits for attempt {run.attempt + 1}{reason}"
    if run.state == "running" and not run.owner:
        return "handed back, to be resumed"
    return f"{run.state}{reason}"


def _name(claim: Claim) -> str:
    return f"{claim.job.name} of {shown(claim.run.scheduled_s, claim.job.zone)}"
