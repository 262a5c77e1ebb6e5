"""Writes the tables of docs/production.md from the case model and from what a plan writes.

Run `.venv/bin/python docs/production_tables.py` after changing a field of the case.
"""

import re
from pathlib import Path

from run_tables import HEAD, row

from tvilling.apps.plant import case
from tvilling.apps.plant.report.table import ROWS
from tvilling.datasets.plant_record import FILE_COLUMNS
from tvilling.datasets.plausible import LIMITS

PAGE = Path(__file__).with_name("production.md")
BLOCKS = (
    ("Top level", case.PlantCase),
    ("`supply`", case.Supply),
    ("`load`, `kind: stock`", case.StockLoad),
    ("`load`, `kind: flensburg`", case.CityLoad),
    ("`load`, `kind: file`", case.FileLoad),
    ("`weather`", case.PlantWeather),
    ("`prices`", case.PlantPrices),
    ("`charges`", case.ChargesChoice),
    ("one of `outages`", case.Outage),
    ("`network`", case.SupplyNetworkCase),
    ("`forecast`", case.LoadForecast),
    ("`plan`", case.Planning),
    ("`backtest`", case.Replay),
)


def fields() -> str:
    """Every field of a case with unit, range and default."""
    parts = []
    for title, block in BLOCKS:
        rows = [row(name, field) for name, field in block.model_fields.items() if name != "kind"]
        parts.append("\n".join([f"### {title}\n\n{HEAD}", *rows]))
    return "\n\n".join(parts)


def columns() -> str:
    """The columns of a file of meters."""
    rows = []
    for column in FILE_COLUMNS:
        span = "-" if column.kind == "str" else f"{column.low:g} to {column.high:g}"
        needed = "no" if column.name in ("price_dkk_per_kwh", "tank_mwh") else "yes"
        unit = column.unit or "-"
        rows.append(f"| `{column.name}` | {unit} | {span} | {needed} | {column.description} |")
    return "\n".join(["| column | unit | range | needed | what |\n|---|---|---|---|---|", *rows])


def figures() -> str:
    """What `summary.json` holds of every way."""
    rows = [f"| `{name}` | {unit or '1'} | {heading} |" for name, heading, unit, _ in ROWS]
    rows += [
        "| `unit_starts` | 1 | Starts of each unit |",
        "| `heat_mwh` | MWh | Heat of each unit |",
    ]
    return "\n".join(["| figure | unit in the report | what |\n|---|---|---|", *rows])


def plausible() -> str:
    """The limits by which meters and prices are judged."""
    rows = [
        f"| `{name}` | {limit.value:.3g} | {limit.unit} | {limit.why} |"
        for name, limit in LIMITS.items()
    ]
    return "\n".join(["| limit | value | unit | of what, and why |\n|---|---:|---|---|", *rows])


def filled(text: str) -> str:
    """`text` of the page with what stands between its markers written anew."""
    for name, table in (("fields", fields()), ("columns", columns()), ("figures", figures()),
                        ("plausible", plausible())):  # fmt: skip
        pattern = rf"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)"
        text = re.sub(pattern, lambda m, t=table: f"{m[1]}\n{t}\n\n{m[2]}", text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
