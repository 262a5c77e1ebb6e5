"""The server of the pages."""

import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tvilling.apps.web.access import Access
from tvilling.apps.web.home import home_page
from tvilling.apps.web.loading import Loading
from tvilling.apps.web.network_page import network_page
from tvilling.apps.web.network_twin import NetworkTwin, load_twin
from tvilling.apps.web.shell import HOME, NETWORK, system_address
from tvilling.apps.web.system_page import load_system, system_page
from tvilling.sciml.errors import InputError
from tvilling.sciml.extras import needs_extra
from tvilling.sciml.systems import SYSTEMS

with needs_extra("apps"):
    import panel as pn
    from panel.io.server import get_server

LOGIN = Path(__file__).with_name("login.html")


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
    server = _server(access, town)
    host = f"[{access.address}]" if ":" in access.address else access.address
    address = f"http://{host}:{access.port}/"
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


def pages(town: Loading[NetworkTwin]) -> dict[str, Callable[[], None]]:
    """The function that makes each page, by address."""

    def of_system(name: str) -> Callable[[], None]:
        loading = load_system(name)
        return lambda: system_page(name, loading)

    systems = {system_address(name): of_system(name) for name in SYSTEMS}
    return {HOME: home_page, NETWORK: lambda: network_page(town), **systems}


def _server(access: Access, town: Loading[NetworkTwin]) -> Any:
    login: dict[str, Any] = {}
    made: Any = pages(town)
    if access.users is not None:
        login = {
            "basic_auth": str(access.users),
            "cookie_secret": secrets.token_hex(32),
            "login_template": str(LOGIN),
        }
    try:
        return get_server(
            made,
            port=access.port,
            address=access.address,
            websocket_origin=list(access.origins),
            **login,
        )
    except OSError as error:
        place = f"{access.address}, port {access.port}"
        raise InputError("app", [f"cannot listen on {place}: {error.strerror}"]) from None
