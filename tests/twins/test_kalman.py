"""Where the plant is linear, the twin is the Kalman filter."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from rooms import Rooms
from scipy.stats import multivariate_normal
from twin_week import follow, start, tracks

from tvilling.benchmarks.twin_reference import LOSS_W_PER_K, Week, dense, kalman, make_week
from tvilling.twins.assimilation.prior import Prior
from tvilling.twins.twin import Twin


@pytest.fixture(scope="module")
def week() -> Week:
    return make_week(seed=3, hours=60)


def test_the_reference_has_the_likelihood_of_all_readings_at_once(week: Week) -> None:
    """The recursion against one multivariate normal distribution, for three coefficients."""
    losses = np.array([2.0, 4.0, 9.0])
    together = [multivariate_normal.logpdf(week.read_degc, *dense(week, loss)) for loss in losses]
    np.testing.assert_allclose(kalman(week, losses).log_likelihood, together, rtol=1e-10)


@pytest.mark.parametrize("members", [10, 100, 1000])
def test_known_tank_is_the_kalman_filter_to_rounding(week: Week, members: int) -> None:
    """Exact drawing leaves no Monte Carlo error at all; two readings in three are there."""
    read = np.where(np.arange(60) % 3 == 1, np.nan, week.read_degc)
    gaps = replace(week, read_degc=read)
    twins = follow(start(LOSS_W_PER_K, members, unknown={}, relaxation=0.0), gaps)
    mean, sd = tracks(twins, "state")
    exact = kalman(gaps, np.array([LOSS_W_PER_K]))
    np.testing.assert_allclose(mean, exact.mean_degc[:, 0], atol=1e-9)
    np.testing.assert_allclose(sd**2, exact.variance_k2[:, 0], rtol=1e-9)


def rooms_kalman(
    plant: Rooms, noise: np.ndarray, meters: np.ndarray, sigma: np.ndarray, read: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The textbook filter with matrices, all readings of an hour at once."""
    matrix, mean, cov = plant.matrix(), np.repeat([20.0, 18.0], 3), np.diag(np.repeat([1, 4], 3))
    push = np.concatenate([[0.5, 0.2, 0.0], np.full(3, 5.0 * float(plant.exchange))])
    found = []
    for now in read:
        mean = matrix @ mean + push
        cov = matrix @ (cov + np.diag(noise**2)) @ matrix.T
        there = np.isfinite(now)
        h, r = meters[there], np.diag(sigma[there] ** 2)
        gain = cov @ h.T @ np.linalg.inv(h @ cov @ h.T + r)
        mean = mean + gain @ (now[there] - h @ mean)
        cov = cov - gain @ h @ cov
        found.append((mean, cov))
    return found


def test_many_meters_of_a_plant_with_several_arrays() -> None:
    """Readings taken one by one give what all of them give at once; a third are missing."""
    plant = Rooms(jnp.asarray(0.1))
    noise = np.array([0.3, 0.2, 0.1, 0.05, 0.05, 0.0])
    state = {"count": 0, "air_degc": jnp.full(3, 20.0), "wall_degc": jnp.full(3, 18.0)}
    like = {"count": 0, "air_degc": jnp.full(3, 1.0), "wall_degc": jnp.full(3, 2.0)}
    spread = {"count": 0, "air_degc": noise[:3], "wall_degc": noise[3:]}
    # The readings are no plant's: the gate would leave some out, and the reference has none.
    prior = Prior(state, like, spread, relaxation=0.0, gate_sd=np.inf)
    twin = Twin.start(plant, "2026-01-12", 3600.0, members=20, prior=prior)
    meters = np.vstack([np.eye(6)[:3], np.repeat([1 / 3, 0], 3)])  # air of each, and their mean
    sigma = np.array([0.3, 0.5, 0.2, 0.1])
    random = np.random.default_rng(1)
    read = 20 + random.standard_normal((25, 4))
    read[random.random((25, 4)) < 1 / 3] = np.nan
    exact = rooms_kalman(plant, noise, meters, sigma, read)
    action, drive = {"heat_w": [500.0, 200.0, 0.0]}, {"outdoor_degc": 5.0}
    errors = {"air_degc": sigma[:3], "mean_degc": sigma[3]}
    for now, (mean, cov) in zip(read, exact, strict=True):
        measured = {"air_degc": now[:3], "mean_degc": now[3]}
        twin = twin.assimilate(action, drive, measured, errors)
        vectors = np.asarray(twin.belief.vector())
        np.testing.assert_allclose(vectors.mean(axis=0), mean, atol=1e-9)
        np.testing.assert_allclose(np.cov(vectors.T), cov, atol=1e-10)
    assert (np.asarray(twin.belief.state["count"]) == 25).all()


def test_a_start_drawn_by_the_system_is_off_by_one_over_root_members() -> None:
    """A start drawn evenly from 20 to 95 °C has its moments by chance, as any Monte Carlo.

    The standard error of the mean after one update with gain K is (1 - K) s / sqrt(members) to
    first order, plus that of K; 16 times the members divide the error by 4.
    """
    week = make_week(seed=3, hours=1)
    exact_variance = 75.0**2 / 12

    def error(members: int, seed: int) -> float:
        drawn = {"state": None, "state_sd": 0.0, "state_noise": 0.0}
        twin = start(LOSS_W_PER_K, members, unknown={}, seed=seed, **drawn)
        settled = twin.assimilate(
            {"heater_w": week.heater_w[0]},
            {"demand_w": week.demand_w[0], "ambient_degc": week.ambient_degc[0]},
            {"water_degc": 60.0},
            {"water_degc": 20.0},
        )
        return float(settled.estimate()["state"].mean)

    few, many = ([error(n, seed) for seed in range(60)] for n in (25, 400))
    decay = float(np.exp(-LOSS_W_PER_K * 3600 / week.capacity_j_per_k))
    heat = (week.heater_w[0] - week.demand_w[0]) / LOSS_W_PER_K
    before = decay * 57.5 + (1 - decay) * (week.ambient_degc[0] + heat)
    gain = decay**2 * exact_variance / (decay**2 * exact_variance + 20.0**2)
    exact = before + gain * (60.0 - before)
    rms = [np.sqrt(np.mean((np.array(found) - exact) ** 2)) for found in (few, many)]
    assert rms[0] / rms[1] == pytest.approx(4.0, rel=0.3)  # 60 draws each: 13 % one sigma
    expected = (1 - gain) * decay * np.sqrt(exact_variance / 400)
    assert rms[1] == pytest.approx(expected, rel=0.35)
