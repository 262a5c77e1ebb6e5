"""Heat networks from pandapipes 0.16: a JSON file or a net in memory.

What each element becomes is told in docs/network-files.md. An element that has no counterpart is
named in one message; one that is out of service is left out with a note.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tvilling.datasets.readers.heat.pandapipes_elements import READERS
from tvilling.datasets.readers.heat.pandapipes_geodata import place
from tvilling.datasets.readers.heat.pandapipes_json import load_pandapipes
from tvilling.datasets.readers.heat.pandapipes_reading import Reading
from tvilling.datasets.readers.heat.pandapipes_unused import note_unused
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_network.hydraulics.held_pressure import unheld_notes
from tvilling.sciml.systems.heat_network.tables import HeatNetworkTables
from tvilling.sciml.systems.heat_network.topology.connectivity import connectivity

if TYPE_CHECKING:
    from pandapipes import pandapipesNet

UNSUPPORTED = {
    "press_control": "pressure control",
    "pressure_control": "pressure control",
    "compressor": "compressor",
    "mass_storage": "mass storage",
}
GEODATA = {"junction_geodata", "pipe_geodata"}


def read_pandapipes(
    source: "str | Path | pandapipesNet", swap_xy: bool | None = None
) -> HeatNetworkTables:
    """Tables of a pandapipes network of water.

    Parameters
    ----------
    source
        Path of a pandapipes JSON file, or a pandapipes net.
    swap_xy
        Whether its coordinates hold latitude before longitude. None: found out by comparing the
        lengths of the lines with the lengths of the pipes, and told in the notes.

    Returns
    -------
    HeatNetworkTables
        Checked tables; `notes` say what was left out or assumed.

    Raises
    ------
    InputError
        With every fault: unsupported elements by name, values out of range, dangling elements.
    """
    if isinstance(source, str | Path):
        net, notes = load_pandapipes(Path(source))
        title = str(source)
    else:
        net, notes, title = source, [], str(source.name or "pandapipes net")
    reading = Reading(net, notes)
    tables = {kind: read(reading) for kind, read in READERS.items()}
    tables["junctions"], routes = place(reading, tables["junctions"], tables["pipes"], swap_xy)
    _tell_fluid(reading)
    _tell_unsupported(reading)
    _tell_unread_tables(reading)
    note_unused(reading)
    try:
        checked = HeatNetworkTables(
            **tables, source=title, routes=routes, notes=tuple(reading.notes)
        ).checked()
    except InputError as faulty:
        raise InputError(title, [*reading.faults, *faulty.faults]) from None
    apart = connectivity(checked)
    if reading.faults or apart.faults:
        raise InputError(title, [*reading.faults, *apart.faults])
    return replace(checked, notes=(*checked.notes, *apart.notes, *unheld_notes(checked)))


def _tell_fluid(reading: Reading) -> None:
    fluid = reading.net.get("fluid")
    if fluid is None:
        reading.notes.append("the net names no fluid; water is assumed")
    elif fluid.is_gas:
        reading.faults.append(f"fluid {fluid.name} is a gas, expected water")
    elif fluid.name != "water":
        reading.notes.append(
            f"fluid {fluid.name}: tables hold no fluid, build takes water unless told otherwise"
        )


def _tell_unsupported(reading: Reading) -> None:
    """A fault for every element in service that a heat network here does not have."""
    for table, what in UNSUPPORTED.items():
        for index, row in reading.rows(table).iterrows():
            name = row.get("name") or index
            reading.faults.append(f"{table} {name}: a {what} is not supported")


def _tell_unread_tables(reading: Reading) -> None:
    """A note for every other table with rows: it means something to its author."""
    known = {*reading.used, *UNSUPPORTED, *GEODATA}
    for name, table in reading.net.items():
        if name in known or name.startswith(("res_", "_")) or not hasattr(table, "columns"):
            continue
        if len(table):
            reading.notes.append(f"table {name} ({len(table)} rows) is not used")
