"""Plain data behind the objects by which pandapower and pandapipes write their nets as JSON.

An object there names a module and a class, by which the libraries import and call whatever it
says. Here the names are only compared with those of tables, numbers and sequences, and everything
else stays a `Foreign`: nothing is looked up, imported or called.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MODULE, CLASS, CONTENT = "_module", "_class", "_object"
TABLE = ("pandas.core.frame", "DataFrame")
OPTIONS = {
    MODULE, CLASS, CONTENT, "dtype", "orient", "typ", "is_multiindex", "is_multicolumn",
    "index_name", "index_names", "column_name", "column_names",
}  # fmt: skip
SEQUENCES = {
    ("builtins", "tuple"), ("builtins", "set"), ("builtins", "frozenset"), ("builtins", "list"),
    ("numpy", "array"), ("numpy", "ndarray"),
}  # fmt: skip
FLAGS = {"bool", "bool_", "bool8"}
WHOLES = {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)} | {"int", "intc"}
FLOATS = {"float", "float16", "float32", "float64", "float128", "longdouble", "double"}
WORDS = {("pandapipes.pandapipes_net", "Sector"), ("builtins", "str"), ("numpy", "str_")}
SCALARS = {"numpy", "builtins"}
NOT_FINITE = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}


@dataclass(frozen=True)
class Foreign:
    """An object that is no plain data, such as a controller: its name, and what it holds."""

    module: str
    name: str
    content: Any = field(repr=False, default=None)


@dataclass(frozen=True)
class RawTable:
    """A table as it is written, before its cells are looked at.

    Attributes
    ----------
    content
        A JSON text, or what was parsed from one.
    orient
        How it is laid out, by the names of `pandas.read_json`.
    types
        Type of each column by the file, by numpy's names.
    levels
        Whether rows or columns have names of several levels.
    unknown
        Options that pandapower does not write.
    """

    content: Any = field(repr=False)
    orient: str = "columns"
    types: Mapping[str, str] = field(default_factory=dict)
    levels: bool = False
    unknown: tuple[str, ...] = ()


def plain(value: Any) -> Any:
    """`value` with every object of numbers, words and sequences as what it stands for.

    Tables become a `RawTable`, all other objects a `Foreign`; neither is looked into.
    """
    if isinstance(value, dict):
        if MODULE in value or CLASS in value:
            return _unwrapped(value)
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [plain(member) for member in value]
    return value


def is_data(module: str, name: str) -> bool:
    """Whether objects of this class are tables, sequences, numbers or words."""
    is_scalar = module in SCALARS and name in FLAGS | WHOLES | FLOATS
    return is_scalar or _is_sequence(module, name) or (module, name) in WORDS | {TABLE}


def _is_sequence(module: str, name: str) -> bool:
    is_index = module == "pandas" or module.startswith("pandas.core.indexes.")
    return (module, name) in SEQUENCES or (is_index and name.endswith("Index"))


def _unwrapped(members: dict[str, Any]) -> Any:
    module, name = members.get(MODULE), members.get(CLASS)
    if not isinstance(module, str) or not isinstance(name, str):
        return Foreign(str(module)[:100], str(name)[:100], members)
    if CONTENT not in members:
        return Foreign(
            module, name, {key: members[key] for key in members.keys() - {MODULE, CLASS}}
        )
    content = members[CONTENT]
    if (module, name) == TABLE:
        return _table(members)
    if _is_sequence(module, name):
        return plain(content) if isinstance(content, list) else Foreign(module, name, content)
    if (module, name) in WORDS and isinstance(content, str):
        return content
    scalar = _scalar(name, content) if module in SCALARS else None
    return Foreign(module, name, content) if scalar is None else scalar


def _scalar(name: str, content: Any) -> bool | int | float | None:
    """A number or flag of numpy, None where it is none of them."""
    if name in FLAGS:
        return {"true": True, "false": False}.get(str(content).lower())
    if isinstance(content, bool) or name not in WHOLES | FLOATS:
        return None
    if isinstance(content, int | float):
        return content
    return NOT_FINITE.get(content.lower()) if isinstance(content, str) else None


def _table(members: dict[str, Any]) -> RawTable:
    types = members.get("dtype")
    types = types if isinstance(types, dict) else {}
    orient = members.get("orient", "columns")
    return RawTable(
        content=members.get(CONTENT),
        orient=orient if isinstance(orient, str) else "of no known name",
        types={str(name): str(kind) for name, kind in types.items()},
        levels=bool(members.get("is_multiindex") or members.get("is_multicolumn")),
        unknown=tuple(sorted(members.keys() - OPTIONS)),
    )
