"""Read a case file, set single fields of it, and tell every fault with its line."""

from collections.abc import Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, overload

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from tvilling.apps.heat.case import Case
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.files import read_text
from tvilling.sciml.io.strict_model import Odd
from tvilling.sciml.io.strict_yaml import Location, parse_yaml

MAX_CASE_BYTES = 1_000_000
COMMANDS = {"heat_network": "`tvilling run`", "heat_plant": "`tvilling plan`"}

Model = TypeVar("Model", bound=BaseModel)


@overload
def read_case(path: Path, overrides: Sequence[str] = ()) -> Case: ...
@overload
def read_case(path: Path, overrides: Sequence[str], model: type[Model]) -> Model: ...
def read_case(path: Path, overrides: Sequence[str] = (), model: type[BaseModel] = Case) -> Any:
    """The case in the YAML file `path`, with each `key.of.field=value` of `overrides` set.

    Parameters
    ----------
    model
        What the file describes; by default a run of a heat network.

    Raises
    ------
    InputError
        With every fault of the file and of the overrides.
    """
    text = read_text(path, MAX_CASE_BYTES)
    raw, lines = _parse(path, text)
    faults = [fault for override in overrides for fault in _set(raw, override, lines)]
    _check_system(path, raw, lines, model)
    try:
        case = model.model_validate(raw)
    except ValidationError as error:
        faults += [_told(fault, lines, model) for fault in error.errors(include_url=False)]
    if faults:
        raise InputError(str(path), faults)
    return case


def system_of(path: Path) -> str:
    """The system that the case in `path` names; empty where it names none that can be read.

    Raises
    ------
    InputError
        The file cannot be read, or is no YAML.
    """
    raw, _ = _parse(path, read_text(path, MAX_CASE_BYTES))
    return str(raw.get("system", ""))


def _check_system(
    path: Path, raw: dict[str, Any], lines: dict[Location, str], model: type[BaseModel]
) -> None:
    """A case of another system is told as that, and not as a list of fields that do not fit."""
    wanted = get_args(model.model_fields["system"].annotation)
    given = raw.get("system")
    if isinstance(given, str) and given in COMMANDS and given not in wanted:
        place = lines.get(("system",), "case")
        told = f"{place}: system is {given!r}, expected {wanted[0]!r}; {COMMANDS[given]} takes it"
        raise InputError(str(path), [told])


def _parse(path: Path, text: str) -> tuple[dict[str, Any], dict[Location, str]]:
    """The mapping in `text`, and the place of every key in it."""
    read = parse_yaml(text, str(path))
    if not isinstance(read.value, dict):
        raise InputError(str(path), ["expected a mapping, such as `system: heat_network`"])
    return read.value, read.lines


def _set(raw: dict[str, Any], override: str, lines: dict[Location, str]) -> list[str]:
    """Set one field of `raw`; the faults are those of the override itself."""
    key, equals, text = override.partition("=")
    place = f"--set {override}"
    if not equals or not all(key.split(".")):
        return [f"{place}: expected key=value, such as horizon.hours=24"]
    try:
        value = parse_yaml(text, place).value
    except InputError as error:
        return [f"{place}: the value is not read: {'; '.join(error.faults)}"]
    *parents, last = key.split(".")
    block: Any = raw
    for parent in parents:
        block = block.setdefault(parent, {}) if isinstance(block, dict) else None
    if not isinstance(block, dict):
        return [f"{place}: {'.'.join(parents)} has no fields"]
    block[last] = value
    for depth in range(1, len(parents) + 1):
        lines.setdefault(tuple(parents[:depth]), place)
    lines[(*parents, last)] = place
    return []


def _told(fault: Any, lines: dict[Location, str], model: type[BaseModel]) -> str:
    """One fault of the model with place, field, value, unit and allowed range."""
    location, field, block = _field_of(fault["loc"], model)
    place = next(
        (lines[location[:n]] for n in range(len(location), 0, -1) if location[:n] in lines), None
    )
    name = ".".join(map(str, location)) or "case"
    kind, context = fault["type"], fault.get("ctx", {})
    if kind == "missing":
        text = f"{name} is missing"
    elif kind == "extra_forbidden":
        text = f"{name} is not known; known are {', '.join(block.model_fields)}"
    elif kind == "value_error":
        text = f"{name}: {context['error']}"
    elif kind == "union_tag_invalid":
        text = f"{name}.kind is {context['tag']!r}, expected {context['expected_tags']}"
    elif kind == "union_tag_not_found":
        text = f"{name}.kind is missing"
    else:
        text = f"{name} is {_shown(fault['input'])}, expected {_expected(field, fault)}"
    return f"{place}: {text}" if place else text


def _field_of(
    loc: Location, model: type[BaseModel]
) -> tuple[Location, FieldInfo | None, type[BaseModel]]:
    """Where the fault is as the user wrote it, its field, and the block it stands in.

    pydantic's location also holds the kind of a chosen alternative, which no key names.
    """
    members: list[Any] = [model]
    block = model
    field, shown = None, []
    for part in loc:
        blocks = [member for member in members if hasattr(member, "model_fields")]
        kinds = [b for b in blocks if part in _kinds(b)]
        if kinds and len(blocks) > 1:
            members = kinds
            continue
        values = [
            get_args(member)[1 if get_origin(member) is dict else 0]
            for member in members
            if get_origin(member) in (dict, tuple)
        ]
        block = blocks[0] if blocks else block
        field = block.model_fields.get(str(part)) if blocks else None
        if part != "[key]":
            shown.append(part)
        members = _members(field.annotation if field else values[0] if values else None)
    return tuple(shown), field, block


def _kinds(block: type[BaseModel]) -> tuple[str, ...]:
    return get_args(block.model_fields["kind"].annotation) if "kind" in block.model_fields else ()


def _members(annotation: Any) -> list[Any]:
    """The alternatives of a type, without the wrappings."""
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [member for arg in get_args(annotation) for member in _members(arg)]
    return [annotation]


def _shown(value: Any) -> str:
    value = value.value if isinstance(value, Odd) else value
    if value is None or isinstance(value, bool):
        return {None: "blank", True: "true", False: "false"}[value]
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


WORDS = {
    "model_type": "fields below it",
    "model_attributes_type": "fields below it",
    "dict_type": "fields below it",
    "tuple_type": "a list",
    "string_pattern_mismatch": "a name of letters, digits, '_', '-' and '.', up to 61 characters",
    "datetime_from_date_parsing": "a time such as 2021-02-08T00:00",
    "datetime_parsing": "a time such as 2021-02-08T00:00",
    "datetime_type": "a time such as 2021-02-08T00:00",
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "text",
    "bool_type": "true or false",
}


def _expected(field: FieldInfo | None, fault: Any) -> str:
    """What a field allows: its range and unit, or else what the check said."""
    bounds = {}
    for limit in field.metadata if field else ():
        for side in ("ge", "le"):
            if hasattr(limit, side):
                bounds[side] = getattr(limit, side)
    wanted = str(fault["msg"]).removeprefix("Input should be ")
    if len(bounds) == 2:
        extra = field.json_schema_extra if field else None
        unit = extra.get("unit", "") if isinstance(extra, dict) else ""
        return f"{bounds['ge']} to {bounds['le']} {unit}".rstrip()
    if fault["type"] in ("too_short", "too_long"):
        return _entries(field)
    return WORDS.get(fault["type"], wanted)


def _entries(field: FieldInfo | None) -> str:
    """How many entries a list or mapping may have."""
    limits = field.metadata if field else ()
    least = next((one.min_length for one in limits if hasattr(one, "min_length")), 0)
    most = next((one.max_length for one in limits if hasattr(one, "max_length")), None)
    return f"{least} or more entries" if most is None else f"{least} to {most} entries"
