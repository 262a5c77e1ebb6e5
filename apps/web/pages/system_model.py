"""What a system's page holds: its sliders as parameters, and the run that follows from them."""

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.apps.web.pages.slider_range import Span, span, spread
from tvilling.sciml.core.units import J_PER_KWH
from tvilling.sciml.io.extras import needs_extra
from tvilling.sciml.systems import SYSTEMS
from tvilling.sciml.systems.example import Example

with needs_extra("apps"):
    import param

if TYPE_CHECKING:
    import xarray as xr

START = "2026-01-12T00:00"
SEED = 1
DAYS, MAX_DAYS = 3, 7
VARIATION_PERCENT = 50.0


@dataclass(frozen=True)
class SystemRun:
    """A run of a system over some days.

    Attributes
    ----------
    data
        Outputs, actions and drives over `time`, as `tvilling.sciml.core.results.label` gives them.
    hours
        Time since the start at the end of each step [h].
    """

    data: "xr.Dataset"
    hours: np.ndarray

    @property
    def dt_s(self) -> float:
        """Length of a step [s]."""
        return float(self.data.attrs["dt_s"])

    def not_numbers(self) -> dict[str, int]:
        """How many values of each variable are not finite."""
        counts = {
            str(name): int((~np.isfinite(values.values)).sum())
            for name, values in self.data.data_vars.items()
        }
        return {name: count for name, count in counts.items() if count}

    def energy_kwh(self, name: str) -> float:
        """A power [W] summed over its elements and over the run [kWh]."""
        return float(self.data[name].sum()) * self.dt_s / J_PER_KWH

    def peak_w(self, name: str) -> float:
        """The greatest sum of a power's elements [W]."""
        return float(self.total(name).max())

    def total(self, name: str) -> "xr.DataArray":
        """A quantity summed over its elements [time]."""
        values = self.data[name]
        return values.sum([dim for dim in values.dims if dim != "time"])


class SystemModel(param.Parameterized):
    """Sliders of one system: one parameter a channel of its actions and drives, and the trial.

    Made by `system_model`. The parameter of a channel has its name and unit and holds the mean of
    its elements; its bounds are the slider's.
    """

    days = param.Integer(DAYS, bounds=(1, MAX_DAYS))
    variation_percent = param.Number(VARIATION_PERCENT, bounds=(0.0, 100.0))

    _example: Example
    _spans: dict[str, Span]

    @property
    def example(self) -> Example:
        """The system and the values that the sliders start from."""
        return self._example

    @property
    def spans(self) -> dict[str, Span]:
        """The slider of each action and drive, by the channel's name."""
        return self._spans

    def settings(self) -> dict[str, float]:
        """What decides the run, as plain values."""
        return {name: getattr(self, name) for name in ("days", "variation_percent", *self._spans)}

    def reset(self) -> None:
        """Put every slider back to where it started."""
        start = {name: one.value for name, one in self._spans.items()}
        self.param.update(days=DAYS, variation_percent=VARIATION_PERCENT, **start)

    def result(self, settings: dict[str, float] | None = None) -> SystemRun:
        """The run for `settings`, without them for the sliders as they stand.

        The action is held. Drives follow `tvilling.datasets.simulated.trials`, their deviation from
        the slider scaled by `variation_percent`.
        """
        from tvilling.datasets.simulated.trials import PRICE, trial_scenarios
        from tvilling.rl_control.control.controllers import Hold
        from tvilling.sciml.core.results import run

        settings = settings or self.settings()
        example = _set(self._example, settings)
        days, share = int(settings["days"]), settings["variation_percent"] / 100.0
        scenario = trial_scenarios(example, 1, days, SEED).at(0)
        drive = {
            name: example.drive[name] + share * (scenario.drive[name] - example.drive[name])
            for name in example.drive
        }
        drive[PRICE] = scenario.drive[PRICE]  # a system without drives needs a length
        scenario = replace(scenario, drive=drive)
        data = run(example.system, Hold(example.action), scenario, START)
        hours = np.arange(1, len(data["time"]) + 1) * scenario.dt_s / 3600.0
        return SystemRun(data, hours)


def system_model(name: str) -> SystemModel:
    """A new model of the registered system `name`; its example is loaded once."""
    model: SystemModel = _model_class(name)()
    return model


@cache
def _model_class(name: str) -> type[SystemModel]:
    example = SYSTEMS[name].example()
    groups = ((example.system.actions, example.action), (example.system.drives, example.drive))
    spans = {
        channel.name: span(channel, values[channel.name])
        for channels, values in groups
        for channel in channels
    }
    sliders = {
        channel: param.Number(one.value, bounds=(one.low, one.high), step=one.step)
        for channel, one in spans.items()
    }
    fields: dict[str, Any] = {"_example": example, "_spans": spans, **sliders}
    return type(f"{name.title().replace('_', '')}Model", (SystemModel,), fields)


def _set(example: Example, settings: dict[str, float]) -> Example:
    """`example` with the sliders' values in place of its own."""
    import jax.numpy as jnp

    def moved(channels: Any, values: Any) -> dict[str, Any]:
        return values | {
            channel.name: jnp.asarray(spread(channel, values[channel.name], settings[channel.name]))
            for channel in channels
        }

    system = example.system
    return replace(
        example,
        action=moved(system.actions, example.action),
        drive=moved(system.drives, example.drive),
    )
