"""A served copy of the web pages and a browser on it, for tests, pictures and measurements."""

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

START_S = 120.0  # a busy machine that compiles for the first time
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ADDRESS = re.compile(r"http://\S+/")


def chromium() -> str | None:
    """Where Chromium is, if it is installed."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


@contextmanager
def served_app(
    arguments: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Address of a server started as a user starts it, on a free port; it ends with the block.

    `environment` is added to that of this process.

    Raises
    ------
    RuntimeError
        It ended before it was ready, or was not ready within two minutes; with what it wrote.
    """
    command = [sys.executable, "-m", "tvilling.apps.cli.main", "app", "--port", "0", *arguments]
    server = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=Path.home(),
        env=os.environ | dict(environment or {}),
    )
    watchdog = threading.Timer(START_S, server.kill)
    watchdog.start()
    drains: list[threading.Thread] = []
    try:
        address = _address(server, drains)
        watchdog.cancel()  # it ends a start that takes too long, not a long use
        yield address
    finally:
        watchdog.cancel()
        server.terminate()
        try:
            server.wait(10.0)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        for drain in drains:
            drain.join()
        if server.stdout is not None:
            server.stdout.close()


@contextmanager
def browser() -> Iterator[Any]:
    """Chromium under Playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        try:
            yield opened
        finally:
            opened.close()


def open_page(context: Any, address: str, ready: str = ".tile") -> Any:
    """A page at `address` whose first element that `ready` selects is there.

    Figures that come with it are drawn by then.
    """
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(ready, timeout=START_S * 1e3)
    page.wait_for_function("() => window.Bokeh && Bokeh.documents.every((one) => one.is_idle)")
    return page


def tile(page: Any, key: str) -> str:
    """The figure that the tile `key` shows."""
    text: str = page.locator(f'.tile[data-key="{key}"] .value').inner_text()
    return text


def wait_for_other_tile(page: Any, key: str, before: str, timeout_ms: float = 10_000) -> str:
    """What the tile `key` shows once it no longer shows `before`."""
    from playwright.sync_api import expect

    shown = page.locator(f'.tile[data-key="{key}"] .value')
    expect(shown).not_to_have_text(before, timeout=timeout_ms)
    text: str = shown.inner_text()
    return text


def _address(server: subprocess.Popen, drains: list[threading.Thread]) -> str:
    """The address that the server writes; `drains` gets the thread that reads what follows."""
    assert server.stdout is not None
    told: list[str] = []
    for line in server.stdout:
        told.append(line)
        if found := ADDRESS.search(line):
            drains.append(threading.Thread(target=server.stdout.read, daemon=True))
            drains[0].start()
            return found[0].rstrip("/")
    raise RuntimeError("the server did not start:\n" + "".join(told))
