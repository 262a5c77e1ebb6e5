"""Tables as text: heat networks, a plant's meters, readings, courses of power."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from attempt import Attempt
from bases import METERS, NET, PLANT, PROFILE, READINGS, net_with, under

ESC = "\x1b]0;title\x07\x1b[2J\x1b[31mALL IS WELL"
ODD_NUMBERS = {
    "hexadecimal": "0x10", "underscore": "1_000", "comma": '"1,5"', "true": "true", "text": "ten",
    "inf": "inf", "minus inf": "-Infinity", "too large": "1e999", "unit": "5 m", "minus": "-5",
    "Arabic": "٣", "blank": " ", "two points": "1.2.3", "exponent": "1e", "sexagesimal": "1:30",
    "percent": "5%", "thousands": "1 000", "fraction": "1/2", "expression": "=1+1", "plus": "++1",
    "long": "9" * 400, "escape": "\x1b[2J5", "direction": "\u202e5", "letters": "x" * 100_000,
}  # fmt: skip
ODD_NAMES = {
    "escape": ESC, "markup": "[/b]", "link": "[link=file:///etc/passwd]x", "math": "$\\frac$",
    "html": "<script>alert(1)</script>", "direction": "\u202eabc", "bell": "\x07", "path":
    "../../etc/passwd", "long": "n" * 50_000, "newline": '"a\nb"', "CSI": "\x9b2J", "zero width":
    "a\u200bb", "percent": "%s%n{0}", "formula": "=cmd|' /C calc'!A0",
}  # fmt: skip
HEAT_CELLS = {"length": ("pipes", "100,0.1"), "diameter": ("pipes", "0.1,0.3"),
              "heat": ("consumers", "50000,"), "supply": ("sources", "80,6")}  # fmt: skip
BROKEN = {
    "quote": 'name,elevation_m\n"J0,10\n', "more cells": "name,elevation_m\nJ0,10,1,2\n",
    "fewer cells": "name,elevation_m\nJ0\n", "two headers": "name,name,elevation_m\nJ0,J0,1\n",
    "no name": "name,,elevation_m\nJ0,1,1\n", "unknown": "name,elevation_m,colour\nJ0,1,red\n",
    "header alone": "name,elevation_m\n", "many columns": "a," * 50_000 + "b\n",
    "long line": "name,elevation_m\n" + "x" * 3_000_000 + ",1\n",
    "long cell": 'name,elevation_m\n"' + "x" * 200_000 + '",1\n', "commas": "," * 1_000_000,
    "ambiguous": "name;elevation_m\nJ0;50.000\n", "both signs": "name;elevation_m\nJ0;1,5\nJ1;1.5\n",
    "twice": "name,elevation_m\nJ0,10\nJ0,11\n", "NUL": "name,elevation_m\nJ\0,10\n",
    "tabs": "name\televation_m\nJ0 10\n", "html": "<html><body>login</body></html>",
    "json": '{"name": ["J0"]}', "quotes": '"' * 100_001,
    "rows of quotes": "name,elevation_m\n" + '"a""b",1\n' * 3 + '"\n',
}  # fmt: skip


def attempts() -> Iterator[Attempt]:
    """All of them."""
    yield from _heat()
    yield from _meters()
    yield from _readings()
    yield from _courses()
    yield from _right()


def _heat() -> Iterator[Attempt]:
    for cell, (kind, text) in HEAT_CELLS.items():
        for odd, value in ODD_NUMBERS.items():
            first = text.split(",")[0]
            changed = NET[f"{kind}.csv"].replace(text, text.replace(first, value, 1), 1)
            if cell == "diameter" and odd == "blank":
                continue  # a pipe may have its size by another column
            yield Attempt(f"heat/{cell}/{odd}", net_with(**{kind: changed}), ("check", "net"))
    for odd, name in ODD_NAMES.items():
        # a fault beside the name, so that the message holds it
        changed = NET["pipes.csv"].replace("P1,J0,J1,100", f"{name},J0,J1,-5", 1)
        yield Attempt(f"heat/name/{odd}", net_with(pipes=changed), ("check", "net"))
        changed = NET["consumers.csv"].replace("A,J1", f"A,{name}", 1)
        yield Attempt(f"heat/end/{odd}", net_with(consumers=changed), ("check", "net"))
        changed = NET["sources.csv"].replace("supply_bar", name, 1)
        yield Attempt(f"heat/column/{odd}", net_with(sources=changed), ("check", "net"))
    for odd, text in BROKEN.items():
        yield Attempt(f"heat/broken/{odd}", net_with(junctions=text), ("check", "net"))
    for odd, name in ODD_NAMES.items():
        if "\n" not in name and "/" not in name and len(name) < 200:
            files = {**under("net", NET), f"net/{name}.csv": "a\n1\n"}
            yield Attempt(f"heat/file/{odd}", files, ("check", "net"))


def _meters() -> Iterator[Attempt]:
    header, first, *rest = METERS.splitlines(keepends=True)
    time, load, degc, price = first.strip().split(",")
    for odd, value in ODD_NUMBERS.items():
        if odd not in ("blank", "minus"):
            line = f"{time},{value},{degc},{price}\n"
            yield _plan(f"meters/load/{odd}", "".join([header, line, *rest]))
    for odd, value in {
        "words": "yesterday", "month 13": "2026-13-01T00:00", "half hour": "2026-01-01T00:30",
        "twice": "2026-01-02T00:00", "blank": "", "number": "45000", "seconds": "1767225600",
        "year 0": "0000-01-01T00:00", "year 9999": "9999-01-01T00:00", "danish": "31.01.2026 00:00",
        "escape": ESC, "year": "2026", "digits": "20260101", "week": "2026-W01-1",
        "far past": "1700-01-01T00:00", "comma": '"2026-01-01,00"', "zone": "2026-01-01T00:00+99:00",
    }.items():  # fmt: skip
        line = f"{value},{load},{degc},{price}\n"
        yield _plan(f"meters/time/{odd}", "".join([header, line, *rest]))
    backwards = header + "".join(
        f"2026-01-{1 + hour // 24:02d}T{hour % 24:02d}:00,{max(0, 5000 - 10 * hour)},2,0.5\n"
        for hour in range(700)
    )
    register = backwards.replace("load_mw", "load_register_mwh", 1)
    yield _plan("meters/register/unknown column", register)
    for odd, text in BROKEN.items():
        yield _plan(f"meters/broken/{odd}", text.replace("name", "time_utc").replace(
            "elevation_m", "load_mw"))  # fmt: skip
    for odd, name in ODD_NAMES.items():
        yield _plan(f"meters/column/{odd}", METERS.replace("outdoor_degc", name, 1))


def _plan(name: str, text: str) -> Attempt:
    files = {"case.yaml": PLANT, "meters.csv": text}
    return Attempt(name, files, ("plan", "case.yaml", "--out", "out"))


def _readings() -> Iterator[Attempt]:
    for odd, value in ODD_NUMBERS.items():
        if odd not in ("blank", "minus"):
            text = READINGS.replace("71.4", value, 1)
            yield _invert(f"readings/value/{odd}", text)
            yield _invert(f"readings/place/{odd}", READINGS.replace("400", value, 1))
    for odd, text in BROKEN.items():
        yield _invert(f"readings/broken/{odd}", text)
    for odd, name in ODD_NAMES.items():
        yield _invert(f"readings/column/{odd}", READINGS.replace("water_degc", name, 1))


def _invert(name: str, text: str) -> Attempt:
    return Attempt(name, {"m.csv": text}, ("pinn", "invert", "heating_pipe", "m.csv", "--short"))


def _courses() -> Iterator[Attempt]:
    for odd, value in ODD_NUMBERS.items():
        if odd != "minus":  # a load that gives power is odd, and right
            yield _year(f"courses/value/{odd}", PROFILE.replace("10\n", f"{value}\n", 1))
    for odd, text in BROKEN.items():
        text = text.replace("name", "time_utc", 1).replace("elevation_m", "load_p_mw:0")
        yield _year(f"courses/broken/{odd}", text)
    for odd, name in ODD_NAMES.items():
        yield _year(f"courses/element/{odd}", PROFILE.replace(":0", f":{name}", 1))
        yield _year(f"courses/column/{odd}", PROFILE.replace("load_p_mw", name, 1))
    for odd, value in {"words": "now", "twice": "2026-01-01T01:00", "back": "2027-01-01T00:00",
                       "number": "45000", "blank": "", "escape": ESC}.items():  # fmt: skip
        yield _year(f"courses/time/{odd}", PROFILE.replace("2026-01-01T00:00", value, 1))


def _year(name: str, text: str) -> Attempt:
    command = ("grid", "year", "pandapower:case4gs", "--profiles", "p.csv", "--out", "out")
    return Attempt(name, {"p.csv": text}, command)


def _right() -> Iterator[Attempt]:
    """What is odd, and right."""
    danish = NET["consumers.csv"].replace(",", ";").replace("50000;40", "50.000;40,5")
    for kind, text, heat in (
        ("thousands and decimal comma", danish, 50_000.0),
        ("tabs", NET["consumers.csv"].replace(",", "\t"), 50_000.0),
        ("sep line", "sep=;\n" + NET["consumers.csv"].replace(",", ";"), 50_000.0),
        ("byte order mark", "\ufeff" + NET["consumers.csv"], 50_000.0),
        ("carriage returns", NET["consumers.csv"].replace("\n", "\r\n"), 50_000.0),
        ("blank lines", NET["consumers.csv"].replace("\n", "\n\n"), 50_000.0),
        ("exponent", NET["consumers.csv"].replace("50000", "5e4"), 50_000.0),
        ("quotes", NET["consumers.csv"].replace("50000", '"50000"'), 50_000.0),
        ("blanks around", NET["consumers.csv"].replace("50000", "  50000 "), 50_000.0),
    ):
        yield Attempt(f"heat/right/{kind}", net_with(consumers=text), _heat_w, 0,
                      right=_equals(heat))  # fmt: skip
    for kind, change in (
        ("danish", lambda text: text.replace(",", ";").replace(".", ",")),
        ("english semicolons", lambda text: text.replace(",", ";")),
        ("plain", lambda text: text),
    ):
        yield Attempt(f"meters/right/{kind}", {"meters.csv": change(METERS)}, _price, 0,
                      right=_equals(0.5))  # fmt: skip
        yield Attempt(f"readings/right/{kind}", {"m.csv": change(READINGS)}, _reading, 0,
                      right=_equals(71.4))  # fmt: skip
    names = {odd: name for odd, name in ODD_NAMES.items() if odd not in ("newline", "long")}
    for odd, name in names.items():
        shut = "name,from_junction,to_junction,inner_diameter_m,is_open\n"
        files = net_with(valves=f"{shut}{name},J1,J2,0.1,false\n")
        yield Attempt(f"heat/shown/{odd}", files, ("check", "net"), 0)


def _equals(value: float) -> Callable[[Any], bool]:
    return lambda found: bool(found == value)


def _heat_w() -> float:
    from tvilling.datasets.readers.heat.tables import read_heat_tables

    return float(read_heat_tables("net").consumers["heat_w"].iloc[0])


def _price() -> float:
    from tvilling.datasets.plant_record import from_file

    return float(from_file(Path("meters.csv"))["price_dkk_per_kwh"][0])


def _reading() -> float:
    from tvilling.apps.pinn.measurements import read_measurements
    from tvilling.pinns.library.heating_pipe_inverse import example

    return float(read_measurements(Path("m.csv"), example())[0].values[0])
