"""Jobs and their runs in one SQLite file, and the ledger that says what became of them.

Several processes may use the store. A change is one immediate transaction, so that two of them
never do the same; its line goes into the ledger before the transaction ends. A power cut between
the two leaves a line too many, whose change is then made, and told, again; never one too few.

Works on a local file system, as SQLite's write-ahead log and the ledger's lock do.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tvilling.apps.jobs.row_sums import (
    DAMAGED_ROW,
    TABLES,
    add_sums,
    columns,
    has_sums,
    keep_sums,
    row_faults,
)
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.array_store import home_folder
from tvilling.sciml.io.files import check_file
from tvilling.sciml.io.storage import StorageError, storing
from tvilling.twins.ledger import Ledger
from tvilling.twins.lock import locked

VERSION = 2
UNSUMMED = 1  # the format before rows had checksums, which is brought up to date
MAX_STORE_BYTES = 10_000_000_000
Row = TypeVar("Row")
_looked_at: set[tuple[int, int]] = set()  # device and inode of stores found whole
NO_TEXT = "Could not decode to UTF-8"
PATIENCE_S = 30.0  # how long one waits for a transaction of another
# Times are seconds since 1970-01-01 00:00 UTC. `add_sums` gives each table a column more.
SCHEMA = """
CREATE TABLE job (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    case_path TEXT NOT NULL,
    case_sha256 TEXT NOT NULL,      -- when it was added
    schedule TEXT NOT NULL,
    zone TEXT NOT NULL,
    retries INTEGER NOT NULL,       -- after the first attempt
    backoff_s INTEGER NOT NULL,     -- before the first of them; doubles each time
    limit_s INTEGER NOT NULL,       -- of one attempt
    grace_s INTEGER NOT NULL,       -- how late a missed run may still begin
    enabled INTEGER NOT NULL,
    since_s REAL NOT NULL           -- nothing due before is caught up with
) STRICT;
CREATE TABLE run (
    job TEXT NOT NULL,
    scheduled_s INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'missed')),
    attempt INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,  -- of the function that has its turn
    turn INTEGER NOT NULL DEFAULT 0,      -- 0: the kind's own function, then its fallbacks
    lost INTEGER NOT NULL DEFAULT 0,      -- attempts whose process vanished
    due_s REAL NOT NULL,                  -- not before
    owner TEXT NOT NULL DEFAULT '',
    until_s REAL NOT NULL DEFAULT 0,      -- the owner lives at least so long
    started_s REAL,
    ended_s REAL,
    result TEXT NOT NULL DEFAULT '',      -- folder
    reason TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',       -- the last that the worker printed
    facts TEXT NOT NULL DEFAULT '{}',     -- JSON
    PRIMARY KEY (job, scheduled_s)
) STRICT;
CREATE INDEX open_runs ON run (state) WHERE state IN ('waiting', 'running');
CREATE TABLE lease (                      -- of the clock; one row
    id INTEGER PRIMARY KEY CHECK (id = 1),
    owner TEXT NOT NULL,
    until_s REAL NOT NULL,
    number INTEGER NOT NULL               -- grows with every change of owner
) STRICT;
"""


@dataclass(frozen=True)
class Store:
    """The jobs below the folder `home`: `jobs.sqlite`, `ledger.jsonl`, and results in `jobs/`."""

    home: Path

    @classmethod
    def at_home(cls) -> "Store":
        """The store in the user's data folder, see `tvilling.sciml.io.array_store.home_folder`."""
        return cls(home_folder().absolute())

    @property
    def ledger(self) -> Ledger:
        """The record of every decision."""
        return Ledger(self.home / "ledger.jsonl")

    @property
    def path(self) -> Path:
        """The data base."""
        return self.home / "jobs.sqlite"

    @property
    def results(self) -> Path:
        """Holds one folder a job, with one folder a run."""
        return self.home / "jobs"

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Alone with the store; an error inside undoes what was done.

        Raises
        ------
        StorageError
            The disk is full, or the folder cannot be written to; nothing was changed.
        """
        with _whole(self.path), storing(self.path), closing(self._connect()) as connection:
            keep_sums(connection)
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """What `query` finds; where nothing can be written as well, if it can be read."""
        return self._read(lambda connection: connection.execute(query, values).fetchall())

    def damaged_rows(self) -> list[str]:
        """One sentence for each row that does not agree with its own SHA-256."""
        return self._read(row_faults)

    def note(self, event: str, **facts: Any) -> None:
        """Append one line to the ledger."""
        self.ledger.append({"event": event, **facts})

    def _read(self, read: Callable[[sqlite3.Connection], list[Row]]) -> list[Row]:
        """What `read` gives of a connection, for reading only where nothing can be written."""
        try:
            with _whole(self.path), storing(self.path), closing(self._connect()) as connection:
                return read(connection)
        except StorageError:
            if not self.path.exists():
                raise
            with closing(self._look()) as connection:
                return read(connection)

    def _connect(self) -> sqlite3.Connection:
        path = self.path
        if not path.exists():
            _make(path)
        check_file(path, MAX_STORE_BYTES)
        connection = sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None)
        _checked(connection, path)
        try:
            _bring_up_to_date(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _look(self) -> sqlite3.Connection:
        """The store for reading only, where SQLite cannot write the files it needs beside it.

        Without a log beside it the file is all there is. With one, both are copied to a folder
        that can be written to.
        """
        path, log = self.path, self.path.with_name(f"{self.path.name}-wal")
        if not log.exists() or not log.stat().st_size:
            uri = f"{path.as_uri()}?immutable=1"
            return _checked(sqlite3.connect(uri, uri=True, isolation_level=None), path)
        with storing(Path(tempfile.gettempdir())), tempfile.TemporaryDirectory() as folder:
            for file in (path, log):
                shutil.copyfile(file, Path(folder) / file.name)
            copied = sqlite3.connect(Path(folder) / path.name, isolation_level=None)
            with closing(_checked(copied, path)) as whole:
                held = sqlite3.connect(":memory:", isolation_level=None)
                whole.backup(held)
        held.row_factory = sqlite3.Row
        return held


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """What SQLite says of a damaged page within this block, as an `InputError` of `path`."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        cause = getattr(error, "sqlite_errorname", "")
        told = any(text in str(error) for text in (NO_TEXT, DAMAGED_ROW))
        if cause not in ("SQLITE_CORRUPT", "SQLITE_NOTADB") and not told:
            raise
        raise InputError(str(path), [f"is damaged ({error})"]) from None


def _checked(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """The connection, set up, if it is to a store of ours."""
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("PRAGMA synchronous = FULL")  # committed means on disk
        connection.execute("PRAGMA trusted_schema = OFF")  # no functions from a file's schema
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        known = found in (VERSION, UNSUMMED)
        fault = None if known else f"has format {found}, expected {VERSION}"
        fault = fault or _odd_schema(connection) or _torn_page(connection, path)
        if not fault and found == VERSION and not has_sums(connection):
            fault = "is no store of jobs: its rows have no SHA-256"
    except sqlite3.OperationalError:  # not of the file, but of where it lies
        connection.close()
        raise
    except sqlite3.DatabaseError as error:
        fault = f"is no store of jobs, or a damaged one: {error}"
    if fault:
        connection.close()
        raise InputError(str(path), [fault])
    return connection


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Give a store of the format before its checksums."""
    if connection.execute("PRAGMA user_version").fetchone()[0] != UNSUMMED:
        return
    with connection:  # commits, or undoes
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("PRAGMA user_version").fetchone()[0] == UNSUMMED:
            add_sums(connection)
            connection.execute(f"PRAGMA user_version = {VERSION}")


def _torn_page(connection: sqlite3.Connection, path: Path) -> str | None:
    """What SQLite finds wrong with its pages; looked at when this process first opens the file."""
    state = path.stat()
    if (state.st_dev, state.st_ino) in _looked_at:
        return None
    found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
    if found != ["ok"]:
        return f"is damaged ({'; '.join(found)}); put back a copy, or begin anew without it"
    _looked_at.add((state.st_dev, state.st_ino))
    return None


def _odd_schema(connection: sqlite3.Connection) -> str | None:
    """What the file defines besides the tables that this program makes."""
    rows = connection.execute("SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'")
    defined = {(str(kind), str(name)) for kind, name in rows}
    wanted = {("table", name) for name in ("job", "run", "lease")} | {("index", "open_runs")}
    if defined != wanted:
        names = ", ".join(sorted(name for _, name in defined ^ wanted))
        return f"is no store of jobs: it defines {names}"
    with closing(sqlite3.connect(":memory:")) as made:
        made.executescript(SCHEMA)
        odd = [table for table in TABLES if columns(made, table) != columns(connection, table)]
    return f"is no store of jobs: other columns in {', '.join(odd)}" if odd else None


def _make(path: Path) -> None:
    """Make the store, whole under its name, unless another process is about to."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / ".jobs.lock").open("ab") as lock, locked(lock):
        if path.exists():
            return
        beside = path.with_name(f".unfinished-{path.name}")
        beside.unlink(missing_ok=True)
        with closing(sqlite3.connect(beside, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(f"BEGIN;{SCHEMA}PRAGMA user_version = {UNSUMMED};COMMIT;")
            _bring_up_to_date(connection)
        beside.rename(path)
