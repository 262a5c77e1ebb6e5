"""What an equation or a condition is written with: the declared quantities, by name."""

from collections.abc import Callable, Mapping
from typing import Any


class UndeclaredError(AttributeError):
    """A name was used that the problem does not declare."""


class Variables:
    """Declared quantities as attributes: `at.water_degc`, `at.speed_m_per_s`, `at.x_m`.

    In an equation they are fields, in a condition's value plain scalars.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_values", dict(values))

    def __getattr__(self, name: str) -> Any:
        values = object.__getattribute__(self, "_values")
        if name not in values:
            known = ", ".join(item for item in values if not item.startswith("normal_"))
            raise UndeclaredError(f"{name!r} is not declared; declared are {known}")
        return values[name]


def everything(terms: Variables) -> dict[str, Any]:
    """All quantities of `terms` by name."""
    return dict(object.__getattribute__(terms, "_values"))


class Recorded(Variables):
    """The same, noting in `used` which names are asked for."""

    __slots__ = ("_used",)

    def __init__(self, values: Mapping[str, Any], used: set[str]) -> None:
        super().__init__(values)
        object.__setattr__(self, "_used", used)

    def __getattr__(self, name: str) -> Any:
        object.__getattribute__(self, "_used").add(name)
        return super().__getattr__(name)


Formula = Callable[[Variables], Any]
