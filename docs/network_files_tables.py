"""Writes the tables of docs/network-files.md from the code that they describe.

Run `.venv/bin/python docs/network_files_tables.py` after changing a column or the catalogue.
"""

import math
from pathlib import Path

from tvilling.datasets.simulated.building_stock import TYPES
from tvilling.sciml.io.tables import Column
from tvilling.sciml.systems.heat_network.sizing.catalogue import pipe_sizes
from tvilling.sciml.systems.heat_network.tables import COLUMNS

HEAD = "| column | unit | range | if blank | meaning |\n|---|---|---|---|---|"
PAGE = Path(__file__).with_name("network-files.md")


def schema() -> str:
    """The columns of every table file."""
    parts = []
    for kind, columns in COLUMNS.items():
        rows = [
            f"| `{column.name}` | {column.unit or '-'} | {_range(column)} | {_blank(column)} "
            f"| {column.description} |"
            for column in columns
        ]
        parts.append("\n".join([f"### {kind}.csv\n\n{HEAD}", *rows]))
    return "\n\n".join(parts)


def catalogue() -> str:
    """The pipe sizes with their casing and computed heat loss."""
    series = [pipe_sizes(number) for number in (1, 2, 3)]
    head = (
        "| DN | steel, mm | casing 1 / 2 / 3, mm | loss 1 / 2 / 3, W/(m·K) | wall, J/(m·K) |\n"
        "|---|---|---|---|---|"
    )
    rows = []
    for at in range(len(series[0])):
        first = series[0].iloc[at]
        outer = 1000 * first["outer_diameter_m"]
        wall = (outer - 1000 * first["inner_diameter_m"]) / 2
        casing = " / ".join(f"{1000 * table['casing_diameter_m'][at]:.0f}" for table in series)
        loss = " / ".join(f"{table['loss_w_per_mk'][at]:.3f}" for table in series)
        rows.append(
            f"| {first['dn']:.0f} | {outer:.1f} × {wall:.1f} | {casing} | {loss} "
            f"| {first['wall_j_per_mk']:.0f} |"
        )
    return "\n".join([head, *rows])


def stock() -> str:
    """The building types with their figures."""
    head = (
        "| type | share | median area, m² | space heat, kWh/m² | hot water, kWh/m² |"
        " peak of hot water |\n|---|---|---|---|---|---|"
    )
    rows = [
        f"| {one.name} | {one.share:.0%} | {one.area_m2:.0f} | {one.space_kwh_per_m2[0]:.0f} to "
        f"{one.space_kwh_per_m2[1]:.0f} | {one.water_kwh_per_m2:.0f} | {one.water_peak:g} |"
        for one in TYPES
    ]
    return "\n".join([head, *rows])


TABLES = {"schema": schema, "catalogue": catalogue, "stock": stock}


def page() -> str:
    """The page as it stands, with its tables written anew between their markers."""
    text = PAGE.read_text(encoding="utf-8")
    for name, write in TABLES.items():
        start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, rest = text.split(start)
        _, after = rest.split(end)
        text = f"{before}{start}\n{write()}\n\n{end}{after}"
    return text


def _range(column: Column) -> str:
    if column.kind != "float":
        return {"str": "text", "bool": "true or false"}[column.kind]
    if not math.isfinite(column.low):
        return "number"
    return f"{column.low:g} to {column.high:g}"


def _blank(column: Column) -> str:
    if column.required:
        return "not allowed"
    if isinstance(column.default, bool):
        return str(column.default).lower()
    if isinstance(column.default, str) or math.isnan(column.default):
        return "open"
    return "no limit" if math.isinf(column.default) else f"{column.default:g}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
