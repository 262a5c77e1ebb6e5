"""Water in layers, the hottest on top: moved, mixed where it stands upside down, and cooled.

Arrays run from the top layer down; all layers hold the same volume. A distance is measured in
layers: 1.5 is one layer and a half. Temperatures stand for heat, with constant water properties.
"""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

MIN_GAIN_K = 1e-6  # a layer that differs by less brings nothing

Layers = Float[Array, " layer"]
Scalar = Float[Array, ""]


def heat_above(layers: Layers, depth: Array, top_in: Scalar, bottom_in: Scalar) -> Array:
    """The integral of temperature from the top down to `depth` [K·layer].

    Piecewise linear, and continued on both sides with the water that enters there: above the top
    with `top_in`, below the bottom with `bottom_in` [°C].
    """
    count = layers.shape[0]
    within = jnp.clip(depth[..., None] - jnp.arange(count), 0.0, 1.0) @ layers
    above = jnp.minimum(depth, 0.0) * top_in
    return within + above + jnp.maximum(depth - count, 0.0) * bottom_in


def moved(layers: Layers, down: Scalar, top_in: Scalar, bottom_in: Scalar) -> tuple[Layers, Scalar]:
    """The layers once all water has gone `down` by that many layers, and what has left [°C].

    Plug flow: what lies between depths a and b came from a - down to b - down, so its heat is the
    difference of `heat_above` there, exact for a step of any length. Water leaves at the bottom,
    or at the top where `down` is negative; its mean temperature is that of the part that goes.
    """
    count = layers.shape[0]
    still = jnp.abs(down) < 1e-12
    far = jnp.where(still, 1.0, jnp.abs(down))  # no division by zero, in value or slope
    bottom, top = jnp.stack([count - far, jnp.full_like(far, count)]), jnp.stack([0.0 * far, far])
    depth = jnp.concatenate([jnp.arange(count + 1) - down, jnp.where(down >= 0, bottom, top)])
    heat = heat_above(layers, depth, top_in, bottom_in)
    drawn = jnp.where(still, layers[-1], (heat[-1] - heat[-2]) / far)
    return jnp.diff(heat[:-2]), drawn


def mixed(layers: Layers) -> Layers:
    """The layers with inversions mixed: never colder above than below, and the same heat.

    Neighbours that stand upside down share one temperature, which is the isotonic regression of
    the profile (the closest one in mean square) in its closed form [1]:

        T_i = min over a ≤ i of max over b ≥ i of mean(T_a .. T_b)

    [1] Robertson, Wright and Dykstra, Order restricted statistical inference, Wiley 1988.
    """
    count = layers.shape[0]
    heat = jnp.concatenate([jnp.zeros(1), jnp.cumsum(layers)])
    at = jnp.arange(count)
    means = (heat[1:] - heat[:-1, None]) / jnp.maximum(at - at[:, None] + 1, 1)  # [a, b]
    reaches = at >= at[:, None]  # [one, another]: not above it
    highest = jnp.where(reaches, means[:, None, :], -jnp.inf).max(axis=-1)  # [a, i]
    ordered = jnp.where(reaches, highest, jnp.inf).min(axis=0)
    # Subtracting two sums loses digits, and a profile in order needs no mixing at all.
    in_order = jnp.all(layers[:-1] >= layers[1:])
    return jnp.where(in_order, layers, ordered + (layers - ordered).mean())


def cooled(layers: Layers, conducted: Scalar, lost: Layers, ambient_degc: Scalar) -> Layers:
    """The layers after conduction between neighbours and loss to the surroundings.

    One step of backward Euler, which keeps the order of the layers for any length of step:

        T'_i - conducted (T'_{i-1} - 2 T'_i + T'_{i+1}) + lost_i (T'_i - T_ambient) = T_i

    without the neighbours that the ends do not have. `conducted` and `lost` are conductances times
    the step over the heat capacity of a layer [1].
    """
    count = layers.shape[0]
    between = jnp.broadcast_to(conducted, (count,))
    lower, upper = between.at[0].set(0.0), between.at[-1].set(0.0)
    diagonal = 1.0 + lower + upper + lost
    right = layers + lost * ambient_degc
    return lax.linalg.tridiagonal_solve(-lower, diagonal, -upper, right[:, None])[:, 0]


def depth_for(heat_k: Scalar, gains_k: Layers) -> Scalar:
    """How far water has to move for the wanted heat [layer], all of it if that is not enough.

    `gains_k` is the heat gained as each layer has left, the first to leave first [K·layer]. They
    fall, as layers are in order; those from which nothing is gained stay where they are.
    """
    before = jnp.cumsum(gains_k) - gains_k
    brings = gains_k > MIN_GAIN_K
    share = (heat_k - before) / jnp.where(brings, gains_k, 1.0)
    return jnp.where(brings, jnp.clip(share, 0.0, 1.0), 0.0).sum()
