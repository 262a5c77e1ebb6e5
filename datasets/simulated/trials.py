"""Scenarios to try any system on: its drives swing around those of its example, day by day."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.datasets.prices import synthetic_prices
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.system import Channel, System
from tvilling.sciml.systems.example import Example

PRICE = "price_dkk_per_kwh"
DAY_S, HOUR_S = 86_400.0, 3600.0
SWING = 0.6  # share of the way from the example's value to the nearer limit of its channel
DAILY, LEVEL, NOISE = 0.45, 0.3, 0.25  # shares of the swing: daily course, level, hour to hour
NOISE_MEMORY_S = 2 * HOUR_S


def trial_scenarios(
    example: Example, count: int, days: int, seed: int, dt_s: float | None = None
) -> Scenario:
    """`count` scenarios of `days` days, with a start drawn by the system's `init`.

    Each drive is

        value + 0.6 · reach · (0.45 daily + 0.3 level + 0.25 noise),

    with the example's value, its distance to the nearer limit of the channel as reach, a sine
    over the day with a random phase, a level drawn for the scenario, and first-order noise with a
    memory of two hours; all three lie between -1 and 1, so a drive keeps to its channel. The
    elements of a channel share the daily course and the level. `price_dkk_per_kwh`, which the
    system does not see, is from `synthetic_prices`, held over each hour.

    Parameters
    ----------
    dt_s
        Length of a step [s], a divisor of a day; without it that of the example.

    Returns
    -------
    Scenario
        Every array led by `count`.

    Raises
    ------
    InputError
        With every argument out of range, and every drive whose channel has no finite limits.
    """
    step_s = example.dt_s if dt_s is None else dt_s
    _check(example.system.drives, count, days, step_s)
    steps = round(days * DAY_S / step_s)
    random = np.random.default_rng(seed)
    time_s = np.arange(steps) * step_s
    drive: dict[str, Array] = {
        channel.name: jnp.asarray(
            _course(channel, np.asarray(example.drive[channel.name]), time_s, count, random)
        )
        for channel in example.system.drives
    }
    hour = (time_s // HOUR_S).astype(int)
    drive[PRICE] = jnp.asarray(synthetic_prices(days, seed, count)[:, hour])
    return Scenario(_starts(example.system, count, seed), drive, step_s)


def _check(drives: tuple[Channel, ...], count: int, days: int, step_s: float) -> None:
    faults = [
        f"drive {c.name} has the limits {c.low:g} to {c.high:g} {c.unit}, expected finite ones"
        for c in drives
        if not np.isfinite([c.low, c.high]).all()
    ]
    faults += [
        f"{name} is {value}, expected 1 or more"
        for name, value in (("count", count), ("days", days))
        if value < 1
    ]
    if not 0 < step_s < DAY_S or abs(DAY_S / step_s - round(DAY_S / step_s)) > 1e-9:
        faults.append(f"dt_s is {step_s:g} s, expected a divisor of a day, 86400 s")
    if faults:
        raise InputError("trial scenarios", faults)


def _starts(system: System, count: int, seed: int) -> object:
    return jax.vmap(system.init)(jax.random.split(jax.random.key(seed), count))


def _course(
    channel: Channel,
    value: np.ndarray,
    time_s: np.ndarray,
    count: int,
    random: np.random.Generator,
) -> Float[np.ndarray, "count time *element"]:
    """The course of one drive in every scenario."""
    from scipy.signal import lfilter

    reach = np.minimum(value - channel.low, channel.high - value)
    lead = (count, len(time_s)) + (1,) * value.ndim
    phase = random.uniform(0, 2 * np.pi, (count, 1))
    daily = np.sin(2 * np.pi * time_s / DAY_S + phase).reshape(lead)
    level = random.uniform(-1, 1, (count, 1) + (1,) * value.ndim)
    kicks = random.standard_normal((count, len(time_s), *value.shape))
    memory = np.exp(-(time_s[1] - time_s[0]) / NOISE_MEMORY_S)
    kicks[:, 1:] *= np.sqrt(1 - memory**2)
    noise = np.tanh(lfilter([1.0], [1.0, -memory], kicks, axis=1) / 2)
    return value + SWING * reach * (DAILY * daily + LEVEL * level + NOISE * noise)
