"""How messages name the elements of a pandapower net, and what pandapower says while it works."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd

MAX_NAMED = 10
LOGGERS = ("pandapower", "simbench", "cim")


def element(table: pd.DataFrame, kind: str, position: int) -> str:
    """One row as messages name it: `load 3 (Mill)`, without the name where there is none."""
    index = table.index[position]
    name = table["name"].iloc[position] if "name" in table else None
    if name is None or pd.isna(name) or not str(name).strip() or str(name) == str(index):
        return f"{kind} {index}"
    return f"{kind} {index} ({str(name).strip()})"


def elements(table: pd.DataFrame, kind: str, marked: np.ndarray) -> str:
    """The marked rows in one phrase: all of them, or the first few by name and how many more."""
    rows = np.flatnonzero(marked)
    if len(rows) == len(table) > MAX_NAMED:
        return f"all {len(table)} rows of {kind}"
    named = ", ".join(element(table, kind, int(row)) for row in rows[:MAX_NAMED])
    return named + (f" and {len(rows) - MAX_NAMED} more" if len(rows) > MAX_NAMED else "")


class _Listener(logging.Handler):
    """Keeps the messages of log records from the level of warnings on."""

    def __init__(self, heard: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        self.heard.append(record.getMessage())


@contextmanager
def listening() -> Iterator[list[str]]:
    """What pandapower and its converters warn of, kept from the terminal.

    The list that is yielded fills while the block runs, and is complete behind it. Warnings about
    the libraries' own future (deprecations) are dropped.
    """
    heard: list[str] = []
    listener = _Listener(heard)
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [logger.propagate for logger in loggers]
    for logger in loggers:
        logger.addHandler(listener)
        logger.propagate = False
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield heard
    finally:
        for logger, propagate in zip(loggers, before, strict=True):
            logger.removeHandler(listener)
            logger.propagate = propagate
    heard += [str(each.message) for each in caught if issubclass(each.category, UserWarning)]


def told(heard: list[str], who: str = "pandapower") -> list[str]:
    """Each message once, as notes, and how many more there are."""
    texts = list(dict.fromkeys(" ".join(text.split()) for text in heard))
    more = len(texts) - MAX_NAMED
    notes = [f"{who} says: {text}" for text in texts[:MAX_NAMED]]
    return notes + ([f"{who} says {more} more such things"] if more > 0 else [])
