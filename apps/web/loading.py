"""Something slow to make, made once in the background, with a word on how far it is."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Loading(Generic[T]):
    """Makes a value in a thread of its own and tells whoever waits.

    Parameters
    ----------
    make
        Called once with a function that is told the name of each stage.
    """

    def __init__(self, make: Callable[[Callable[[str], None]], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._started = False
        self._watchers: list[Callable[[], None]] = []
        self.stage = "start"
        self.value: T | None = None
        self.error: str | None = None

    @property
    def done(self) -> bool:
        """Whether the value is there, or never will be."""
        return self.value is not None or self.error is not None

    def start(self) -> None:
        """Begin, unless it has begun already."""
        with self._lock:
            if self._started:
                return
            self._started = True
        threading.Thread(target=self._run, daemon=True, name="tvilling-load").start()

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed` at every stage and at the end; the function returned ends that.

        It is called from the loading thread, and at once where all is done.
        """
        with self._lock:
            self._watchers.append(changed)
            done = self.done
        if done:
            changed()

        def forget() -> None:
            with self._lock:
                if changed in self._watchers:
                    self._watchers.remove(changed)

        return forget

    def _run(self) -> None:
        try:
            value = self._make(self._tell)
        except Exception as error:  # whatever it is, the page has to tell it
            with self._lock:
                self.error = f"{type(error).__name__}: {error}"
        else:
            with self._lock:
                self.value = value
        self._changed()

    def _tell(self, stage: str) -> None:
        self.stage = stage
        self._changed()

    def _changed(self) -> None:
        with self._lock:
            watchers = list(self._watchers)
        for changed in watchers:
            changed()
