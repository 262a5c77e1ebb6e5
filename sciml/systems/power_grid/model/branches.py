"""Branches as π-circuits, and the admittance matrix they make.

One model serves lines, transformers and impedances, as pandapower and MATPOWER have it: a series
impedance, a shunt at either end, and an ideal transformer N = τ exp(jθ) at the from-end:

    Y_ff = (y_f + c_f / 2) / τ²,  Y_ft = -y_f / N*,  Y_tf = -y_t / N,  Y_tt = y_t + c_t / 2.

Zimmerman et al., IEEE Trans. Power Syst. 26(1), 2011, doi:10.1109/TPWRS.2010.2051168, section II-B;
the two ends may differ (`_asym`), as those of pandapower's impedances do.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

Numbers: TypeAlias = (
    jax.Array | np.ndarray
)  # numpy on the host, JAX where something is differentiated


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
    r_asym, x_asym, g_asym, b_asym
        What the to-end sees on top of that; zero for lines and transformers.
    ratio, shift_rad
        Off-nominal ratio τ and phase shift θ of the ideal transformer.
    """

    r: Float[Numbers, "*batch branch"]
    x: Float[Numbers, "*batch branch"]
    g: Float[Numbers, "*batch branch"]
    b: Float[Numbers, "*batch branch"]
    r_asym: Float[Numbers, "*batch branch"]
    x_asym: Float[Numbers, "*batch branch"]
    g_asym: Float[Numbers, "*batch branch"]
    b_asym: Float[Numbers, "*batch branch"]
    ratio: Float[Numbers, "*batch branch"]
    shift_rad: Float[Numbers, "*batch branch"]


def two_port(branches: Branches) -> Float[Numbers, "*batch branch 8"]:
    """Re and Im of Y_ff, Y_ft, Y_tf and Y_tt of every branch [p.u.]."""
    leaves = jax.tree.leaves(branches)
    xp: Any = jnp if any(isinstance(leaf, jax.Array) for leaf in leaves) else np
    g_f, b_f = _inverse(branches.r, branches.x)
    g_t, b_t = _inverse(branches.r + branches.r_asym, branches.x + branches.x_asym)
    ratio = branches.ratio
    cos, sin = xp.cos(branches.shift_rad) / ratio, xp.sin(branches.shift_rad) / ratio
    parts = (
        (g_f + branches.g / 2) / ratio**2,
        (b_f + branches.b / 2) / ratio**2,
        -(g_f * cos - b_f * sin),  # -y_f exp(jθ) / τ
        -(g_f * sin + b_f * cos),
        -(g_t * cos + b_t * sin),  # -y_t exp(-jθ) / τ
        -(b_t * cos - g_t * sin),
        g_t + (branches.g + branches.g_asym) / 2,
        b_t + (branches.b + branches.b_asym) / 2,
    )
    return xp.stack(xp.broadcast_arrays(*parts), axis=-1)


def _inverse(r: Numbers, x: Numbers) -> tuple[Numbers, Numbers]:
    size = r**2 + x**2
    return r / size, -x / size
