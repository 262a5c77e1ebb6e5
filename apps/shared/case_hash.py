"""Digests by which a run is known: of the network that was read, and of the case as it was run."""

import hashlib
from typing import TYPE_CHECKING

from tvilling.apps.heat.case import Case

if TYPE_CHECKING:
    from tvilling.sciml.systems.heat_network.tables import HeatNetworkTables

DIGITS, SHORT = 16, 8


def network_digest(tables: "HeatNetworkTables") -> str:
    """Sixteen digits that change with any cell, row or order of rows of checked tables."""
    from tvilling.sciml.systems.heat_network.tables import COLUMNS

    digest = hashlib.sha256()
    for kind in COLUMNS:
        table = getattr(tables, kind)
        digest.update(f"{kind} {len(table)}".encode())
        for column in table.columns:
            digest.update(repr((column, table[column].tolist())).encode())
    return digest.hexdigest()[:DIGITS]


def case_hash(case: Case, digest: str) -> str:
    """Eight digits that change with any field of `case` and with `digest` of its network.

    The network counts by what was read, not by where it was: a case with another path to the same
    tables has the same hash. The weather source has to be the one that was used, not `auto`.
    """
    fields = case.model_dump_json(exclude={"network": {"source"}})
    return hashlib.sha256(f"{fields} {digest}".encode()).hexdigest()[:SHORT]
