"""Login and logout: a form, a cookie that scripts cannot read, and nothing from the address."""

import asyncio
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tvilling.apps.web.addresses import HOME, LOGIN, LOGOUT, page_of, relative
from tvilling.apps.web.gate import COOKIE, PLAIN_POLICY, plain_page, token_of, words_of
from tvilling.apps.web.logins import Logins
from tvilling.sciml.io.extras import needs_extra

with needs_extra("apps"):
    from tornado.web import RequestHandler

FORM = Path(__file__).with_name("login.html")
WRONG_S = 0.5  # a wrong password waits that long, so that guessing takes time


class LoginHandler(RequestHandler):
    """The form, and what it sends."""

    def initialize(self, logins: Logins, path: str) -> None:
        """Keep who is logged in, and the path that the cookie is for."""
        self._logins, self._path = logins, path

    def get(self) -> None:
        """The empty form."""
        self._show(wrong=False)

    async def post(self) -> None:
        """A cookie and the page that was asked for, or the form again."""
        name, password = (self.get_body_argument(key, "") for key in ("username", "password"))
        token = self._logins.open(name, password)
        if token is None:
            await asyncio.sleep(WRONG_S)
            self.set_status(403)
            self._show(wrong=True)
            return
        self.set_cookie(COOKIE, token, **_cookie(self, self._path), max_age=86_400)
        self.redirect(relative(LOGIN, page_of(self.get_query_argument("next", ""))), status=303)

    def _show(self, wrong: bool) -> None:
        _plain(self)
        words = words_of(self.request)
        self.render(
            str(FORM),
            language=words.language,
            app=words("app"),
            name=words("login_name"),
            password=words("login_password"),
            fault=words("login_wrong") if wrong else "",
            log_in=words("log_in"),
        )


class LogoutHandler(RequestHandler):
    """Ends the login, and the connection of every page that it opened."""

    def initialize(self, logins: Logins, path: str) -> None:
        """Keep who is logged in, and the path that the cookie is for."""
        self._logins, self._path = logins, path

    def get(self) -> None:
        """Log out, unless another site sent the visitor here, and say so."""
        if self.request.headers.get("Sec-Fetch-Site") == "cross-site":
            self.redirect(relative(LOGOUT, HOME))
            return
        token = token_of(self.request)
        self._logins.close(token)
        self.clear_cookie(COOKIE, **_cookie(self, self._path))
        _close_sockets(self.application, token)
        _plain(self)
        words = words_of(self.request)
        link = f'<a href="{escape(relative(LOGOUT, LOGIN))}">{escape(words("log_in"))}</a>'
        self.finish(plain_page(words, words("logged_out"), link))


def _plain(handler: RequestHandler) -> None:
    handler.set_header("Content-Security-Policy", PLAIN_POLICY)
    handler.set_header("Cache-Control", "no-store")


def _cookie(handler: RequestHandler, path: str) -> dict[str, Any]:
    """Attributes of the cookie; `secure` where the browser came over TLS, as far as is known."""
    headers = handler.request.headers
    schemes = {headers.get("X-Forwarded-Proto", ""), urlsplit(headers.get("Origin", "")).scheme}
    return {"path": path, "httponly": True, "samesite": "Lax", "secure": "https" in schemes}


def _close_sockets(application: Any, token: str | None) -> None:
    """Close the connections that were opened with `token`."""
    for client in list(application._clients):  # Bokeh has no public list of them
        socket = client._socket
        if token and socket is not None and token_of(socket.request) == token:
            socket.close()
