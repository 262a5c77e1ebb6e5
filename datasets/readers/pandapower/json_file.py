"""pandapower's JSON files, read by a decoder of our own.

pandapower's decoder imports the modules that a file names and calls what it finds there. Here a
file is parsed as plain JSON, the tables that a power flow needs are typed cell by cell, and an
empty net is filled with them; pandapower converts older formats on that net. What else a file
holds is noted by name and left.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from tvilling.datasets.readers.json.cells import shown
from tvilling.datasets.readers.json.foreign import foreign_faults
from tvilling.datasets.readers.json.table import Findings, object_names, retyped
from tvilling.datasets.readers.json.values import CLASS, CONTENT, RawTable, plain
from tvilling.datasets.readers.pandapower.defaults import with_columns
from tvilling.datasets.readers.pandapower.members import MEMBERS, read_members
from tvilling.datasets.readers.pandapower.schema import schemas, units
from tvilling.datasets.readers.power_grid.labels import listening, told
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.escape import printable
from tvilling.sciml.io.json_text import parse_json, read_json

if TYPE_CHECKING:
    from pandapower import pandapowerNet

NETWORK = "a pandapower network"
SILENT = {"dtypes", "parameters", "index_names", "options", "et"}


def load_json(path: Path) -> tuple["pandapowerNet", list[str]]:
    """The network in a pandapower JSON file, and what was converted in it or is not used.

    Raises
    ------
    InputError
        The file is missing, too large, not UTF-8, not JSON, not a pandapower network, or holds
        tables or cells of the wrong type: each with its table, row, column and value.
    """
    content = _content(path)
    found = Findings(str(path))
    members = read_members(found, content)
    _note_others(found, content)
    found.check()
    net, heard = _converted(found, members)
    found.check()
    return net, [*found.notes, *_version_note(members), *told(heard)]


def _content(path: Path) -> dict[str, Any]:
    """Members of the net by name: of an object of pandapower, or plain tables before 2.2."""
    content = read_json(path, NETWORK)
    name = content.get(CLASS)
    if name == "pandapipesNet":
        raise InputError(str(path), [f"is a pandapipes network of pipes, expected {NETWORK}"])
    if name == "pandapowerNet":
        members = content.get(CONTENT)
        if isinstance(members, str):  # as early versions of 2 wrote it
            members = parse_json(members, str(path))
            if isinstance(members, dict) and members.get(CLASS) == name:
                members = members.get(CONTENT)
    elif name is None and "bus" in content:
        members = _flat(content)
    else:
        outermost = (
            "an object without a class and without buses"
            if name is None
            else printable(str(name), 60)
        )
        raise InputError(str(path), [f"is not {NETWORK}; its outermost object is {outermost}"])
    if not isinstance(members, dict) or CLASS in members:
        raise InputError(str(path), [f"is not {NETWORK}: it is damaged and holds no tables"])
    faults = foreign_faults(members)
    if faults:
        raise InputError(str(path), faults)
    return {key: plain(value) for key, value in members.items()}


def _flat(content: dict[str, Any]) -> dict[str, Any]:
    """Members of a net of version 1, which kept its parameters apart and its tables by column."""
    parameters = content.get("parameters")
    values = parameters.get("parameter") if isinstance(parameters, dict) else None
    content = {
        name: RawTable(value) if isinstance(value, dict) and name in schemas() else value
        for name, value in content.items()
    }
    return {**values, **content} if isinstance(values, dict) else content


def _note_others(found: Findings, content: Mapping[str, Any]) -> None:
    """A note on whatever else the file holds that means something to its author."""
    for name, value in content.items():
        if name in schemas() or name in MEMBERS or name in SILENT or name.startswith(("res_", "_")):
            continue
        called = shown(name)[1:-1]
        if isinstance(value, RawTable):
            rows, kinds = object_names(found, called, value)
            listed = f": {', '.join(kinds)}" if kinds else ""
            if name == "controller" and rows:
                found.notes.append(f"{rows} controllers are not run{listed}")
            elif rows:
                found.notes.append(f"table {called} ({rows} rows) is not used{listed}")
        elif value not in (None, "", [], {}):
            found.notes.append(f"{called} is not used")


def _converted(found: Findings, members: dict[str, Any]) -> tuple["pandapowerNet", list[str]]:
    """An empty net filled with `members`, in the format of the installed pandapower."""
    try:
        with listening() as heard:
            import pandapower
            from pandapower.convert_format import convert_format

            net = pandapower.create_empty_network()
            net.update(members)
            convert_format(net)
    except Exception as fault:  # whatever an old table makes pandapower raise
        reason = f"{type(fault).__name__}: {' '.join(str(fault).split())}"
        raise InputError(found.source, [f"pandapower cannot convert it ({reason})"]) from fault
    for name, schema in schemas().items():
        table = net.get(name)
        if isinstance(table, pd.DataFrame):
            typed = retyped(found, name, table, schema, units(name))
            net[name] = with_columns(found, name, typed)
    return net, heard


def _version_note(members: Mapping[str, Any]) -> list[str]:
    """A note where pandapower converted tables of an older format."""
    from packaging.version import Version
    from pandapower import __format_version__

    written = members.get("format_version") or members.get("version")
    if written and Version(written) >= Version(__format_version__):
        return []
    return [
        f"the file has format {written or 'unknown'}; pandapower converted it to "
        f"{__format_version__}"
    ]
