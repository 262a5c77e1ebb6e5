"""What an input must not set off: imports, calls, files and networks, seen by an audit hook."""

import os
import sys
from pathlib import Path
from typing import Any

CALLS = {
    "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "pty.spawn",
    "subprocess.Popen", "code.__new__", "os.startfile",
}  # fmt: skip
NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.bind", "socket.gethostbyname",
           "urllib.Request", "http.client", "ftplib", "smtplib", "telnetlib", "webbrowser")  # fmt: skip
CHANGES = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.symlink", "os.link", "os.chmod",
           "os.truncate", "shutil.", "os.chown", "os.utime")  # fmt: skip
READABLE = ("/usr", "/lib", "/proc", "/sys", "/dev/null", "/dev/urandom", "/etc/localtime",
            "/etc/mime.types", "/etc/ssl", "/etc/ld.so", "/etc/timezone", "/root/.pyenv")  # fmt: skip
CACHED = {
    "numba",
    "numpy",
    "copyreg",
    "builtins",
    "tvilling",
    "sciml",
}  # numba keeps what it compiled
NAMED = {"antigravity", "this", "turtle", "canary_module", "idlelib", "pydoc", "webbrowser",
         "smtplib", "ftplib", "telnetlib", "imaplib", "pty", "lib2to3", "tkinter"}  # fmt: skip


class Watch:
    """Collects what is set off; `begin` installs the hook, which cannot be taken away again."""

    def __init__(
        self, content: bytes, inside: tuple[Path, ...], readable: tuple[Path, ...]
    ) -> None:
        self.content = content
        self.inside = tuple(str(path) for path in inside)
        self.readable = (*READABLE, *self.inside, *(str(path) for path in readable))
        self.found: list[str] = []
        self.busy = False

    def begin(self) -> None:
        """From now on, everything is looked at."""
        sys.addaudithook(self._hook)

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if self.busy:
            return
        self.busy = True
        try:
            told = self._told(event, args)
            if told and len(self.found) < 20:
                self.found.append(told[:300])
        finally:
            self.busy = False

    def _told(self, event: str, args: tuple[Any, ...]) -> str:
        """What is wrong with an event; empty where nothing is."""
        if event in CALLS or event.startswith(NETWORK):
            return f"{event} {args[:2]!r}"
        if event == "pickle.find_class" and args[0].split(".")[0] not in CACHED:
            return f"{event} {args!r}"
        if event == "import" and args[0] in NAMED:
            return f"imports {args[0]}"
        if event == "compile" and isinstance(args[0], str | bytes):
            text = args[0].encode() if isinstance(args[0], str) else args[0]
            if len(text) > 8 and text.strip() in self.content:
                return f"compiles {text[:80]!r}"
        if event == "open" and isinstance(args[0], str | bytes | os.PathLike):
            return self._opened(os.fspath(args[0]), args[1], args[2])
        if event.startswith(CHANGES) and args and isinstance(args[0], str | os.PathLike):
            return self._outside(os.fspath(args[0]), self.inside, event)
        return ""

    def _opened(self, path: str | bytes, mode: Any, flags: Any) -> str:
        text = os.fsdecode(path)
        writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        writes = writes or (isinstance(mode, str) and set(mode) & set("wax+"))
        return self._outside(text, self.inside if writes else self.readable, f"open {mode}")

    def _outside(self, path: str, roots: tuple[str, ...], what: str) -> str:
        if path == os.devnull:
            return ""
        full = os.path.abspath(path)
        return "" if full.startswith(roots) else f"{what} {full}"
