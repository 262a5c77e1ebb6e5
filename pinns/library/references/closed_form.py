"""References that are a formula: exact but for rounding."""

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Array, ArrayLike, Float

from tvilling.pinns.problem.statement import Reference, Values

ROUNDING = 1e-14


def closed_form(function: Callable[..., Array], *coordinates: str, unknown: str = "u") -> Reference:
    """The reference `function(coordinate, …)` for one unknown.

    Parameters
    ----------
    function
        Takes the coordinates `[*point]` in the order of their names, and gives the unknown.
    coordinates
        Their names.
    """

    def values(points: Mapping[str, Float[np.ndarray, "*point"]]) -> Values:
        arguments: list[ArrayLike] = [points[name] for name in coordinates]
        return {unknown: np.asarray(function(*arguments))}

    return Reference(values, ROUNDING, "closed form, exact but for rounding")
