"""Where the traceback of an error that nobody foresaw is kept."""

import os
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path


def log_folder() -> Path:
    """Folder of the logs: below TVILLING_HOME where it is set, else the user's log folder."""
    import platformdirs

    home = os.environ.get("TVILLING_HOME")
    return Path(home) / "logs" if home else Path(platformdirs.user_log_dir("tvilling"))


def write_error_log() -> str:
    """Write the traceback of the error being handled; gives the line that tells where it is."""
    path = log_folder() / f"error-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}-{os.getpid()}.log"
    text = f"{' '.join(sys.argv)}\n{traceback.format_exc()}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        return f"the details could not be written to {path}: {error.strerror}"
    return f"details: {path}"
