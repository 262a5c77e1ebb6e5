"""A proxy that serves another server below a path of its own, sockets included."""

import asyncio
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler, websocket_connect

DROPPED = {"transfer-encoding", "content-length", "connection", "content-encoding"}


@contextmanager
def proxied(upstream: str, port: int, path: str) -> Iterator[str]:
    """The address under which `upstream` (host and port) is served below `path`; Host is kept."""
    started: queue.Queue[Any] = queue.Queue()
    known = {"upstream": upstream}
    rules = [(rf"{path}/(?:(.*)/)?ws", _Socket, known), (rf"{path}/(.*)", _Page, known)]

    def run() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        server = Application(rules).listen(port, "127.0.0.1")
        started.put(loop)
        loop.run_forever()
        server.stop()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    loop = started.get(timeout=10.0)
    try:
        yield f"http://127.0.0.1:{port}{path}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10.0)


class _Page(RequestHandler):
    def initialize(self, upstream: str) -> None:
        self._upstream = upstream

    async def get(self, path: str) -> None:
        query = f"?{self.request.query}" if self.request.query else ""
        cookie = self.request.headers.get("Cookie", "")
        answer = await AsyncHTTPClient().fetch(
            HTTPRequest(
                f"http://{self._upstream}/{path}{query}",
                headers={"Host": self.request.host, "Cookie": cookie},
                follow_redirects=False,
                request_timeout=60.0,
            ),
            raise_error=False,
        )
        self.set_status(answer.code)
        for name, value in answer.headers.get_all():
            if name.lower() not in DROPPED:
                self.set_header(name, value)
        self.finish(answer.body)


class _Socket(WebSocketHandler):
    def initialize(self, upstream: str) -> None:
        self._upstream, self._other = upstream, None

    def check_origin(self, origin: str) -> bool:
        return True

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return "bokeh"

    async def open(self, path: str | None) -> None:
        place = f"ws://{self._upstream}/{path}/ws" if path else f"ws://{self._upstream}/ws"
        kept = {name: self.request.headers.get(name, "") for name in ("Origin", "Cookie")}
        protocols = self.request.headers["Sec-WebSocket-Protocol"].split(", ")
        self._other = await websocket_connect(
            HTTPRequest(place, headers={"Host": self.request.host, **kept}),
            subprotocols=protocols,
            max_message_size=2**28,
        )
        self._pump = asyncio.ensure_future(self._forward())

    async def _forward(self) -> None:
        while (message := await self._other.read_message()) is not None:
            await self.write_message(message, binary=isinstance(message, bytes))
        self.close()

    def on_message(self, message: str | bytes) -> None:
        self._other.write_message(message, binary=isinstance(message, bytes))

    def on_close(self) -> None:
        if self._other is not None:
            self._other.close()
