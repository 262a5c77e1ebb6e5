"""Writes the tables of docs/heat-plant.md from the models and from the rows of the tariffs.

Run `.venv/bin/python docs/heat_plant_tables.py` after changing a field or a row.
"""

import re
from pathlib import Path

import numpy as np
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tvilling.sciml.systems.heat_plant import units
from tvilling.sciml.systems.heat_plant.plant import HeatPlant
from tvilling.sciml.systems.heat_plant.stratified_tank import StratifiedTankConfig
from tvilling.sciml.systems.heat_plant.tariffs import Rate, shipped_rates

PAGE = Path(__file__).with_name("heat-plant.md")
KINDS = (
    units.HeatPump,
    units.ElectricBoiler,
    units.Boiler,
    units.BackPressureChp,
    units.ExtractionChp,
    units.SolarField,
)
FIELDS_HEAD = "| field | if absent | meaning |\n|---|---|---|"
RATES_HEAD = (
    "| what | value | unit | Danish dates | when | source | checked | note |\n"
    "|---|---|---|---|---|---|---|---|"
)


def fields() -> str:
    """Every field of a plant, its units and its tank."""
    common = list(units.Unit.model_fields)
    parts = [_model("Plant", HeatPlant, []), _model("Every unit", units.Unit, [])]
    for kind in KINDS:
        name = kind.model_fields["kind"].default
        parts.append(_model(f"`kind: {name}`", kind, [*common, "kind"]))
    parts.append(_model("Tank", StratifiedTankConfig, []))
    return "\n\n".join(parts)


def rates() -> str:
    """Every row of the tariffs and emissions; equal rows that follow each other are one."""
    groups: list[list[Rate]] = []
    for row in shipped_rates():
        before = [group for group in groups if _alike(group[0]) == _alike(row)]
        if before and row.first - before[-1][-1].last == np.timedelta64(1, "D"):
            before[-1].append(row)
        else:
            groups.append([row])
    return "\n".join([RATES_HEAD, *map(_rate, groups)])


def filled(text: str) -> str:
    """`text` of the page with its tables as the code has them."""
    for name, table in (("fields", fields()), ("rates", rates())):
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- end -->)", re.DOTALL)
        text = pattern.sub(lambda match, table=table: match[1] + table + match[2], text)
    return text


def _model(title: str, model: type[BaseModel], without: list[str]) -> str:
    rows = [
        _field(name, field) for name, field in model.model_fields.items() if name not in without
    ]
    return "\n".join([f"### {title}\n\n{FIELDS_HEAD}", *rows])


def _field(name: str, field: FieldInfo) -> str:
    absent = "needed" if field.is_required() else f"{field.default}"
    return f"| `{name}` | {absent} | {field.description} |"


def _alike(row: Rate) -> tuple:
    """What rows have in common that are told in one line; a month's gas price in one a year."""
    if row.note == "mean of the month":
        return row.what, row.first.astype("datetime64[Y]")
    return row.what, row.value, row.season, row.days, row.spans, row.source, row.note


def _rate(rows: list[Rate]) -> str:
    one = rows[0]
    monthly = one.note == "mean of the month"
    value = ", ".join(f"{row.value:g}" for row in (rows if monthly else [one]))
    when = [word for word in (one.season, one.days) if word != "all"]
    when += [f"{start}-{end}" for start, end in one.spans if (start, end) != (0, 24)]
    return (
        f"| {one.what} | {value} | {one.unit} | {one.first} to {rows[-1].last} "
        f"| {', '.join(when) or 'always'} | {one.source} | {'yes' if one.verified else 'no'} "
        f"| {one.note} |"
    )


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
