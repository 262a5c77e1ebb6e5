"""How far to go along a direction: weak Wolfe conditions by bisection, with room for rounding."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

Gradient = Callable[[Float[Array, " n"]], tuple[Float[Array, ""], Float[Array, " n"]]]

DECREASE, CURVATURE = (
    1e-4,
    0.9,
)  # of the two Wolfe conditions, usual for quasi-Newton methods
ROUNDING = 1e-13  # of the value: differences below it say nothing
TRIALS = 25
INSIDE = 0.1, 0.5  # shares of a bracket within which the next length lies
OUTSIDE = 2.0, 8.0  # growth of a length that was too short


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class LineSearchResult:
    """The point at which a search ended.

    Attributes
    ----------
    length
        Multiple of the direction that was gone.
    lower
        Whether the value fell enough; else `x` is where the search began.
    """

    x: Float[Array, " n"]
    value: Float[Array, ""]
    gradient: Float[Array, " n"]
    length: Float[Array, ""]
    lower: Bool[Array, ""]
    evaluations: Int[Array, ""]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class _Bracket:
    """Lengths known to be too short and too long with the slopes there, and the best point."""

    short: Float[Array, ""]
    long: Float[Array, ""]
    short_slope: Float[Array, ""]
    long_slope: Float[Array, ""]
    trial: Float[Array, ""]
    best: LineSearchResult
    done: Bool[Array, ""]


def search(
    slope_of: Gradient,
    x: Float[Array, " n"],
    value: Float[Array, ""],
    gradient: Float[Array, " n"],
    direction: Float[Array, " n"],
    first: Float[Array, ""] | float = 1.0,
) -> LineSearchResult:
    """A point along `direction`, which must lead downhill, that meets the weak Wolfe conditions.

        f(x + a p) <= f(x) + 1e-4 a g·p  and  g(x + a p)·p >= 0.9 g·p

    Where the change of f is lost in rounding, the first is replaced by a condition on the slope,
    g(x + a p)·p <= (2e-4 - 1) g·p, which is the first for a parabola [2, section 4.1]; without it
    a search near the minimum of a loss fails for no reason.

    The search begins with the length `first`: the direction of a self-scaled method is ten times
    too long as a rule, and the last length tells. The length grows while it is too short; between
    one too short and one too long the next is where the slope would vanish if it were linear, or
    the middle where the slopes do not tell (in place of the bisection of [1]). After 25 trials
    the longest that met the first condition is taken.

    [1] Lewis and Overton, Math. Program. 141 (2013) 135-163, DOI 10.1007/s10107-012-0514-2.
    [2] Hager and Zhang, SIAM J. Optim. 16 (2005) 170-192, DOI 10.1137/030601880.
    """
    slope = gradient @ direction
    zero = jnp.zeros(())

    def attempt(bracket: _Bracket) -> _Bracket:
        length = bracket.trial
        moved = x + length * direction
        new, new_gradient = slope_of(moved)
        new_slope = new_gradient @ direction
        less = new <= value + DECREASE * length * slope
        same = new <= value + ROUNDING * jnp.abs(value)
        calmer = new_slope <= (2 * DECREASE - 1) * slope
        fell = (less | (same & calmer)) & jnp.isfinite(new_slope)
        evaluations = bracket.best.evaluations + 1
        here = LineSearchResult(moved, new, new_gradient, length, fell, evaluations)
        best = jax.tree.map(lambda a, b: jnp.where(fell, a, b), here, bracket.best)
        narrowed = _Bracket(
            short=jnp.where(fell, length, bracket.short),
            long=jnp.where(fell, bracket.long, length),
            short_slope=jnp.where(fell, new_slope, bracket.short_slope),
            long_slope=jnp.where(fell, bracket.long_slope, new_slope),
            trial=length,
            best=replace(best, evaluations=evaluations),
            done=fell & (new_slope >= CURVATURE * slope),
        )
        return replace(narrowed, trial=_next(narrowed, slope))

    start = _Bracket(
        short=zero,
        long=zero + jnp.inf,
        short_slope=slope,
        long_slope=zero,
        trial=zero + first,
        best=LineSearchResult(x, value, gradient, zero, jnp.asarray(False), jnp.asarray(0)),
        done=jnp.asarray(False),
    )
    return jax.lax.while_loop(
        lambda now: ~now.done & (now.best.evaluations < TRIALS), attempt, start
    ).best


def _next(bracket: _Bracket, slope: Float[Array, ""]) -> Float[Array, ""]:
    """The length to try next, by the slopes known so far; `slope` is that at length zero."""
    width = bracket.long - bracket.short
    share = bracket.short_slope / (bracket.short_slope - bracket.long_slope)
    tells = jnp.isfinite(share) & (bracket.long_slope > 0)
    inside = bracket.short + width * jnp.where(tells, jnp.clip(share, *INSIDE), 0.5)
    growth = slope / (slope - bracket.short_slope)
    grows = jnp.where(jnp.isfinite(growth) & (growth > 0), jnp.clip(growth, *OUTSIDE), OUTSIDE[1])
    return jnp.where(jnp.isfinite(bracket.long), inside, grows * bracket.short)
