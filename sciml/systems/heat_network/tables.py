"""A heat network as tables: one table a kind of element, one `Column` a field.

Every reader ends here, and `build` starts here. Pressures in bar are gauge pressures.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from tvilling.sciml.errors import InputError
from tvilling.sciml.tables import Column, read_table


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
        Column("ground_degc", "°C", "Ground temperature; blank: that of the case", low=-40, high=60),
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
        Column("max_flow_kg_per_s", "kg/s", "Greatest flow through the substation; blank: no limit",
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
        Column("supply_bar", "bar", "Pressure at the supply junction", low=-1, high=500, default=6.0),
        Column("lift_bar", "bar", "Pressure difference that its pump makes; blank with flow_kg_per_s",
               low=0, high=100),
        Column("flow_kg_per_s", "kg/s", "Prescribed mass flow instead of lift_bar", low=0, high=1e5),
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

    def checked(self) -> "HeatNetworkTables":
        """The same tables, typed and filled with defaults.

        Raises
        ------
        InputError
            With every fault of every table.
        """
        tables, faults = {}, []
        for kind, columns in COLUMNS.items():
            table = getattr(self, kind)
            if table.empty and not len(table.columns):
                table = pd.DataFrame(columns=[column.name for column in columns])
            tables[kind], found = read_table(table, columns, kind)
            faults += found
        faults += _dangling(tables) + _over_or_under_set(tables)
        if not len(tables["sources"]):
            faults.append("sources: the network has no source")
        if faults:
            raise InputError(self.source, faults)
        return replace(self, **tables)


def _dangling(tables: dict[str, pd.DataFrame]) -> list[str]:
    """Faults for elements that name a junction which is not there, or the same one twice."""
    known = set(tables["junctions"]["name"])
    faults = []
    for kind, table in tables.items():
        ends = [c for c in table.columns if c.endswith("junction")]
        for end in ends:
            faults += [
                f"{kind}, row {at + 2} ({name}): {end} {junction} is not in junctions"
                for at, (name, junction) in enumerate(zip(table["name"], table[end], strict=True))
                if junction and junction not in known
            ]
        if len(ends) == 2:
            faults += [
                f"{kind}, row {at + 2} ({name}): both ends are junction {junction}"
                for at, (name, junction, other) in enumerate(
                    zip(table["name"], table[ends[0]], table[ends[1]], strict=True)
                )
                if junction and junction == other
            ]
    return faults


def _over_or_under_set(tables: dict[str, pd.DataFrame]) -> list[str]:
    """Faults for consumers and sources whose flow is set twice or not at all."""
    faults = []
    for at, row in enumerate(tables["consumers"].itertuples()):
        given = [
            name
            for name in ("heat_w", "return_degc", "cooling_k", "flow_kg_per_s", "ua_w_per_k")
            if not np.isnan(getattr(row, name))
        ]
        place = f"consumers, row {at + 2} ({row.name})"
        if "ua_w_per_k" in given:
            secondary = np.array([row.secondary_supply_degc, row.secondary_return_degc])
            if np.isnan(secondary).any() or secondary[0] <= secondary[1]:
                faults.append(
                    f"{place}: ua_w_per_k needs secondary_supply_degc above secondary_return_degc"
                )
        allowed = [
            {"heat_w", "return_degc"},
            {"heat_w", "cooling_k"},
            {"heat_w", "flow_kg_per_s"},
            {"heat_w", "ua_w_per_k"},
            {"flow_kg_per_s", "return_degc"},
            {"flow_kg_per_s", "cooling_k"},
        ]
        if set(given) not in allowed:
            faults.append(
                f"{place}: has {' and '.join(given) or 'nothing'} set, expected heat_w with one of "
                "return_degc, cooling_k, flow_kg_per_s or ua_w_per_k, "
                "or flow_kg_per_s with one of return_degc or cooling_k"
            )
    for at, row in enumerate(tables["sources"].itertuples()):
        closed = bool(row.return_junction)
        if closed and np.isnan(row.lift_bar) == np.isnan(row.flow_kg_per_s):
            faults.append(
                f"sources, row {at + 2} ({row.name}): set one of lift_bar and flow_kg_per_s"
            )
    supply = tables["sources"]["supply_junction"]
    for junction in sorted(set(supply[supply.duplicated()])):
        names = tables["sources"]["name"][supply == junction]
        faults.append(f"sources: {', '.join(names)} feed the same junction {junction}")
    return faults
