"""Writes run folders one after the other until it is killed: `run_folder_worker.py OUT`."""

import sys
from pathlib import Path

from tvilling.apps.shared.run_folder import RunFolder

FILES = ("a.txt", "b.txt", "c.txt")
CONTENT = "x" * 50_000 + "end"

if __name__ == "__main__":
    while True:
        with RunFolder(Path(sys.argv[1]), "run") as folder:
            for name in FILES:
                (folder.path / name).write_text(CONTENT)
            folder.log("finished")
            print(folder.finish().name, flush=True)
