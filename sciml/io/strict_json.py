"""JSON that comes from outside: bounded in size and depth, finite, and with no name twice.

RFC 8259 leaves open what a name that stands twice means and how large a number may be; Python
takes the last of the names, NaN and Infinity, and integers of any length. All are faults here.
"""

import json
import math
import re
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from tvilling.sciml.errors import InputError
from tvilling.sciml.io.files import read_text

MAX_JSON_BYTES = 20_000_000
MAX_DEPTH = 64
MAX_DIGITS = 400
BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
Model = TypeVar("Model", bound=BaseModel)


def read_json(path: Path, max_bytes: int = MAX_JSON_BYTES) -> Any:
    """The content of the JSON file `path` of at most `max_bytes`.

    Raises
    ------
    InputError
        The file cannot be read, or as `parse_json`.
    """
    return parse_json(read_text(path, max_bytes), str(path))


def read_model(path: Path, model: type[Model], what: str) -> Model:
    """The JSON in `path` as `model`; the faults say that its folder holds no `what`.

    Raises
    ------
    InputError
        The file cannot be read, is no JSON, or holds other fields or types.
    """
    try:
        return model.model_validate(read_json(path))
    except InputError as error:
        told = [f"holds no {what} that can be read: {path.name} {one}" for one in error.faults]
        raise InputError(str(path.parent), told) from None
    except ValidationError as error:
        told = [
            f"holds no {what} that can be read: {path.name}, "
            f"{'.'.join(map(str, one['loc'])) or 'content'}: {one['msg']}"
            for one in error.errors(include_url=False)
        ]
        raise InputError(str(path.parent), told) from None


def parse_json(text: str, source: str, max_depth: int = MAX_DEPTH) -> Any:
    """The content of the JSON `text`.

    Raises
    ------
    InputError
        It is no JSON, deeper than `max_depth`, holds a name twice in one object, NaN, Infinity or
        a number out of the range of 64-bit floating point.
    """
    if depth_of(text, max_depth) > max_depth:
        raise InputError(source, [f"is nested deeper than {max_depth} levels"])
    try:
        return json.loads(
            text,
            object_pairs_hook=_once,
            parse_constant=_no_constant,
            parse_float=_number,
            parse_int=_whole,
        )
    except json.JSONDecodeError as error:
        fault = f"is not JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        raise InputError(source, [fault]) from None
    except (ValueError, RecursionError) as error:
        raise InputError(source, [f"is not JSON: {error}"]) from None


def depth_of(text: str, limit: int) -> int:
    """Levels of nesting in `text`; counting ends beyond `limit`."""
    depth = deepest = 0
    for match in BRACKETS.finditer(text):
        mark = match[0]
        if mark in "[{":
            depth += 1
            deepest = max(deepest, depth)
            if deepest > limit:
                break
        elif mark in "]}":
            depth -= 1
    return deepest


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the name {name!r} stands twice in one object")
        found[name] = value
    return found


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:40]} is too large")
    return value


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number has {len(text)} digits, expected at most {MAX_DIGITS}")
    return int(text)
