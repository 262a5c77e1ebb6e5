"""Reads files in a process of its own under an audit hook, and reports what reading them did.

Run as a script with a folder: every `*.json` in it is read as a grid or as a heat network, by its
name, and a line of JSON is written for each: name, kind and text of the error if there was one,
and the events of PEP 578 (imports, compiling, executing, opening of files, processes, sockets)
that reading it caused beyond opening the file itself.
"""

import collections
import json
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

WATCHED = (
    "import", "exec", "compile", "open", "os.", "subprocess.", "socket.", "pickle.", "marshal.",
    "ctypes.", "shutil.", "tempfile.", "glob.", "urllib.", "webbrowser.", "code.", "sqlite3.",
)  # fmt: skip


class Watch:
    """Keeps what happens while it is on, except the opening of one file."""

    def __init__(self) -> None:
        self.file: str | None = None
        self.events: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.file is None or not event.startswith(WATCHED):
            return
        first = str(arguments[0]) if arguments else ""
        if event == "open" and first == self.file and not arguments[2] & os.O_ACCMODE:
            return
        if event == "open" and isinstance(arguments[0], int):  # of a file that is open
            return
        caller = sys._getframe(1).f_code
        if caller.co_name == "namedtuple" and caller.co_filename == collections.__file__:
            return  # whose fields are checked names: how rows of a table are walked through
        self.events.append(f"{event} {first}"[:200])

    def read(self, reader: Callable[[Path], Any], path: Path) -> dict[str, Any]:
        """What reading one file came to."""
        self.events = []
        said: dict[str, Any] = {"file": path.name, "error": None, "text": ""}
        self.file = str(path)
        try:
            reader(path)
        except Exception as error:  # every kind is reported
            said |= {"error": type(error).__name__, "text": str(error)[:500]}
        finally:
            self.file = None
        return said | {"events": self.events}


def main(folder: Path) -> None:
    """Read every file of `folder` twice: once to import what the readers need, once watched."""
    warnings.simplefilter("ignore")
    from tvilling.datasets.readers.heat.network import read_network
    from tvilling.datasets.readers.power_grid.reader import read_power_net

    readers: dict[str, Callable[[Path], Any]] = {"grid": read_power_net, "heat": read_network}
    for kind, reader in readers.items():
        for good in sorted(folder.glob(f"{kind}-good*.json")):
            reader(good)
    watch = Watch()
    for path in sorted(folder.glob("*.json")):
        said = watch.read(readers[path.name.split("-")[0]], path)
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
