"""Long work beside the page: the newest request in a thread, its answer on the page's loop."""

import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Generic, TypeVar

R = TypeVar("R")
T = TypeVar("T")


class Latest(Generic[R, T]):
    """Works on the newest request; those that came in between are passed over.

    A slider that is dragged asks more often than can be answered. While one request is worked
    on, only the last of those that follow is kept.

    Parameters
    ----------
    work
        Called in a thread of its own with a request, and with a function that tells whether a
        newer one waits; what it yields is delivered one by one.
    deliver, fail
        Called with each answer, or with the error that `work` raised.
    schedule
        Runs a function of no argument where the page's objects may be touched.
    """

    def __init__(
        self,
        work: Callable[[R, Callable[[], bool]], Iterable[T]],
        deliver: Callable[[T], None],
        fail: Callable[[Exception], None],
        schedule: Callable[[Callable[[], None]], object],
    ) -> None:
        self._work, self._deliver, self._fail, self._schedule = work, deliver, fail, schedule
        self._lock = threading.Lock()
        self._waiting: list[R] = []
        self._running = False

    def submit(self, request: R) -> None:
        """Work on `request` next, in place of any other that still waits."""
        with self._lock:
            self._waiting = [request]
            if self._running:
                return
            self._running = True
        threading.Thread(target=self._run, daemon=True, name="tvilling-page").start()

    def superseded(self) -> bool:
        """Whether a newer request waits."""
        with self._lock:
            return bool(self._waiting)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._running = False
                    return
                request = self._waiting.pop()
            try:
                for answer in self._work(request, self.superseded):
                    self._schedule(partial(self._deliver, answer))
            except Exception as error:  # whatever it is, the page has to tell it
                self._schedule(partial(self._fail, error))
