"""How annotations are checked at run time in the tests."""

from collections.abc import Callable
from typing import Any

from beartype import BeartypeConf, beartype

_check = beartype(conf=BeartypeConf(is_pep484_tower=True))  # an int will do for a float


def typechecker(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` with its arguments and result checked.

    Constructors are left out: JAX rebuilds its dataclasses through them with placeholders, whose
    types are not those of the fields.
    """
    return function if function.__name__ == "__init__" else _check(function)
