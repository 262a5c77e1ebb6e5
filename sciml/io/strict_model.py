"""Models that take what is meant: numbers are numbers, text is text, and true is no 1.

pydantic turns true and "5" into numbers, and a number into a time. Only a whole number where a
fraction may be stays allowed, for 3 is 3.0.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, model_validator

TIME = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?\s?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII
)
TIMES = frozenset({dt.datetime, dt.date, dt.time})
NUMBERS = frozenset({int, float, complex})


@dataclass(frozen=True)
class Odd:
    """A value of another type than its field's; no field takes it, and it shows as it was."""

    value: Any

    def __repr__(self) -> str:
        return repr(self.value)


class StrictModel(BaseModel):
    """A model without conversions between truth, numbers and text; unknown fields are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _no_conversion(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        fields = cls.model_fields
        return {
            name: marked(fields[name].annotation, value) if name in fields else value
            for name, value in data.items()
        }


def marked(annotation: Any, value: Any) -> Any:
    """`value` with `Odd` around what pydantic would convert into `annotation` in silence."""
    members = _members(annotation)
    if isinstance(value, bool):
        fits = bool in members or _literal(members, bool) or _takes_all(members)
        return value if fits else Odd(value)
    if isinstance(value, int | float):
        numbers = members & NUMBERS or _literal(members, int) or not members & (TIMES | {bool})
        return value if numbers else Odd(value)
    if isinstance(value, str):
        if members & TIMES:
            return value if TIME.fullmatch(value) else Odd(value)
        return value if members - NUMBERS - {bool, type(None)} else Odd(value)
    return _inside(members, value)


def _inside(members: frozenset[Any], value: Any) -> Any:
    """A list, tuple or mapping, with its entries marked."""
    for member in members:
        origin, args = get_origin(member), get_args(member)
        if origin is tuple and isinstance(value, list | tuple) and args:
            kinds = [args[0]] * len(value) if args[-1] is Ellipsis else args
            if len(kinds) == len(value):
                return [marked(kind, one) for kind, one in zip(kinds, value, strict=True)]
        elif origin is list and isinstance(value, list | tuple):
            return [marked(args[0], one) for one in value]
        elif origin in (dict, Mapping) and isinstance(value, dict):
            return {key: marked(args[1], one) for key, one in value.items()}
    return value


@cache
def _members(annotation: Any) -> frozenset[Any]:
    """The alternatives of a type, without the wrappings."""
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return frozenset().union(*(_members(arg) for arg in get_args(annotation)))
    return frozenset({annotation})


def _literal(members: frozenset[Any], kind: type) -> bool:
    """Whether a literal of just this type is among them."""
    return any(
        type(arg) is kind
        for member in members
        if get_origin(member) is Literal
        for arg in get_args(member)
    )


def _takes_all(members: frozenset[Any]) -> bool:
    return Any in members or object in members
