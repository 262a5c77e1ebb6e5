"""JSON out of files that users hand over: of bounded size, depth and number of values.

The structure of a text is counted before anything is built from it, since a text of brackets alone
takes forty times its size in memory, and one nested deeply enough stops the parser. A whole number
of thousands of digits becomes a float, as long ones do in every other program.

T. Bray (ed.), The JavaScript Object Notation (JSON) Data Interchange Format, RFC 8259, 2017:
section 9 allows a parser to limit size and depth.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.files import read_text

PIECE_BYTES = 1 << 22
MAX_DIGITS = 18  # of a whole number that any 64-bit integer holds
QUOTE, COMMA = ord('"'), ord(",")
OPENING, CLOSING = (ord("["), ord("{")), (ord("]"), ord("}"))


@dataclass(frozen=True)
class Bounds:
    """What a JSON text may hold at most.

    Attributes
    ----------
    size_bytes
        Size of the file.
    depth
        Containers within each other.
    values, containers
        Numbers, texts and words; objects and lists.
    finite
        Whether NaN, Infinity and numbers beyond 64-bit floating point are refused, as RFC 8259
        does not know them; pandas writes them into the tables of a network.
    """

    size_bytes: int = 150_000_000
    depth: int = 64
    values: int = 5_000_000
    containers: int = 1_000_000
    finite: bool = False


DEFAULT = Bounds()


class _KeyError(ValueError):
    """A key that one object holds twice."""


class _NumberError(ValueError):
    """A number that is not finite where only finite ones may be."""


def read_json(path: Path, what: str, bounds: Bounds = DEFAULT) -> dict[str, Any]:
    """The outermost object of a JSON file.

    Parameters
    ----------
    path
        A UTF-8 file.
    what
        What it should hold, for messages: "a pandapipes network".
    bounds
        What it may hold at most.

    Raises
    ------
    InputError
        The file is missing, too large, not UTF-8 or not JSON, or its outermost part is no object.
    """
    content = parse_json(read_text(path, bounds.size_bytes), str(path), bounds=bounds)
    if not isinstance(content, dict):
        kind = type(content).__name__
        raise InputError(str(path), [f"is not {what}; its outermost object is {kind}"])
    return content


def parse_json(text: str, source: str, place: str = "", bounds: Bounds = DEFAULT) -> Any:
    """The value of a JSON text.

    Parameters
    ----------
    text
        One JSON value.
    source
        What is read, for messages.
    place
        Where in it the text was found, if it is not all of it.
    bounds
        What it may hold at most.

    Raises
    ------
    InputError
        It is not JSON, holds a key twice in one object, or more than `bounds` allow.
    """
    place = f"{place}: " if place else ""
    fault = _out_of_bounds(text, bounds)
    if fault:
        raise InputError(source, [f"{place}{fault}"])
    numbers: dict[str, Any] = {"parse_int": _whole}
    if bounds.finite:
        numbers = {"parse_constant": _finite, "parse_float": _finite, "parse_int": _finite_whole}
    try:
        return json.loads(text, object_pairs_hook=_unique, **numbers)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InputError(source, [f"{place}is not JSON: {where}: {error.msg}"]) from None
    except _NumberError as error:
        raise InputError(source, [f"{place}is not JSON: {error} is no finite number"]) from None
    except _KeyError as error:
        raise InputError(source, [f"{place}key {error} is given twice in one object"]) from None
    except RecursionError:
        raise InputError(source, [f"{place}is JSON nested too deeply"]) from None


def _unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """The members of an object, none of which may hide another."""
    found = dict(members)
    if len(found) != len(members):
        counts = Counter(name for name, _ in members)
        raise _KeyError(repr(counts.most_common(1)[0][0][:100]))
    return found


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= MAX_DIGITS else float(digits)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _NumberError(text[:40])
    return value


def _finite_whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= MAX_DIGITS else _finite(digits)


def _out_of_bounds(text: str, bounds: Bounds) -> str:
    """What of `text` is more than `bounds` allow; empty where nothing is."""
    opened, commas = text.count("[") + text.count("{"), text.count(",")
    if opened <= bounds.depth and commas <= bounds.values:
        return ""  # counted with those inside strings
    depth = values = containers = 0
    for codes in _outside_strings(text):
        opening = np.isin(codes, OPENING)
        steps = opening.astype(np.int32) - np.isin(codes, CLOSING)
        levels = depth + np.cumsum(steps)
        deepest = int(levels.max(initial=depth))
        depth = int(levels[-1]) if len(levels) else depth
        containers += int(opening.sum())
        values += int((codes == COMMA).sum())
        if deepest > bounds.depth:
            return f"is JSON nested too deeply, more than {bounds.depth} levels"
        if containers > bounds.containers:
            return f"holds more than {bounds.containers:,} lists and objects".replace(",", " ")
        if values > bounds.values:
            return f"holds more than {bounds.values:,} values".replace(",", " ")
    return ""


def _outside_strings(text: str) -> Iterator[np.ndarray]:
    """The characters of `text` outside its strings as codes, in pieces.

    Escapes are taken out first, pairs of backslashes before escaped quotes; what is left of quotes
    begins and ends strings in turn.
    """
    inside = False
    at = 0
    while at < len(text):
        end = min(at + PIECE_BYTES, len(text))
        piece = text[at:end]
        if (len(piece) - len(piece.rstrip("\\"))) % 2:  # so that no escape is cut
            end += 1
        piece = text[at:end].replace("\\\\", "").replace('\\"', "")
        codes = np.frombuffer(piece.encode("utf-8", "surrogatepass"), np.uint8)
        within = np.logical_xor.accumulate(codes == QUOTE) ^ inside
        inside = bool(within[-1]) if len(within) else inside
        yield codes[~within]
        at = end
