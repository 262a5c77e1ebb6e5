"""Allen and Cahn's equation: two phases that part, with sharp fronts between them.

    u_t - D u_xx + r (u³ - u) = 0,   u(x, 0) = x² cos(π x),   x from -1 to 1 and periodic

with D = 1e-4 and r = 5 from time 0 to 1: the benchmark of Raissi, Perdikaris and Karniadakis,
J. Comput. Phys. 378 (2019) 686-707, DOI 10.1016/j.jcp.2018.10.045. The fronts are about
√(2 D / r) = 0.006 wide. All quantities are dimensionless.

The start has slope -2 at x = 1 and 2 at x = -1: continued periodically, it has a kink there. The
equation smooths it at once over a width of √(D t), and it decays as exp(-2 r t), since u = -1 is
stable; its height stays below 0.003. The reference holds the kink in its modes, and the network is
spared it: the start is carried on with the kink as conduction alone would smooth it.
"""

import math
from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erf
from jaxtyping import Array, ArrayLike, Float

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.fields.field import d
from tvilling.pinns.library.references.evolutions import allen_cahn
from tvilling.pinns.problem.conditions import Condition
from tvilling.pinns.problem.parameters import Fixed
from tvilling.pinns.problem.statement import Equation, Problem, Reference, Unknown, Values

DIFFUSIVITY, REACTION = 1e-4, 5.0
EARLIEST = 1e-20  # below it the kink is as at the start
REFERENCE_ERROR = 1e-7  # over the domain; at one time up to 1e-5, all of it before t = 0.001


def start(x: ArrayLike) -> Float[Array, "*point"]:
    """The solution at time 0."""
    return jnp.asarray(x) ** 2 * jnp.cos(math.pi * jnp.asarray(x))


def carried(x: ArrayLike, t: ArrayLike) -> Float[Array, "*point"]:
    """The start with its kink smoothed by conduction and decaying: exact at t = 0, smooth after.

    |s| spreads to s erf(s / w) + w / √π exp(-s² / w²), w = √(4 D t) (Carslaw and Jaeger 1959,
    section 2.4); s = 2 / π cos(π x / 2) is the distance to x = ±1, up to its third power.
    """
    x, t = jnp.asarray(x), jnp.asarray(t)
    s = 2.0 / math.pi * jnp.cos(math.pi * x / 2.0)
    width = jnp.sqrt(4.0 * DIFFUSIVITY * jnp.maximum(t, EARLIEST))
    spread = s * erf(s / width) + width / math.sqrt(math.pi) * jnp.exp(-((s / width) ** 2))
    return start(x) - 2.0 * s + 2.0 * jnp.exp(-2.0 * REACTION * t) * spread


def solution(
    x: Float[np.ndarray, "*point"], t: Float[np.ndarray, "*point"]
) -> Float[np.ndarray, "*point"]:
    """The solution by Fourier modes and ETDRK4; the first call takes about 2 s."""
    later = allen_cahn(DIFFUSIVITY, REACTION)(x, t)
    return np.where(np.asarray(t) == 0.0, start(x), later)


def example() -> Problem:
    """The benchmark, with its solution by Fourier modes as reference."""
    return Problem(
        name="allen_cahn",
        domain=Box((Axis("x", "1", -1.0, 1.0, periodic=True), Axis("t", "1", 0.0, 1.0))),
        unknowns=(Unknown("u", "1", -1.0, 1.0),),
        parameters=(
            Fixed("diffusivity", "1", DIFFUSIVITY),
            Fixed("reaction", "1", REACTION),
        ),
        equations=(
            Equation(
                "allen_cahn",
                "1",
                lambda at: (
                    d(at.u, "t")
                    - at.diffusivity * d(at.u, "x", "x")
                    + at.reaction * (at.u**3 - at.u)
                ),
            ),
        ),
        conditions=(
            Condition("u", "t", 0.0, lambda at: start(at.x), course=lambda at: carried(at.x, at.t)),
        ),
        reference=Reference(
            _reference,
            REFERENCE_ERROR,
            "2048 Fourier modes and 1000 steps of ETDRK4; error by refinement of both",
        ),
    )


def _reference(points: Mapping[str, Float[np.ndarray, "*point"]]) -> Values:
    return {"u": solution(points["x"], points["t"])}
