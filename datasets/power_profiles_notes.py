"""What of a grid has no course of power, and therefore keeps the power of the file all the time."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from tvilling.datasets.readers.power_grid.labels import elements

if TYPE_CHECKING:
    from pandapower import pandapowerNet

POWERS = {
    "load": ("p_mw", "q_mvar"),
    "sgen": ("p_mw", "q_mvar"),
    "storage": ("p_mw", "q_mvar"),
    "gen": ("p_mw",),
}  # columns that a course may stand for
WITHOUT = {
    "motor": ("pn_mech_mw",),
    "ward": ("ps_mw", "qs_mvar"),
    "xward": ("ps_mw", "qs_mvar"),
    "asymmetric_load": ("p_a_mw", "p_b_mw", "p_c_mw", "q_a_mvar", "q_b_mvar", "q_c_mvar"),
    "asymmetric_sgen": ("p_a_mw", "p_b_mw", "p_c_mw", "q_a_mvar", "q_b_mvar", "q_c_mvar"),
    "dcline": ("p_mw",),
}  # elements whose power no course can stand for


def constant_note(net: "pandapowerNet", covered: Mapping[str, np.ndarray]) -> str:
    """What stays as in the file, and which courses have no part; empty where there is nothing.

    Parameters
    ----------
    covered
        Rows that have a course, by name such as `load_p_mw`. Elements out of service and powers of
        0 count as covered.
    """
    parts, idle = [], []
    for kind, columns in POWERS.items():
        table = net[kind]
        on, driven = table["in_service"].to_numpy(bool), np.zeros(len(table), bool)
        for column in columns:
            own = covered.get(f"{kind}_{column}", np.zeros(len(table), bool))
            driven |= own
            bare = on & ~own & (table[column].to_numpy(float) != 0)
            if bare.any():
                count = f"{column} of {bare.sum()} of {len(table)} {kind}"
                parts.append(f"{count} ({elements(table, kind, bare)})")
        if (driven & ~on).any():
            idle.append(elements(table, kind, driven & ~on))
    for kind, columns in WITHOUT.items():
        table = net.get(kind)
        if table is None or not len(table):
            continue
        bare = table["in_service"].to_numpy(bool)
        bare &= (table[list(columns)].to_numpy(float) != 0).any(axis=1)
        if bare.any():
            parts.append(f"{bare.sum()} of {kind} ({elements(table, kind, bare)})")
    told = (
        ("Without a course, and kept at the power of the file throughout", "; ", parts),
        ("Out of service, so that their courses have no part", ", ", idle),
    )
    return " ".join(f"{words}: {between.join(names)}." for words, between, names in told if names)
