"""JSON of stores and small files from outside: finite, of one meaning, as a checked model.

RFC 8259 leaves open what a name that stands twice means and how large a number may be; Python
takes the last of the names, NaN and Infinity. All are faults here.
"""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io import json_text
from tvilling.sciml.io.files import read_text
from tvilling.sciml.io.json_text import Bounds

MAX_JSON_BYTES = 20_000_000
STRICT = Bounds(size_bytes=MAX_JSON_BYTES, finite=True)
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


def parse_json(text: str, source: str) -> Any:
    """The content of the JSON `text`.

    Raises
    ------
    InputError
        It is no JSON, deeper than `STRICT` allows, holds a name twice in one object, NaN, Infinity
        or a number out of the range of 64-bit floating point.
    """
    return json_text.parse_json(text, source, bounds=STRICT)
