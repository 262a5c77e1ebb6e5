"""Parameters found from readings: values, standard errors, intervals, and what cannot be found.

With residual rows divided by their standard deviations, JᵀJ is the information that readings and
equations give about everything that is fitted. For J = Q R with the parameters in the last columns,
the last block of R is a root of the Schur complement in which all else (weights of a network, a
course that is not known) is marginalised:

    covariance of the parameters = (R_ppᵀ R_pp)⁻¹

No normal equations are formed, so that half of the digits are not lost (Björck, Numerical Methods
for Least Squares Problems, SIAM 1996, DOI 10.1137/1.9781611971484). Valid where the model is
nearly linear over the width of the intervals.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.pinns.problem.parameters import Free

MAX_SD = 0.6  # of an unbounded parameter: a third of that of a flat chance over its range
MIN_RATIO = 1e-7  # of singular values: below is rounding
SINGLE = 0.95  # of a direction of length one: a single parameter


@dataclass(frozen=True)
class Estimate:
    """A parameter that was found, all in its `unit`.

    Attributes
    ----------
    standard_error
        Of `value`.
    low, high
        The interval, within the range of the parameter.
    """

    name: str
    unit: str
    value: float
    standard_error: float
    low: float
    high: float

    def describe(self) -> str:
        """One line."""
        return f"{self.name} {self.value:.5g} ({self.low:.5g} to {self.high:.5g}) {self.unit}"


def triangle(jacobian: Float[Array, "row n"], ridge: Float[Array, " n"]) -> Float[Array, "n n"]:
    """R of a Jacobian over the rows √ridge, a prior that keeps what is not seen finite."""
    return jnp.linalg.qr(jnp.concatenate([jacobian, jnp.diag(jnp.sqrt(ridge))]), mode="r")


def solved(upper: Float[Array, "n n"], jacobian: Float[Array, "row n"]) -> Float[Array, "n row"]:
    """R⁻ᵀ Jᵀ, whose columns have the standard deviations of J's rows as their lengths."""
    from jax.scipy.linalg import solve_triangular

    return solve_triangular(upper, jacobian.T, trans=1)


def twice_solved(upper: Float[Array, "n n"], right: Float[Array, " n"]) -> Float[Array, " n"]:
    """(RᵀR)⁻¹ of a right-hand side."""
    from jax.scipy.linalg import solve_triangular

    return solve_triangular(upper, solve_triangular(upper, right, trans=1))


def standard_errors(upper: Float[Array, "n n"], count: int) -> Float[Array, " count"]:
    """Of the last `count` of all that is fitted, all else marginalised."""
    from jax.scipy.linalg import solve_triangular

    last = upper[upper.shape[0] - count :, upper.shape[0] - count :]
    return jnp.linalg.norm(solve_triangular(last, jnp.eye(count)), axis=1)


def estimate(
    free: Free, unbounded: float, sd: float, coverage: float, freedom: float = math.inf
) -> Estimate:
    """From the unbounded parameter and its standard error.

    Parameters
    ----------
    freedom
        Readings over what was fitted, if the noise was estimated from them: Student's t.
    """
    from scipy.stats import norm, t

    law = norm if math.isinf(freedom) else t(max(freedom, 1.0))
    reach = float(law.ppf((1 + coverage) / 2)) * sd
    at = [float(free.value(jnp.asarray(unbounded + part))) for part in (0.0, -reach, reach)]
    return Estimate(free.name, free.unit, at[0], slope(free, unbounded) * sd, at[1], at[2])


def slope(free: Free, unbounded: float) -> float:
    """How the parameter [unit] moves with the unbounded one."""
    share = 1.0 / (1.0 + math.exp(-unbounded))
    value = float(free.value(jnp.asarray(unbounded)))
    wide = value * math.log(free.high / free.low) if free.low > 0 else free.high - free.low
    return wide * share * (1.0 - share)


def not_found(upper: Float[Array, "n n"], names: Sequence[str]) -> list[str]:
    """A sentence for every combination of the parameters that readings leave open."""
    count = len(names)
    last = np.asarray(upper)[len(upper) - count :, len(upper) - count :]
    _, sizes, directions = np.linalg.svd(last)
    told = []
    for size, direction in zip(sizes, directions, strict=True):
        if size * MAX_SD >= 1.0 and size >= MIN_RATIO * sizes[0]:
            continue
        if np.max(np.abs(direction)) > SINGLE:
            name = names[int(np.argmax(np.abs(direction)))]
            told.append(f"the readings do not tell {name}: much of its range agrees with them")
        else:
            some = [name for name, part in zip(names, direction, strict=True) if abs(part) > 0.1]
            told.append(
                f"the readings cannot tell {', '.join(some[:-1])} and {some[-1]} apart: "
                "changed together they change no reading by more than its noise"
            )
    return told


def condition(upper: Float[Array, "n n"], count: int) -> float:
    """Greatest over least singular value of what readings tell of `count` parameters."""
    last = np.asarray(upper)[len(upper) - count :, len(upper) - count :]
    sizes = np.linalg.svd(last, compute_uv=False)
    return float(sizes[0] / max(sizes[-1], np.finfo(float).tiny))
