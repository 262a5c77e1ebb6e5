"""Self-scaled Broyden: the quasi-Newton method that makes small networks accurate.

A dense approximation H of the inverse Hessian is kept. With s the step taken, y the change of the
gradient, B the inverse of H, v = sqrt(y·Hy) (s / y·s - Hy / y·Hy):

    H_new = (H - Hy Hy^T / y·Hy + φ v v^T) / τ + s s^T / y·s

φ chooses within Broyden's family and τ rescales what is already known, both from b = s·Bs / y·s and
h = y·Hy / y·s [1, equations 13 to 23; 2]. Memory and work of a step grow with the square of the
number of parameters: meant for up to a few thousand. The whole descent is one compiled loop.

[1] Urbán, Stefanou and Pons, J. Comput. Phys. 523 (2025) 113656, DOI 10.1016/j.jcp.2024.113656.
[2] Al-Baali, J. Optim. Theory Appl. 96 (1998) 533-553, DOI 10.1023/A:1022608410710.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from tvilling.pinns.optimisers.line_search import Gradient, LineSearchResult, search

MIN_CURVATURE = 1e-14  # of y·s over |y||s|; below it y is rounding
DEAR, PATIENCE = 6, 60  # evaluations a step, and on top of these, that rounding makes a search take
CHANGE, LENGTHS = (0.5, 2.0), (1e-4, 1.0)  # of the first length, from search to search

Rule = Callable[
    [Float[Array, ""], Float[Array, ""], int], tuple[Float[Array, ""], Float[Array, ""]]
]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Descent:
    """Where a descent stands; it can be taken up again with another function.

    Attributes
    ----------
    x
        The parameters.
    value, gradient
        Of the function there.
    inverse
        Approximation of its inverse Hessian.
    fresh
        Whether `inverse` is the identity still, and knows nothing.
    stuck
        Whether no lower point was found even along the gradient.
    length
        Multiple of the direction that the next search tries first.
    steps, evaluations
        Steps taken, and values with gradients computed, since the start.
    """

    x: Float[Array, " n"]
    value: Float[Array, ""]
    gradient: Float[Array, " n"]
    inverse: Float[Array, "n n"]
    fresh: Bool[Array, ""]
    stuck: Bool[Array, ""]
    length: Float[Array, ""]
    steps: Int[Array, ""]
    evaluations: Int[Array, ""]


def unbegun(x: Float[Array, " n"]) -> Descent:
    """A descent at `x`; `moved_to` says that the function there is not known yet."""
    inverse = np.eye(x.size)  # by NumPy, as all here, which spares compilations
    start = (np.zeros(()), np.zeros(x.size), inverse, True, False, np.ones(()), 0, 0)
    return Descent(x, *(jnp.asarray(item) for item in start))


def moved_to(descent: Descent) -> Descent:
    """The same place and curvature for another function, such as the loss at new points."""
    return replace(
        descent,
        value=jnp.full_like(descent.value, jnp.inf),
        gradient=jnp.zeros_like(descent.gradient),
        stuck=jnp.asarray(False),
    )


def descend(
    slope: Gradient,
    descent: Descent,
    steps: int | Int[Array, ""],
    tolerance: float = 0.0,
    target: float = -jnp.inf,
    rule: str = "broyden",
    rounding: float = 0.0,
) -> Descent:
    """Up to `steps` more steps down the function whose value and gradient `slope` gives.

    Ends earlier where the largest entry of the gradient is at most `tolerance`, the value at most
    `target`, or no lower point is found; and where the value is below `rounding` and steps take
    many evaluations each, as they do when the change is lost in rounding. The value never rises
    by more than rounding, and a value that is not finite is never accepted.
    """
    last = descent.steps + steps

    def going(now: Descent) -> Bool[Array, ""]:
        steep = jnp.max(jnp.abs(now.gradient)) > tolerance
        unknown = jnp.isinf(now.value)
        lost = (now.value < rounding) & grown_dear(descent, now)
        going_on = (now.steps < last) & ~now.stuck & (steep | unknown) & (now.value > target)
        return going_on & ~lost

    return jax.lax.while_loop(going, lambda now: _step(slope, now, RULES[rule]), descent)


def grown_dear(start: Any, now: Any) -> Bool[Array, ""]:
    """Whether the steps since `start` took many evaluations each."""
    taken = now.evaluations - start.evaluations
    return taken > DEAR * (now.steps - start.steps) + PATIENCE


def minimise(
    loss: Callable[[Float[Array, " n"]], Float[Array, ""]],
    start: Float[Array, " n"],
    steps: int = 1000,
    tolerance: float = 1e-8,
) -> Descent:
    """Minimise a smooth function from `start`; `loss` must be traceable by JAX."""
    slope = jax.value_and_grad(loss)
    return jax.jit(lambda x: descend(slope, moved_to(unbegun(x)), steps, tolerance))(start)


def _step(slope: Gradient, now: Descent, rule: Rule) -> Descent:
    """One step, or a forgotten curvature where none was found.

    Where the function is not known yet, there is no direction, and the search evaluates it where
    it stands: so that all there is to compile is one evaluation.
    """
    unknown = jnp.isinf(now.value)
    direction = -(now.inverse @ now.gradient)
    downhill = (direction @ now.gradient < 0) | unknown  # false as well if it is not finite
    direction = jnp.where(downhill, direction, -now.gradient)
    found = search(slope, now.x, now.value, now.gradient, direction, now.length)
    s, y = found.x - now.x, found.gradient - now.gradient
    curved = y @ s > MIN_CURVATURE * jnp.linalg.norm(y) * jnp.linalg.norm(s)
    identity = jnp.eye(now.x.size)

    def learn() -> Float[Array, "n n"]:
        known = jnp.where(downhill, now.inverse, identity)
        return updated_inverse(known, s, y, -found.length * now.gradient, rule)

    def keep() -> Float[Array, "n n"]:
        return jnp.where(found.lower & downhill, now.inverse, identity)

    learnt = found.lower & curved
    inverse = jax.lax.cond(learnt, learn, keep)
    along_gradient = now.fresh | ~downhill
    return Descent(
        x=found.x,
        value=found.value,
        gradient=found.gradient,
        inverse=inverse,
        fresh=jnp.where(unknown, now.fresh, ~learnt & (along_gradient | ~found.lower)),
        stuck=~found.lower & (along_gradient | unknown),
        length=jnp.where(unknown, now.length, next_length(found, now.gradient, direction)),
        steps=now.steps + (found.lower & ~unknown),
        evaluations=now.evaluations + found.evaluations,
    )


def next_length(
    found: LineSearchResult, gradient: Float[Array, " n"], direction: Float[Array, " n"]
) -> Float[Array, ""]:
    """Where the next search begins: where the slope along the last one would have vanished."""
    before, after = gradient @ direction, found.gradient @ direction
    share = before / (before - after)
    tells = jnp.isfinite(share) & (share > 0)
    factor = jnp.where(tells, jnp.clip(share, *CHANGE), CHANGE[1])
    return jnp.where(found.lower, jnp.clip(found.length * factor, *LENGTHS), 1.0)


def updated_inverse(
    inverse: Float[Array, "n n"],
    s: Float[Array, " n"],
    y: Float[Array, " n"],
    b_s: Float[Array, " n"],
    rule: "Rule",
) -> Float[Array, "n n"]:
    """The inverse Hessian after a step `s` that changed the gradient by `y`.

    Parameters
    ----------
    b_s
        B s, which for s = -α H g is -α g and so needs no inverse of H.
    rule
        Gives τ and φ from b, h and the number of weights.
    """
    h_y = inverse @ y
    y_h_y, rho = y @ h_y, 1.0 / (s @ y)
    tau, phi = rule((s @ b_s) * rho, y_h_y * rho, y.size)
    v = jnp.sqrt(y_h_y) * (s * rho - h_y / y_h_y)
    kept = inverse - jnp.outer(h_y, h_y) / y_h_y + phi * jnp.outer(v, v)
    return kept / tau + rho * jnp.outer(s, s)


def _broyden(
    b: Float[Array, ""], h: Float[Array, ""], size: int
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """τ and φ [1]; a = bh - 1 is zero on a line, and never negative but by rounding."""
    a = jnp.maximum(b * h - 1.0, 1e-15)
    rho = jnp.minimum(1.0, h * (1.0 - jnp.sqrt(a / (1.0 + a))))
    theta = jnp.maximum((rho - 1.0) / a, jnp.minimum(1.0 / rho, (1.0 - b) / b))
    sigma = 1.0 + theta * a
    root = jnp.abs(sigma) ** (-1.0 / max(size - 1, 1))
    tau = jnp.where(
        theta <= 0, jnp.minimum(rho * root, sigma), rho * jnp.minimum(root, 1.0 / theta)
    )
    return tau, (1.0 - theta) / sigma


def _scaled_bfgs(
    b: Float[Array, ""], h: Float[Array, ""], size: int
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """φ of BFGS and τ = min(1, 1/b) [2]."""
    return jnp.minimum(1.0, 1.0 / b), jnp.ones(())


def _bfgs(
    b: Float[Array, ""], h: Float[Array, ""], size: int
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """BFGS as it is: nothing is rescaled."""
    return jnp.ones(()), jnp.ones(())


RULES: dict[str, Rule] = {
    "broyden": _broyden,
    "scaled bfgs": _scaled_bfgs,
    "bfgs": _bfgs,
}
