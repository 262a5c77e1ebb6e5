"""A `linopy.Model` stated by arrays of labels.

A programme over hours is rows of a few terms each, the same from hour to hour. Stated through
arithmetic on labelled expressions, a week of a plant takes 0.4 s; as arrays of coefficients and
labels it takes a tenth of that, and what lies before the first hour is left out in plain sight.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Int

Labels = Int[np.ndarray, "*shape"]
Term = tuple[Any, Labels]  # coefficients that broadcast to the labels, and the labels

DIMS = ("time", "unit")  # from the last dimension on
NOTHING = -1  # label of no variable


class ModelBuilder:
    """Variables, rows and objective of a programme over `time`, or over `unit` and `time`."""

    def __init__(self) -> None:
        import linopy

        self.model = linopy.Model()
        self._objective: list[Term] = []

    def variable(self, name: str, low: Any, high: Any, whole: bool = False) -> Labels:
        """Labels of a new variable between `low` and `high`, which have its shape together."""
        low, high = np.broadcast_arrays(np.asarray(low, float), np.asarray(high, float))
        added = self.model.add_variables(_labelled(low), _labelled(high), name=name, integer=whole)
        labels: Labels = added.labels.to_numpy()
        return labels

    def rows(self, name: str, terms: Sequence[Term], sense: str, side: Any) -> None:
        """Rows `sum of coefficient times variable`, `sense` (`<=`, `>=`, `=`), `side`.

        Terms and side broadcast together; a label below zero is no variable.
        """
        import linopy

        shape = np.broadcast_shapes(*(np.shape(labels) for _, labels in terms), np.shape(side))
        data = _terms(terms, shape)
        left = linopy.LinearExpression(data, self.model)
        right = _labelled(np.broadcast_to(np.asarray(side, float), shape))
        self.model.add_constraints(left, sense, right, name=name)

    def cost(self, coefficients: Any, labels: Labels) -> None:
        """Add to what is made small."""
        self._objective.append((coefficients, labels))

    def finished(self) -> Any:
        """The model with its objective."""
        import linopy
        import xarray as xr

        parts = [
            (np.broadcast_to(np.asarray(c, float), labels.shape).ravel(), labels.ravel())
            for c, labels in self._objective
        ]
        coefficients, labels = (np.concatenate(side) for side in zip(*parts, strict=True))
        data = xr.Dataset({"coeffs": ("_term", coefficients), "vars": ("_term", labels)})
        self.model.add_objective(linopy.LinearExpression(data, self.model))
        return self.model


def earlier(labels: Labels, steps: int) -> Labels:
    """The variables `steps` before; nothing before the beginning."""
    found = np.full(labels.shape, NOTHING)
    if steps < labels.shape[-1]:
        found[..., steps:] = labels[..., : labels.shape[-1] - steps]
    return found


def _terms(terms: Sequence[Term], shape: tuple[int, ...]) -> Any:
    import xarray as xr

    coefficients = [np.broadcast_to(np.asarray(c, float), shape) for c, _ in terms]
    labels = [np.broadcast_to(label, shape) for _, label in terms]
    dims = (*_dims(shape), "_term")
    return xr.Dataset(
        {"coeffs": (dims, np.stack(coefficients, -1)), "vars": (dims, np.stack(labels, -1))},
        _coords(shape),
    )


def _labelled(values: np.ndarray) -> Any:
    import xarray as xr

    return xr.DataArray(values, _coords(values.shape), _dims(values.shape))


def _dims(shape: tuple[int, ...]) -> tuple[str, ...]:
    return DIMS[: len(shape)][::-1]


def _coords(shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    return {dim: np.arange(size) for dim, size in zip(_dims(shape), shape, strict=True)}
