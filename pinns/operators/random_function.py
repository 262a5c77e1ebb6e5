"""Random functions of one coordinate: a Gaussian field by its Fourier series.

    g(s) = mean + Σ_k σ_k (a_k cos(κ_k (s - low)) + b_k sin(κ_k (s - low))),   a, b ~ N(0, 1)
    σ_k² ∝ (κ_k² + 1 / ℓ²)^(-smoothness), half of that for the mean mode

with Σ σ_k² = deviation². With smoothness 2 this is the field of covariance (-Δ + 1/ℓ²)^-2 of Li et
al., ICLR 2021, arXiv:2010.08895. A draw is a function and no table: it has values on any grid.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.short_repr import short_repr

Ends = Literal["periodic", "zero", "free"]


@dataclass(frozen=True, eq=False)
class DrawnFunction:
    """One draw: a Fourier series about a mean, written with `jax.numpy`.

    Attributes
    ----------
    rate
        κ_k [1/unit of the coordinate].
    cosine, sine
        Amplitudes [unit of the value].
    """

    low: float
    mean: float
    rate: Float[np.ndarray, " term"]
    cosine: Float[np.ndarray, " term"]
    sine: Float[np.ndarray, " term"]

    __repr__ = short_repr

    def __call__(self, s: ArrayLike) -> Float[Array, "*point"]:
        """The value at each `s`."""
        turn = (jnp.asarray(s, float) - self.low)[..., None] * self.rate
        return self.mean + jnp.cos(turn) @ self.cosine + jnp.sin(turn) @ self.sine


@dataclass(frozen=True)
class GaussianField:
    """Where functions are drawn from.

    Attributes
    ----------
    low, high
        The interval.
    deviation
        Standard deviation of the values [their unit]; with ends at zero its mean over the interval.
    length
        ℓ, over which values change [unit of the coordinate].
    ends
        "periodic": both ends are the same place; "zero": the mean at both ends; "free": stationary
        (a series over twice the interval).
    mean
        Of the values [their unit].
    smoothness
        Half the power with which the variance of a mode falls.
    terms
        Modes that are drawn.
    """

    low: float
    high: float
    deviation: float
    length: float
    ends: Ends = "free"
    mean: float = 0.0
    smoothness: float = 2.0
    terms: int = 24

    def __post_init__(self) -> None:
        faults = [
            f"{name} is {getattr(self, name):g}, expected above 0"
            for name in ("deviation", "length", "terms")
            if not getattr(self, name) > 0
        ]
        if not self.low < self.high:
            faults.append(f"the interval is {self.low:g} to {self.high:g}, the smaller comes first")
        if not self.smoothness > 0.5:
            faults.append(f"smoothness is {self.smoothness:g}, expected above 0.5")
        if faults:
            raise InputError("Gaussian field", faults)

    @property
    def rates(self) -> Float[np.ndarray, " term"]:
        """κ_k: whole waves over the interval, or over twice the interval."""
        period = (self.high - self.low) * (1 if self.ends == "periodic" else 2)
        first = 1 if self.ends == "zero" else 0
        return 2 * math.pi * np.arange(first, self.terms + first) / period

    def spreads(self) -> Float[np.ndarray, " term"]:
        """σ_k [unit of the values]."""
        variance = (self.rates**2 + self.length**-2) ** -self.smoothness
        if self.ends != "zero":
            variance[0] /= 2  # every other one stands for two waves, k and -k
        held = variance.sum() / (2 if self.ends == "zero" else 1)  # the mean of sin² is a half
        return self.deviation * np.sqrt(variance / held)

    def draw(self, count: int, seed: int) -> Sequence[DrawnFunction]:
        """`count` functions; the first ones of a seed do not depend on how many are drawn."""
        random = np.random.default_rng(seed)
        waves = random.standard_normal((count, 2, self.terms)) * self.spreads()
        if self.ends == "zero":
            waves[:, 0] = 0.0
        return [
            DrawnFunction(self.low, self.mean, self.rates, cosine, sine) for cosine, sine in waves
        ]
