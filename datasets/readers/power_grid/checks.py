"""Faults of a pandapower net that would stop a power flow, or make it answer a different question.

pandapower itself lets most of these through: a load without a value makes every voltage of its
grid not a number.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tvilling.datasets.readers.pandapower.columns import (
    BUSES,
    COLUMNS,
    REFERENCES,
    SIDES,
    STEP_COLUMNS,
    SWITCHED,
)
from tvilling.datasets.readers.pandapower.ranges import Needed
from tvilling.datasets.readers.power_grid.labels import element
from tvilling.datasets.readers.power_grid.steps import flagged, step_faults

if TYPE_CHECKING:
    from pandapower import pandapowerNet

MAX_FAULTS_PER_COLUMN = 20
POWERS = (("min_p_mw", "max_p_mw", "MW"), ("min_q_mvar", "max_q_mvar", "Mvar"))
RANGES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "bus": (("min_vm_pu", "max_vm_pu", "p.u."),),
    "gen": (*POWERS, ("min_vm_pu", "max_vm_pu", "p.u.")),
    **dict.fromkeys(("ext_grid", "sgen", "load", "storage"), POWERS),
    "dcline": (
        ("min_q_from_mvar", "max_q_from_mvar", "Mvar"),
        ("min_q_to_mvar", "max_q_to_mvar", "Mvar"),
    ),
}
"""Pairs of columns that bound a value, the least before the greatest."""
TINY = 1e-12


def net_faults(net: "pandapowerNet") -> list[str]:
    """Every fault of a net, with table, index, name, column, value, unit and allowed range."""
    faults = [] if len(net.bus) else ["the network has no buses"]
    faults += _reference_faults(net)
    for kind in dict.fromkeys((*COLUMNS, *BUSES)):
        table = net.get(kind)
        if not isinstance(table, pd.DataFrame) or table.empty:
            continue
        faults += _index_faults(table, kind)
        faults += _service_faults(table, kind)
        for column in COLUMNS.get(kind, ()):
            faults += _number_faults(table, kind, column)
        for end in BUSES.get(kind, ()):
            faults += _bus_faults(net, table, kind, end)
    for kind, columns in STEP_COLUMNS.items():
        if isinstance(net.get(kind), pd.DataFrame):
            for column in columns:
                faults += _number_faults(net[kind], kind, column)
    faults += [*_limit_faults(net), *_loop_faults(net), *_branch_faults(net), *step_faults(net)]
    return [*faults, *_share_faults(net), *_switch_faults(net), *slack_faults(net)]


def numbers(table: pd.DataFrame, column: str) -> np.ndarray:
    """A column as floats; not a number where it has none, and throughout where it is missing."""
    if column not in table:
        return np.full(len(table), np.nan)
    return pd.to_numeric(table[column], errors="coerce").to_numpy(float, na_value=np.nan)


def in_service(table: pd.DataFrame) -> np.ndarray:
    """Which rows are in service; none where the column is missing."""
    if "in_service" not in table:
        return np.zeros(len(table), bool)
    return (table["in_service"] == True).to_numpy(bool)  # noqa: E712  it may hold other things


def _listed(table: pd.DataFrame, kind: str, bad: np.ndarray, what: list[str]) -> list[str]:
    """`what` of each bad row behind its name, the first few of them."""
    rows = np.flatnonzero(bad)
    shown = rows[:MAX_FAULTS_PER_COLUMN]
    faults = [
        f"{element(table, kind, int(row))}: {text}"
        for row, text in zip(shown, what[: len(shown)], strict=True)
    ]
    more = len(rows) - len(shown)
    return faults + ([f"{kind}: {more} more rows like the last"] if more > 0 else [])


def _reference_faults(net: "pandapowerNet") -> list[str]:
    """Reference power and frequency of the net that are none."""
    return [
        f"{one.name} of the network is {net[one.name]:g} {one.unit}, {one.expected()}"
        for one in REFERENCES
        if one.outside(np.asarray(net[one.name], float))
    ]


def _index_faults(table: pd.DataFrame, kind: str) -> list[str]:
    twice = table.index[table.index.duplicated()].unique()
    return [f"{kind}: index {index} stands more than once" for index in twice]


def _service_faults(table: pd.DataFrame, kind: str) -> list[str]:
    column = "closed" if kind == "switch" else "in_service"
    if column not in table:
        return [f"{kind}: column {column} is missing"]
    if table[column].dtype == bool:
        return []
    good = table[column].map(lambda value: not pd.isna(value) and value in (0, 1))
    bad = ~good.to_numpy(bool)
    found = table[column].to_numpy()[bad]
    return _listed(
        table, kind, bad, [f"{column} is {value}, expected true or false" for value in found]
    )


def _number_faults(table: pd.DataFrame, kind: str, column: Needed) -> list[str]:
    if column.name not in table:
        unit = f" [{column.unit}]" if column.unit else ""
        return [] if column.optional else [f"{kind}: column {column.name}{unit} is missing"]
    given = table[column.name]
    value = numbers(table, column.name)
    bad = column.outside(value)
    if column.blank:
        bad &= given.notna().to_numpy()
    unit = f" {column.unit}" if column.unit else ""
    what = [
        f"{column.name} has no value, {column.expected()}"
        if pd.isna(cell)
        else f"{column.name} is {cell}{unit}, {column.expected()}"
        for cell in given.to_numpy(object)[bad]
    ]
    return _listed(table, kind, bad, what)


def _bus_faults(net: "pandapowerNet", table: pd.DataFrame, kind: str, end: str) -> list[str]:
    if end not in table:
        return [f"{kind}: column {end} is missing"]
    known = table[end].isin(net.bus.index).to_numpy()
    return _listed(
        table,
        kind,
        ~known,
        [f"{end} is {bus}, and there is no such bus" for bus in table[end].to_numpy()[~known]],
    )


def _limit_faults(net: "pandapowerNet") -> list[str]:
    """Ranges that no value can keep to."""
    faults = []
    for kind, pairs in RANGES.items():
        table = net.get(kind)
        if not isinstance(table, pd.DataFrame) or table.empty:
            continue
        for least, most, unit in pairs:
            low, high = numbers(table, least), numbers(table, most)
            bad = low > high
            what = [
                f"{least} is {low[row]:g} {unit} and {most} is {high[row]:g} {unit}, "
                f"expected {least} at most {most}"
                for row in np.flatnonzero(bad)
            ]
            faults += _listed(table, kind, bad, what)
    return faults


def _loop_faults(net: "pandapowerNet") -> list[str]:
    """Branches with both ends at the same bus."""
    faults = []
    for kind in ("line", "trafo"):
        table, ends = net[kind], BUSES[kind]
        if not set(ends).issubset(table):
            continue
        bad = (table[ends[0]] == table[ends[1]]).to_numpy(bool)
        what = [
            f"{ends[0]} and {ends[1]} are both {bus}, expected two buses"
            for bus in table[ends[0]].to_numpy()[bad]
        ]
        faults += _listed(table, kind, bad, what)
    return faults


def _branch_faults(net: "pandapowerNet") -> list[str]:
    """Impedances of zero, and short-circuit resistances larger than the impedance."""
    line, impedance = net.line, net.impedance
    faults = _zero(line, "line", ("r_ohm_per_km", "x_ohm_per_km"), "ohm/km")
    for ends in ("ft", "tf"):
        faults += _zero(impedance, "impedance", (f"r{ends}_pu", f"x{ends}_pu"), "p.u.")
    faults += _zero(net.xward, "xward", ("r_ohm", "x_ohm"), "ohm")
    faults += _short_circuit(net.trafo[~by_table(net.trafo)], "trafo", "")
    trafo3w = net.trafo3w[~by_table(net.trafo3w)]
    for side in SIDES:
        faults += _short_circuit(trafo3w, "trafo3w", f"_{side}")
    return faults


def by_table(trafo: pd.DataFrame) -> np.ndarray:
    """Which transformers take ratio and impedance of a tap from a table of characteristics."""
    return flagged(trafo, "tap_dependency_table")


def _zero(table: pd.DataFrame, kind: str, columns: tuple[str, str], unit: str) -> list[str]:
    bad = np.all([np.abs(numbers(table, column)) < TINY for column in columns], axis=0)
    text = (
        f"{columns[0]} and {columns[1]} are both 0 {unit}, expected an impedance; "
        "a bus-bus switch joins buses without one"
    )
    return _listed(table, kind, bad, [text] * int(bad.sum()))


def _short_circuit(table: pd.DataFrame, kind: str, side: str) -> list[str]:
    vk, vkr = (numbers(table, f"{name}{side}_percent") for name in ("vk", "vkr"))
    bad = (np.abs(vk) < TINY) | (np.abs(vkr) > np.abs(vk) * (1 + 1e-9))
    what = [
        f"vkr{side}_percent is {vkr[row]:g} % and vk{side}_percent is {vk[row]:g} %, "
        "expected vk other than 0 and vkr within -vk to vk"
        for row in np.flatnonzero(bad)
    ]
    return _listed(table, kind, bad, what)


def _share_faults(net: "pandapowerNet") -> list[str]:
    """Shares of constant impedance and constant current that make more than the whole."""
    faults = []
    for power in "pq":
        names = [f"const_{kind}_{power}_percent" for kind in "zi"]
        each = np.array([numbers(net.load, name) for name in names])
        total = each.sum(axis=0)
        bad = (total > 100 * (1 + 1e-9)) & (each <= 100).all(axis=0)
        what = [
            f"{names[0]} and {names[1]} add up to {value:g} %, expected at most 100 %"
            for value in total[bad]
        ]
        faults += _listed(net.load, "load", bad, what)
    return faults


def _switch_faults(net: "pandapowerNet") -> list[str]:
    switch = net.switch
    faults = [
        f"switch: column {name} is missing" for name in ("et", "element") if name not in switch
    ]
    if faults:
        return faults
    kinds = switch["et"].to_numpy(object)
    strange = ~np.isin(kinds.astype(str), list(SWITCHED))
    what = [f"et is {kind}, expected one of {', '.join(SWITCHED)}" for kind in kinds[strange]]
    faults += _listed(switch, "switch", strange, what)
    for et, other in SWITCHED.items():
        bad = (kinds == et) & ~switch["element"].isin(net[other].index).to_numpy()
        found = switch["element"].to_numpy()[bad]
        what = [f"element is {index}, and there is no such {other}" for index in found]
        faults += _listed(switch, "switch", bad, what)
    return faults


def slack_faults(net: "pandapowerNet") -> list[str]:
    """A fault where there is none: a grid needs a bus whose voltage and angle are given."""
    if in_service(net.ext_grid).any():
        return []
    if "slack" in net.gen and (net.gen["slack"].eq(True) & in_service(net.gen)).any():
        return []
    return [
        "no ext_grid is in service and no gen with slack, expected at least one; --slack BUS makes "
        "a bus the reference"
    ]
