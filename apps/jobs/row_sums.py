"""A SHA-256 in every row of the store of jobs, since SQLite keeps none of its own.

Triggers of a connection keep it (they lie in no file), and refuse to change a row that does not
agree with its own, so that damage is not signed anew. The lease alone may be: it is renewed every
few seconds, and its holder compares what it is to be.
"""

import hashlib
import sqlite3
from typing import Any

# And their keys, which are their first columns.
TABLES = {"job": ("name",), "run": ("job", "scheduled_s"), "lease": ()}
COLUMN = "sha256"
DAMAGED_ROW = "was damaged or changed: it does not agree with its own SHA-256"


def row_sum(*values: Any) -> str:
    """SHA-256 of the values of a row, in the order of its columns."""
    return hashlib.sha256(repr(values).encode()).hexdigest()


def add_sums(connection: sqlite3.Connection) -> None:
    """Give the tables of a store without checksums their column, and every row its own."""
    connection.create_function("row_sum", -1, row_sum, deterministic=True)
    for table in TABLES:
        if not _has_sum(connection, table):
            added = f"ADD COLUMN {COLUMN} TEXT NOT NULL DEFAULT ''"
            connection.execute(f"ALTER TABLE {table} {added}")
        connection.execute(f"UPDATE {table} SET {COLUMN} = {_call(connection, table)}")


def keep_sums(connection: sqlite3.Connection) -> None:
    """Have every change over this connection keep the checksums."""
    connection.create_function("row_sum", -1, row_sum, deterministic=True)
    for table, key in TABLES.items():
        names = ", ".join(columns(connection, table))
        new = (
            f"BEGIN UPDATE {table} SET {COLUMN} = {_call(connection, table)} "
            "WHERE rowid = new.rowid; END"
        )
        connection.execute(f"CREATE TEMP TRIGGER {table}_new AFTER INSERT ON main.{table} {new}")
        connection.execute(
            f"CREATE TEMP TRIGGER {table}_set AFTER UPDATE OF {names} ON main.{table} {new}"
        )
        if key:
            connection.execute(
                f"CREATE TEMP TRIGGER {table}_old BEFORE UPDATE OF {names} ON main.{table} "
                f"WHEN old.{COLUMN} != {_call(connection, table, 'old.')} "
                f"BEGIN SELECT RAISE(ABORT, 'a row of {table} {DAMAGED_ROW}'); END"
            )


def row_faults(connection: sqlite3.Connection) -> list[str]:
    """One sentence for each row that does not agree with its SHA-256."""
    if not has_sums(connection):
        return []
    connection.row_factory = None
    connection.text_factory = lambda data: data.decode("utf-8", "backslashreplace")
    faults = []
    for table, key in TABLES.items():
        names = ", ".join(columns(connection, table))
        for row in connection.execute(f"SELECT {names}, {COLUMN} FROM {table}"):
            *values, kept = row
            if row_sum(*values) != kept:
                which = " ".join(str(one) for one in values[: len(key)]) or "of the clock"
                faults.append(f"{table} {which}: its row {DAMAGED_ROW}")
    return faults


def has_sums(connection: sqlite3.Connection) -> bool:
    """Whether every table has its column."""
    return all(_has_sum(connection, table) for table in TABLES)


def _has_sum(connection: sqlite3.Connection, table: str) -> bool:
    found = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return COLUMN in {str(name) for (name,) in found}


def columns(connection: sqlite3.Connection, table: str) -> list[str]:
    """Names of the columns under the checksum."""
    found = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return ['"' + str(name).replace('"', '""') + '"' for (name,) in found if name != COLUMN]


def _call(connection: sqlite3.Connection, table: str, of: str = "") -> str:
    return f"row_sum({', '.join(of + name for name in columns(connection, table))})"
