"""Writes docs/names.md: every name of a quantity that a user meets, from the code that uses it.

Run `.venv/bin/python docs/names_table.py` after adding a column or a channel.
"""

from collections import defaultdict
from pathlib import Path

from tvilling.apps.plant.report.labelled import CONDITIONS, UNIT_COURSES
from tvilling.datasets.plant_record import FILE_COLUMNS
from tvilling.datasets.power_profiles import COURSES
from tvilling.sciml.systems import SYSTEMS
from tvilling.sciml.systems.heat_network.tables import COLUMNS

PAGE = Path(__file__).with_name("names.md")

SUFFIXES = {
    "m": ("m", "length, height, diameter"),
    "degc": ("°C", "temperature"),
    "k": ("K", "temperature difference"),
    "w": ("W", "power, heat flow"),
    "bar": ("bar", "gauge pressure, pressure difference"),
    "kg_per_s": ("kg/s", "mass flow"),
    "mw": ("MW", "heat, power or fuel of a plant, active power of a grid"),
    "mvar": ("Mvar", "reactive power"),
    "var": ("var", "reactive power"),
    "pu": ("p.u.", "voltage over the rated one, or a quantity over the base of its grid"),
    "degree": ("°", "angle of a voltage"),
    "percent": ("%", "loading: current over the rated one"),
    "kv": ("kV", "voltage"),
    "ka": ("kA", "current"),
    "mwh": ("MWh", "energy of a plant"),
    "dkk": ("DKK", "money, kroner of the year it is spent in"),
    "dkk_per_kwh": ("DKK/kWh", "price or tariff of power"),
    "dkk_per_mwh": ("DKK/MWh", "price or tax of fuel, upkeep"),
    "dkk_per_h": ("DKK/h", "what an hour costs"),
    "kg_per_mwh": ("kg/MWh", "emission of CO2"),
    "w_per_k": ("W/K", "heat transfer or loss coefficient"),
    "w_per_m2": ("W/m²", "irradiance"),
    "w_per_mk": ("W/(m·K)", "heat loss per metre"),
    "j_per_mk": ("J/(m·K)", "heat capacity per metre"),
    "kg_per_h": ("kg/h", "emission of an hour"),
    "bar_h_per_m3": ("bar·h/m³", "slope of a pump curve"),
    "bar_h2_per_m6": ("bar·h²/m⁶", "curvature of a pump curve"),
}

HEAD = """# Names and units

One quantity has one name, in files, in code and in results. A name ends with its unit; names
without a suffix are counts, ratios, words or coordinates. Pressures in bar are gauge pressures.

## Suffixes

| suffix | unit | for |
|---|---|---|
"""

MIDDLE = """
## Quantities

This table is written from the code by `docs/names_table.py`.

| name | unit | quantity | where |
|---|---|---|---|
"""

Uses = dict[tuple[str, str], dict[str, list[str]]]  # (name, unit) -> description -> places


def quantities() -> Uses:
    """Every name with its unit, and what it means in which places."""
    uses: Uses = defaultdict(lambda: defaultdict(list))
    for table, columns in COLUMNS.items():
        for column in columns:
            if column.kind == "float":
                uses[column.name, column.unit][column.description].append(f"{table}.csv")
    for column in FILE_COLUMNS:
        if column.kind == "float":
            uses[column.name, column.unit][column.description].append("a plant's own meters")
    for name, (_, unit, text) in UNIT_COURSES.items():
        uses[name, unit][text].append("plan.nc")
    for name, (unit, text) in CONDITIONS.items():
        uses[name, unit][text].append("plan.nc")
    for name, course in COURSES.items():
        uses[name, course.unit][course.text].append("courses of a grid")
    for system, entry in SYSTEMS.items():
        plant = entry.example().system
        for kind in ("actions", "drives", "outputs"):
            for channel in getattr(plant, kind):
                place = f"{system}, {kind.removesuffix('s')}"
                uses[channel.name, channel.unit][channel.description].append(place)
    return uses


def page() -> str:
    """The whole page as text."""
    suffixes = [f"| `_{suffix}` | {unit} | {use} |" for suffix, (unit, use) in SUFFIXES.items()]
    rows = [
        f"| `{name}` | {unit or '-'} | {description} | {', '.join(places)} |"
        for (name, unit), meanings in sorted(quantities().items())
        for description, places in meanings.items()
    ]
    return HEAD + "\n".join(suffixes) + "\n" + MIDDLE + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
