"""Load a pandapipes JSON file without letting it call anything.

A file is read through once before it is decoded, and refused if it names anything else than the
containers, components and property classes of a network.
"""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from tvilling.datasets.readers.checked_json import read_json, refuse_foreign
from tvilling.sciml.errors import InputError

if TYPE_CHECKING:
    from pandapipes import pandapipesNet

NETWORK = "a pandapipes network"
CLASSES = {
    ("builtins", "tuple"), ("builtins", "set"), ("builtins", "frozenset"), ("builtins", "complex"),
    ("numpy", "array"), ("numpy", "bool_"), ("numpy", "float64"), ("numpy", "int64"),
    ("numpy", "int32"), ("numpy", "uint32"), ("pandas.core.frame", "DataFrame"),
    ("pandas.core.series", "Series"), ("networkx", "MultiGraph"),
    ("pandapipes.pandapipes_net", "pandapipesNet"), ("pandapipes.pandapipes_net", "Sector"),
}  # fmt: skip
MODULES = (
    "pandapipes.component_models.",
    "pandapipes.properties.",
    "pandapipes.std_types.",
    "pandapipes.control.",
    "pandapower.control.",
    "pandapower.timeseries.",
)


def load_pandapipes(path: Path) -> "pandapipesNet":
    """The network in a pandapipes JSON file.

    Raises
    ------
    InputError
        The file is missing, too large, not UTF-8, not JSON, not a pandapipes network, or names
        classes that do not belong to a network.
    """
    _, content = read_json(path, NETWORK)
    found = content.values_of("_class") or ["no network"]
    if found != ["pandapipesNet"]:
        raise InputError(str(path), [f"is not {NETWORK}; its outermost object is {found[0]}"])
    refuse_foreign(path, content, _allowed)
    return _decode(path)


def _allowed(module: str, name: str) -> bool:
    is_class = name[:1].isupper() and name.isidentifier()
    return (module, name) in CLASSES or (is_class and module.startswith(MODULES))


def _decode(path: Path) -> "pandapipesNet":
    """Decode a file that has been read through; a fault in it becomes one line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pandapower's decoder warns about its own pandas use
            import pandapipes

            net = pandapipes.from_json(str(path))
    except Exception as fault:  # the decoder raises whatever its parts raise
        reason = f"{type(fault).__name__}: {fault}"
        raise InputError(str(path), [f"pandapipes cannot read it ({reason})"]) from fault
    if not isinstance(net, pandapipes.pandapipesNet):
        raise InputError(str(path), ["pandapipes cannot read it (it is damaged)"])
    return net
