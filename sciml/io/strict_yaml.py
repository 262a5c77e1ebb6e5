"""YAML as people mean it: the core schema of YAML 1.2, and nothing that a file can hide behind.

PyYAML follows YAML 1.1, in which `12:30:45` is 45045, `010` is 8 and `no` is false. Here a plain
scalar is null, true, false, a decimal number or text (https://yaml.org/spec/1.2.2/, section
10.3.2, without its octal and hexadecimal numbers). Times are text, which whoever wants a time
reads. Aliases, merge keys, tags, several documents, deep nesting and keys that stand twice are
faults. One pass makes the values; it is bounded by `MAX_NODES` and `MAX_DEPTH`.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.escape import printable

MAX_DEPTH = 32
MAX_NODES = 200_000
MAX_DIGITS = 40
Location = tuple[int | str, ...]

NULL = {"", "~", "null", "Null", "NULL"}
TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")
NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)?(?<=[0-9])\.[0-9]*([eE][-+]?[0-9]+)?"
                    r"|[-+]?\.[0-9]+([eE][-+]?[0-9]+)?"
                    r"|[-+]?(0|[1-9][0-9]*)[eE][-+]?[0-9]+")  # fmt: skip
NOT_FINITE = {".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF"}
PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str")}


@dataclass
class YamlText:
    """What a text holds.

    Attributes
    ----------
    value
        Mappings, lists, text, numbers, true, false and None.
    lines
        `line n` of every key, by its location.
    faults
        What was refused, each with its line.
    """

    value: Any = None
    lines: dict[Location, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    nodes: int = 0


def parse_yaml(text: str, source: str) -> YamlText:
    """The one document in `text`.

    Raises
    ------
    InputError
        With every fault: what is no YAML, aliases, tags, keys that stand twice or are no text,
        more than `MAX_NODES` values or `MAX_DEPTH` levels.
    """
    out = YamlText()
    try:
        out.value = _Composer(text, out).document()
    except yaml.YAMLError as error:
        raise InputError(source, [*out.faults, _yaml_fault(error)]) from None
    except (ValueError, RecursionError) as error:
        raise InputError(source, [f"cannot be read as YAML: {error}"]) from None
    if out.faults:
        raise InputError(source, out.faults)
    return out


def parse_scalar(text: str) -> Any:
    """What a plain scalar of one line means: null, true or false, a number or text."""
    if text in NULL:
        return None
    if text in TRUTH:
        return TRUTH[text]
    if len(text) <= MAX_DIGITS and WHOLE.fullmatch(text):
        return int(text)
    if len(text) <= MAX_DIGITS and NUMBER.fullmatch(text):
        return float(text)
    if text.lstrip("+-") in NOT_FINITE:
        return float(text.replace(".", ""))
    return text


class _Composer:
    """Makes values from the events of PyYAML, so that no alias or tag is ever followed."""

    def __init__(self, text: str, out: YamlText) -> None:
        self.events = yaml.parse(text, Loader=yaml.SafeLoader)
        self.out = out

    def document(self) -> Any:
        """The value of the only document; None of an empty text."""
        value, documents = None, 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _refusal(event, "a second document begins; expected one")
                if event.tags:
                    raise _refusal(event, "%TAG is not read")
                value = self.node(next(self.events), (), 1)
        return value

    def node(self, event: Any, place: Location, depth: int) -> Any:
        """The value that begins with `event`."""
        self.out.nodes += 1
        if self.out.nodes > MAX_NODES:
            raise _refusal(event, f"more than {MAX_NODES:,} values")
        if depth > MAX_DEPTH:
            raise _refusal(event, f"more than {MAX_DEPTH} levels of nesting")
        if isinstance(event, yaml.AliasEvent):
            raise _refusal(event, f"holds a YAML alias (*{event.anchor}); write the values out")
        if event.tag is not None and event.tag not in PLAIN_TAGS | {"!"}:
            raise _refusal(event, f"the tag {event.tag} is not read; write the value alone")
        if isinstance(event, yaml.MappingStartEvent):
            return self.mapping(place, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(place, depth)
        return parse_scalar(event.value) if event.implicit[0] and not event.style else event.value

    def mapping(self, place: Location, depth: int) -> dict[str, Any]:
        """A mapping; each key is text and stands once."""
        found: dict[str, Any] = {}
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            line = f"line {_line(event)}"
            if not isinstance(event, yaml.ScalarEvent):
                raise _refusal(event, "a key is no text")
            if event.tag is not None and event.tag not in PLAIN_TAGS | {"!"}:
                raise _refusal(event, f"the tag {event.tag} is not read")
            key = event.value
            here = (*place, key)
            if key == "<<" and not event.style:
                raise _refusal(event, "holds a YAML merge key (<<); write the values out")
            if key in found:
                self.out.faults.append(f"{line}: {'.'.join(map(str, here))} stands twice")
            self.out.lines[here] = line
            found[key] = self.node(next(self.events), here, depth + 1)
        return found

    def sequence(self, place: Location, depth: int) -> list[Any]:
        """A list."""
        found: list[Any] = []
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            found.append(self.node(event, (*place, len(found)), depth + 1))
        return found


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _refusal(event: Any, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)


def _yaml_fault(error: yaml.YAMLError) -> str:
    """One line with the place, as far as it is known."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    text = printable(str(problem))
    return f"line {mark.line + 1}: {text}" if mark else f"is not YAML: {text}"


class _Dumper(yaml.SafeDumper):
    """Puts text in quotes that `parse_yaml` would read as a number."""


_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(rf"^(?:{NUMBER.pattern})$"), list("-+.0123456789")
)


def dump_yaml(value: Any) -> str:
    """Plain values as YAML that `parse_yaml` reads back as they are."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    return text
