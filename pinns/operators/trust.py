"""How far a function is from those that an operator was trained on."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

FLOOR = 1e-4  # of the greatest variance: directions below count as if they had this one
USUAL = 0.99  # share of held-out functions within distance 1

Functions = Float[np.ndarray, "sample along"]


@dataclass(frozen=True)
class Familiarity:
    """Mahalanobis distance in the space of sampled functions.

    Directions in which the training functions hardly vary have a floor under their variance, so
    that a function that is rough in a new way is far away, and rounding is not.

    Attributes
    ----------
    directions
        Principal directions, `[direction, along]`; the last of them span what is left.
    deviation
        Standard deviation along each, with the floor [scaled values].
    usual
        Distance within which 99 % of held-out functions lie.
    """

    mean: Float[np.ndarray, " along"]
    directions: Float[np.ndarray, "direction along"]
    deviation: Float[np.ndarray, " direction"]
    usual: float

    @staticmethod
    def of(training: Functions, held_out: Functions) -> "Familiarity":
        """The measure of functions like `training`."""
        mean = training.mean(axis=0)
        _, size, directions = np.linalg.svd(training - mean, full_matrices=True)
        variance = np.zeros(len(directions))
        variance[: len(size)] = size**2 / len(training)
        deviation = np.sqrt(np.maximum(variance, FLOOR * variance[0]))
        first = Familiarity(mean, directions, deviation, 1.0)
        usual = float(np.quantile(first.distance(held_out), USUAL))
        return Familiarity(mean, directions, deviation, usual)

    def distance(self, functions: Functions) -> Float[np.ndarray, " sample"]:
        """Of each function from the middle of the training functions; usual is up to 1."""
        along = (functions - self.mean) @ self.directions.T / self.deviation
        return np.sqrt((along**2).mean(axis=1)) / self.usual
