"""Labelled results: names, units and times put on a trajectory, and its failures in words."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from tvilling.sciml.core.limits import Limit, misses
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.simulate import Controller, Trajectory, simulate, simulate_many
from tvilling.sciml.core.system import Channel, Status, System, Values

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

FLAGS = tuple(flag for flag in Status if flag)  # every flag, without OK
NAMES_SHOWN = 5  # elements named in one line, the worst first
HELD = {"comment": "held over the step that ends at the time stamp"}
MEANING = {
    Status.NOT_CONVERGED: "the solver ended above its tolerance",
    Status.UNSERVED: "a demand was not met in full",
    Status.PRESSURE: "a pressure or differential pressure was below its limit",
    Status.DISCONNECTED: "an element had no path to a source",
    Status.INFEASIBLE: "no state of the plant served what was asked",
    Status.UNPHYSICAL: "a value was outside what physics allows",
    Status.UNBALANCED: "a balance of energy or mass did not close",
    Status.NOT_FINITE: "a value was not a finite number",
    Status.UNDETERMINED: "nothing given determined a value",
}


def status_text(status: int) -> str:
    """The flags of `status` in words, `all is well` where there is none."""
    return "; ".join(text for flag, text in MEANING.items() if status & flag) or "all is well"


def label(
    trajectory: Trajectory,
    system: System,
    start: str,
    dt_s: float,
    drive: Values | None = None,
    **attrs: Any,
) -> "xr.Dataset":
    """Names, units and times put on `trajectory`, and on the `drive` behind it where given.

    Outputs hold over a step, actions and drives are held over it; all stand at the time of its
    end, and actions and drives say so in their attribute `comment`.

    Parameters
    ----------
    trajectory
        Arrays `[time, *channel]`, or `[scenario, time, *channel]` of a batch.
    start
        UTC time at which the first step begins.
    dt_s
        Length of a step [s].
    drive
        Drives by channel name, shaped like the outputs. Those that no channel describes are
        left out.
    **attrs
        Further attributes, such as `case_hash` and `seed`; None is written as an empty text.
    """
    import xarray as xr

    status = np.asarray(trajectory.status)
    lead = ("scenario", "time") if status.ndim == 2 else ("time",)
    groups = [(system.outputs, trajectory.output, {}), (system.actions, trajectory.action, HELD)]
    if drive is not None:
        groups.append((system.drives, drive, HELD))
    variables: dict[str, Any] = {}
    coords: dict[str, Any] = {"time": _times(start, dt_s, status.shape[-1])}
    for channels, values, notes in groups:
        for channel in channels:
            if channel.name in values:
                _add(variables, coords, channel, np.asarray(values[channel.name]), lead)
                variables[channel.name][2].update(notes)
    variables["status"] = (lead, status, _status_attrs())
    described = {key: "" if value is None else value for key, value in attrs.items()}
    return xr.Dataset(
        variables,
        coords,
        {
            "Conventions": "CF-1.11",
            "tvilling_version": version("tvilling"),
            "system": type(system).__name__,
            "dt_s": float(dt_s),
            **described,
        },
    )


def run(
    system: System,
    controller: Controller,
    scenario: Scenario,
    start: str = "2026-01-12T00:00",
    **attrs: Any,
) -> "xr.Dataset":
    """Simulate one scenario, or each of a batch, and label what came of it.

    The call is compiled once for each system, controller and shape. For an ensemble too large to
    keep whole, reduce inside `simulate_many`.

    Parameters
    ----------
    start
        UTC time at which the first step begins.
    **attrs
        Further attributes of the result.
    """
    dims = {channel.name: len(channel.dims) for channel in system.drives}
    name, values = next(iter(scenario.drive.items()))
    is_batch = values.ndim - dims.get(name, 0) == 2
    trajectory = (_run_batch if is_batch else _run_one)(system, controller, scenario)
    return label(trajectory, system, start, scenario.dt_s, scenario.drive, **attrs)


def failures(
    data: "xr.Dataset",
    limits: "Mapping[Status, tuple[str, xr.DataArray] | Sequence[Limit]] | None" = None,
) -> list[str]:
    """What went wrong in the labelled run `data`, one line a flag and controller or scenario.

    A variable that is not a finite number somewhere has a line as well.

    Parameters
    ----------
    data
        As `label` gives it; further dimensions beside `time` (scenario, controller) are told apart.
    limits
        For a flag, the variable that fell short and what it should have reached, by element; or
        several `Limit`. The elements that miss it at a flagged time are named, the worst first.
    """
    lines = []
    status = data["status"]
    others = [str(dim) for dim in status.dims if dim != "time"]
    cases = status.stack(case=others)["case"].values if others else [()]
    for case in cases:
        where = dict(zip(others, case, strict=True))
        part = data.sel(where) if where else data
        place = ", ".join(f"{dim} {value}" for dim, value in where.items())
        for flag in FLAGS:
            flagged = (part["status"].values & flag) != 0
            if flagged.any():
                named = _named(part, flagged, (limits or {}).get(flag))
                lines.append(
                    f"{place + ': ' if place else ''}{MEANING[flag]}"
                    f"{named} ({_periods(part.indexes['time'], flagged)})"
                )
        for name, values in part.data_vars.items():
            if "time" in values.dims and values.dtype.kind == "f":
                rows = values.transpose("time", ...).values.reshape(values.sizes["time"], -1)
                bad = ~np.isfinite(rows).all(axis=1)
                if bad.any():
                    lines.append(
                        f"{place + ': ' if place else ''}{name} is not a finite number "
                        f"({_periods(part.indexes['time'], bad)})"
                    )
    return lines


_run_one, _run_batch = jax.jit(simulate), jax.jit(simulate_many)


def _times(start: str, dt_s: float, steps: int) -> np.ndarray:
    step = np.timedelta64(round(dt_s * 1e9), "ns")
    return np.datetime64(start).astype("datetime64[ns]") + step * np.arange(1, steps + 1)


def _add(
    variables: dict[str, Any],
    coords: dict[str, Any],
    channel: Channel,
    values: np.ndarray,
    lead: tuple[str, ...],
) -> None:
    """Add one channel to `variables`, and the names of its elements to `coords`."""
    for dim, names in zip(channel.dims, channel.labels, strict=True):
        known = coords.setdefault(dim, list(names))
        if known != list(names):
            raise ValueError(f"channel {channel.name} has other names along {dim} than the rest")
    attrs = {"units": channel.unit}
    if channel.description:
        attrs["long_name"] = channel.description
    shape = values.shape[: len(lead)] + channel.shape
    variables[channel.name] = (lead + channel.dims, np.broadcast_to(values, shape), attrs)


def _status_attrs() -> dict[str, Any]:
    """Attributes of a CF flag variable, section 3.5 of the CF conventions."""
    return {
        "units": "1",
        "long_name": "flags of the step; 0 means all is well",
        "flag_masks": np.array([int(flag) for flag in FLAGS], np.int32),
        "flag_meanings": " ".join(str(flag.name).lower() for flag in FLAGS),
    }


def _named(
    part: "xr.Dataset",
    flagged: np.ndarray,
    limit: "tuple[str, xr.DataArray] | Sequence[Limit] | None",
) -> str:
    """What the elements that missed their limits at a flagged time are called, and their values."""
    if limit is None or isinstance(limit[0], str):
        return _elements(part, flagged, limit)  # type: ignore[arg-type]
    texts = [_outside(part, flagged, one) for one in limit]  # type: ignore[arg-type]
    return "".join(f": {text}" for text in ["; ".join(text for text in texts if text)] if text)


def _outside(part: "xr.Dataset", flagged: np.ndarray, limit: Limit) -> str:
    """The elements outside `limit`, the worst first, each with its worst value."""
    found = misses(part, limit, np.flatnonzero(flagged))
    if not found:
        return ""
    unit = part[limit.name].attrs.get("units", "")
    shown = []
    for one in found[:NAMES_SHOWN]:
        bound = f"at {'least' if one.value < one.bound else 'most'} {one.bound:.4g}"
        name = f"{one.element} " if one.element else ""
        shown.append(f"{name}({one.value:.4g} {unit}, {bound})")
    more = f" and {len(found) - NAMES_SHOWN} more" if len(found) > NAMES_SHOWN else ""
    dims = [str(dim) for dim in part[limit.name].dims if dim != "time"]
    kind = f"{dims[0]} " if dims and found[0].element else f"{limit.name} "
    says = f"{limit.says} " if limit.says else ""
    because = f", because {limit.because}" if limit.because else ""
    return f"{says}{kind}{', '.join(shown)}{more}{because}"


def _elements(
    part: "xr.Dataset", flagged: np.ndarray, limit: "tuple[str, xr.DataArray] | None"
) -> str:
    """The elements that fell short at a flagged time, with the worst shortfall of each."""
    if limit is None:
        return ""
    name, needed = limit
    short = (needed - part[name]).isel(time=np.flatnonzero(flagged)).max("time")
    dim = str(short.dims[0])
    short = short.where(short > 0, drop=True).sortby(short, ascending=False)
    if not short.size:
        return ""
    unit = part[name].attrs["units"]
    shown = [
        f"{element} (up to {value:.3g} {unit} short)"
        for element, value in zip(short[dim].values, short.values, strict=True)
    ][:NAMES_SHOWN]
    more = f" and {short.size - NAMES_SHOWN} more" if short.size > NAMES_SHOWN else ""
    return f" at {dim} {', '.join(shown)}{more}"


def _periods(time: "pd.DatetimeIndex", flagged: np.ndarray) -> str:
    """The times marked in `flagged`, told as periods of steps."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flagged, [False]]).astype(int)))
    spans: Sequence[tuple[int, int]] = list(zip(edges[::2], edges[1::2] - 1, strict=True))
    first, last = spans[0]
    text = f"{time[first]:%Y-%m-%d %H:%M}"
    if last > first:
        text += f" to {time[last]:%Y-%m-%d %H:%M}"
    if len(spans) > 1:
        text += f" and {len(spans) - 1} more periods"
    return f"{int(flagged.sum())} of {len(flagged)} steps: {text}"
