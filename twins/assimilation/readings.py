"""What comes in with a step, checked and put in the shapes of the channels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.system import Channel, System
from tvilling.twins.assimilation.belief import Belief, Update
from tvilling.twins.assimilation.vector import reading_places

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Gated:
    """A reading that was left out of an update, as too far from what was expected.

    Attributes
    ----------
    name
        Output, and its element where there are several, as in `consumer_supply_degc[C7]`.
    time
        UTC time of the reading.
    value, expected
        What was read, and the ensemble's forecast of it [`unit`].
    sd
        Standard deviation of (spread + noise) that was expected of their difference [`unit`].
    in_a_row
        Updates, this one among them, in which the reading was there and left out.
    """

    name: str
    time: np.datetime64
    value: float
    expected: float
    sd: float
    unit: str
    in_a_row: int

    def __str__(self) -> str:
        """One sentence."""
        away = abs(self.value - self.expected) / self.sd
        return (
            f"{self.name} read {self.value:g} {self.unit} at "
            f"{self.time.astype('datetime64[s]')}Z, expected {self.expected:.5g} ± {self.sd:.2g} "
            f"{self.unit}: {away:.0f} standard deviations, left out {self.in_a_row} in a row"
        )


def gated_readings(
    system: System, belief: Belief, update: Update, meters: tuple[str, ...]
) -> tuple[Gated, ...]:
    """The readings that `update` left out, with names and numbers."""
    channels = {channel.name: channel for channel in system.outputs}
    names = [
        (element, channels[meter].unit)
        for meter in meters
        for element in _element_names(channels[meter])
    ]
    runs = np.asarray(belief.gated_runs)[reading_places(system, meters)]
    sd = np.hypot(np.asarray(update.predicted_sd), np.asarray(update.sigma))
    time = np.datetime64(int(belief.time_ns), "ns")
    return tuple(
        Gated(
            names[at][0],
            time,
            float(update.reading[at]),
            float(update.predicted[at]),
            float(sd[at]),
            names[at][1],
            int(runs[at]),
        )
        for at in np.flatnonzero(np.asarray(update.gated))
    )


def _element_names(channel: Channel) -> list[str]:
    """Name of each number of a channel, in order."""
    return [
        f"{channel.name}[{', '.join(map(str, labels))}]" if labels else channel.name
        for labels in product(*channel.labels)
    ]


def check_step(
    system: System,
    action: Mapping[str, Any],
    drive: Mapping[str, Any],
    measured: Mapping[str, Any],
    sigma: Mapping[str, Any],
) -> tuple[tuple[Arrays, Arrays], Arrays, Arrays]:
    """Action and drive, readings and their standard deviations, as arrays.

    Readings that are not finite are missing ones, as NaN.

    Raises
    ------
    InputError
        With every fault: a channel that is missing or not known, a shape, an action or drive that
        is not finite, a standard deviation that is missing or not above 0.
    """
    faults: list[str] = []
    actions = _inputs("action", system.actions, action, faults)
    drives = _inputs("drive", system.drives, drive, faults)
    known = {channel.name: channel for channel in system.outputs}
    faults += [
        f"measured {name} is no output, known are {', '.join(known)}"
        for name in measured
        if name not in known
    ]
    faults += [f"sigma of {name} is of no output" for name in sigma if name not in known]
    readings: Arrays = {}
    errors: Arrays = {}
    for name in sorted(set(measured) & set(known)):
        readings[name] = _shaped("measured", known[name], measured[name], faults)
        readings[name] = _plausible(known[name], readings[name])
        if name not in sigma:
            faults.append(f"sigma of {name} is missing")
            continue
        errors[name] = _shaped("sigma of", known[name], sigma[name], faults)
        if not (np.isfinite(errors[name]).all() and (errors[name] > 0).all()):
            worst = float(np.min(errors[name]))
            faults.append(
                f"sigma of {name} is {worst:g} {known[name].unit}, expected above 0, finite"
            )
    if faults:
        raise InputError("step of a twin", faults)
    return (actions, drives), readings, errors


def _inputs(
    kind: str, channels: Sequence[Channel], given: Mapping[str, Any], faults: list[str]
) -> Arrays:
    """The channels of one kind; further names, which the plant does not know, are left out."""
    found: Arrays = {}
    for channel in channels:
        if channel.name not in given:
            faults.append(f"{kind} {channel.name} is missing")
            continue
        found[channel.name] = _shaped(kind, channel, given[channel.name], faults)
        if not np.isfinite(found[channel.name]).all():
            faults.append(
                f"{kind} {channel.name} is not finite, "
                f"expected {channel.low:g} to {channel.high:g} {channel.unit}"
            )
    return found


def _plausible(channel: Channel, read: np.ndarray) -> np.ndarray:
    """`read` with NaN for what no meter can mean: further outside the channel than it is wide."""
    span = channel.high - channel.low
    far = (read < channel.low - span) | (read > channel.high + span)
    return np.where(np.isfinite(read) & ~far, read, np.nan)


def _shaped(kind: str, channel: Channel, value: Any, faults: list[str]) -> np.ndarray:
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        faults.append(f"{kind} {channel.name} is {value!r}, expected numbers in {channel.unit}")
        return np.broadcast_to(np.float64(1.0), channel.shape)
    try:
        return np.broadcast_to(array, channel.shape)
    except ValueError:
        faults.append(f"{kind} {channel.name} has shape {array.shape}, expected {channel.shape}")
        return np.broadcast_to(np.float64(1.0), channel.shape)
