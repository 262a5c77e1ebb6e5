"""Random rotation of an ensemble that keeps its mean and its covariance."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def rotated(key: Array, deviation: Float[Array, "member entry"]) -> Float[Array, "member entry"]:
    """O A for deviations A and a random orthogonal O with O 1 = 1, drawn evenly (Haar).

    A square-root update alone lets a nonlinear model gather the higher moments in a few members,
    and its spread is then too small; rotations hand them round again [1]. Mean and covariance stay
    what they are, to rounding.

    With A = Q R, O Q is an even draw among the orthonormal frames at right angles to 1. So only
    as many columns are drawn as A has rank: the cost is that of one QR of A.

    References
    ----------
    [1] Sakov, Oke, Mon. Weather Rev. 136, 2008, doi:10.1175/2007MWR2021.1
    """
    members, width = deviation.shape
    if width == 0:
        return deviation
    rank = min(width, members - 1)
    if width < members:
        core = jnp.linalg.qr(deviation, mode="r")
    else:
        core = _against_ones(members).T @ deviation
    draws = jax.random.normal(key, (members, rank))
    frame, triangle = jnp.linalg.qr(draws - draws.mean(axis=0))
    return frame * jnp.where(jnp.diag(triangle) < 0, -1.0, 1.0) @ core


def _against_ones(members: int) -> Float[Array, "member direction"]:
    """An orthonormal basis of all that has mean zero."""
    columns = jnp.concatenate([jnp.ones((members, 1)), jnp.eye(members)[:, 1:]], axis=1)
    return jnp.linalg.qr(columns)[0][:, 1:]
