"""Who may reach the pages: this computer alone, or others after a login."""

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from tvilling.sciml.errors import InputError
from tvilling.sciml.io.strict_json import read_json

VARIABLE = "TVILLING_BASIC_AUTH"
MAX_USERS_BYTES = 1_000_000


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
    """

    address: str
    port: int
    users: Path | None
    origins: tuple[str, ...]


def check_access(
    address: str, port: int, users: Path | None = None, hosts: tuple[str, ...] = ()
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
        Further names under which a browser reaches the server, `name` or `name:port`.

    Raises
    ------
    InputError
        The address is none, others could come in without a login, or the file of users is bad.
    """
    named = users or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    local = _is_local(address)
    if not local and named is None:
        raise InputError(
            "app",
            [
                f"address is {address}, which others can reach; without a login only 127.0.0.1 is "
                f"served: give --basic-auth FILE or set {VARIABLE}"
            ],
        )
    if named is not None:
        _check_users(named)
    known = ["localhost", "127.0.0.1"] if local else [address]
    return Access(address, port, named, tuple(_with_port(host, port) for host in (*known, *hosts)))


def _is_local(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        raise InputError(
            "app", [f"address is {address!r}, expected an IP address such as 127.0.0.1"]
        ) from None


def _check_users(path: Path) -> None:
    found = read_json(path, MAX_USERS_BYTES)
    good = isinstance(found, dict) and found
    if not good or not all(isinstance(word, str) and word for word in found.values()):
        raise InputError(str(path), ['expected an object such as {"name": "password"}'])


def _with_port(host: str, port: int) -> str:
    host = f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host
    return host if ":" in host.rpartition("]")[2] else f"{host}:{port}"
