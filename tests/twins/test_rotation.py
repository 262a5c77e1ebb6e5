"""Rotations keep mean and covariance, and turn everything else round."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rooms import Rooms
from twin_week import follow, start

from tvilling.benchmarks.twin_reference import make_week
from tvilling.twins.assimilation.prior import Prior
from tvilling.twins.assimilation.rotation import rotated
from tvilling.twins.twin import Twin

ACTION, DRIVE = {"heat_w": 0.0}, {"outdoor_degc": 20.0}
SIGMA = {"air_degc": 0.2, "mean_degc": 0.2}


@pytest.mark.parametrize(("members", "width"), [(20, 3), (20, 19), (12, 30), (15, 0)])
def test_mean_and_covariance_stay(members: int, width: int) -> None:
    """With more members than numbers and with fewer; a number without spread keeps none."""
    random = np.random.default_rng(0)
    deviation = random.standard_normal((members, width)) * 10.0 ** np.arange(
        -width // 2, width // 2
    )
    deviation[:, 1:2] = 0.0
    deviation -= deviation.mean(axis=0)
    turned = np.asarray(rotated(jax.random.key(1), jnp.asarray(deviation)))
    size = np.maximum(np.linalg.norm(deviation, axis=0), 1e-60)
    both = np.outer(size, size)
    np.testing.assert_allclose(
        (turned.T @ turned) / both, (deviation.T @ deviation) / both, atol=1e-11
    )
    np.testing.assert_allclose(turned.mean(axis=0) / size, 0.0, atol=1e-12)
    again = rotated(jax.random.key(1), jnp.asarray(deviation))
    np.testing.assert_array_equal(turned, again)
    if width:
        assert np.abs((turned - deviation)[:, 0] / size[0]).max() > 0.05


def test_all_directions_are_drawn_alike() -> None:
    """One member of a two-point ensemble, over 400 rotations: its square is 1/N on average,
    as for an even draw from the sphere, and its mean is zero."""
    deviation = np.zeros((8, 1))
    deviation[:2, 0] = 0.5**0.5, -(0.5**0.5)
    keys = jax.random.split(jax.random.key(0), 400)
    first = np.asarray(jax.vmap(lambda key: rotated(key, jnp.asarray(deviation)))(keys))[:, 0, 0]
    assert first.mean() == pytest.approx(0.0, abs=4 * (1 / 8 / 400) ** 0.5)
    assert (first**2).mean() == pytest.approx(1 / 8, rel=0.3)


def test_members_turn_after_a_reading_and_only_then() -> None:
    week = make_week(0, hours=24)
    turning, fixed = start(), start(rotate=False)
    one, other = (follow(twin, week, range(1))[-1] for twin in (turning, fixed))
    for name in ("state", "loss_w_per_k"):
        mean, same = one.estimate()[name], other.estimate()[name]
        assert float(mean.mean) == pytest.approx(float(same.mean), rel=2e-2)
    logs, still = np.asarray(one.belief.log_unknown), np.asarray(other.belief.log_unknown)
    assert logs.mean() == pytest.approx(still.mean(), rel=1e-9)
    assert logs.std() == pytest.approx(still.std(), rel=1e-9)
    assert np.abs(logs - still).max() > 0.1 * still.std()
    blind = replace(week, read_degc=np.full(24, np.nan))
    one, other = (follow(twin, blind, range(1))[-1] for twin in (turning, fixed))
    np.testing.assert_array_equal(one.belief.log_unknown, other.belief.log_unknown)


def test_members_that_differ_in_whole_numbers_keep_their_place() -> None:
    """A member's floats belong to its counter; where all count alike, they may turn."""
    state = {"count": 0, "air_degc": jnp.full(3, 20.0), "wall_degc": jnp.full(3, 20.0)}

    def after(rotate: bool, counts: np.ndarray) -> np.ndarray:
        prior = Prior(state, 1.0, rotate=rotate)
        twin = Twin.start(Rooms(jnp.asarray(0.1)), "2026-01-12", 3600.0, 40, prior=prior)
        belief = replace(twin.belief, state={**twin.belief.state, "count": jnp.asarray(counts)})
        twin = replace(twin, belief=belief).assimilate(
            ACTION, DRIVE, {"air_degc": 20.5, "mean_degc": 20.5}, SIGMA
        )
        return np.asarray(twin.belief.vector())

    differ, alike = np.arange(40), np.zeros(40, int)
    np.testing.assert_array_equal(after(True, differ), after(False, differ))
    assert np.abs(after(True, alike) - after(False, alike)).max() > 0.1
