"""The process of one attempt: `python -m tvilling.apps.jobs.worker`, which the supervisor starts.

It reads an order, one line of JSON, from its standard input, which then stays open: when it closes,
whoever gave the order is gone, and the process ends. It reports in lines of JSON on what was its
standard output; whatever libraries print goes to standard error.
"""

import base64
import json
import os
import signal
import sys
import threading
import traceback
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from tvilling.apps.jobs.kinds import resolve
from tvilling.apps.jobs.result import beside, publish
from tvilling.apps.shared.late_input import LateInputError
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.reads import read_once

FAILED = 1
UNTIL_GRACE, RETRIED = "until grace", "retried"  # how an input that is late is waited for


@dataclass(frozen=True)
class Order:
    """What is to be done.

    Attributes
    ----------
    function
        `module:function`, see `tvilling.apps.jobs.kinds`.
    final
        Folder of the result.
    content
        The bytes of the case file, which is read no more: `packed`, as JSON holds no bytes.
    replaces
        SHA-256 of an earlier result, made by a fallback, that this one takes the place of; else
        empty.
    about
        Goes into `run.json` beside the facts; among it the number of the `attempt`.
    """

    function: str
    case: str
    content: str
    scheduled_s: int
    final: str
    replaces: str
    about: dict[str, Any]

    def line(self) -> bytes:
        """One line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"


def main() -> int:
    """Do what standard input orders; gives the exit code."""
    order = Order(**json.loads(_first_line()))
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as reports:
        os.dup2(2, 1)
        threading.Thread(target=_end_with_the_other, daemon=True).start()
        try:
            carry_out(order, lambda stage: _report(reports, stage=stage))
        except LateInputError as error:
            reason = f"{error.source}: {'; '.join(error.faults)}"
            _report(reports, failed=reason, late=UNTIL_GRACE if error.announced else RETRIED)
            return FAILED
        except InputError as error:
            _report(reports, failed=str(error))
            return FAILED
        except Exception as error:
            traceback.print_exc()
            first = (str(error).splitlines() or [""])[0]
            _report(reports, failed=f"{type(error).__name__}: {first}")
            return FAILED
    return 0


def carry_out(order: Order, tell: Callable[[str], None]) -> None:
    """Run the function and publish its result, unless another attempt just did."""
    final, scheduled = Path(order.final), datetime.fromtimestamp(order.scheduled_s, UTC)
    with beside(final, order.about["attempt"]) as folder, read_once() as reads:
        reads.hold(Path(order.case), unpacked(order.content))
        facts = resolve(order.function)(Path(order.case), scheduled, folder, tell)
        about = {**order.about, "inputs": reads.sha256(), "facts": facts}
        publish(folder, final, about, order.replaces)


def packed(content: bytes) -> str:
    """Bytes as text of one line."""
    return base64.b64encode(zlib.compress(content)).decode("ascii")


def unpacked(text: str) -> bytes:
    """The bytes that were packed."""
    return zlib.decompress(base64.b64decode(text))


def _first_line() -> bytes:
    """Read byte by byte, so that nothing is held back in a buffer with a lock."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            sys.exit("no order on standard input")
        line += byte
    return line


def _end_with_the_other() -> None:
    """Wait for standard input to close; then end this process and all that it started."""
    while os.read(0, 4096):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _report(reports: TextIO, **report: str) -> None:
    print(json.dumps(report), file=reports, flush=True)


if __name__ == "__main__":
    sys.exit(main())
