"""Objects in a JSON file that are no part of a network, wherever they stand.

None of them is ever looked up. A file that names one is refused all the same: either it is meant to
run something elsewhere, or it needs a program that is not here. What may stand in a file and is
not read are the controllers and devices of the libraries themselves.
"""

from typing import Any

from tvilling.datasets.readers.json.values import CLASS, CONTENT, MODULE, Foreign, RawTable, is_data
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.escape import printable
from tvilling.sciml.io.json_text import parse_json

KNOWN = {
    ("builtins", "complex"), ("networkx", "MultiGraph"), ("networkx", "Graph"),
    ("geopandas.geodataframe", "GeoDataFrame"), ("pandas.core.series", "Series"),
    ("pandapower.auxiliary", "pandapowerNet"), ("pandapipes.pandapipes_net", "pandapipesNet"),
    *(("shapely", name) for name in ("Point", "LineString", "Polygon")),
}  # fmt: skip
MODULES = (
    "pandapower.control.", "pandapower.protection.", "pandapower.timeseries.",
    "pandapipes.component_models.", "pandapipes.properties.", "pandapipes.std_types.",
    "pandapipes.control.", "pandapipes.timeseries.",
)  # fmt: skip
FUNCTIONS = {"function", "method"}
MARKS = (MODULE, CLASS, "\\u005f", "\\u005F")  # the last two are an underscore, escaped


def foreign_faults(value: Any) -> list[str]:
    """A fault for every class that `value` names and no network has, however deep.

    Looked through are lists, members and their keys, the options of an object, and every text
    that holds an object.

    Parameters
    ----------
    value
        What was parsed from JSON, or what `plain` made of it.
    """
    faults: set[str] = set()
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one.values(), *(key for key in one if "{" in key)]
            if MODULE in one or CLASS in one:
                faults |= _fault(one)
        elif isinstance(one, list):
            waiting += [each for each in one if not isinstance(each, int | float)]
        elif isinstance(one, Foreign):
            waiting.append({MODULE: one.module, CLASS: one.name, CONTENT: one.content})
        elif isinstance(one, RawTable):
            waiting.append(one.content)
        elif isinstance(one, str) and "{" in one and any(mark in one for mark in MARKS):
            waiting += _inside(one, faults)
    return sorted(faults)[:20]


def _fault(members: dict[str, Any]) -> set[str]:
    """What is wrong with the class that an object names, if no network has it."""
    module, name = members.get(MODULE), members.get(CLASS)
    if not isinstance(module, str) or not isinstance(name, str):
        return {"holds an object without module or class"}
    of_library = module.startswith(MODULES) and name.isidentifier()
    if (module, name) in KNOWN or (of_library and (name[:1].isupper() or name in FUNCTIONS)):
        return set()
    called = printable(f"{module}.{name}", 120)
    if not is_data(module, name):
        return {f"names {called}, which is no part of a network"}
    return set() if CONTENT in members else {f"names {called} without its content"}


def _inside(text: str, faults: set[str]) -> list[Any]:
    """What a text holds that has an object in it; one that is no JSON is a fault by itself."""
    try:
        return [parse_json(text, "text")]
    except InputError:
        faults.add("holds an object in text that is not JSON")
        return []
