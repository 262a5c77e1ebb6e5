"""Cases: odd values in every kind of field, YAML that hides or grows, and `--set`."""

import re
from collections.abc import Iterator
from typing import Any

from attempt import Attempt
from bases import CASE, METERS, NET, PLANT, under

ODD_NUMBERS = {
    "sexagesimal": "12:30:45", "sexagesimal hours": "1:30", "octal": "010", "new octal": "0o17",
    "hexadecimal": "0x1F", "binary": "0b11", "underscore": "1_000", "true": "true", "yes": "yes",
    "text": "'24'", "date": "2021-02-08", "nan": ".nan", "inf": ".inf", "too large": "1e999",
    "long": "9" * 5_000, "list": "[24]", "mapping": "{a: 24}", "blank text": '""', "comma": "24,5",
    "unit": "24 h", "minus": "-24", "tag": "!!int '24'", "Arabic": "٢٤", "escape": '"\\e[2J"',
    "nul": '"2\\0"', "expression": "12*2", "million letters": '"' + "x" * 300_000 + '"',
}  # fmt: skip
NUMBER_FIELDS = {"hours": ("hours: 24", "horizon.hours"), "step": ("step_min: 60", "step_min"),
                 "seed": ("seed: 1", "seed"), "supply": ("supply_degc: 80", "supply_degc")}  # fmt: skip
PLANT_FIELDS = {"heat": ("heat_mw: 8", "heat_mw"), "volume": ("volume_m3: 1300", "volume_m3"),
                "horizon": ("horizon_h: 48", "horizon_h")}  # fmt: skip
ODD_TIMES = {
    "number": "20210104", "seconds": "1609718400", "sexagesimal": "12:30", "text digits":
    "'20210104'", "year": "2021", "month 13": "2021-13-04T00:00", "true": "true", "list": "[2021]",
    "words": "tomorrow", "far": "9999-01-01T00:00", "long ago": "0001-01-01T00:00", "nan": ".nan",
    "escape": '"\\e]0;x\\a"', "week": "2021-W01-1",
}  # fmt: skip
ODD_TEXTS = {"number": "5", "true": "true", "list": "[a]", "null": "", "mapping": "{a: b}"}
BOMBS = {
    "laughs": "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b]\ntitle: *c\n",
    "circle": "title: &a [*a]\n",
    "merge": "base: &b {title: x}\nhorizon:\n  <<: *b\n",
    "depth": "title: " + "[" * 100_000 + "\n",
    "mappings": "title: " + "{a: " * 20_000 + "\n",
    "many": "title: [" + "1, " * 300_000 + "]\n",
    "many anchors": "".join(f"k{i}: &a{i} 1\n" for i in range(50_000)) + "z: *a1\n",
    "indents": "".join(" " * i + f"k{i}:\n" for i in range(1_000)),
    "call": "title: !!python/object/apply:os.system [touch PWNED]\n",
    "new": "title: !!python/object/new:os.system [touch PWNED]\n",
    "name": "title: !!python/name:os.system\n",
    "module": "title: !!python/module:canary_module\n",
    "object": "title: !!python/object:canary_module.Canary {}\n",
    "own tag": "title: !canary x\n",
    "binary": "title: !!binary aGVsbG8=\n",
    "set": "title: !!set {a, b}\n",
    "timestamp": "title: !!timestamp 2021-01-01\n",
    "directive": "%TAG ! tag:yaml.org,2002:python/\n---\ntitle: !name:os.system\n",
    "version": "%YAML 3.0\n---\ntitle: x\n",
    "documents": "title: x\n---\ntitle: y\n",
    "twice": "title: x\ntitle: y\n",
    "complex key": "? [a, b]\n: c\n",
    "no mapping": "- a\n- b\n",
    "text": "hello\n",
    "tab": "\ttitle: x\n",
    "control": "title: \x07\n",
    "escape key": '"\\e[2J": 1\n',
    "long key": "k" * 5_000 + ": 1\n",
    "bracket key": '"[/b]": 1\n',
    "number key": "1: 2\ntrue: 3\n",
    "prototype": "__class__: x\n__init__: y\nmodel_config: {extra: allow}\n",
}
SETS = {
    "sexagesimal": "horizon.hours=12:30:45", "octal": "horizon.hours=010",
    "true": "horizon.hours=true", "no": "horizon.hours=no", "tag": "title=!!python/name:os.system",
    "alias": "title=*x", "depth": "title=" + "[" * 5_000, "nothing": "=", "no key": "=1",
    "dots": "horizon..hours=1", "unknown": "horizon.houres=1", "over": "title.deep.key=1",
    "escape": "title\x1b[2J=1", "bracket": "[/b]=1", "class": "__class__.__init__=1",
    "text": "horizon.hours='24'", "list": "horizon=[1]", "nan": "horizon.hours=.nan",
    "date": "horizon.hours=2021-01-01", "documents": "title=a\n---\nb",
}  # fmt: skip
HEAT = {"case.yaml": CASE, **under("net", NET)}


def attempts() -> Iterator[Attempt]:
    """All of them."""
    for field, (text, says) in NUMBER_FIELDS.items():
        for kind, value in ODD_NUMBERS.items():
            changed = CASE.replace(text, f"{text.split(':')[0]}: {value}")
            yield _heat(f"yaml/{field}/{kind}", changed, "" if kind == "tag" else says)
    for field, (text, _) in PLANT_FIELDS.items():
        for kind, value in ODD_NUMBERS.items():
            value = f"'{value}'" if kind == "comma" else value
            changed = PLANT.replace(text, f"{text.split(':')[0]}: {value}")
            files = {"case.yaml": changed, "meters.csv": METERS}
            yield Attempt(f"yaml/plant {field}/{kind}", files, ("check", "case.yaml"))
    for kind, value in ODD_TIMES.items():
        changed = CASE.replace("2021-01-04T00:00", value)
        yield _heat(f"yaml/start/{kind}", changed, "start")
    for kind, value in ODD_TEXTS.items():
        yield _heat(f"yaml/title/{kind}", CASE.replace("A small town", value), "title")
    for kind, text in BOMBS.items():
        for command in (("run", "case.yaml", "--out", "out"), ("check", "case.yaml"),
                        ("job", "add", "j", "case.yaml", "--every", "1h"),
                        ("plan", "case.yaml", "--out", "out")):  # fmt: skip
            yield Attempt(f"yaml/{command[0]}/{kind}", {"case.yaml": text}, command)
    for kind, text in SETS.items():
        yield Attempt(f"set/{kind}", HEAT, ("run", "case.yaml", "--set", text, "--out", "out"))
    yield from _right()


def _heat(name: str, text: str, says: str) -> Attempt:
    return Attempt(name, {**HEAT, "case.yaml": text}, ("check", "case.yaml"), says=says)


def _right() -> Iterator[Attempt]:
    """What is odd, and right."""
    for kind, text, field, value in (
        ("a number as a title", "title: '010'", "title", "010"),
        ("yes as a title", "title: yes", "title", "yes"),
        ("a time as a title", "title: 12:30:45", "title", "12:30:45"),
        ("a date as a title", "title: 2021-01-01", "title", "2021-01-01"),
    ):
        changed = re.sub(r"title: .*", text, CASE)
        files = {**HEAT, "case.yaml": changed}
        yield Attempt(f"yaml/right/{kind}", files, _read, 0, right=_has(field, value))
    for kind, old, new, value in (
        ("an exponent", "hours: 24", "hours: 2.4e1", 24.0),
        ("a whole number", "hours: 24", "hours: 24.0", 24.0),
        ("a plus", "hours: 24", "hours: +24", 24.0),
    ):
        files = {**HEAT, "case.yaml": CASE.replace(old, new)}
        yield Attempt(f"yaml/right/{kind}", files, _read, 0, right=_hours(value))


def _read() -> Any:
    from pathlib import Path

    from tvilling.apps.shared.case_file import read_case

    return read_case(Path("case.yaml"))


def _has(field: str, value: Any) -> Any:
    return lambda case: getattr(case, field) == value


def _hours(value: float) -> Any:
    return lambda case: case.horizon.hours == value
