"""Random deviations of an ensemble whose first two moments are exact, not only on average."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def exact_normals(
    key: Array, against: Float[Array, "member entry"], count: int
) -> Float[Array, "member count"]:
    """Normal draws with mean zero, unit covariance, and no covariance with `against`.

    Second-order exact drawing [1]: normal draws are made orthogonal to one, to the columns of
    `against` and to each other. An ensemble that is given such deviations has exactly the
    covariance P + Q that the Kalman filter has; independent draws would miss it by one over the
    square root of the members, and each update would take the chance correlations for knowledge.

    Valid for 1 + entries + count <= members. Where there are fewer members the draws are
    centred and scaled column by column, and their covariances are right on average only.

    Parameters
    ----------
    against
        Deviations already in the ensemble; columns may be zero.

    References
    ----------
    [1] Pham, Stochastic methods for sequential data assimilation in strongly nonlinear systems,
        INRIA RR-3597, 1998, https://inria.hal.science/inria-00073082
    """
    members, width = against.shape
    draws = jax.random.normal(key, (members, count))
    if 1 + width + count <= members:
        columns = jnp.concatenate([jnp.ones((members, 1)), against, draws], axis=1)
        return jnp.linalg.qr(columns)[0][:, 1 + width :] * jnp.sqrt(members - 1.0)
    draws = draws - draws.mean(axis=0)
    return draws / jnp.std(draws, axis=0, ddof=1)
