"""What an equation or a condition is written with: the declared quantities, by name."""

from collections.abc import Callable, Mapping
from typing import Any


class UndeclaredError(AttributeError):
    """A name was used that the problem does not declare."""


class Terms:
    """Declared quantities as attributes: `at.water_degc`, `at.speed_m_per_s`, `at.x_m`.

    In an equation they are fields, in a condition's value plain scalars.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_values", dict(values))

    def __getattr__(self, name: str) -> Any:
        values = object.__getattribute__(self, "_values")
        if name not in values:
            raise UndeclaredError(f"{name!r} is not declared; declared are {', '.join(values)}")
        return values[name]


Formula = Callable[[Terms], Any]
