"""What the heat network's page holds: its sliders as parameters, and figures of the answers."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tvilling.apps.web.pages.network_twin import NetworkTwin, Run, Settings
from tvilling.sciml.core.results import FLAGS
from tvilling.sciml.core.units import J_PER_KWH
from tvilling.sciml.io.extras import needs_extra

with needs_extra("apps"):
    import param

SUPPLY_DEGC, DEMAND_PERCENT, OUTDOOR_DEGC, HOUR = 75.0, 100.0, 0.0, 8.0


@dataclass(frozen=True)
class HourFigures:
    """The steady state at one hour in figures; each unit is the ending of the name."""

    heat_w: float
    delivered_w: float
    loss_w: float
    return_degc: float
    flow_kg_per_s: float
    pump_w: float
    lift_bar: float
    coldest: str
    coldest_degc: float
    flags: tuple[str, ...]


@dataclass(frozen=True)
class DayFigures:
    """A day in figures; each unit is the ending of the name, and `peak_hour` a time of day."""

    heat_kwh: float
    loss_kwh: float
    pump_kwh: float
    peak_w: float
    peak_hour: float
    flagged: dict[str, int]
    steps: int


class NetworkModel(param.Parameterized):
    """Sliders of the heat network and what the twin answers to them.

    Parameters
    ----------
    twin
        Shared with other visitors, and only read.
    """

    supply_degc = param.Number(SUPPLY_DEGC, bounds=(55.0, 95.0), step=0.5)
    demand_percent = param.Number(DEMAND_PERCENT, bounds=(20.0, 160.0), step=5.0)
    outdoor_degc = param.Number(OUTDOOR_DEGC, bounds=(-15.0, 20.0), step=0.5)
    ground_degc = param.Number(5.0, bounds=(-2.0, 20.0), step=0.5)
    hour = param.Number(HOUR, bounds=(0.0, 23.75), step=0.25)
    consumer: Any = param.Selector(objects=[])
    colour_by: Any = param.Selector(default="temperature", objects=["temperature", "pressure"])

    def __init__(self, twin: NetworkTwin) -> None:
        super().__init__()
        self.twin = twin
        names = [str(name) for name in twin.prepared.tables.consumers["name"]]
        self.param["consumer"].objects = names
        self.consumer = names[int(np.argmin(self.at_hour()["consumer_supply_degc"]))]

    def settings(self) -> Settings:
        """The sliders as they stand."""
        return Settings(
            self.supply_degc, self.demand_percent, self.outdoor_degc, self.ground_degc, self.hour
        )

    def reset(self) -> None:
        """Put every slider back to where it started."""
        sliders = ("supply_degc", "demand_percent", "outdoor_degc", "ground_degc", "hour")
        self.param.update({name: self.param[name].default for name in sliders})

    def at_hour(self) -> Run:
        """Outputs of the steady state for the sliders as they stand."""
        return self.twin.at_hour(self.settings())

    def over_day(self) -> Run:
        """Outputs of a day for the sliders as they stand, led by time."""
        return self.twin.over_day(self.settings())


def hour_figures(twin: NetworkTwin, run: Run) -> HourFigures:
    """Figures of the steady state `run`."""
    names = list(twin.prepared.tables.consumers["name"])
    flow = run["source_kg_per_s"]
    coldest = int(np.argmin(run["consumer_supply_degc"]))
    return HourFigures(
        heat_w=float(run["source_w"].sum()),
        delivered_w=float(run["delivered_w"].sum()),
        loss_w=float(run["loss_w"]),
        return_degc=float(np.sum(run["source_return_degc"] * flow) / max(flow.sum(), 1e-9)),
        flow_kg_per_s=float(flow.sum()),
        pump_w=float(run["pump_w"].sum()),
        lift_bar=float(run["source_lift_bar"].max()),
        coldest=names[coldest],
        coldest_degc=float(run["consumer_supply_degc"][coldest]),
        flags=tuple(_flag_counts(run["status"])),
    )


def day_figures(twin: NetworkTwin, run: Run) -> DayFigures:
    """Figures of the day `run`."""
    heat_w = run["source_w"].sum(axis=1)
    kwh = twin.dt_s / J_PER_KWH
    peak = int(np.argmax(heat_w))
    return DayFigures(
        heat_kwh=float(heat_w.sum()) * kwh,
        loss_kwh=float(run["loss_w"].sum()) * kwh,
        pump_kwh=float(run["pump_w"].sum()) * kwh,
        peak_w=float(heat_w[peak]),
        peak_hour=float(twin.hours[peak]),
        flagged=_flag_counts(run["status"]),
        steps=len(heat_w),
    )


def _flag_counts(status: np.ndarray) -> dict[str, int]:
    """How many steps have each flag, by the flag's name in small letters."""
    counts = {str(flag.name).lower(): int(np.sum((status & flag) != 0)) for flag in FLAGS}
    return {name: count for name, count in counts.items() if count}
