"""A week of a small tank whose exact answer is known, in NumPy alone.

The tank of `tvilling.sciml.systems.tank` away from its limits is linear in its temperature:

    T' = a (T + w) + (1 - a) (T_ambient + P/U),   a = exp(-U dt / C),   reading = T' + v

with net heat P [W], w ~ N(0, q²), v ~ N(0, σ²). For a given loss coefficient U the Kalman filter
is exact, and so is its likelihood; on a grid of U they give the exact posterior of U.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tvilling.sciml.systems.example import Example

HOUR_S = 3600.0
VOLUME_M3, LOSS_W_PER_K = 0.5, 4.0
NOISE_K, SIGMA_K = 0.05, 0.2  # beyond the model, in an hour (2.4 % of the demand); thermometer
START_DEGC, START_SD_K = 70.0, 2.0
NOMINAL, RELATIVE_SD = 1.4, 0.4  # the twin starts from 1.4 times the true loss


@dataclass(frozen=True)
class Week:
    """What happened, hour by hour, and the temperatures that were true and read [°C]."""

    capacity_j_per_k: float
    heater_w: np.ndarray
    demand_w: np.ndarray
    ambient_degc: np.ndarray
    true_degc: np.ndarray
    read_degc: np.ndarray


@dataclass(frozen=True)
class Filtered:
    """Means and variances after each reading, and the log-likelihood, for each U."""

    mean_degc: np.ndarray
    variance_k2: np.ndarray
    log_likelihood: np.ndarray


def small_tank(loss_w_per_k: float = LOSS_W_PER_K) -> "Example":
    """A tank of 500 litres with a heater of 6 kW."""
    import jax.numpy as jnp

    from tvilling.sciml.systems.example import Example
    from tvilling.sciml.systems.tank import TankConfig

    config = TankConfig(
        volume_m3=VOLUME_M3,
        loss_w_per_k=loss_w_per_k,
        heater_max_w=6e3,
        demand_max_w=6e3,
        floor_degc=20.0,
    )
    return Example(
        system=config.build(),
        action={"heater_w": jnp.asarray(1.2e3)},
        drive={"demand_w": jnp.asarray(1.2e3), "ambient_degc": jnp.asarray(12.0)},
        dt_s=HOUR_S,
    )


def make_week(seed: int, hours: int = 168, change_at: int | None = None) -> Week:
    """A week in which the heater swings the tank between 60 and 80 °C, twice a day.

    Parameters
    ----------
    change_at
        Hour from which the loss coefficient is twice as large.
    """
    from tvilling.datasets.simulated.trials import trial_scenarios

    example = small_tank()
    capacity = float(example.system.capacity_j_per_k)  # type: ignore[attr-defined]
    drive = trial_scenarios(example, 1, -(-hours // 24), seed, HOUR_S).drive
    demand = np.asarray(drive["demand_w"])[0, :hours]
    ambient = np.asarray(drive["ambient_degc"])[0, :hours]
    random = np.random.default_rng(seed + 10_000)
    water = START_DEGC + START_SD_K * random.standard_normal()
    heater, true = np.zeros(hours), np.zeros(hours)
    for hour in range(hours):
        loss = LOSS_W_PER_K * (2.0 if change_at is not None and hour >= change_at else 1.0)
        target = 80.0 if hour % 12 < 6 else 60.0
        heater[hour] = np.clip(demand[hour] + 300.0 * (target - water), 0.0, 6e3)
        decay = np.exp(-loss * HOUR_S / capacity)
        settles = ambient[hour] + (heater[hour] - demand[hour]) / loss
        water = decay * (water + NOISE_K * random.standard_normal()) + (1 - decay) * settles
        true[hour] = water
    read = true + SIGMA_K * random.standard_normal(hours)
    return Week(capacity, heater, demand, ambient, true, read)


def hour_of(week: Week, hour: int) -> tuple[dict, dict, dict, dict]:
    """Action, drive, reading and sigma of one hour, as a twin takes them."""
    return (
        {"heater_w": week.heater_w[hour]},
        {"demand_w": week.demand_w[hour], "ambient_degc": week.ambient_degc[hour]},
        {"water_degc": week.read_degc[hour]},
        {"water_degc": SIGMA_K},
    )


def kalman(week: Week, loss_w_per_k: np.ndarray) -> Filtered:
    """The exact filter of `week` for each loss coefficient [W/K]."""
    loss = np.atleast_1d(loss_w_per_k).astype(float)
    decay = np.exp(-loss * HOUR_S / week.capacity_j_per_k)
    mean = np.full(loss.shape, START_DEGC)
    variance = np.full(loss.shape, START_SD_K**2)
    likelihood = np.zeros(loss.shape)
    means, variances = [], []
    net = week.heater_w - week.demand_w
    for heat, ambient, read in zip(net, week.ambient_degc, week.read_degc, strict=True):
        mean = decay * mean + (1 - decay) * (ambient + heat / loss)
        variance = decay**2 * (variance + NOISE_K**2)
        total = variance + SIGMA_K**2
        innovation = np.nan_to_num(read - mean)
        gain = variance / total * np.isfinite(read)
        likelihood -= np.isfinite(read) * (np.log(2 * np.pi * total) + innovation**2 / total) / 2
        mean, variance = mean + gain * innovation, (1 - gain) * variance
        means.append(mean)
        variances.append(variance)
    return Filtered(np.array(means), np.array(variances), likelihood)


def posterior(week: Week, points: int = 2001) -> tuple[float, float]:
    """Exact mean and standard deviation of the loss coefficient after the week [W/K]."""
    spread = np.sqrt(np.log1p(RELATIVE_SD**2))
    centre = np.log(NOMINAL * LOSS_W_PER_K) - spread**2 / 2
    logs = centre + spread * np.linspace(-6, 6, points)
    weight = kalman(week, np.exp(logs)).log_likelihood - ((logs - centre) / spread) ** 2 / 2
    weight = np.exp(weight - weight.max())
    weight /= weight.sum()
    mean = float(weight @ np.exp(logs))
    return mean, float(np.sqrt(weight @ (np.exp(logs) - mean) ** 2))


def dense(week: Week, loss_w_per_k: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of all readings of `week` together [°C, K²]."""
    decay = np.exp(-loss_w_per_k * HOUR_S / week.capacity_j_per_k)
    hours = len(week.heater_w)
    pushes = (1 - decay) * (week.ambient_degc + (week.heater_w - week.demand_w) / loss_w_per_k)
    lag = np.subtract.outer(np.arange(hours), np.arange(hours))
    carried = np.where(lag >= 0, decay ** np.maximum(lag, 0), 0.0)
    start = decay ** np.arange(1, hours + 1)
    covariance = START_SD_K**2 * np.outer(start, start)
    covariance += NOISE_K**2 * decay**2 * carried @ carried.T + SIGMA_K**2 * np.eye(hours)
    return START_DEGC * start + carried @ pushes, covariance


def bound(week: Week) -> float:
    """Cramér–Rao bound of the loss coefficient from the readings alone [W/K].

    Fisher information of a Gaussian vector with mean m and covariance S, primes for derivatives by
    the loss coefficient: m' S^-1 m' + tr(S^-1 S' S^-1 S')/2.
    """
    step = 1e-4 * LOSS_W_PER_K
    up, down = dense(week, LOSS_W_PER_K + step), dense(week, LOSS_W_PER_K - step)
    slope, spread = (up[0] - down[0]) / (2 * step), (up[1] - down[1]) / (2 * step)
    covariance = dense(week, LOSS_W_PER_K)[1]
    relative = np.linalg.solve(covariance, spread)
    information = slope @ np.linalg.solve(covariance, slope) + np.trace(relative @ relative) / 2
    return float(information**-0.5)
