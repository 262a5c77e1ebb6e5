"""A case as a user writes it: what is run, over which time, under which controllers."""

import math
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from tvilling.sciml.io.strict_model import StrictModel

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,60}$"
STANDARD = timezone(timedelta(hours=1))
FIRST_YEAR, LAST_YEAR = 1950, 2150


def quantity(unit: str, low: float, high: float, description: str) -> Any:
    """A required number with its unit and range."""
    return Field(
        ge=low,
        le=high,
        allow_inf_nan=False,
        description=description,
        json_schema_extra={"unit": unit},
    )


class Network(StrictModel):
    """Where the network comes from, and how its consumers are modelled."""

    source: str = Field(
        min_length=1,
        description="Folder of tables, pandapipes `.json` file, or `pandapipes:NAME` for a network "
        "inside pandapipes; a relative path starts at the folder of the case file",
    )
    return_degc: Annotated[
        float | None,
        quantity("°C", 5, 90, "Return temperature of every consumer; blank: the network's own"),
    ] = None
    min_dp_bar: Annotated[
        float | None,
        quantity("bar", 0, 10, "Differential pressure a consumer needs; blank: the network's own"),
    ] = None
    ground_degc: Annotated[
        float | None,
        quantity("°C", -10, 30, "Ground around the pipes; blank: the season's, 1 m deep"),
    ] = None
    keep_ground: bool = Field(
        default=True, description="Pipes that state a ground temperature of their own keep it"
    )


class Sizing(StrictModel):
    """At what the pipes are dimensioned, instead of the network's own diameters."""

    supply_degc: Annotated[float, quantity("°C", 30, 140, "Design supply temperature")] = 80.0
    return_degc: Annotated[float, quantity("°C", 10, 100, "Design return temperature")] = 45.0
    max_gradient_pa_per_m: Annotated[
        float, quantity("Pa/m", 5, 1000, "Greatest pressure gradient at design flow")
    ] = 100.0
    series: Literal[1, 2, 3] = Field(default=2, description="Insulation series of EN 253")
    simultaneity: Literal["winter2001", "none"] = Field(
        default="winter2001", description="How design loads add up along a pipe"
    )

    @model_validator(mode="after")
    def _supply_above_return(self) -> "Sizing":
        if self.supply_degc < self.return_degc + 5.0:
            raise ValueError(
                f"supply_degc is {self.supply_degc:g} °C, expected at least 5 K above "
                f"return_degc, {self.return_degc:g} °C"
            )
        return self


class StockDemand(StrictModel):
    """Demands drawn from a stated building stock, and a load model driven by the weather."""

    kind: Literal["stock"]
    seed: int = Field(ge=0, le=2**31 - 1, description="Decides the draw")
    total_mwh: Annotated[
        float | None,
        quantity("MWh", 1, 1e6, "Heat of all consumers in a normal year; blank: as drawn"),
    ] = None


class NetworkDemand(StrictModel):
    """The demands that the network file states, constant over the run."""

    kind: Literal["network"]
    factor: Annotated[float, quantity("1", 0, 10, "Share of the stated demand")] = 1.0


class Weather(StrictModel):
    """Outdoor temperature over the horizon."""

    source: Literal["auto", "recorded", "synthetic"] = Field(
        default="auto",
        description="recorded: hourly Danish record of 2020 to 2022; synthetic: a documented "
        "winter week, for at most 14 days between November and March; auto: recorded where it is "
        "at hand, through TVILLING_DATA or a download, and covers the time; else synthetic",
    )


class Horizon(StrictModel):
    """Which time is simulated, in Danish standard time (UTC+1, no summer time)."""

    start: datetime = Field(description="First step begins here, UTC+1")
    hours: Annotated[float, quantity("h", 0.25, 8784, "Length")] = 168.0
    step_min: Annotated[float, quantity("min", 0.5, 240, "Step, a divisor of the length")] = 15.0

    @field_validator("start")
    @classmethod
    def _in_standard_time(cls, start: datetime) -> datetime:
        start = start.astimezone(STANDARD).replace(tzinfo=None) if start.tzinfo else start
        if not FIRST_YEAR <= start.year <= LAST_YEAR:
            raise ValueError(f"{start:%Y-%m-%d}, expected {FIRST_YEAR} to {LAST_YEAR}")
        return start

    @model_validator(mode="after")
    def _whole_steps(self) -> "Horizon":
        steps = self.hours * 60.0 / self.step_min
        if not math.isclose(steps, round(steps), abs_tol=1e-6) or round(steps) < 2:
            raise ValueError(
                f"hours is {self.hours:g} h, expected a whole number of steps of "
                f"{self.step_min:g} min, two or more"
            )
        return self

    @property
    def dt_s(self) -> float:
        """Length of a step [s]."""
        return self.step_min * 60.0

    @property
    def steps(self) -> int:
        """Number of steps."""
        return round(self.hours * 60.0 / self.step_min)


class Model(StrictModel):
    """How the network is modelled."""

    cells: int = Field(default=2, ge=1, le=100, description="Cells along every pipe")
    rounds: int = Field(
        default=30,
        ge=3,
        le=50,
        description="Most rounds a step between flows and supply temperatures; it stops when they "
        "agree",
    )
    friction: Literal["colebrook", "nikuradse"] = Field(
        default="colebrook", description="Friction law of turbulent flow"
    )
    pump_control: Literal["fixed", "worst_consumer"] = Field(
        default="worst_consumer",
        description="fixed: the network's own lift; worst_consumer: what the worst-placed needs",
    )
    pump_efficiency: Annotated[float, quantity("1", 0.05, 1, "Electricity to water")] = 0.65


class _SupplyControl(StrictModel):
    """What sets a supply temperature."""

    sources: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(),
        description="Sources of the network that it sets; the others keep the supply_degc of the "
        "network. Empty: it sets all of them, whatever the network states",
    )


class CurveControl(_SupplyControl):
    """Weather compensation: supply temperature on a line over the outdoor temperature."""

    kind: Literal["heating_curve"]
    cold_degc: Annotated[float, quantity("°C", -40, 20, "Outdoor, cold end")] = -12.0
    warm_degc: Annotated[float, quantity("°C", -20, 40, "Outdoor, warm end")] = 15.0
    supply_cold_degc: Annotated[float, quantity("°C", 30, 140, "Supply at the cold end")]
    supply_warm_degc: Annotated[float, quantity("°C", 30, 140, "Supply at the warm end")]

    @model_validator(mode="after")
    def _cold_below_warm(self) -> "CurveControl":
        if self.cold_degc >= self.warm_degc:
            raise ValueError(
                f"cold_degc is {self.cold_degc:g} °C, expected below warm_degc, "
                f"{self.warm_degc:g} °C"
            )
        return self


class HoldControl(_SupplyControl):
    """A constant supply temperature."""

    kind: Literal["hold"]
    supply_degc: Annotated[float, quantity("°C", 30, 140, "Supply temperature")]


Control = Annotated[CurveControl | HoldControl, Field(discriminator="kind")]
Demand = Annotated[StockDemand | NetworkDemand, Field(discriminator="kind")]


class Outputs(StrictModel):
    """What is kept of the run."""

    variables: tuple[str, ...] = Field(
        default=(), description="Channels that result.nc holds beside status; empty: all"
    )


class Case(StrictModel):
    """One run of a heat network under one or more controllers, compared."""

    title: str = Field(default="", max_length=120, description="Headline of the report")
    system: Literal["heat_network"] = Field(description="System that is run")
    network: Network
    sizing: Sizing | None = Field(default=None, description="Blank: the network's own pipes")
    demand: Demand = Field(description="Where the heat demands come from, by its `kind`")
    weather: Weather = Weather()
    horizon: Horizon
    model: Model = Model()
    controllers: dict[Annotated[str, Field(pattern=NAME)], Control] = Field(
        min_length=1, max_length=6, description="By name; the first is what the rest compare with"
    )
    outputs: Outputs = Outputs()

    @property
    def seed(self) -> int | None:
        """What the demands are drawn with; None where nothing is drawn."""
        return self.demand.seed if isinstance(self.demand, StockDemand) else None
