"""A week of hourly readings of a small tank: time of an update, and what is found of its loss."""

from typing import TYPE_CHECKING

import numpy as np

from tvilling.benchmarks.measurement import Measurement
from tvilling.benchmarks.twin_reference import (
    HOUR_S,
    LOSS_W_PER_K,
    NOISE_K,
    NOMINAL,
    RELATIVE_SD,
    START_DEGC,
    START_SD_K,
    Week,
    bound,
    hour_of,
    make_week,
    posterior,
    small_tank,
)

if TYPE_CHECKING:
    from tvilling.twins.twin import Twin

MEMBERS, MANY_MEMBERS = 100, 1000
SEEDS = 20


def start(members: int, seed: int) -> "Twin":
    """A twin 40 % off in the loss coefficient, at the start of the week."""
    from tvilling.twins.assimilation.prior import Prior
    from tvilling.twins.twin import Twin

    return Twin.start(
        small_tank(NOMINAL * LOSS_W_PER_K).system,
        start="2026-01-12T00:00",
        dt_s=HOUR_S,
        members=members,
        unknown={"loss_w_per_k": RELATIVE_SD},
        seed=seed,
        prior=Prior(np.float64(START_DEGC), START_SD_K, NOISE_K),
    )


def follow(twin: "Twin", week: Week) -> "Twin":
    """The twin after the week."""
    for hour in range(len(week.read_degc)):
        twin = twin.assimilate(*hour_of(week, hour))
    return twin


def measure() -> Measurement:
    """Error of the loss coefficient over weeks beside the exact posterior; time of an update.

    The peer is the exact posterior on a grid of coefficients, each with its Kalman filter, which
    needs a plant that is linear apart from one unknown. The ratio is its error over ours.
    """
    from tvilling.benchmarks.timing import take_turns

    ours, exact, limits = [], [], []
    for seed in range(SEEDS):
        week = make_week(seed)
        found = follow(start(MEMBERS, seed), week).estimate()["loss_w_per_k"]
        ours.append(float(found.mean) / LOSS_W_PER_K - 1)
        exact.append(posterior(week)[0] / LOSS_W_PER_K - 1)
        limits.append(bound(week) / LOSS_W_PER_K)
    week = make_week(0)
    few, many = start(MEMBERS, 0), start(MANY_MEMBERS, 0)
    timing = take_turns(
        {
            "few": lambda: follow(few, week).belief.state,
            "many": lambda: follow(many, week).belief.state,
            "grid": lambda: posterior(week),
        },
        5,
    )
    per_update = 1e6 / len(week.read_degc)
    error, peer = _rms_percent(ours), _rms_percent(exact)
    return Measurement(
        name="twin_tank",
        ours=error,
        peer=peer,
        unit="% RMS error of the loss coefficient after a week",
        ratio=peer / error,
        peer_name="exact posterior, 2001 Kalman filters (NumPy)",
        peer_version=np.__version__,
        extra={
            "weeks": SEEDS,
            "greatest_error_percent": 100 * float(np.max(np.abs(ours))),
            "cramer_rao_bound_percent": _rms_percent(limits),
            "members": MEMBERS,
            "update_median_us": timing["few"].median_s * per_update,
            "update_min_us": timing["few"].min_s * per_update,
            "update_cpu_min_us": min(timing["few"].cpu_s) * per_update,
            "update_1000_members_median_us": timing["many"].median_s * per_update,
            "update_1000_members_min_us": timing["many"].min_s * per_update,
            "update_1000_members_cpu_min_us": min(timing["many"].cpu_s) * per_update,
            "exact_per_reading_median_us": timing["grid"].median_s * per_update,
        },
    )


def _rms_percent(values: list[float]) -> float:
    return 100 * float(np.sqrt(np.mean(np.square(values))))
