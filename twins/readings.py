"""What comes in with a step, checked and put in the shapes of the channels."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tvilling.sciml.errors import InputError
from tvilling.sciml.system import Channel, System

Arrays = dict[str, np.ndarray]


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
