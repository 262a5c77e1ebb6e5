"""A heat network as tables: one table a kind of element, one `Column` a field.

Every reader ends here, and `build` starts here. Pressures in bar are gauge pressures.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.io.tables import Column, read_table, row_label


def _name(what: str) -> Column:
    return Column("name", "", f"Name of the {what}, unique in its table", "str", required=True)


def _end(name: str, what: str) -> Column:
    return Column(name, "", what, "str", required=True)


FROM, TO = (
    _end("from_junction", "Junction it starts at"),
    _end("to_junction", "Junction it ends at"),
)
DIAMETER = Column("inner_diameter_m", "m", "Inner diameter", low=1e-3, high=3.0, required=True)
ZETA = Column("zeta", "1", "Sum of local loss coefficients", low=0, high=1e6, default=0.0)

COLUMNS: dict[str, tuple[Column, ...]] = {
    "junctions": (
        _name("junction"),
        Column("elevation_m", "m", "Height above sea", low=-500, high=5000, default=0.0),
        Column("x", "", "Longitude [deg] or easting [m]; both coordinates or none"),
        Column("y", "", "Latitude [deg] or northing [m]"),
    ),
    "pipes": (
        _name("pipe"),
        FROM,
        TO,
        Column("length_m", "m", "Length along the trench", low=0, high=100_000, required=True),
        DIAMETER,
        Column("roughness_m", "m", "Equivalent sand roughness", low=0, high=0.01, default=1e-4),
        ZETA,
        Column(
            "loss_w_per_mk",
            "W/(m·K)",
            "Heat loss of this one pipe per metre and kelvin between water and ground",
            low=0,
            high=500,
            default=0.0,
        ),
        Column(
            "wall_j_per_mk",
            "J/(m·K)",
            "Heat capacity of the pipe wall per metre",
            low=0,
            high=1e7,
            default=0.0,
        ),
        Column("ground_degc", "°C", "Ground temperature; blank: that of the case",
               low=-40, high=60),
    ),
    "valves": (
        _name("valve"),
        FROM,
        TO,
        DIAMETER,
        ZETA,
        Column("is_open", "", "A closed valve carries no flow", "bool", default=True),
    ),
    "pumps": (
        _name("booster pump"),
        FROM,
        TO,
        Column("lift0_bar", "bar", "Lift at no flow", low=0, high=100, required=True),
        Column("lift1_bar_h_per_m3", "bar·h/m³", "Slope of the lift over flow", default=0.0),
        Column("lift2_bar_h2_per_m6", "bar·h²/m⁶", "Curvature of the lift over flow", default=0.0),
    ),
    "exchangers": (
        _name("heat exchanger in the line"),
        FROM,
        TO,
        DIAMETER,
        ZETA,
        Column("heat_w", "W", "Heat taken out of the water", low=-1e9, high=1e9, default=0.0),
    ),
    "consumers": (
        _name("consumer"),
        FROM,
        TO,
        Column("heat_w", "W", "Heat demand", low=0, high=1e9),
        Column("return_degc", "°C", "Temperature of the water that leaves", low=0, high=150),
        Column("cooling_k", "K", "Temperature drop of the water", low=0.1, high=150),
        Column("flow_kg_per_s", "kg/s", "Prescribed mass flow", low=0, high=1e5),
        Column("bypass_kg_per_s", "kg/s", "Constant flow past the substation",
               low=0, high=1e3, default=0.0),
        Column("min_flow_kg_per_s", "kg/s", "Least flow through the substation",
               low=0, high=1e3, default=0.0),
        Column("max_flow_kg_per_s", "kg/s",
               "Greatest flow through the substation; blank: five times what heat_w needs, "
               "at least 0.25 kg/s",
               low=0, high=1e5, default=np.inf),
        Column("min_dp_bar", "bar", "Differential pressure it needs", low=0, high=10, default=0.0),
        Column("ua_w_per_k", "W/K", "Substation's heat exchanger; replaces return_degc",
               low=1, high=1e8),
        Column("secondary_supply_degc", "°C", "Secondary supply, with ua_w_per_k", low=0, high=150),
        Column("secondary_return_degc", "°C", "Secondary return, with ua_w_per_k", low=0, high=150),
    ),
    "sources": (
        _name("source"),
        Column("supply_junction", "", "Junction it feeds", "str", required=True),
        Column("return_junction", "", "Junction it draws from; blank: an open network", "str"),
        Column("supply_degc", "°C", "Supply temperature", low=0, high=200, required=True),
        Column("supply_bar", "bar",
               "Pressure it holds at its supply junction; blank: 6 bar where it has to hold one",
               low=-1, high=500),
        Column("lift_bar", "bar", "Pressure difference its pump makes; blank with flow_kg_per_s",
               low=0, high=100),
        Column("flow_kg_per_s", "kg/s", "Prescribed mass flow instead of lift_bar",
               low=0, high=1e5),
    ),
    "injections": (
        _name("injection"),
        Column("junction", "", "Junction it stands at", "str", required=True),
        Column("flow_kg_per_s", "kg/s", "Flow into the network; negative: out of it",
               low=-1e5, high=1e5, required=True),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class HeatNetworkTables:
    """The tables of one network, each with the columns of `COLUMNS` in SI units.

    Attributes
    ----------
    source
        Where it was read, for messages.
    routes
        Optional line of each pipe, by name: points `(x, y)` in the junctions' coordinates.
    notes
        What the reader has to say: unsupported elements by name, assumptions.
    """

    junctions: pd.DataFrame
    pipes: pd.DataFrame
    consumers: pd.DataFrame
    sources: pd.DataFrame
    valves: pd.DataFrame = field(default_factory=pd.DataFrame)
    pumps: pd.DataFrame = field(default_factory=pd.DataFrame)
    exchangers: pd.DataFrame = field(default_factory=pd.DataFrame)
    injections: pd.DataFrame = field(default_factory=pd.DataFrame)
    source: str = "network"
    routes: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    __repr__ = short_repr

    def checked(self) -> "HeatNetworkTables":
        """The same tables, typed and filled with defaults.

        Raises
        ------
        InputError
            With every fault of every table.
        """
        tables, faults = check_tables({kind: getattr(self, kind) for kind in COLUMNS})
        if faults:
            raise InputError(self.source, faults)
        return replace(self, **tables)


def check_tables(
    tables: dict[str, pd.DataFrame | None], suffix: str = ""
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Typed and filled tables by kind, and every fault in them.

    Parameters
    ----------
    tables
        One table a kind of `COLUMNS`. None: it could not be read, which the caller has to tell;
        checks that compare it with the other tables are then left out.
    suffix
        Follows the kind in messages: `.csv` where the tables are files.
    """
    checked: dict[str, pd.DataFrame] = {}
    faults: list[str] = []
    for kind, columns in COLUMNS.items():
        table = tables.get(kind)
        if table is None or (table.empty and not len(table.columns)):
            table = pd.DataFrame(columns=[column.name for column in columns])
        checked[kind], found = read_table(table, columns, kind + suffix)
        faults += found
    unread = {kind for kind in COLUMNS if kind in tables and tables[kind] is None}
    faults += _one_coordinate(checked, suffix)
    faults += _dangling(checked, suffix, check_names="junctions" not in unread)
    faults += _over_or_under_set(checked, suffix)
    if "sources" not in unread and not len(checked["sources"]):
        faults.append(f"sources{suffix}: the network has no source")
    if "junctions" not in unread and not len(checked["junctions"]):
        faults.append(f"junctions{suffix}: the network has no junction")
    return checked, faults


def _one_coordinate(tables: dict[str, pd.DataFrame], suffix: str) -> list[str]:
    """Faults for junctions with an x and no y, or the other way round."""
    table = tables["junctions"]
    half = table["x"].isna() != table["y"].isna()
    return [
        f"junctions{suffix}, {row_label(table, int(at))}: only one of x and y is given"
        for at in np.flatnonzero(half)
    ]


def _dangling(tables: dict[str, pd.DataFrame], suffix: str, check_names: bool) -> list[str]:
    """Faults for elements that name a junction which is not there, or the same one twice."""
    known = set(tables["junctions"]["name"])
    faults = []
    for kind, table in tables.items():
        ends = [column for column in table.columns if column.endswith("junction")]
        for at, row in enumerate(table[ends].itertuples(index=False)):
            place = f"{kind}{suffix}, {row_label(table, at)}"
            if check_names:
                faults += [
                    f"{place}: {end} {junction} is not in junctions{suffix}"
                    for end, junction in zip(ends, row, strict=True)
                    if junction and junction not in known
                ]
            if len(row) == 2 and row[0] and row[0] == row[1]:
                faults.append(f"{place}: both ends are junction {row[0]}")
    return faults


SETTINGS = ("heat_w", "return_degc", "cooling_k", "flow_kg_per_s", "ua_w_per_k")
SECONDARY = ("secondary_supply_degc", "secondary_return_degc")
ALLOWED_SETTINGS = (
    {"heat_w", "return_degc"},
    {"heat_w", "cooling_k"},
    {"heat_w", "flow_kg_per_s"},
    {"heat_w", "ua_w_per_k"},
    {"flow_kg_per_s", "return_degc"},
    {"flow_kg_per_s", "cooling_k"},
)


def _over_or_under_set(tables: dict[str, pd.DataFrame], suffix: str) -> list[str]:
    """Faults for consumers and sources whose flow is set twice or not at all."""
    faults = []
    for at, row in enumerate(tables["consumers"].itertuples()):
        place = f"consumers{suffix}, {row_label(tables['consumers'], at)}"
        faults += [f"{place}: {fault}" for fault in _consumer_faults(row)]
    for at, row in enumerate(tables["sources"].itertuples()):
        place = f"sources{suffix}, {row_label(tables['sources'], at)}"
        given = [name for name in ("lift_bar", "flow_kg_per_s") if not np.isnan(getattr(row, name))]
        if row.return_junction and len(given) != 1:
            faults.append(f"{place}: set one of lift_bar and flow_kg_per_s")
        elif given and not row.return_junction:
            faults.append(
                f"{place}: has {' and '.join(given)}, which only a source with a return_junction "
                "can have; supply_bar decides the flow of an open one"
            )
    supply = tables["sources"]["supply_junction"]
    for junction in sorted(set(supply[supply.duplicated()]) - {""}):
        names = tables["sources"]["name"][supply == junction]
        faults.append(f"sources{suffix}: {', '.join(names)} feed the same junction {junction}")
    return faults


def _consumer_faults(row: Any) -> list[str]:
    """What is wrong with how one consumer's flow and heat are set."""
    faults = []
    given = [name for name in SETTINGS if not np.isnan(getattr(row, name))]
    if "ua_w_per_k" in given and not row.secondary_supply_degc > row.secondary_return_degc:
        faults.append("ua_w_per_k needs secondary_supply_degc above secondary_return_degc")
    if set(given) not in ALLOWED_SETTINGS:
        faults.append(
            f"has {' and '.join(given) or 'nothing'} set, expected heat_w with one of "
            "return_degc, cooling_k, flow_kg_per_s or ua_w_per_k, "
            "or flow_kg_per_s with one of return_degc or cooling_k"
        )
    secondary = [name for name in SECONDARY if not np.isnan(getattr(row, name))]
    if secondary and "ua_w_per_k" not in given:
        faults.append(f"has {' and '.join(secondary)} without ua_w_per_k, which needs them")
    if row.min_flow_kg_per_s > row.max_flow_kg_per_s:
        faults.append(
            f"min_flow_kg_per_s is {row.min_flow_kg_per_s:g} kg/s, "
            f"above max_flow_kg_per_s {row.max_flow_kg_per_s:g} kg/s"
        )
    return faults
