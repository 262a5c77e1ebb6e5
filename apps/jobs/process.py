"""A worker's process, seen from the one that started it; nothing here waits for it without end."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import IO, Self

from tvilling.apps.jobs.worker import Order

CHUNK_BYTES = 65536
CLOSED_S = 0.02  # between looks at a worker that has closed its reports and is about to end


class Process:
    """A worker that carries out `order`, in a session of its own; used with `with`.

    At the end of the block it is killed, if it is still there, and with it whatever it started.

    Parameters
    ----------
    printed
        Takes what the worker and its libraries print.
    tell
        Called with each stage as the worker tells it.

    Attributes
    ----------
    stage, failed, late
        The stage it is at, why it failed, and whether an input was late (`worker.UNTIL_GRACE` or
        `RETRIED`), as it told itself.
    """

    def __init__(self, order: Order, printed: IO[bytes], tell: Callable[[str], None]) -> None:
        self.stage = self.failed = self.late = ""
        self._tell, self._rest, self._open = tell, b"", True
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tvilling.apps.jobs.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=printed,
            bufsize=0,
            env={"OMP_NUM_THREADS": "1", **os.environ},
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._reports = self._process.stdout
        with suppress(BrokenPipeError):  # it ended at once, which its exit code tells
            self._process.stdin.write(order.line())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.end()
        for pipe in (self._process.stdin, self._reports):
            if pipe is not None:
                pipe.close()

    def listen(self, wait_s: float) -> bool:
        """Take what it tells, waiting `wait_s` for it at most; False where nothing came."""
        if not self._open:
            time.sleep(min(wait_s, CLOSED_S))
            return False
        if not select.select([self._reports], [], [], wait_s)[0]:
            return False
        data = os.read(self._reports.fileno(), CHUNK_BYTES)
        self._open = bool(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            told = json.loads(line)
            self.failed = told.get("failed", self.failed)
            self.late = told.get("late", self.late)
            if "stage" in told:
                self.stage = told["stage"]
                self._tell(self.stage)
        return self._open

    def has_ended(self) -> bool:
        """Whether it has ended by itself."""
        if self._process.returncode is not None:
            return True
        if not hasattr(os, "waitid"):  # macOS before Python 3.13
            return self._process.poll() is not None
        # It is not reaped yet, so that its number still stands for what it has left behind.
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self._process.pid, options) is not None

    def end(self) -> int:
        """Kill it with all that it started, take what it told last, and give its exit code."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):  # macOS refuses a dead group
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            while self.listen(0.0):
                pass
        return self._process.returncode
