"""Load a pandapower JSON file without letting it call anything.

A file is read through once before it is decoded, and refused if it names anything else than the
containers, controllers and devices of a network.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvilling.datasets.readers.checked_json import Pairs, read_json, refuse_foreign
from tvilling.datasets.readers.power_grid_words import listening, told
from tvilling.sciml.errors import InputError

if TYPE_CHECKING:
    from pandapower import pandapowerNet

NETWORK = "a pandapower network"
CLASSES = {
    ("builtins", "tuple"), ("builtins", "set"), ("builtins", "frozenset"), ("builtins", "complex"),
    ("numpy", "array"), ("numpy", "bool_"), ("numpy", "float64"), ("numpy", "int64"),
    ("numpy", "int32"), ("numpy", "uint32"), ("pandas.core.frame", "DataFrame"),
    ("pandas.core.series", "Series"), ("networkx", "MultiGraph"),
    ("pandapower.auxiliary", "pandapowerNet"),
}  # fmt: skip
MODULES = ("pandapower.control.", "pandapower.protection.", "pandapower.timeseries.")


def load_json(path: Path) -> tuple["pandapowerNet", list[str]]:
    """The network in a pandapower JSON file, and what was converted in it.

    Raises
    ------
    InputError
        The file is missing, too large, not UTF-8, not JSON, not a pandapower network, or names
        classes that do not belong to a network.
    """
    text, content = read_json(path, NETWORK)
    _check_outermost(path, content)
    refuse_foreign(path, content, _allowed)
    net, heard = _decode(path, text)
    return net, [*_converted(content), *told(heard)]


def _check_outermost(path: Path, content: Pairs) -> None:
    """The outermost object is a net, or the plain tables of a net before pandapower 2.2."""
    classes = content.values_of("_class")
    if classes == ["pandapowerNet"] or (not classes and content.values_of("bus")):
        return
    if classes == ["pandapipesNet"]:
        raise InputError(str(path), [f"is a pandapipes network of pipes, expected {NETWORK}"])
    found = classes[0] if classes else "an object without a class and without buses"
    raise InputError(str(path), [f"is not {NETWORK}; its outermost object is {found}"])


def _allowed(module: str, name: str) -> bool:
    is_class = name[:1].isupper() and name.isidentifier()
    return (module, name) in CLASSES or (is_class and module.startswith(MODULES))


def _decode(path: Path, text: str) -> tuple["pandapowerNet", list[str]]:
    """Decode a text that has been read through; a fault in it becomes one line."""
    try:
        with listening() as heard:
            import pandapower

            net = pandapower.from_json_string(text, convert=True)
    except Exception as fault:  # the decoder raises whatever its parts raise
        reason = f"{type(fault).__name__}: {' '.join(str(fault).split())}"
        raise InputError(str(path), [f"pandapower cannot read it ({reason})"]) from fault
    if not isinstance(net, pandapower.pandapowerNet):
        raise InputError(str(path), ["pandapower cannot read it (it is damaged)"])
    return net, heard


def _converted(content: Pairs) -> list[str]:
    """A note where pandapower converted tables of an older format."""
    from packaging.version import InvalidVersion, Version
    from pandapower import __format_version__

    inner: Any = content.values_of("_object")
    tables = inner[0] if inner and isinstance(inner[0], Pairs) else content
    found = (tables.values_of("format_version") or tables.values_of("version") or ["unknown"])[0]
    try:
        if Version(str(found)) >= Version(__format_version__):
            return []
    except InvalidVersion:
        pass
    return [f"the file has format {found}; pandapower converted it to {__format_version__}"]
