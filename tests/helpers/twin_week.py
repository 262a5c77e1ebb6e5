"""A twin taken through a week of the small tank."""

import jax.numpy as jnp
import numpy as np

from tvilling.benchmarks.twin_reference import (
    HOUR_S,
    LOSS_W_PER_K,
    NOISE_K,
    NOMINAL,
    RELATIVE_SD,
    START_DEGC,
    START_SD_K,
    Week,
    hour_of,
    small_tank,
)
from tvilling.twins.assimilation.prior import Prior
from tvilling.twins.twin import Twin

UNKNOWN = {"loss_w_per_k": RELATIVE_SD}


def start(
    loss_w_per_k: float = NOMINAL * LOSS_W_PER_K,
    members: int = 100,
    unknown: dict[str, float] | None = None,
    seed: int = 0,
    **prior: object,
) -> Twin:
    known = {"state": jnp.asarray(START_DEGC), "state_sd": START_SD_K, "state_noise": NOISE_K}
    return Twin.start(
        small_tank(loss_w_per_k).system,
        start="2026-01-12T00:00",
        dt_s=HOUR_S,
        members=members,
        unknown=UNKNOWN if unknown is None else unknown,
        seed=seed,
        prior=Prior(**{**known, **prior}),
    )


def follow(twin: Twin, week: Week, hours: range | None = None) -> list[Twin]:
    """The twin after every hour."""
    after = []
    for hour in hours or range(len(week.read_degc)):
        twin = twin.assimilate(*hour_of(week, hour))
        after.append(twin)
    return after


def tracks(twins: list[Twin], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of one estimate, hour by hour."""
    found = [twin.estimate()[name] for twin in twins]
    return np.array([one.mean for one in found]), np.array([one.sd for one in found])
