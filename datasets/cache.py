"""Where downloaded data lie, and how a file gets there whole or not at all."""

import os
import tempfile
from pathlib import Path

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.checksums import sha256_of

CHUNK_BYTES = 1 << 16
TIMEOUT_S = 30.0


def cache_folder() -> Path:
    """Folder of files that can be made or fetched again: `TVILLING_HOME/cache`, or the user's own.

    Without `TVILLING_HOME` it is the operating system's cache folder of the user.
    """
    home = os.environ.get("TVILLING_HOME")
    if home:
        return Path(home) / "cache"
    import platformdirs

    return Path(platformdirs.user_cache_dir("tvilling"))


def fetch(url: str, target: Path, sha256: str, size: int) -> Path:
    """Download `url` to `target`, which appears only when its checksum agrees.

    The bytes go to a temporary file beside `target` that is renamed at the end, so a killed run
    leaves nothing under the final name.

    Parameters
    ----------
    url
        Where the file lies (http or https).
    target
        Where it shall lie; a file that is there already is replaced.
    sha256
        Expected SHA-256, hexadecimal.
    size
        Expected size [bytes]; the transfer stops where the answer is longer.

    Raises
    ------
    InputError
        When the server cannot be reached or answers with an error, when the transfer breaks off,
        or when size or checksum differ.
    """
    import http.client
    import urllib.request

    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    part = Path(name)
    try:
        with (
            os.fdopen(handle, "wb") as file,
            urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer,
        ):
            received = 0
            while received <= size and (chunk := answer.read(CHUNK_BYTES)):
                received += file.write(chunk)
        _check(url, target.name, part, sha256, size)
        part.replace(target)
    except (OSError, http.client.HTTPException) as error:
        raise InputError(url, [_network_fault(target, error)]) from error
    finally:
        part.unlink(missing_ok=True)
    return target


def _check(url: str, name: str, part: Path, sha256: str, size: int) -> None:
    received = part.stat().st_size
    if received > size:
        raise InputError(url, [f"{name}: more than the expected {size} bytes came; not kept"])
    if received < size:
        raise InputError(url, [f"{name}: {received} of {size} bytes came; not kept, try again"])
    found = sha256_of(part)
    if found != sha256:
        fault = f"{name}: SHA-256 is {found}, expected {sha256}; the file has changed, not kept"
        raise InputError(url, [fault])


def _network_fault(target: Path, error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return (
        f"{target.name}: not downloaded ({reason}); check the network, or fetch the file by other "
        f"means and put it at {target}"
    )
