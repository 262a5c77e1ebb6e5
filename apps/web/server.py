"""The server of the pages."""

import logging
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tvilling.apps.web.access import Access
from tvilling.apps.web.addresses import HOME, LOGIN, LOGOUT, NETWORK, system_address
from tvilling.apps.web.gate import Gate, gate_rules, headers_of
from tvilling.apps.web.loading import Loading
from tvilling.apps.web.login import LoginHandler, LogoutHandler
from tvilling.apps.web.logins import Logins
from tvilling.apps.web.pages.home import home_page
from tvilling.apps.web.pages.network_page import network_page
from tvilling.apps.web.pages.network_twin import NetworkTwin, load_twin
from tvilling.apps.web.pages.system_page import load_system, system_page
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.extras import needs_extra
from tvilling.sciml.systems import SYSTEMS

with needs_extra("apps"):
    import panel as pn
    from panel.io.server import get_server

MAX_BODY_BYTES = 65_536  # a form with a name and a password
MAX_MESSAGE_BYTES = 1_000_000  # what a page sends: a slider's value
UNUSED_MS = 15_000  # how long a page without a connection is kept


def serve(access: Access, ready: Callable[[str], None], show: bool = False) -> None:
    """Serve the pages until the process is ended.

    The town network is loaded in the background from the start, a system when it is first asked
    for; their pages say so meanwhile.

    Parameters
    ----------
    ready
        Called with the address of the first page once it can be opened.
    show
        Whether to open it in the browser.

    Raises
    ------
    InputError
        The address or port cannot be listened on.
    """
    pn.extension(notifications=False)
    town = Loading(load_twin)
    server = make_server(access, town)
    host = f"[{access.address}]" if ":" in access.address else access.address
    address = f"http://{host}:{access.port}{access.prefix}/"
    server.start()
    town.start()
    ready(address)
    if show:
        server.io_loop.add_callback(server.show, HOME)
    with suppress(KeyboardInterrupt):  # nothing has to be put away, so other signals just end it
        server.io_loop.start()
    server.stop()


def free_port(address: str) -> int:
    """A port that nothing listens on at the moment."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def pages(town: Loading[NetworkTwin], has_login: bool = False) -> dict[str, Callable[[], None]]:
    """The function that makes each page, by address; `has_login` says whether visitors log in."""

    def of_system(name: str) -> Callable[[], None]:
        loading = load_system(name)
        return lambda: system_page(name, loading, has_login)

    systems = {system_address(name): of_system(name) for name in SYSTEMS}
    return {
        HOME: lambda: home_page(has_login),
        NETWORK: lambda: network_page(town, has_login),
        **systems,
    }


def make_server(access: Access, town: Loading[NetworkTwin], unused_ms: int = UNUSED_MS) -> Any:
    """The server, listening but not started.

    Parameters
    ----------
    unused_ms
        How long a page without a connection is kept.

    Raises
    ------
    InputError
        The address or port cannot be listened on.
    """
    made: Any = pages(town, access.users is not None)
    # The gate knows the origins, IPv6 among them, and passes no other; Bokeh would warn of that.
    logging.getLogger("bokeh.server.util").setLevel(logging.ERROR)
    try:
        server = get_server(
            made,
            port=access.port,
            address=access.address,
            prefix=access.prefix,
            websocket_origin="*",
            websocket_max_message_size=MAX_MESSAGE_BYTES,
            http_server_kwargs={"max_body_size": MAX_BODY_BYTES},
            secret_key=secrets.token_bytes(32),
            sign_sessions=True,
            include_headers=["Accept-Language"],  # the rest, cookies above all, is no page's affair
            include_cookies=[],
            unused_session_lifetime_milliseconds=unused_ms,
            check_unused_sessions_milliseconds=unused_ms,
        )
    except OSError as error:
        place = f"{access.address}, port {access.port}"
        raise InputError("app", [f"cannot listen on {place}: {error.strerror}"]) from None
    _guard(server._tornado, access, tuple(made))
    return server


def _guard(application: Any, access: Access, addresses: tuple[str, ...]) -> None:
    """Put the gate before every other handler, and the headers on every answer."""
    logins = Logins(access.users) if access.users else None
    rules: list[Any] = gate_rules(Gate(access, addresses, logins))
    if logins:
        known = {"logins": logins, "path": access.prefix or "/"}
        rules += [
            (access.prefix + LOGIN, LoginHandler, known),
            (access.prefix + LOGOUT, LogoutHandler, known),
        ]
    application.add_handlers(".*", rules)
    application.add_transform(headers_of(access))
