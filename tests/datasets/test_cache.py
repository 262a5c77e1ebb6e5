"""Downloads from a real server on this machine: right, wrong, cut short, killed."""

import hashlib
import http.server
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tvilling.datasets import registry
from tvilling.datasets.cache import cache_folder, fetch
from tvilling.datasets.catalogue import DataFile, DataSource
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.checksums import sha256_of

BODY = b"time,heat_load_mw\n" * 40_000
SHA256 = hashlib.sha256(BODY).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """`/good` sends all, `/short` breaks off in the middle, `/slow` sends half and waits."""

    def do_GET(self) -> None:
        if self.path not in ("/good", "/short", "/slow"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        half = len(BODY) // 2
        self.wfile.write(BODY[:half])
        if self.path == "/slow":
            self.wfile.flush()
            self.server.release.wait(30)
        elif self.path == "/good":
            self.wfile.write(BODY[half:])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.release = threading.Event()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.release.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_good_file_arrives_whole(address, tmp_path):
    target = fetch(f"{address}/good", tmp_path / "new" / "load.csv", SHA256, len(BODY))
    assert target.read_bytes() == BODY
    assert sha256_of(target) == SHA256
    assert [path.name for path in target.parent.iterdir()] == ["load.csv"]


@pytest.mark.parametrize(
    ("path", "sha256", "size", "says"),
    [
        ("good", "0" * 64, len(BODY), "SHA-256"),
        ("good", SHA256, len(BODY) - 1, "more than the expected"),
        ("short", SHA256, len(BODY), "try again"),
        ("absent", SHA256, len(BODY), "check the network"),
    ],
)
def test_wrong_file_leaves_nothing(address, tmp_path, path, sha256, size, says):
    with pytest.raises(InputError, match=says):
        fetch(f"{address}/{path}", tmp_path / "load.csv", sha256, size)
    assert list(tmp_path.iterdir()) == []


def test_wrong_file_leaves_the_old_one(address, tmp_path):
    (tmp_path / "load.csv").write_text("old")
    with pytest.raises(InputError):
        fetch(f"{address}/short", tmp_path / "load.csv", SHA256, len(BODY))
    assert (tmp_path / "load.csv").read_text() == "old"


def test_no_server_is_one_message(tmp_path):
    with pytest.raises(InputError) as caught:
        fetch("http://127.0.0.1:9/load.csv", tmp_path / "load.csv", SHA256, len(BODY))
    assert len(caught.value.faults) == 1
    assert str(tmp_path / "load.csv") in str(caught.value)


def test_killed_download_leaves_nothing_under_the_final_name(address, tmp_path):
    code = (
        "from pathlib import Path; from tvilling.datasets.cache import fetch; "
        f"fetch('{address}/slow', Path('{tmp_path}') / 'load.csv', '{SHA256}', {len(BODY)})"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 60
    while not _bytes_in(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert _bytes_in(tmp_path), "the download never began"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "load.csv").exists()
    fetch(f"{address}/good", tmp_path / "load.csv", SHA256, len(BODY))
    assert (tmp_path / "load.csv").read_bytes() == BODY


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


@pytest.fixture
def made_up(address, tmp_path, monkeypatch) -> Iterator[str]:
    """A data set of two files, one of which has no address, and an empty home."""
    files = (
        DataFile("load.csv", len(BODY), SHA256, f"{address}/good"),
        DataFile("more.csv", 4, hashlib.sha256(b"1,2\n").hexdigest()),
    )
    source = DataSource(
        name="made_up",
        title="Made up",
        folder="made_up",
        files=files,
        origin="here",
        licence="none",
        reader="tvilling.datasets.readers.measured.flensburg:read",
        by_hand="the shelf",
    )
    monkeypatch.setitem(registry.DATASETS, "made_up", source)
    monkeypatch.setenv("TVILLING_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TVILLING_DATA", raising=False)
    return "made_up"


def test_get_goes_on_where_it_ended(made_up):
    with pytest.raises(InputError, match="get it from the shelf") as caught:
        registry.get(made_up)
    assert len(caught.value.faults) == 1
    folder = cache_folder() / "data" / "made_up"
    assert (folder / "load.csv").read_bytes() == BODY
    with pytest.raises(InputError, match=r"more\.csv: no such file"):
        registry.locate(made_up)

    (folder / "more.csv").write_bytes(b"1,2\n")
    assert registry.get(made_up) == registry.locate(made_up) == folder
    assert registry.describe(made_up)["found"] == folder


def test_get_replaces_a_damaged_file(made_up):
    folder = cache_folder() / "data" / "made_up"
    folder.mkdir(parents=True)
    (folder / "more.csv").write_bytes(b"1,2\n")
    (folder / "load.csv").write_bytes(BODY[:-1] + b"x")
    assert registry.get(made_up) == folder
    assert (folder / "load.csv").read_bytes() == BODY


def test_a_damaged_file_is_not_read(made_up):
    folder = cache_folder() / "data" / "made_up"
    folder.mkdir(parents=True)
    (folder / "more.csv").write_bytes(b"1,2\n")
    (folder / "load.csv").write_bytes(BODY[:-2] + b"v\n")
    with pytest.raises(InputError, match="is damaged or another file") as caught:
        registry.load(made_up)
    assert "load.csv is damaged" in str(caught.value)
    assert "tvilling data get made_up" in str(caught.value)
    assert "more.csv" not in str(caught.value)


def test_named_data_folder_comes_first(made_up, tmp_path, monkeypatch):
    folder = tmp_path / "data" / "made_up"
    folder.mkdir(parents=True)
    (folder / "more.csv").write_bytes(b"1,2\n")
    (folder / "load.csv").write_bytes(BODY)
    monkeypatch.setenv("TVILLING_DATA", str(tmp_path / "data"))
    assert registry.get(made_up) == registry.locate(made_up) == folder
    assert not cache_folder().exists()


def test_cache_is_the_users_own_without_a_home(monkeypatch, tmp_path):
    monkeypatch.delenv("TVILLING_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "tvilling"
