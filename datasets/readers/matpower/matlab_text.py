"""Statements of a MATLAB text as MATPOWER writes its cases, found by going through it once.

The time grows with the length of the text alone: every character is looked at a fixed number of
times, whatever quotes and brackets it holds.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tvilling.sciml.core.errors import InputError

MAX_STATEMENTS = 10_000
SPACE = re.compile(r"[\s;,]*")
SPECIAL = re.compile(r"['%]|\.\.\.")
MAX_LINES = 2_000_000
FIELD = re.compile(r"(\w{1,60})\.(\w{1,60})[^\S\n]*=\s*")
END = re.compile(r"[;\n,'\[{]")
OTHER_END = re.compile(r"[;\n]")
CELL_END = re.compile(r"['}]")
STRAY = "\f"  # stands for the end of a continued line, so that lines can still be counted


@dataclass(frozen=True)
class Statement:
    """One statement: the line it begins in, and what is assigned to which field, if it is that.

    Attributes
    ----------
    line
        Number of the line, from 1.
    text
        The whole statement, of one that assigns no field.
    owner, field
        Names left of the equals sign, `mpc.bus`; empty where there are none.
    kind
        `[` of a matrix, `{` of a list of words, `'` of a word, empty of anything else.
    value
        What is between the brackets or quotes, or right of the equals sign.
    """

    line: int
    text: str = ""
    owner: str = ""
    field: str = ""
    kind: str = ""
    value: str = ""


def without_comments(text: str, source: str) -> str:
    """`text` with comments taken out and continued lines joined, with `STRAY` at each joint.

    A quote begins a word that ends in the same line, with two quotes for one inside; a line whose
    last quote does not end has no more words. A line of `%{` alone begins a comment down to a
    line of `%}` alone.

    Raises
    ------
    InputError
        It has more than `MAX_LINES` lines.
    """
    if text.count("\n") > MAX_LINES:
        raise InputError(source, [f"has more than {MAX_LINES} lines"])
    parts = []
    depth = 0  # of comments of several lines
    for line in text.split("\n"):
        if "%" in line and line.strip() in ("%{", "%}"):
            depth = max(depth + (1 if line.strip() == "%{" else -1), 0)
        end = 0 if depth else _end_of_code(line) if "%" in line or "..." in line else len(line)
        parts += [line[:end], STRAY if line.startswith("...", end) and not depth else "\n"]
    return "".join(parts[:-1])


def _end_of_code(line: str) -> int:
    """Where the code of a line ends: before a comment or the dots that continue it."""
    at = 0
    while special := SPECIAL.search(line, at):
        if special[0] != "'":
            return special.start()
        end = _end_of_word(line, special.end())
        if end < 0:
            start = line.find("%", special.end())
            return len(line) if start < 0 else start
        at = end
    return len(line)


def _end_of_word(text: str, at: int) -> int:
    """Where the word whose first quote is before `at` ends, behind its last quote; -1: nowhere."""
    while (end := text.find("'", at)) >= 0:
        if text[end + 1 : end + 2] != "'":
            return end + 1
        at = end + 2
    return -1


def statements(text: str, at: int, source: str) -> Iterator[Statement]:
    """The statements of a text without comments from `at` on.

    Raises
    ------
    InputError
        There are more than `MAX_STATEMENTS`, or one opens a bracket or quote that does not end.
    """
    line = 1 + _lines(text, 0, at)
    count = 0
    while True:
        space = SPACE.match(text, at)
        start = at if space is None else space.end()
        line += _lines(text, at, start)
        if start >= len(text):
            return
        count += 1
        if count > MAX_STATEMENTS:
            raise InputError(source, [f"holds more than {MAX_STATEMENTS} statements"])
        statement, end = _statement(text, start, line, source)
        yield statement
        line += _lines(text, start, end)
        at = end


def _lines(text: str, start: int, end: int) -> int:
    return text.count("\n", start, end) + text.count(STRAY, start, end)


def _statement(text: str, at: int, line: int, source: str) -> tuple[Statement, int]:
    """The statement that begins at `at`, and where it ends."""
    named = FIELD.match(text, at)
    if named is None:
        return _other(text, at, line)
    start = named.end()
    kind = text[start : start + 1]
    if kind not in BODIES:
        return _scalar(text, at, line, named)
    end = BODIES[kind](text, start + 1)
    if end < 0:
        raise InputError(source, [f"line {line}: {named[0].strip()} {kind} does not end"])
    return Statement(line, "", named[1], named[2], kind, text[start + 1 : end - 1]), end


def _end_of_matrix(text: str, at: int) -> int:
    return text.find("]", at) + 1 or -1


def _end_of_cells(text: str, at: int) -> int:
    """Where the list of words that `at` is in ends, behind its bracket; -1: nowhere."""
    while found := CELL_END.search(text, at):
        if found[0] == "}":
            return found.end()
        at = _end_of_word(text, found.end())
        if at < 0:
            break
    return -1


BODIES = {"[": _end_of_matrix, "{": _end_of_cells, "'": _end_of_word}


def _scalar(text: str, at: int, line: int, named: re.Match[str]) -> tuple[Statement, int]:
    ending = END.search(text, named.end())
    end = len(text) if ending is None else ending.start()
    body = text[named.end() : end].strip()
    if not body or (ending is not None and ending[0] in BODIES):
        return _other(text, at, line)
    return Statement(line, text[at:end], named[1], named[2], "", body), end


def _other(text: str, at: int, line: int) -> tuple[Statement, int]:
    """A statement that assigns nothing written out: up to the end of the line or a semicolon."""
    ending = OTHER_END.search(text, at)
    end = len(text) if ending is None else ending.start()
    return Statement(line, text[at:end]), max(end, at + 1)


def words(body: str) -> list[str]:
    """The words in quotes of a list, without spaces around them."""
    found = []
    at = body.find("'")
    while at >= 0:
        end = _end_of_word(body, at + 1)
        if end < 0:
            break
        found.append(body[at + 1 : end - 1].replace("''", "'").strip())
        at = body.find("'", end)
    return found
