"""The lease of the clock: one process at a time makes runs due and begins them.

The holder renews it; where it stops, because it was killed or hangs, another process takes the
lease when it has run out. Its number grows with every change of holder, so that one that was held
up finds that it no longer counts.
"""

import sqlite3
import time
from dataclasses import dataclass

from tvilling.apps.jobs.store import Store

LONGEST_S = 60.0  # of a lease; one that ends later than this is from before the clock was set back


@dataclass(frozen=True)
class Lease:
    """A lease that `owner` was given under `number`, for `length_s` at a time."""

    owner: str
    number: int
    length_s: float

    def holds(self, connection: sqlite3.Connection) -> bool:
        """Whether it still counts."""
        row = connection.execute("SELECT owner, number, until_s FROM lease").fetchone()
        return bool(
            row
            and (row["owner"], row["number"]) == (self.owner, self.number)
            and alive(row["until_s"], time.time())
        )


def take(store: Store, owner: str, length_s: float) -> Lease | None:
    """The lease for `owner`, or None while another holds it."""
    with store.transaction() as connection:
        now = time.time()
        row = connection.execute("SELECT owner, number, until_s FROM lease").fetchone()
        if row and alive(row["until_s"], now):
            return None
        number = row["number"] + 1 if row else 1
        connection.execute(
            "INSERT OR REPLACE INTO lease (id, owner, until_s, number) VALUES (1, ?, ?, ?)",
            (owner, now + length_s, number),
        )
        lapsed = row["owner"] if row and row["owner"] else None
        store.note("clock taken", owner=owner, number=number, lapsed=lapsed)
    return Lease(owner, number, length_s)


def renew(store: Store, lease: Lease) -> bool:
    """Hold the lease for another span; False where it has run out."""
    with store.transaction() as connection:
        if not lease.holds(connection):
            return False
        connection.execute("UPDATE lease SET until_s = ?", (time.time() + lease.length_s,))
    return True


def give_back(store: Store, lease: Lease) -> None:
    """Let another take the lease at once."""
    with store.transaction() as connection:
        if lease.holds(connection):
            connection.execute("UPDATE lease SET owner = '', until_s = 0")
            store.note("clock given back", owner=lease.owner, number=lease.number)


def holder(store: Store) -> str | None:
    """Who holds the lease now."""
    rows = store.rows("SELECT owner, until_s FROM lease")
    return str(rows[0]["owner"]) if rows and alive(rows[0]["until_s"], time.time()) else None


def alive(until_s: float, now_s: float) -> bool:
    """Whether a lease until `until_s` still runs."""
    return now_s < until_s <= now_s + LONGEST_S
