"""From a channel to a slider: where it begins, where it ends, how fine it is."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Array, Float

from tvilling.sciml.core.system import Channel

REACH_K, TIMES = 30.0, 2.0  # how far a slider goes around the example's value
STEPS = 100
WHOLE_LIMITS = 10.0  # limits up to this many times the value are taken as they are


@dataclass(frozen=True)
class Span:
    """Range of a slider in the unit of its channel, and what it starts from."""

    low: float
    high: float
    step: float
    value: float


def span(channel: Channel, example: Float[Array, "*element"]) -> Span:
    """A slider for `channel` around the value of its example.

    It sets the mean of the elements. Temperatures reach 30 K to both sides and other quantities
    from zero (or from their negative) to twice the value, within the channel's limits; limits
    that are not much wider than that are taken whole. Ends and steps are round numbers, about a
    hundred steps apart, and the value of the example is always one of them.
    """
    value = float(np.mean(np.asarray(example)))
    low, high = _reach(channel, value)
    low, high = max(low, channel.low), min(high, channel.high)
    step = _round_step((high - low) / STEPS)
    down = math.floor((value - low) / step + 1e-9)
    up = math.floor((high - value) / step + 1e-9)
    return Span(value - down * step, value + up * step, step, value)


def spread(
    channel: Channel, example: Float[Array, "*element"], mean: float
) -> Float[np.ndarray, "*element"]:
    """The elements of a channel when their mean is `mean`, within the channel's limits.

    Temperatures keep their differences, other quantities their ratios.
    """
    values = np.asarray(example, dtype=float)
    middle = float(values.mean())
    if channel.unit == "°C" or middle == 0.0:
        moved = values + (mean - middle)
    else:
        moved = values * (mean / middle)
    return np.clip(moved, channel.low, channel.high)


def _reach(channel: Channel, value: float) -> tuple[float, float]:
    whole = channel.low, channel.high
    if channel.unit == "°C":
        return value - REACH_K, value + REACH_K
    if value == 0.0 or channel.high - channel.low <= WHOLE_LIMITS * abs(value):
        return whole
    far = TIMES * abs(value)
    return (-far if channel.low < 0 else 0.0), far


def _round_step(about: float) -> float:
    """The largest of 1, 2 or 5 times a power of ten that is not above `about`."""
    power = 10.0 ** math.floor(math.log10(about))
    return next(factor for factor in (5, 2, 1) if factor * power <= about * (1 + 1e-9)) * power
