"""Branches as π-circuits, and the admittance matrix they make.

One model serves lines, transformers and impedances, as pandapower and MATPOWER have it: a series
impedance, a shunt at either end, and an ideal transformer N = τ exp(jθ) at the from-end:

    Y_ff = (y_f + c_f / 2) / τ²,  Y_ft = -y_f / N*,  Y_tf = -y_t / N,  Y_tt = y_t + c_t / 2.

Zimmerman et al., IEEE Trans. Power Syst. 26(1), 2011, doi:10.1109/TPWRS.2010.2051168, section II-B;
the two ends may differ (`_t`), as those of pandapower's impedances do.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Branches:
    """π-circuits on the base of the grid [p.u.]; a leading axis makes them differ by scenario.

    Attributes
    ----------
    r, x
        Series impedance as seen from the from-end.
    g, b
        Shunt admittance of both ends together, as seen from the from-end.
    r_t, x_t, g_t, b_t
        The same as seen from the to-end.
    ratio, shift_rad
        Off-nominal ratio τ and phase shift θ of the ideal transformer.
    """

    r: Float[Array, "*batch branch"]
    x: Float[Array, "*batch branch"]
    g: Float[Array, "*batch branch"]
    b: Float[Array, "*batch branch"]
    r_t: Float[Array, "*batch branch"]
    x_t: Float[Array, "*batch branch"]
    g_t: Float[Array, "*batch branch"]
    b_t: Float[Array, "*batch branch"]
    ratio: Float[Array, "*batch branch"]
    shift_rad: Float[Array, "*batch branch"]


def two_port(branches: Branches) -> Float[Array, "*batch branch 8"]:
    """Re and Im of Y_ff, Y_ft, Y_tf and Y_tt of every branch [p.u.]."""
    g_f, b_f = _inverse(branches.r, branches.x)
    g_t, b_t = _inverse(branches.r_t, branches.x_t)
    ratio = branches.ratio
    cos, sin = jnp.cos(branches.shift_rad) / ratio, jnp.sin(branches.shift_rad) / ratio
    parts = (
        (g_f + branches.g / 2) / ratio**2,
        (b_f + branches.b / 2) / ratio**2,
        -(g_f * cos - b_f * sin),  # -y_f exp(jθ) / τ
        -(g_f * sin + b_f * cos),
        -(g_t * cos + b_t * sin),  # -y_t exp(-jθ) / τ
        -(b_t * cos - g_t * sin),
        g_t + branches.g_t / 2,
        b_t + branches.b_t / 2,
    )
    return jnp.stack(jnp.broadcast_arrays(*parts), axis=-1)


def _inverse(r: Array, x: Array) -> tuple[Array, Array]:
    size = r**2 + x**2
    return r / size, -x / size
