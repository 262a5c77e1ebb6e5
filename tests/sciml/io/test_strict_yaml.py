"""YAML: the core schema of YAML 1.2, bounded, and models that convert nothing in silence."""

from datetime import datetime
from typing import Annotated, Literal

import pytest
import yaml
from pydantic import Field, ValidationError

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io import strict_yaml
from tvilling.sciml.io.strict_model import StrictModel
from tvilling.sciml.io.strict_yaml import MAX_DEPTH, dump_yaml, parse_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # YAML 1.1 reads 45045, 8, True, False, 31, 1000 and dates
        *((text, text) for text in ("12:30:45", "010", "yes", "off", "0x1F", "0o17", "1_000")),
        *((text, text) for text in ("2021-02-08", "2021-02-08 12:00", "1e", ".", "00.5", "9" * 41)),
        ("0", 0), ("-7", -7), ("+3", 3), ("1e3", 1000.0), (".5", 0.5), ("1.", 1.0),
        ("-1.5e-3", -0.0015), ("true", True), ("FALSE", False), ("~", None), ("null", None),
        ("'5'", "5"), ('"true"', "true"), ("!!str 5", "5"), ("[1, a]", [1, "a"]),
    ],
)  # fmt: skip
def test_a_value_is_what_the_core_schema_says(text, value):
    found = parse_yaml(f"a: {text}\n", "case.yaml").value["a"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: &x [1]\nb: *x\n", "line 2: holds a YAML alias"),
        ("a: {<<: {b: 1}}", "line 1: holds a YAML merge key"),
        ("a: !!python/object/apply:os.system [id]", "line 1: the tag"),
        ("a: !!int '5'", "line 1: the tag"),
        ("a: !own 5", "line 1: the tag !own"),
        ("%TAG ! tag:x:\n---\na: 1", "%TAG is not read"),
        ("a: 1\n---\nb: 1", "line 2: a second document"),
        ("a: 1\na: 2", "line 2: a stands twice"),
        ("? [1]\n: 2", "line 1: a key is no text"),
        ("a: " + "[" * 100_000, f"more than {MAX_DEPTH} levels"),
        ("- &a [x]\n" + "- &b [*a, *a, *a]\n", "line 2: holds a YAML alias"),
        ("a: \x07", "special characters are not allowed"),
    ],
)
def test_what_can_hide_something_or_grows_without_bound_is_a_fault(text, fault):
    with pytest.raises(InputError) as caught:
        parse_yaml(text, "case.yaml")
    assert fault in str(caught.value)


def test_more_values_than_a_case_has_are_a_fault(monkeypatch):
    monkeypatch.setattr(strict_yaml, "MAX_NODES", 2_000)
    with pytest.raises(InputError, match="more than 2,000 values"):
        parse_yaml("a: [" + "1," * 3_000 + "]", "case.yaml")


def test_what_is_written_is_read_back():
    value = {"a": ["1e3", "010", "12:30", "yes", 1.5, 1e-7, 3, None, True], "b": {"c": "1.0"}}
    assert parse_yaml(dump_yaml(value), "case.yaml").value == value
    assert yaml.safe_load(dump_yaml(value)) == value


class Block(StrictModel):
    number: float = 0.0
    whole: int = 0
    series: Literal[1, 2] = 1
    flag: bool = False
    text: str = ""
    either: Annotated[float | None, Field(ge=0)] = None
    many: tuple[float, ...] = ()
    by_name: dict[str, float] = Field(default_factory=dict)
    time: datetime | None = None


@pytest.mark.parametrize(
    "given",
    [
        {"number": True}, {"number": "5"}, {"whole": "5"}, {"whole": False}, {"series": True},
        {"flag": 1}, {"flag": "true"}, {"text": 5}, {"either": "5"}, {"many": [1, "2"]},
        {"many": [True]}, {"by_name": {"a": "1"}}, {"time": 20210208}, {"time": "20210208"},
        {"time": "1612742400"}, {"series": 3}, {"unknown": 1}, {"time": 1.5},
    ],
)  # fmt: skip
def test_nothing_is_converted_between_truth_numbers_text_and_times(given):
    with pytest.raises(ValidationError) as caught:
        Block(**given)
    assert caught.value.errors()[0]["loc"][0] == next(iter(given))


def test_whole_numbers_may_stand_for_fractions_and_text_for_times():
    block = Block(number=3, many=[1, 2.5], by_name={"a": 1}, either=2, time="2021-02-08 12:30")
    assert block.number == 3.0
    assert block.many == (1.0, 2.5)
    assert block.time == datetime(2021, 2, 8, 12, 30)
