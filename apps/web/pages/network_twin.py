"""The sized town network with compiled answers: one state, or a day of states."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.apps.heat.case import StockDemand
from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    from tvilling.apps.heat.network_case import Prepared
    from tvilling.sciml.core.system import Values

CASE = "schutterwald_week.yaml"
HOURS = 24
KEPT_DEMANDS = 256
Tell = Callable[[str], None]
Run = dict[str, np.ndarray]  # outputs by channel name; those of a day are led by time


@dataclass(frozen=True)
class Settings:
    """What the sliders say; whole numbers become floats, since JAX compiles anew for integers.

    Attributes
    ----------
    supply_degc
        Supply temperature at every source, held over the day.
    demand_percent
        Of the heat demand that the building stock has in this weather.
    outdoor_degc
        Mean outdoor temperature of the day; its course is the mean day of the case's weather.
    ground_degc
        Temperature of the undisturbed ground.
    hour
        Time of day of the steady state [h].
    """

    supply_degc: float
    demand_percent: float
    outdoor_degc: float
    ground_degc: float
    hour: float

    def __post_init__(self) -> None:
        for one in fields(self):
            object.__setattr__(self, one.name, float(getattr(self, one.name)))


class NetworkTwin:
    """A prepared case with its compiled simulator; read only, so that all visitors share it.

    Parameters
    ----------
    prepared
        The case whose demands are drawn from a building stock.

    Raises
    ------
    InputError
        The case takes its demands from the network file.
    """

    def __init__(self, prepared: "Prepared") -> None:
        import jax

        from tvilling.sciml.core.simulate import simulate

        demand = prepared.case.demand
        if not isinstance(demand, StockDemand):
            fault = f"demand.kind is {demand.kind}, expected stock: its demand follows the weather"
            raise InputError(prepared.case.title, [fault])
        self.prepared, self._seed = prepared, demand.seed
        self.network = prepared.network
        self.dt_s = float(prepared.case.horizon.dt_s)
        self.hours = np.arange(round(HOURS * 3600.0 / self.dt_s)) * self.dt_s / 3600.0
        self._swing_k = _mean_day(prepared, len(self.hours))
        self._steady = jax.jit(type(prepared.network).steady)
        self._simulate = jax.jit(simulate)
        self._heat_w = lru_cache(KEPT_DEMANDS)(self._stock_heat_w)

    def outdoor_degc(self, settings: Settings) -> np.ndarray:
        """Outdoor temperature over the day [time]."""
        return settings.outdoor_degc + self._swing_k

    def heat_w(self, settings: Settings) -> np.ndarray:
        """Heat demand over the day [time, consumer]."""
        return settings.demand_percent / 100.0 * self._heat_w(settings.outdoor_degc)

    def at_hour(self, settings: Settings) -> Run:
        """Outputs of the steady state at the hour of `settings`."""
        step = round(settings.hour * 3600.0 / self.dt_s) % len(self.hours)
        drive = self._drive(settings, step)
        _, output = self._steady(self.network, self._action(settings), drive)
        return _plain(output) | {"heat_w": np.asarray(drive["heat_w"])}

    def over_day(self, settings: Settings) -> Run:
        """Outputs of every step of a day that starts from the steady state of its first step."""
        import jax.numpy as jnp

        from tvilling.rl_control.control.controllers import Hold
        from tvilling.sciml.core.scenario import Scenario

        action, first = self._action(settings), self._drive(settings, 0)
        state, _ = self._steady(self.network, action, first)
        heat_w = self.heat_w(settings)
        drive = {
            "heat_w": jnp.asarray(heat_w),
            "ground_degc": jnp.full(len(heat_w), settings.ground_degc),
        }
        run = self._simulate(self.network, Hold(action), Scenario(state, drive, self.dt_s))
        return _plain({**run.output, "status": run.status}) | {"heat_w": heat_w}

    def _action(self, settings: Settings) -> "Values":
        import jax.numpy as jnp

        return {"supply_degc": jnp.full(len(self.prepared.tables.sources), settings.supply_degc)}

    def _drive(self, settings: Settings, step: int) -> "Values":
        import jax.numpy as jnp

        heat_w = jnp.asarray(self.heat_w(settings)[step])
        return {"heat_w": heat_w, "ground_degc": jnp.asarray(settings.ground_degc)}

    def _stock_heat_w(self, outdoor_degc: float) -> np.ndarray:
        from tvilling.datasets.simulated.heat_load import heat_load

        prepared = self.prepared
        time = prepared.weather["time"].values[: len(self.hours)]
        outdoor = outdoor_degc + self._swing_k
        return heat_load(prepared.stock, outdoor, time, self._seed).values


def load_twin(tell: Tell) -> NetworkTwin:
    """Read, size and build the shipped town case, and compile its answers.

    `tell` is called with the name of each stage: read, steady, day.
    """
    import tvilling.cases
    from tvilling.apps.heat.network_case import prepare
    from tvilling.apps.shared.case_file import read_case

    tell("read")
    path = Path(str(tvilling.cases.__file__)).with_name(CASE)
    twin = NetworkTwin(prepare(read_case(path), path, lambda stage: None))
    usual = Settings(75.0, 100.0, 0.0, 5.0, 8.0)
    tell("steady")
    twin.at_hour(usual)
    tell("day")
    twin.over_day(usual)
    return twin


def _mean_day(prepared: "Prepared", steps: int) -> np.ndarray:
    """Deviation of the case's outdoor temperature from its mean, by time of day [time]."""
    outdoor = prepared.weather["outdoor_degc"].values
    days = outdoor[: len(outdoor) // steps * steps].reshape(-1, steps)
    course = days.mean(axis=0)
    return course - course.mean()


def _plain(values: Any) -> Run:
    """Arrays on the processor, waited for."""
    return {name: np.asarray(array) for name, array in values.items()}
