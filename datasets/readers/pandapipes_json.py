"""Load a pandapipes JSON file without letting it call anything.

pandapower's decoder imports the modules that a file names and calls what it finds there, also
from the cells of a table. A file is therefore read through once before it is decoded, and refused
if it names anything else than the containers, components and property classes of a network.
"""

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvilling.datasets.readers.text_files import read_text
from tvilling.sciml.errors import InputError

if TYPE_CHECKING:
    from pandapipes import pandapipesNet

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
    text = read_text(path)
    try:
        content = json.loads(text)
    except json.JSONDecodeError as fault:
        place = f"line {fault.lineno}, column {fault.colno}"
        raise InputError(str(path), [f"is not JSON: {fault.msg} at {place}"]) from None
    except RecursionError:
        raise InputError(str(path), ["is JSON nested too deeply to be a network"]) from None
    if not isinstance(content, dict) or content.get("_class") != "pandapipesNet":
        found = content.get("_class") if isinstance(content, dict) else type(content).__name__
        raise InputError(
            str(path), [f"is not a pandapipes network; its outermost object is {found}"]
        )
    refused = sorted(_named_classes(content))
    if refused:
        raise InputError(
            str(path), [f"names {name}, which is no part of a network" for name in refused]
        )
    return _decode(path)


def _named_classes(content: Any) -> set[str]:
    """Classes outside the allowed ones, also in JSON that stands inside strings."""
    refused, waiting = set(), [content]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "_module" in value or "_class" in value:
                module, name = str(value.get("_module", "")), str(value.get("_class", ""))
                if not _allowed(module, name):
                    refused.add(f"{module}.{name}")
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
            try:
                waiting.append(json.loads(value))
            except ValueError:
                continue
    return refused


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
