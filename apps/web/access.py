"""Who may reach the pages: this computer alone, or others after a login."""

import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.strict_json import read_json

VARIABLE = "TVILLING_BASIC_AUTH"
MAX_USERS_BYTES = 1_000_000
LOOPBACK = ("localhost", "127.0.0.1")
DEFAULT_PORTS = (80, 443)  # a browser leaves them out of Host and Origin
PREFIX = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)(:\d{1,5})?")


@dataclass(frozen=True)
class Access:
    """Where the server listens and whom it lets in.

    Attributes
    ----------
    address, port
        Where it listens.
    users
        File of names and passwords, or None where everyone who can reach it is let in.
    origins
        Hosts, with port, as which a browser may address the server.
    prefix
        Path below which every page is served, such as `/energy/twin`; empty for the root.
    portless
        Hosts that a browser may also name without a port, since a proxy serves them.
    """

    address: str
    port: int
    users: Path | None
    origins: tuple[str, ...]
    prefix: str = ""
    portless: tuple[str, ...] = ()

    @property
    def hosts(self) -> frozenset[str]:
        """Every `Host` header that is answered, and every host of an `Origin`, in small letters."""
        names = {*self.origins, *self.portless, _with_port(self.address, self.port)}
        if not self.is_local and ipaddress.ip_address(self.address).is_unspecified:
            names |= {_with_port(name, self.port) for name in LOOPBACK}
        for port in DEFAULT_PORTS:
            names |= {name.removesuffix(f":{port}") for name in names}
        return frozenset(name.lower() for name in names)

    @property
    def is_local(self) -> bool:
        """Whether it listens to this computer alone."""
        return _is_local(self.address)


def check_access(
    address: str,
    port: int,
    users: Path | None = None,
    hosts: tuple[str, ...] = (),
    prefix: str = "",
) -> Access:
    """How the server may be reached.

    Parameters
    ----------
    address
        IP address or `localhost`. Any but a loopback address needs `users`.
    users
        JSON file with an object of names and passwords; without it the file that the environment
        variable TVILLING_BASIC_AUTH names.
    hosts
        Further names under which a browser reaches the server, `name` or `name:port`. One without
        a port stands for the server's own port and for none, as behind a proxy.
    prefix
        Path below which a proxy that keeps it serves the pages.

    Raises
    ------
    InputError
        The address is none, others could come in without a login, the file of users is bad, or
        `hosts` or `prefix` are none.
    """
    named = users or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    local = _is_local(address)
    faults = [
        f"--host {host!r}, expected a name such as twin.example or twin.example:443"
        for host in hosts
        if not HOST.fullmatch(host)
    ]
    path = "/" + prefix.strip("/") if prefix.strip("/") else ""
    if not PREFIX.fullmatch(path):
        faults.append(f"--prefix {prefix!r}, expected a path such as /energy/twin")
    if not local and named is None:
        faults.append(
            f"address is {address}, which others can reach; without a login only 127.0.0.1 is "
            f"served: give --basic-auth FILE or set {VARIABLE}"
        )
    if faults:
        raise InputError("app", faults)
    if named is not None:
        read_users(named)
    known = LOOPBACK if local else (address,)
    origins = tuple(_with_port(host, port) for host in (*known, *hosts))
    portless = tuple(_bracketed(host) for host in hosts if not _has_port(host))
    return Access(address, port, named, origins, path, portless)


def read_users(path: Path) -> dict[str, str]:
    """Passwords by name.

    Raises
    ------
    InputError
        The file is none, or not an object of names and passwords.
    """
    found = read_json(path, MAX_USERS_BYTES)
    good = isinstance(found, dict) and found
    if not good or not all(isinstance(word, str) and word for word in found.values()):
        raise InputError(str(path), ['expected an object such as {"name": "password"}'])
    return {str(name): str(word) for name, word in found.items()}


def _is_local(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        raise InputError(
            "app", [f"address is {address!r}, expected an IP address such as 127.0.0.1"]
        ) from None


def _bracketed(host: str) -> str:
    return f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host


def _has_port(host: str) -> bool:
    return ":" in _bracketed(host).rpartition("]")[2]


def _with_port(host: str, port: int) -> str:
    return _bracketed(host) if _has_port(host) else f"{_bracketed(host)}:{port}"
