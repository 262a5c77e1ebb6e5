"""Writes the tables of docs/run.md from the case model and from what a run writes.

Run `.venv/bin/python docs/run_tables.py` after changing a field of the case.
"""

import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tvilling.apps.heat import case
from tvilling.apps.heat.comparison import ROWS

PAGE = Path(__file__).with_name("run.md")
BLOCKS = (
    ("Top level", case.Case),
    ("`network`", case.Network),
    ("`sizing`", case.Sizing),
    ("`demand`, `kind: stock`", case.StockDemand),
    ("`demand`, `kind: network`", case.NetworkDemand),
    ("`weather`", case.Weather),
    ("`horizon`", case.Horizon),
    ("`model`", case.Model),
    ("a controller, `kind: heating_curve`", case.CurveControl),
    ("a controller, `kind: hold`", case.HoldControl),
    ("`outputs`", case.Outputs),
)
HEAD = "| field | unit | range | if absent | meaning |\n|---|---|---|---|---|"


def fields() -> str:
    """Every field of a case with unit, range and default."""
    parts = []
    for title, block in BLOCKS:
        rows = [row(name, field) for name, field in block.model_fields.items() if name != "kind"]
        parts.append("\n".join([f"### {title}\n\n{HEAD}", *rows]))
    return "\n\n".join(parts)


def figures() -> str:
    """What `summary.json` holds of every controller."""
    rows = [f"| `{name}` | {unit or '1'} | {heading} |" for name, heading, unit, _ in ROWS]
    head = "| figure | unit in the report | what |\n|---|---|---|"
    return "\n".join([head, *rows])


def row(name: str, field: FieldInfo) -> str:
    """One field as a row under `HEAD`."""
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    meaning = field.description or (getattr(field.annotation, "__doc__", "") or "see below")
    return (
        f"| `{name}` | {extra.get('unit', '-')} | {_range(field)} | {_default(field)} "
        f"| {meaning.splitlines()[0].rstrip('.')} |"
    )


def _range(field: FieldInfo) -> str:
    bounds: dict[str, Any] = {}
    for limit in field.metadata:
        bounds |= {side: getattr(limit, side) for side in ("ge", "le") if hasattr(limit, side)}
    if len(bounds) == 2:
        return f"{bounds['ge']} to {bounds['le']}"
    if get_origin(field.annotation) is Literal:
        return ", ".join(str(value) for value in get_args(field.annotation))
    return "true, false" if field.annotation is bool else "-"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    if field.default in (None, "", (), {}):
        return "-"
    if isinstance(field.default, BaseModel):
        return "its defaults"
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default)


def filled(text: str) -> str:
    """`text` of the page with what stands between its markers written anew."""
    for name, table in (("fields", fields()), ("figures", figures())):
        pattern = rf"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)"
        text = re.sub(pattern, lambda m, t=table: f"{m[1]}\n{t}\n\n{m[2]}", text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
