"""What every request passes first: known host and origin, login, and a page that exists."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from tvilling.apps.web.access import Access
from tvilling.apps.web.addresses import ALIVE, HOME, LOGIN, LOGOUT, page_of, relative
from tvilling.apps.web.logins import Logins
from tvilling.apps.web.text import Labels, choose_language
from tvilling.sciml.io.extras import needs_extra

with needs_extra("apps"):
    from tornado.httputil import HTTPHeaders, HTTPServerRequest
    from tornado.routing import Matcher, Rule
    from tornado.web import OutputTransform, RequestHandler

COOKIE = "tvilling_login"
# Scripts and styles of the libraries, once decoded; no name of theirs has other letters.
STATIC = re.compile(r"/static/(js|extensions)(/(?!\.\.?/)[A-Za-z0-9@^._+~-]+)+")
# They choose the session that a page joins; ours is always a new one.
SESSION_CHOICES = ("bokeh-session-id", "bokeh-token")
# A document of ours without scripts, and the answers that are no document.
PLAIN_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
# Bokeh and Panel compile their components in the browser, so pages need inline code.
PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' blob: data: {sockets}; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True)
class Refusal:
    """How a request that does not pass is answered: the word's key says why."""

    status: int
    reason: str = ""
    location: str = ""


class Gate(Matcher):
    """Matches each request that does not pass, so that no other handler sees it.

    Parameters
    ----------
    pages
        Addresses of the pages; besides them and their sockets, only their scripts are served.
    logins
        Who is logged in; None where nobody has to be.
    """

    def __init__(self, access: Access, pages: Collection[str], logins: Logins | None) -> None:
        self._prefix, self._hosts = access.prefix, access.hosts
        self._pages, self._logins = frozenset(pages), logins
        self._open = {LOGIN: {"GET", "HEAD", "POST"}, LOGOUT: {"GET", "HEAD", "POST"}}

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Empty arguments for the handler that refuses, None where the request passes."""
        return None if self.refusal(request) is None else {}

    def refusal(self, request: HTTPServerRequest) -> Refusal | None:
        """Why `request` does not pass; None where it does."""
        if str(request.host).lower() not in self._hosts:
            return Refusal(421, "refused_host")
        if not self._is_ours(request.headers):
            return Refusal(403, "refused_origin")
        path = self.path(request)
        allowed = self._open.get(path or "", set()) if self._logins else set()
        if request.method not in (allowed or {"GET", "HEAD"}):
            return Refusal(405, "refused_request")
        if path is None:
            return self._outside(request)
        if allowed:
            return None
        if self._logins and not self._logins.knows(token_of(request)):
            return self._to_login(request, path)
        return self._unknown(request, path)

    def path(self, request: HTTPServerRequest) -> str | None:
        """The path of `request` below the prefix; None where it is not below it."""
        path = str(request.path)
        below = path.startswith(self._prefix + "/")
        return path[len(self._prefix) :] if below else None

    def _is_ours(self, headers: HTTPHeaders) -> bool:
        """Whether a page of this server sent the request, as far as its browser says."""
        origins = headers.get_list("Origin") + headers.get_list("Sec-WebSocket-Origin")
        return all(_host_of(origin) in self._hosts for origin in origins)

    def _outside(self, request: HTTPServerRequest) -> Refusal:
        if self._prefix and request.path in ("/", self._prefix):
            return Refusal(302, location=relative(str(request.path), self._prefix + "/"))
        return Refusal(404, "no_page")

    def _to_login(self, request: HTTPServerRequest, path: str) -> Refusal:
        if path.endswith("/ws") or request.headers.get("Upgrade"):
            return Refusal(403, "refused_login")
        wanted = page_of(f"{_page(path)}?{request.query}", self._pages)
        address = LOGIN if wanted == HOME else f"{LOGIN}?{urlencode({'next': wanted})}"
        return Refusal(302, location=relative(path, address))

    def _unknown(self, request: HTTPServerRequest, path: str) -> Refusal | None:
        if path == ALIVE or STATIC.fullmatch(unquote(path)):
            return None
        page = path.removesuffix("/ws") if path.endswith("/ws") else path
        if (page or HOME) not in self._pages:
            if _page(path) in self._pages:
                address = _page(path) + (f"?{request.query}" if request.query else "")
                return Refusal(302, location=relative(path, address))
            return Refusal(404, "no_page")
        chosen = "Bokeh-Session-Id" in request.headers
        if chosen or any(name in request.arguments for name in SESSION_CHOICES):
            return Refusal(400, "refused_request")
        return None


class RefusingHandler(RequestHandler):
    """Answers what the gate does not let pass."""

    def initialize(self, gate: Gate) -> None:
        """Keep the gate, which knows why."""
        self._gate = gate

    def prepare(self) -> None:
        """Answer, whatever the method is."""
        refusal = self._gate.refusal(self.request)
        assert refusal is not None
        self.set_status(refusal.status)
        self.set_header("Cache-Control", "no-store")
        if refusal.location:
            self.set_header("Location", refusal.location)
            self.finish()
            return
        words = words_of(self.request)
        home = relative(self._gate.path(self.request) or HOME, HOME)
        link = f'<a href="{escape(home)}">{escape(words("home"))}</a>'
        known = refusal.status == 404 and self._gate.path(self.request) is not None
        self.finish(plain_page(words, words(refusal.reason), link if known else ""))


class AliveHandler(RequestHandler):
    """Says that the server is there, for pages that ask whether it still is."""

    def get(self) -> None:
        """Nothing but the status."""
        self.set_header("Cache-Control", "no-store")
        self.set_status(204)


def gate_rules(gate: Gate) -> list[Rule]:
    """The first rules of the server: what is refused, and the sign of life."""
    refusing = Rule(gate, RefusingHandler, {"gate": gate})
    return [refusing, Rule(_At(gate, ALIVE), AliveHandler)]


def headers_of(access: Access) -> type[OutputTransform]:
    """What adds the headers that every answer has, whichever handler made it."""
    sockets = " ".join(f"ws://{host} wss://{host}" for host in sorted(access.hosts))
    policy = PAGE_POLICY.format(sockets=sockets)

    class Secured(OutputTransform):
        def transform_first_chunk(
            self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
        ) -> tuple[int, HTTPHeaders, bytes]:
            headers.pop("Server", None)  # it tells the version
            headers.setdefault("Content-Security-Policy", policy)
            for name, value in HEADERS.items():
                headers[name] = value
            return status_code, headers, chunk

    return Secured


def token_of(request: HTTPServerRequest) -> str | None:
    """The token of the visitor's login, if any."""
    cookie = request.cookies.get(COOKIE)
    return cookie.value if cookie else None


def words_of(request: HTTPServerRequest) -> Labels:
    """The visitor's words, from the address or else the browser's preference."""
    asked = request.arguments.get("lang", [b""])[0].decode("ascii", "ignore")
    return Labels(choose_language(asked, str(request.headers.get("Accept-Language", ""))))


def plain_page(words: Labels, text: str, more: str = "") -> str:
    """A page with nothing but a line of text, and `more` as HTML."""
    return (
        f'<!DOCTYPE html>\n<html lang="{words.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(PLAIN_POLICY)}">'
        f'<link rel="icon" href="data:,"><title>{escape(words("app"))}</title>'
        "<style>:root { color-scheme: light dark } body { font: 16px/1.5 system-ui, sans-serif; "
        "display: grid; place-items: center; min-height: 90vh; margin: 0 16px }</style></head>"
        f"<body><main><p>{escape(text)}</p>{more}</main></body></html>"
    )


class _At(Matcher):
    """Matches one address below the prefix."""

    def __init__(self, gate: Gate, address: str) -> None:
        self._gate, self._address = gate, address

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        return {} if self._gate.path(request) == self._address else None


def _page(path: str) -> str:
    """`path` without slashes at its end."""
    return path.rstrip("/") or HOME


def _host_of(origin: str) -> str:
    """Host and port of an origin in small letters; empty for `null` and what is none."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return ""
    return parts.netloc.lower() if parts.scheme in ("http", "https") else ""
