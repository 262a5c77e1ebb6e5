"""What decides whether the heat network's figures are fine, with the elements that flags name."""

from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np

from tvilling.apps.web.pages.network_twin import NetworkTwin, Run, Settings
from tvilling.apps.web.pages.verdict import Checks, limit_findings
from tvilling.apps.web.text import Labels
from tvilling.sciml.core.results import label
from tvilling.sciml.core.simulate import Trajectory
from tvilling.sciml.systems.heat_network.limits import limits

if TYPE_CHECKING:
    import xarray as xr

START = "2026-01-12T00:00"  # any day: it is not shown


def hour_checks(words: Labels, twin: NetworkTwin, settings: Settings, hour: Run) -> Checks:
    """Of the steady state `hour`."""
    one = {name: np.asarray(values)[None] for name, values in hour.items()}
    return day_checks(words, twin, settings, one)


def day_checks(words: Labels, twin: NetworkTwin, settings: Settings, day: Run) -> Checks:
    """Of a run over several steps."""
    status = np.asarray(day["status"])
    not_numbers = {
        name: int((~np.isfinite(values)).sum())
        for name, values in day.items()
        if not np.isfinite(values).all()
    }
    if not status.any():
        return Checks(status, not_numbers)
    data = _labelled(twin, settings, day)
    by_flag = {
        flag: limit_findings(words, data, some, np.flatnonzero(status & flag))
        for flag, some in limits(data, twin.prepared.tables).items()
        if (status & flag).any()
    }
    return Checks(status, not_numbers, by_flag=by_flag)


def _labelled(twin: NetworkTwin, settings: Settings, day: Run) -> "xr.Dataset":
    output = {name: jnp.asarray(values) for name, values in day.items()}
    status = output.pop("status")
    ground_degc = jnp.full(len(status), settings.ground_degc)
    drive = {"heat_w": output["heat_w"], "ground_degc": ground_degc}
    trajectory = Trajectory(state=None, action={}, output=output, status=status)
    return label(trajectory, twin.network, START, twin.dt_s, drive)
