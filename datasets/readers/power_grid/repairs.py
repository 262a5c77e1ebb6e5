"""What is mended in a pandapower net after it was read, and what is told instead.

SimBench 1.6 makes nets for pandapower 2: the shares of constant impedance and constant current of
its loads stay empty, which makes the voltages of pandapower 3 not a number, and its transformers
have no `tap_changer_type`, without which pandapower 3 leaves out their tap positions in silence.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tvilling.datasets.readers.pandapower.columns import BUSES, SHARES
from tvilling.datasets.readers.power_grid.checks import by_table, in_service
from tvilling.datasets.readers.power_grid.labels import elements

if TYPE_CHECKING:
    from pandapower import pandapowerNet


def fill_shares(net: "pandapowerNet") -> list[str]:
    """Empty shares of constant impedance and current become 0 %, in place; the notes say where."""
    load = net.load
    names = [share.name for share in SHARES if share.name in load]
    empty = load[names].isna()
    if not empty.any(axis=None):
        return []
    load[names] = load[names].astype(float).fillna(0.0)
    columns = ", ".join(empty.columns[empty.any()])
    where = elements(load, "load", empty.any(axis=1).to_numpy())
    return [f"{columns} had no value and became 0 % (constant power): {where}"]


def out_with_their_buses(net: "pandapowerNet") -> list[str]:
    """Elements in service at a bus that is not go out with it, in place, as in pandapower's flow.

    The note names them and the buses.
    """
    off = net.bus.index[~in_service(net.bus)]
    named, buses = list[str](), set[int]()
    for kind, ends in BUSES.items() if len(off) else ():
        table = net.get(kind)
        if kind == "switch" or not isinstance(table, pd.DataFrame) or table.empty:
            continue
        dead = in_service(table) & table[list(ends)].isin(off).any(axis=1).to_numpy()
        if not dead.any():
            continue
        named.append(elements(table, kind, dead))
        buses.update(table.loc[dead, list(ends)].to_numpy(np.int64).ravel().tolist())
        table.loc[dead, "in_service"] = False
    if not named:
        return []
    where = elements(net.bus, "bus", net.bus.index.isin(buses & {*off}))
    return [f"out of service with their bus ({where}): {', '.join(named)}"]


def type_taps(net: "pandapowerNet") -> list[str]:
    """Give transformers without one a `tap_changer_type`, in place; the notes name them.

    By pandapower's own rule for nets of version 2: a step in per cent makes it `Ratio`
    (`Symmetrical` where `tap_step_degree` is 90), a step in degrees alone `Ideal`.
    """
    notes = []
    for kind in ("trafo", "trafo3w"):
        table = net[kind]
        untyped = _untyped(table)
        percent, degree = _steps(table)
        found = np.full(len(table), None, object)
        found[percent != 0] = "Ratio"
        found[(percent != 0) & (degree == 90)] = "Symmetrical"
        found[(percent == 0) & (degree != 0)] = "Ideal"
        set_now = untyped & (found != None)  # noqa: E711  element by element
        if not set_now.any():
            continue
        table["tap_changer_type"] = np.where(set_now, found, table["tap_changer_type"])
        types = ", ".join(sorted(set(found[set_now])))
        where = elements(table, kind, set_now)
        notes.append(f"tap_changer_type had no value and became {types}: {where}")
    return notes


def taps_left_out(net: "pandapowerNet") -> list[str]:
    """Notes on transformers whose tap is off its middle though pandapower leaves it out."""
    notes = []
    for kind in ("trafo", "trafo3w"):
        table = net[kind]
        if not {"tap_pos", "tap_neutral"}.issubset(table):
            continue
        position = table["tap_pos"].to_numpy(float, na_value=np.nan)
        neutral = table["tap_neutral"].to_numpy(float, na_value=np.nan)
        percent, degree = _steps(table)
        off = np.isfinite(position - neutral) & (position != neutral)
        off &= ((percent != 0) | (degree != 0)) & _untyped(table) & ~by_table(table)
        if off.any():
            notes.append(
                "tap_changer_type has no value, so pandapower leaves the tap out "
                f"(set it to Ratio, Symmetrical or Ideal): {elements(table, kind, off)}"
            )
    return notes


def controllers_idle(net: "pandapowerNet") -> list[str]:
    """A note where a net has controllers, which a plain power flow does not run."""
    controllers = net.get("controller")
    if not isinstance(controllers, pd.DataFrame) or controllers.empty:
        return []
    kinds = sorted({type(each).__name__ for each in controllers["object"]})
    return [f"{len(controllers)} controllers are not run: {', '.join(kinds)}"]


def _untyped(table: pd.DataFrame) -> np.ndarray:
    if "tap_changer_type" not in table:
        return np.zeros(len(table), bool)  # pandapower then goes by tap_phase_shifter
    return table["tap_changer_type"].isna().to_numpy()


def _steps(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Steps of each transformer [%, degree], 0 where they have no value."""
    return tuple(  # type: ignore[return-value]
        np.nan_to_num(table[name].to_numpy(float, na_value=np.nan))
        if name in table
        else np.zeros(len(table))
        for name in ("tap_step_percent", "tap_step_degree")
    )
