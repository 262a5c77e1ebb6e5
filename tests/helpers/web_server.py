"""The pages' own server in a thread of the test, and requests to it as they stand."""

import asyncio
import http.client
import queue
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tvilling.apps.web.access import Access, check_access
from tvilling.apps.web.loading import Loading

WAIT_S = 30.0
TOKEN = re.compile(r'"token":"([^"]+)"')
PULL = ('{"msgid":"1","msgtype":"PULL-DOC-REQ"}', "{}", "{}")


@dataclass(frozen=True)
class Answer:
    """Status, headers by name in small letters, and text of an answer."""

    status: int
    headers: Mapping[str, str]
    text: str


@dataclass(frozen=True)
class Served:
    """A server that runs, and how it may be reached."""

    access: Access
    server: Any
    host: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "host", f"127.0.0.1:{self.access.port}")

    @property
    def address(self) -> str:
        """Of the first page, without the slash at its end."""
        return f"http://{self.host}{self.access.prefix}"

    def ask(
        self, path: str, method: str = "GET", body: str | None = None, **headers: str
    ) -> Answer:
        """The answer to a request whose path is sent as it stands; `_` in a header is `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            named.setdefault("Content-Type", "application/x-www-form-urlencoded")
        connection = http.client.HTTPConnection(self.host, timeout=WAIT_S)
        try:
            connection.request(method, path, body, named)
            with connection.getresponse() as answer:
                text = answer.read().decode("utf-8", "replace")
                named = {name.lower(): value for name, value in answer.getheaders()}
                return Answer(answer.status, named, text)
        finally:
            connection.close()

    def log_in(self, name: str = "anna", password: str = "secret", **headers: str) -> str:
        """The cookie of a login."""
        body = f"username={name}&password={password}"
        answer = self.ask(self.access.prefix + "/login", "POST", body, **headers)
        assert answer.status == 303, answer.status
        return answer.headers["set-cookie"].split(";")[0]


def access_to(users: Path | None = None, **options: Any) -> Access:
    """This computer, on a port that is free."""
    from tvilling.apps.web.server import free_port

    return check_access("127.0.0.1", free_port("127.0.0.1"), users, **options)


@contextmanager
def served(access: Access, unused_ms: int = 300, town: Any = None) -> Iterator[Served]:
    """The server, run in a thread of its own; without a `town` its page waits for ever."""
    import panel as pn

    from tvilling.apps.web.server import make_server

    pn.extension(notifications=False)
    town = town or Loading(lambda tell: threading.Event().wait() and None)  # never begun
    ready: queue.Queue[Any] = queue.Queue()

    def run() -> None:
        asyncio.set_event_loop(asyncio.new_event_loop())
        server = make_server(access, town, unused_ms)
        server.start()
        ready.put(server)
        server.io_loop.start()
        server.stop()
        server.io_loop.close(all_fds=True)  # as when its process ends

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    server = ready.get(timeout=WAIT_S)
    try:
        yield Served(access, server)
    finally:
        server.io_loop.add_callback(server.io_loop.stop)
        thread.join(WAIT_S)


def handshake(one: Served, token: str, **headers: str) -> int:
    """The status that a request for the first page's socket gets; 101 opens it."""
    named = {
        "Host": one.host,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": f"bokeh, {token}",
    } | headers
    lines = [f"GET {one.access.prefix}/ws HTTP/1.1", *(f"{k}: {v}" for k, v in named.items())]
    with socket.create_connection(("127.0.0.1", one.access.port), WAIT_S) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return int(connection.recv(64).split()[1])


async def open_socket(one: Served, path: str, **headers: str) -> Any:
    """Ask for a page and connect to it as its script does; the page has been sent by then."""
    from tornado.httpclient import AsyncHTTPClient, HTTPRequest
    from tornado.websocket import websocket_connect

    page = await AsyncHTTPClient().fetch(
        HTTPRequest(one.address + path, headers=headers, request_timeout=WAIT_S)
    )
    token = TOKEN.search(page.body.decode())
    assert token, "no session in the page"
    place = (one.address + path).replace("http", "ws", 1).rstrip("/") + "/ws"
    opened = await websocket_connect(
        HTTPRequest(place, headers=headers), subprotocols=["bokeh", token[1]],
        max_message_size=2**28,
    )  # fmt: skip
    await opened.read_message()
    for part in PULL:
        opened.write_message(part)
    await opened.read_message()
    return opened


async def closed(opened: Any, here: bool = True, ended: bool = False) -> None:
    """Wait until the connection has ended, by us or by the server, or put it away if it has."""
    if here:
        opened.close()
    while not ended and await asyncio.wait_for(opened.read_message(), WAIT_S) is not None:
        pass
    opened.close()
    await asyncio.sleep(0.05)  # the loop has to run once more for the connection to be put away
