"""Who is logged in: random tokens in memory, which a logout, a day or a restart ends."""

import hmac
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from tvilling.apps.web.access import read_users

DAY_S = 86_400.0
MAX_LOGINS = 10_000


class Logins:
    """Checks names and passwords against a file, and keeps the tokens that it gave out.

    Parameters
    ----------
    users
        File of names and passwords, read anew at each login.
    now
        A clock that never goes back [s].
    """

    def __init__(self, users: Path, now: Callable[[], float] = time.monotonic) -> None:
        self._users, self._now = users, now
        self._ends_s: dict[str, float] = {}

    def open(self, name: str, password: str) -> str | None:
        """A new token for the user, or None where name or password is wrong."""
        known = read_users(self._users)
        expected = known.get(name, "")
        same = hmac.compare_digest(expected.encode(), password.encode())
        if not (same and expected):
            return None
        self._forget()
        token = secrets.token_urlsafe(32)
        self._ends_s[token] = self._now() + DAY_S
        return token

    def knows(self, token: str | None) -> bool:
        """Whether `token` was given out and has not ended."""
        return self._now() < self._ends_s.get(token or "", -1.0)

    def close(self, token: str | None) -> None:
        """End `token`."""
        self._ends_s.pop(token or "", None)

    def _forget(self) -> None:
        """Drop tokens that have ended, and the oldest where there are too many."""
        ended = [token for token in self._ends_s if not self.knows(token)]
        oldest = list(self._ends_s)[: max(0, len(self._ends_s) - MAX_LOGINS + 1)]
        for token in {*ended, *oldest}:
            self.close(token)
