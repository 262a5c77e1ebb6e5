"""Pages that are closed leave nothing behind: no page, no document, no watcher, no memory."""

import asyncio
import gc
import re
import sys
from pathlib import Path

import pytest

pytest.importorskip("panel")

import panel as pn
import panel_material_ui as pmui
from bokeh.document import Document
from web_server import access_to, closed, open_socket, served

ROUND = 4
UNUSED_S = 0.3


@pytest.fixture(scope="module")
def one():
    with served(access_to(), unused_ms=int(1e3 * UNUSED_S)) as found:
        yield found


async def visit(one, path, count):
    for _ in range(count):
        await closed(await open_socket(one, path))


def left(one):
    """What stays of the pages that were open, once their sessions have ended."""

    async def ended():
        for _ in range(200):
            if not one.server.get_sessions():
                return
            await asyncio.sleep(UNUSED_S / 3)
        raise AssertionError("sessions have not ended")

    asyncio.run(ended())
    gc.collect()
    alive = gc.get_objects()
    watchers = [
        sum(len(found) for names in globe.param.watchers.values() for found in names.values())
        for globe in (pn.state, pn.config)
    ]
    kinds = (pmui.Page, Document)
    # By `type`: to ask some objects of other packages for their `__class__` warns.
    return [sum(issubclass(type(item), kind) for item in alive) for kind in kinds] + watchers


def none_added(before, after):
    """The page of the first visit may be collected late, so that there are fewer."""
    return all(late <= early for late, early in zip(after, before, strict=True))


@pytest.mark.parametrize("path", ["/", "/network", "/system/tank"])
def test_pages_documents_and_watchers_end_with_their_session(one, path):
    asyncio.run(visit(one, path, 1))
    before = left(one)
    asyncio.run(visit(one, path, ROUND))
    assert none_added(before, left(one))


def memory_mb():
    text = Path("/proc/self/status").read_text(encoding="utf-8")
    found = re.search(r"VmRSS:\s+(\d+)", text)
    assert found
    return int(found[1]) / 1024


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory from /proc")
def test_the_memory_of_200_sessions_comes_back(one):
    asyncio.run(visit(one, "/system/tank", 20))
    before, kept = memory_mb(), left(one)
    asyncio.run(visit(one, "/system/tank", 200))
    assert none_added(kept, left(one))
    print(f"{before:.0f} MB before 200 sessions, {memory_mb():.0f} MB after")
    assert memory_mb() < 1.1 * before
