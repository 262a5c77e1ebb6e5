"""Numbers as a user gives them: lists, arrays and columns, and what is none."""

from typing import Any

import numpy as np
from jaxtyping import Float


def as_numbers(given: Any) -> Float[np.ndarray, " *shape"]:
    """`given` as floating-point numbers.

    Raises
    ------
    ValueError
        In words that follow the name of what was given, if it holds dates, complex numbers or
        what is no number: a date as nanoseconds, or a number without its imaginary part, would
        be taken for something else.
    """
    array = np.asarray(given)
    kinds = {type(item).__name__ for item in np.ravel(array)[:1]} if array.dtype == object else ()
    if array.dtype.kind in "mM" or {"datetime", "date", "Timestamp", "timedelta"} & set(kinds):
        raise ValueError(
            "are dates or times, expected numbers in the declared unit, such as "
            "(times - times[0]) / np.timedelta64(1, 's')"
        )
    if array.dtype.kind == "c":
        raise ValueError("are complex, expected real numbers")
    try:
        return np.asarray(array, float)
    except (TypeError, ValueError):
        raise ValueError("are no numbers") from None
