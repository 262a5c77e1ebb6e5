"""One entry for every kind of network file."""

from pathlib import Path

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_network.tables import HeatNetworkTables

SHIPPED = "pandapipes:"


def read_network(source: str | Path) -> HeatNetworkTables:
    """Tables of the network that `source` names.

    Parameters
    ----------
    source
        A folder of tables (`pipes.csv` and so on), a pandapipes JSON file, or `pandapipes:NAME`
        for a network that ships inside pandapipes, such as `pandapipes:schutterwald_heat`.

    Raises
    ------
    InputError
        With every fault found.
    """
    text = str(source)
    if not text.strip():
        raise InputError("network", ["no file is named"])
    if text.startswith(SHIPPED):
        return _read_shipped(text)
    path = Path(source)
    if path.is_dir():
        from tvilling.datasets.readers.heat.tables import read_heat_tables

        return read_heat_tables(path)
    if not path.exists():
        raise InputError(text, ["no such file or folder"])
    if path.suffix.lower() != ".json":
        raise InputError(
            text, [f"ends in {path.suffix or 'nothing'}, expected a folder of tables or .json"]
        )
    from tvilling.datasets.readers.heat.pandapipes import read_pandapipes

    return read_pandapipes(path)


def _read_shipped(text: str) -> HeatNetworkTables:
    """A network that ships inside pandapipes, by the name of the function that returns it."""
    import inspect
    from dataclasses import replace

    from pandapipes.networks import simple_heat_transfer_networks, simple_water_networks

    from tvilling.datasets.readers.heat.pandapipes import read_pandapipes

    found = {
        name: function
        for module in (simple_heat_transfer_networks, simple_water_networks)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }
    name = text.removeprefix(SHIPPED)
    if name not in found:
        raise InputError(text, [f"pandapipes has no {name}; known are {', '.join(sorted(found))}"])
    tables = read_pandapipes(found[name]())
    return replace(tables, source=text)
