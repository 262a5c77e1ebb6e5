"""What is no file of text or numbers, given to every command that opens one."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from attempt import Attempt, Content
from bases import CASE, NET, PLANT, under


def fifo(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # the name of a socket may have a hundred characters
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def folder(path: Path) -> None:
    path.mkdir()


def link_to(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(50_000_000_000)


def missing(path: Path) -> None:
    """Nothing is made."""


KINDS: dict[str, Content] = {
    "fifo": fifo,
    "socket": unix_socket,
    "folder": folder,
    "endless device": link_to("/dev/zero"),
    "random device": link_to("/dev/urandom"),
    "terminal": link_to("/dev/tty"),
    "circle of links": lambda path: path.symlink_to(path.name),
    "dangling link": link_to("nowhere"),
    "sparse of 50 GB": sparse,
    "missing": missing,
    "empty": b"",
    "blanks": b" \n\t\n  \n",
    "NUL": b"a: 1\0\n",
    "zeros": b"\0" * 10_000,
    "no UTF-8": b"a: \xff\xfe\n",
    "UTF-16": "a: 1\n".encode("utf-16"),
    "mark alone": b"\xef\xbb\xbf",
    "HDF5 cut short": b"\x89HDF\r\n\x1a\n" + b"\0" * 100,
    "ZIP cut short": b"PK\x03\x04" + b"\0" * 100,
    "pickle": b"\x80\x04\x95\x1d\0\0\0\0\0\0\0\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.",
    "60 MB of brackets": b"[" * 60_000_000,
    "30 MB of one letter": b"a" * 30_000_000,
    "deep brackets": b"[" * 5_000 + b"]" * 5_000,
}
GRID_JSON, HEAT_JSON = "grid.json", "heat.json"
# Where the file is, what else is there, and what opens it.
TARGETS: dict[str, tuple[str, dict[str, Content], tuple[str, ...]]] = {
    "run": ("case.yaml", {}, ("run", "case.yaml", "--out", "out")),
    "check case": ("case.yaml", {}, ("check", "case.yaml")),
    "check json": (HEAT_JSON, {}, ("check", HEAT_JSON)),
    "check pipes": ("net/pipes.csv", under("net", NET), ("check", "net")),
    "check geojson": ("net/network.geojson", under("net", NET), ("check", "net")),
    "size": ("net/consumers.csv", under("net", NET), ("size", "net", "--out", "sized")),
    "size json": (HEAT_JSON, {}, ("size", HEAT_JSON, "--out", "sized")),
    "plan": ("case.yaml", {}, ("plan", "case.yaml", "--out", "out")),
    "plan meters": ("meters.csv", {"case.yaml": PLANT}, ("plan", "case.yaml", "--out", "out")),
    "backtest": ("case.yaml", {},
                 ("backtest", "case.yaml", "--from", "2026-01-01", "--to", "2026-01-02")),
    "flow json": (GRID_JSON, {}, ("grid", "flow", GRID_JSON, "--out", "out")),
    "flow m": ("grid.m", {}, ("grid", "flow", "grid.m", "--out", "out")),
    "flow mat": ("grid.mat", {}, ("grid", "flow", "grid.mat", "--out", "out")),
    "flow zip": ("grid.zip", {}, ("grid", "flow", "grid.zip", "--out", "out")),
    "n1": (GRID_JSON, {}, ("grid", "n1", GRID_JSON, "--out", "out")),
    "hosting": (GRID_JSON, {}, ("grid", "hosting", GRID_JSON, "--out", "out")),
    "year csv": ("p.csv", {},
                 ("grid", "year", "pandapower:case4gs", "--profiles", "p.csv", "--out", "out")),
    "year nc": ("p.nc", {},
                ("grid", "year", "pandapower:case4gs", "--profiles", "p.nc", "--out", "out")),
    "invert": ("m.csv", {}, ("pinn", "invert", "heating_pipe", "m.csv", "--short")),
    "evaluate": ("trained/summary.json", {}, ("pinn", "evaluate", "trained", "x_m=1")),
    "job add": ("case.yaml", {}, ("job", "add", "j", "case.yaml", "--at", "06:00")),
    "ledger verify": ("ledger.jsonl", {}, ("ledger", "verify", "ledger.jsonl")),
    "ledger show": ("ledger.jsonl", {}, ("ledger", "show", "ledger.jsonl")),
    "users": ("users.json", {}, ("app", "--address", "0.0.0.0", "--basic-auth", "users.json")),
    "heat case": ("net/sources.csv", {"case.yaml": CASE, **under("net", NET)},
                  ("check", "case.yaml")),
}  # fmt: skip


def attempts() -> Iterator[Attempt]:
    """Every kind of file for every command."""
    for target, (place, files, command) in TARGETS.items():
        for kind, content in KINDS.items():
            if target == "check geojson" and kind in ("missing", "dangling link"):
                continue  # it need not be there
            yield Attempt(
                f"special/{target}/{kind}",
                {**{name: one for name, one in files.items() if name != place}, place: content},
                command,
                code=_code(target, kind),
            )


def _code(target: str, kind: str) -> int:
    """Lines that are none of a ledger are told as a ledger that does not hold, code 3."""
    readable = kind in {"empty", "blanks", "NUL", "zeros", "no UTF-8", "UTF-16", "mark alone",
                        "HDF5 cut short", "ZIP cut short", "pickle", "60 MB of brackets",
                        "30 MB of one letter", "deep brackets"}  # fmt: skip
    if target == "ledger verify" and readable:
        return 0 if kind == "empty" else 3
    return 0 if target == "ledger show" and readable else 2
