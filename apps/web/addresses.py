"""Addresses of the pages, and links between them that hold below any path of a proxy."""

from collections.abc import Collection
from urllib.parse import parse_qsl, urlencode, urlsplit

from tvilling.apps.web.text import TABLES
from tvilling.sciml.systems import SYSTEMS

HOME, NETWORK = "/", "/network"
LOGIN, LOGOUT, ALIVE = "/login", "/logout", "/alive"


def system_address(name: str) -> str:
    """Where the page of the registered system `name` is."""
    return f"/system/{name}"


def page_addresses() -> tuple[str, ...]:
    """Every page, without a language."""
    return (HOME, NETWORK, *(system_address(name) for name in SYSTEMS))


def relative(here: str, there: str) -> str:
    """A link from the address `here` to `there`, both of this server; neither names a host.

    It is relative, so that it holds where a proxy serves both below a path of its own.
    """
    return ("../" * (here.count("/") - 1) or "./") + there.lstrip("/")


def with_language(address: str, language: str) -> str:
    """`address`, asking for a language."""
    return f"{address}?lang={language}"


def page_of(asked: str, pages: Collection[str] | None = None) -> str:
    """The page that `asked` names, with its language; the first page where it names none.

    Nothing but a page of this server comes out, whatever goes in.
    """
    try:
        parts = urlsplit(asked)
    except ValueError:
        return HOME
    if parts.scheme or parts.netloc or parts.path not in (pages or page_addresses()):
        return HOME
    language = dict(parse_qsl(parts.query)).get("lang")
    return f"{parts.path}?{urlencode({'lang': language})}" if language in TABLES else parts.path
