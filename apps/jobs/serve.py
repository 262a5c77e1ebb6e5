"""The process that keeps the clock: it makes runs due, begins them, and resumes what was cut off.

Several may be started on one store; one holds the lease of the clock, the others wait for it.
"""

import os
import socket
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING
from uuid import uuid4

from tvilling.apps.jobs import lease as leases
from tvilling.apps.jobs.job import jobs, next_due
from tvilling.apps.jobs.lease import Lease
from tvilling.apps.jobs.queue import make_due
from tvilling.apps.jobs.run import open_runs
from tvilling.apps.jobs.runner import Runner
from tvilling.apps.jobs.store import Store
from tvilling.apps.jobs.times import shown
from tvilling.sciml.io.storage import StorageError

if TYPE_CHECKING:
    from tvilling.apps.jobs.clock import Clock

LEASE_S = 10.0
WORKERS = 2
STOP, LOOK = "-stop", "-look"  # what the main loop hears beside names of jobs; they are none


def new_owner() -> str:
    """A name for this process that no other has: machine, process number, and eight digits."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"


class Server:
    """Keeps the clock of `store` until `stop` is called.

    Parameters
    ----------
    tell
        Called with a line for whatever happens.
    lease_s
        How long another process waits before it takes over from one that was killed [s].
    workers
        How many runs go on at a time.
    """

    def __init__(
        self,
        store: Store,
        tell: Callable[[str], None],
        lease_s: float = LEASE_S,
        workers: int = WORKERS,
    ) -> None:
        self.store, self.tell = store, tell
        self.lease_s, self.owner = lease_s, new_owner()
        self._heard: SimpleQueue[str] = SimpleQueue()
        self._stopped = False
        self._runner = Runner(store, workers, tell, lambda: self._heard.put(LOOK))

    def stop(self) -> None:
        """End soon; may be called by a signal's handler."""
        self._stopped = True
        self._heard.put(STOP)

    def serve(self) -> None:
        """Wait for the lease, keep the clock while it is held, and again, until told to stop.

        Where the store cannot be written to, it waits until it can.

        Raises
        ------
        MissingExtraError
            APScheduler is not installed.
        """
        from tvilling.apps.jobs.clock import Clock

        told = ""
        try:
            while not self._stopped:
                try:
                    self._serve_while_it_holds(Clock(self._heard.put))
                    told = ""
                except StorageError as error:
                    if told != str(error):
                        told = str(error)
                        self.tell(f"waits: {error.source} {'; '.join(error.faults)}")
                    self._hear()
        finally:
            self._runner.stop()

    def _serve_while_it_holds(self, clock: "Clock") -> None:
        """Wait for the lease and keep the clock until it is lost or this process told to stop."""
        waiting_for: str | None = None
        while not self._stopped:
            lease = leases.take(self.store, self.owner, self.lease_s)
            if lease is not None:
                if not self._keep_the_clock(clock, lease):
                    self.tell("lost the clock: this process was held up, or the time was set")
                return
            holder = leases.holder(self.store)
            if holder not in (None, waiting_for):
                waiting_for = holder
                self.tell(f"waits: {holder} keeps the clock")
            self._hear()

    def serve_once(self) -> bool:
        """Do all that is due by now, retries among it; False where another keeps the clock."""
        lease = leases.take(self.store, self.owner, self.lease_s)
        if lease is None:
            return False
        try:
            for job in jobs(self.store):
                make_due(self.store, job.name, lease)
            while leases.renew(self.store, lease) and open_runs(self.store):
                self._runner.begin(lease)
                if self._hear() == STOP:
                    break
        finally:
            self._end(lease)
        return True

    def _keep_the_clock(self, clock: "Clock", lease: Lease) -> bool:
        """Serve as long as the lease holds; True where this process was told to stop."""
        self.tell(f"keeps the clock as {self.owner}")
        clock.start()
        try:
            while leases.renew(self.store, lease):
                self._look_at_jobs(clock, lease)
                self._runner.begin(lease)
                if self._hear_all(lease):
                    self._end(lease)
                    return True
        finally:
            clock.stop()
        return False

    def _look_at_jobs(self, clock: "Clock", lease: Lease) -> None:
        """Follow jobs that were added, changed or taken away, and catch up with the new ones."""
        for job in clock.keep(jobs(self.store)):
            due = next_due(job)
            if due is not None:
                self.tell(f"{job.name}: next {shown(due.timestamp(), job.zone)}")
            make_due(self.store, job.name, lease)
        clock.look()

    def _hear_all(self, lease: Lease) -> bool:
        """Make due what the clock calls; True where this process was told to stop."""
        heard = self._hear()
        while heard != LOOK:
            if heard == STOP:
                return True
            make_due(self.store, heard, lease)
            heard = self._hear(wait_s=0.0)
        return False

    def _hear(self, wait_s: float | None = None) -> str:
        """What comes next; LOOK if nothing does for a quarter of the lease or a second."""
        wait_s = min(1.0, self.lease_s / 4) if wait_s is None else wait_s
        try:
            return self._heard.get(block=wait_s > 0, timeout=wait_s or None)
        except Empty:
            return LOOK

    def _end(self, lease: Lease) -> None:
        """Hand back what is under way, then the clock."""
        self._runner.stop()
        leases.give_back(self.store, lease)
