"""What holds for every test: threads, precision, type checks, folders, and data that may be absent.

Settings come first: the libraries below read them once, when they are imported.
"""

import gc
import os
import sys
import tempfile
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # a second pool beside that of JAX slows both
os.environ["MPLBACKEND"] = "Agg"
# Nothing a test writes may reach the user's data; the compilation cache stays where it is, warm.
os.environ["TVILLING_HOME"] = tempfile.mkdtemp(prefix="tvilling-test-home-")

import shutil
from collections.abc import Iterator

import hypothesis
import jaxtyping
import pytest

if "TVILLING_CHECK_TYPES" in os.environ:  # make test-all; it takes a tenth of the time
    jaxtyping.install_import_hook("tvilling.sciml", "type_checks.typechecker")
# The same examples every time, and no clock: a busy machine must not fail a test.
hypothesis.settings.register_profile(
    "tvilling",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("tvilling")

GROWN_BYTES = 3_000_000_000  # two processes and what they start fit into 8 GB
NO_DATA = "TVILLING_DATA does not name a folder with the measured data"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--messages FILE`: which test meets which message."""
    parser.addoption("--messages", metavar="FILE", type=Path, help="list every message, by test")


def pytest_configure(config: pytest.Config) -> None:
    """Record messages where a list of them is wanted; the first process merges the parts."""
    path = config.getoption("--messages")
    if path is None:
        return
    from message_list import Merged, MessageList

    worker = getattr(config, "workerinput", {}).get("workerid")
    if worker is None:
        config.pluginmanager.register(Merged(path.resolve()))
    if worker or not config.getoption("numprocesses", None):
        messages = MessageList(path.resolve(), worker or "main")
        messages.watch()
        config.pluginmanager.register(messages)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests of measured data where there is none."""
    if Path(os.environ.get("TVILLING_DATA") or "missing").is_dir():
        return
    for item in items:
        if item.get_closest_marker("data"):
            item.add_marker(pytest.mark.skip(reason=NO_DATA))


@pytest.fixture(scope="session", autouse=True)
def _clean_home() -> Iterator[None]:
    yield
    shutil.rmtree(os.environ["TVILLING_HOME"], ignore_errors=True)


@pytest.fixture(scope="module", autouse=True)
def _little_memory() -> Iterator[None]:
    """Forget compiled functions once a process has grown: modules seldom share them."""
    yield
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    if pages * os.sysconf("SC_PAGESIZE") > GROWN_BYTES and "jax" in sys.modules:
        sys.modules["jax"].clear_caches()
        gc.collect()


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder with the measured data; for tests marked `data`."""
    return Path(os.environ["TVILLING_DATA"])
