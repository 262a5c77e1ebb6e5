"""JSON files of pandapower's decoder, read through before anything in them is decoded.

The decoder imports the modules that a file names and calls what it finds there, also from the
cells of a table and from JSON that stands inside strings. A file is therefore refused if it names
anything else than the parts of a network.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tvilling.sciml.errors import InputError
from tvilling.sciml.io.files import read_text

Allowed = Callable[[str, str], bool]
# Built from their text directly; for all others the decoder parses it as JSON once more.
PLAIN_MODULES = {"builtins", "numpy"}


class Pairs(list[tuple[str, Any]]):
    """The members of a JSON object in order; a key that stands twice keeps both values."""

    def values_of(self, key: str) -> list[Any]:
        """Every value that stands under `key`."""
        return [value for name, value in self if name == key]


def read_json(path: Path, what: str) -> tuple[str, Pairs]:
    """Text of a JSON file whose outermost part is an object, and the members of that object.

    Parameters
    ----------
    path
        A UTF-8 file.
    what
        What it should hold, for messages: "a pandapipes network".

    Raises
    ------
    InputError
        The file is missing, too large, not UTF-8 or not JSON, or its outermost part is no object.
    """
    text = read_text(path)
    try:
        content = json.loads(text, object_pairs_hook=Pairs)
    except json.JSONDecodeError as fault:
        place = f"line {fault.lineno}, column {fault.colno}"
        raise InputError(str(path), [f"is not JSON: {fault.msg} at {place}"]) from None
    except RecursionError:
        raise InputError(str(path), ["is JSON nested too deeply to be a network"]) from None
    if not isinstance(content, Pairs):
        found = type(content).__name__
        raise InputError(str(path), [f"is not {what}; its outermost object is {found}"])
    return text, content


def refuse_foreign(path: Path, content: Pairs, allowed: Allowed) -> None:
    """Raise where `content` names a class that is not `allowed`, however deep.

    Parameters
    ----------
    path
        Where it was read, for messages.
    content
        What `read_json` gave.
    allowed
        Whether a network may hold this class, by module and name.

    Raises
    ------
    InputError
        With every such class.
    """
    refused, waiting = set(), [content]
    while waiting:
        value: Any = waiting.pop()
        if isinstance(value, Pairs):
            refused |= _foreign(value, allowed)
            waiting.extend(member for _, member in value)
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
            nested = _parsed(value)
            if nested is not None:
                waiting.append(nested)
    if refused:
        raise InputError(
            str(path), [f"names {name}, which is no part of a network" for name in sorted(refused)]
        )


def _foreign(members: Pairs, allowed: Allowed) -> set[str]:
    """Classes that an object names and may not, and those whose text cannot be read through."""
    modules = [str(value) for value in members.values_of("_module")]
    classes = [str(value) for value in members.values_of("_class")]
    if not modules and not classes:
        return set()
    named = [(module, name) for module in modules or [""] for name in classes or [""]]
    refused = {f"{module}.{name}" for module, name in named if not allowed(module, name)}
    if not PLAIN_MODULES.issuperset(modules):
        texts = [value for value in members.values_of("_object") if isinstance(value, str)]
        if any(_parsed(text) is None for text in texts):
            refused |= {f"{module}.{name} of text that is not JSON" for module, name in named}
    return refused


def _parsed(text: str) -> Any:
    """`text` as JSON, None where it is none."""
    try:
        return json.loads(text, object_pairs_hook=Pairs)
    except (ValueError, RecursionError):
        return None
