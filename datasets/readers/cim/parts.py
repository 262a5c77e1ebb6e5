"""Parts of a CGMES grid that refer to each other: what no file defines, and voltages to be filled.

A grid of CGMES is spread over profiles, and nodes at its border and the base voltages stand in
boundary files that the network operators share. A file often comes without them.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

Cim = Mapping[str, Mapping[str, pd.DataFrame]]
PROFILES = {
    "eq": "EQ (equipment)",
    "ssh": "SSH (steady state hypothesis)",
    "tp": "TP (topology)",
}
BOUNDARY = {"2.4.15": "EQBD and TPBD", "3.0": "EQBD"}
NODES = {"tp": "TopologicalNode", "tp_bd": "TopologicalNode"}
MAX_NAMED = 5


def missing_parts(cim: Cim, profiles: set[str], version: str) -> list[str]:
    """A fault for each profile that is missing, and for boundary files that others refer to.

    Parameters
    ----------
    profiles
        Short names of the profiles that the files are of, such as `eq` and `tp_bd`.
    """
    by_node = len(cim["eq"]["ConnectivityNode"]) > 0
    needed = [name for name in PROFILES if name != "tp" or not by_node]
    faults = [f"profile {PROFILES[name]} is missing" for name in needed if name not in profiles]
    if faults:
        return [f"{fault}; expected the profiles EQ, SSH and TP together" for fault in faults]
    where = f"the boundary files ({BOUNDARY[version]}) of the model are missing"
    lost = _unknown(_voltages_named(cim), _known(cim, "BaseVoltage"))
    if lost:
        faults.append(f"base voltages {lost} are defined in no file: {where}")
    terminals = _terminals(cim)
    known = _known(cim, "ConnectivityNode") | _known(cim, "TopologicalNode")
    lost = _unknown(terminals["node"], known)
    if lost:
        faults.append(f"nodes {lost} are defined in no file: {where}")
    return faults


def fill_base_voltages(cim: Cim) -> list[str]:
    """Give nodes without a base voltage that of what is connected to them, in place.

    Returns
    -------
    list[str]
        A note that names them.
    """
    terminals = _terminals(cim)
    terminals["voltage"] = terminals["ConductingEquipment"].map(_voltage_of_equipment(cim))
    given = terminals.dropna(subset=["voltage", "node"]).drop_duplicates("node")
    at_node = given.set_index("node")["voltage"]
    named: list[str] = []
    for profile, kind in NODES.items():
        nodes = cim.get(profile, {}).get(kind)
        if nodes is None or nodes.empty:
            continue
        bare = nodes["BaseVoltage"].isna() & nodes["rdfId"].isin(at_node.index)
        nodes.loc[bare, "BaseVoltage"] = nodes.loc[bare, "rdfId"].map(at_node)
        named += nodes.loc[bare, "name"].fillna(nodes["rdfId"]).astype(str).tolist()
    named += _fill_containers(cim, at_node)
    if not named:
        return []
    return [f"base voltage taken from the equipment there: {_listed(named)}"]


def fill_in_service(cim: Cim) -> list[str]:
    """Equipment of which the state says nothing is in service, in place, before cells are typed.

    pandapower's converter takes a blank for false, and so would leave out the whole grid where a
    tool of version 3.0 writes no `inService`.

    Returns
    -------
    list[str]
        A note with the kinds of equipment.
    """
    kinds = []
    for kind, table in cim["ssh"].items():
        if "inService" in table and table["inService"].isna().any():
            blank = table["inService"].isna()
            table["inService"] = table["inService"].astype(object).where(~blank, "true")
            kinds.append(f"{int(blank.sum())} of {kind}")
    return [f"inService has no value and is taken as true: {_listed(kinds)}"] if kinds else []


def _fill_containers(cim: Cim, at_node: pd.Series) -> list[str]:
    """Levels for connectivity nodes that are in none, such as those between two networks."""
    levels, bays = cim["eq"]["VoltageLevel"], cim["eq"]["Bay"]
    held = {*levels["rdfId"], *bays["rdfId"]}
    new: dict[str, str] = {}
    named = []
    for profile in ("eq", "eq_bd"):
        nodes = cim[profile]["ConnectivityNode"]
        bare = ~nodes["ConnectivityNodeContainer"].isin(held) & nodes["rdfId"].isin(at_node.index)
        for row in nodes.index[bare]:
            node = nodes.at[row, "rdfId"]
            new[f"level of {node}"] = at_node[node]
            nodes.at[row, "ConnectivityNodeContainer"] = f"level of {node}"
            name = nodes.at[row, "name"]
            named.append(name if isinstance(name, str) else node)
    for level, voltage in new.items():
        levels.loc[len(levels), ["rdfId", "BaseVoltage"]] = [level, voltage]
    return named


def _terminals(cim: Cim) -> pd.DataFrame:
    """Terminals with their equipment and node: the topological one where there is no other."""
    eq, tp = cim["eq"]["Terminal"], cim["tp"]["Terminal"]
    both = eq[["rdfId", "ConductingEquipment", "ConnectivityNode"]].merge(
        tp[["rdfId", "TopologicalNode"]].drop_duplicates("rdfId"), how="left", on="rdfId"
    )
    return both.assign(node=both["ConnectivityNode"].fillna(both["TopologicalNode"]))


def _voltage_of_equipment(cim: Cim) -> dict[str, str]:
    """Base voltage of equipment that has its own, or stands in a level that has one."""
    levels = dict(cim["eq"]["VoltageLevel"][["rdfId", "BaseVoltage"]].dropna().to_numpy())
    voltages: dict[str, str] = {}
    for kind, table in cim["eq"].items():
        if kind in ("VoltageLevel", "PowerTransformerEnd") or "rdfId" not in table:
            continue
        if "EquipmentContainer" in table:
            inside = table.set_index("rdfId")["EquipmentContainer"].map(levels).dropna()
            voltages |= inside.to_dict()
        if "BaseVoltage" in table:
            voltages |= table.set_index("rdfId")["BaseVoltage"].dropna().to_dict()
    transformers = set(cim["eq"]["PowerTransformer"]["rdfId"])  # which have two voltages
    return {name: voltage for name, voltage in voltages.items() if name not in transformers}


def _voltages_named(cim: Cim) -> pd.Series:
    """Base voltages that levels, nodes and equipment refer to."""
    tables = [table for kinds in (cim["eq"], cim["tp"]) for table in kinds.values()]
    named = [table["BaseVoltage"].dropna() for table in tables if "BaseVoltage" in table]
    return pd.concat(named) if named else pd.Series([], dtype=object)


def _known(cim: Cim, kind: str) -> set[Any]:
    return {each for kinds in cim.values() if kind in kinds for each in kinds[kind]["rdfId"]}


def _unknown(named: pd.Series, known: set[Any]) -> str:
    """Those that are not known, the first few by name; nothing where all are."""
    lost = list(dict.fromkeys(str(each) for each in named.dropna() if each not in known))
    return _listed(lost) if lost else ""


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return ", ".join(names[:MAX_NAMED]) + more
