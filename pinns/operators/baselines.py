"""What an operator has to beat: the mean solution, and linear regression."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from tvilling.pinns.operators.problem import OperatorProblem
from tvilling.pinns.operators.trained import errors_of
from tvilling.sciml.core.short_repr import short_repr

if TYPE_CHECKING:
    import xarray as xr

STRENGTHS = np.logspace(-12, 2, 57)  # of the ridge, over the greatest singular value squared

Matrix = Float[np.ndarray, "sample value"]


@dataclass(frozen=True)
class LinearOperator:
    """Ridge regression of every value of the solution on the sampled function.

    The strength is the one of least generalised cross-validation error (Golub, Heath and Wahba,
    Technometrics 21 (1979) 215-223, DOI 10.1080/00401706.1979.10489751).

    Attributes
    ----------
    strength
        Of the ridge, over the greatest singular value squared; infinite for the mean solution.
    """

    problem: OperatorProblem
    function_mean: Float[np.ndarray, " along"]
    mean: Float[np.ndarray, " value"]
    matrix: Float[np.ndarray, "along value"]
    strength: float

    __repr__ = short_repr

    @staticmethod
    def mean_of(problem: OperatorProblem, data: "xr.Dataset") -> "LinearOperator":
        """The mean solution, whatever the function."""
        functions, solutions = _matrices(problem, data)
        zero = np.zeros((functions.shape[1], solutions.shape[1]))
        return LinearOperator(problem, functions.mean(0), solutions.mean(0), zero, np.inf)

    @staticmethod
    def ridge(problem: OperatorProblem, data: "xr.Dataset") -> "LinearOperator":
        """Fitted to the ensemble `data`."""
        functions, solutions = _matrices(problem, data)
        middle, mean = functions.mean(0), solutions.mean(0)
        left, size, right = np.linalg.svd(functions - middle, full_matrices=False)
        seen = left.T @ (solutions - mean)
        strength = min(STRENGTHS, key=lambda s: _cross_validated(size, seen, solutions - mean, s))
        matrix = right.T @ (seen * (_kept(size, strength) / size)[:, None])
        return LinearOperator(problem, middle, mean, matrix, float(strength))

    def predict(self, data: "xr.Dataset") -> Float[np.ndarray, "sample value"]:
        """Solutions for the functions in `data`, flat over the grid."""
        return (_matrices(self.problem, data)[0] - self.function_mean) @ self.matrix + self.mean

    def error(self, data: "xr.Dataset") -> "xr.Dataset":
        """Errors by sample against the solutions in `data`, on the grid of the training."""
        import xarray as xr

        errors = errors_of(self.predict(data), _matrices(self.problem, data)[1])
        return xr.Dataset({name: ("sample", values) for name, values in errors.items()})


def _matrices(problem: OperatorProblem, data: "xr.Dataset") -> tuple[Matrix, Matrix]:
    functions = data[problem.varied.name].transpose("sample", problem.along.name).values
    dims = [axis.name for axis in problem.axes]
    solutions = data[problem.unknown.name].transpose("sample", *dims).values
    return functions, solutions.reshape(len(solutions), -1)


def _kept(size: np.ndarray, strength: float) -> np.ndarray:
    """Share of each direction that the ridge leaves."""
    return np.asarray(size**2 / (size**2 + strength * size[0] ** 2))


def _cross_validated(
    size: np.ndarray, seen: np.ndarray, solutions: np.ndarray, strength: float
) -> float:
    """Generalised cross-validation error: squared residuals over the squared freedom left."""
    kept = _kept(size, strength)
    outside = np.sum(solutions**2) - np.sum(seen**2)
    residual = outside + np.sum((seen * (1 - kept)[:, None]) ** 2)
    return float(residual / (len(solutions) - 1 - kept.sum()) ** 2)
