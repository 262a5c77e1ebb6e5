"""A production case as a user writes it: plant, load, weather, prices, and how plans are made."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from tvilling.apps.heat.case import CurveControl, HoldControl, quantity
from tvilling.sciml.io.strict_model import StrictModel
from tvilling.sciml.systems.heat_plant.plant import HeatPlant
from tvilling.sciml.systems.heat_plant.units import FUELS

ZONE = ZoneInfo("Europe/Copenhagen")
Source = Literal["auto", "recorded", "synthetic"]


def _instant(time: datetime, fold: int) -> datetime:
    """The instant of `time`, which without zone is on the Danish clock."""
    return (time if time.tzinfo else time.replace(tzinfo=ZONE, fold=fold)).astimezone(UTC)


class StockLoad(StrictModel):
    """A load drawn from a stated building stock and driven by the weather."""

    kind: Literal["stock"]
    annual_mwh: Annotated[float, quantity("MWh", 10, 1e8, "Heat of a normal year")]
    seed: int = Field(default=1, ge=0, le=2**31 - 1, description="Decides the draw")


class CityLoad(StrictModel):
    """The measured load of Flensburg 2014 to 2016, scaled, on 2020 to 2022, with its weather."""

    kind: Literal["flensburg"]
    annual_mwh: Annotated[float, quantity("MWh", 10, 1e8, "Heat of a mean year")]


class FileLoad(StrictModel):
    """The plant's own meters: a CSV file, see docs/production.md."""

    kind: Literal["file"]
    path: str = Field(
        min_length=1,
        description="CSV with time_utc, load_mw, outdoor_degc, price_dkk_per_kwh, tank_mwh; a "
        "relative path starts at the folder of the case file",
    )


class PlantWeather(StrictModel):
    """Where the weather comes from, and what of it is known ahead."""

    source: Source = Field(
        default="auto", description="As that of prices; of a load drawn from a stock"
    )
    ahead: Literal["forecast", "perfect", "last_observed"] = Field(
        default="forecast",
        description="What a plan knows of the weather: a forecast whose error grows with lead "
        "time, all of it (labelled so), or what was last observed; a file's own values stand",
    )


class PlantPrices(StrictModel):
    """Where power prices come from; a file that holds them goes first."""

    source: Source = Field(
        default="auto",
        description="recorded: DK1; synthetic: a formula; auto: the record where it is at hand",
    )
    seed: int = Field(default=1, ge=0, le=2**31 - 1, description="Of the formula")
    beyond: Literal["given", "expected"] = Field(
        default="given",
        description="Prices of the own file later than the market has published by then: taken as "
        "given, with a note, or left unread and expected; a backtest always expects them",
    )


class ChargesChoice(StrictModel):
    """Taxes, tariffs and fuel prices: those that ship, with changes."""

    rules_of: int | None = Field(
        default=None,
        ge=2020,
        le=2026,
        description="Year whose taxes and tariffs hold for all time; blank: each year its own",
    )
    fuel_dkk_per_mwh: dict[str, Annotated[float, quantity("DKK/MWh", 0, 1e5, "Own price")]] = Field(
        default={}, description="Price of a fuel, delivered, in place of the one that ships"
    )

    @field_validator("fuel_dkk_per_mwh")
    @classmethod
    def _known_fuels(cls, prices: dict[str, float]) -> dict[str, float]:
        unknown = sorted(set(prices) - set(FUELS))
        if unknown:
            raise ValueError(f"{', '.join(unknown)} is not known; known are {', '.join(FUELS)}")
        return prices


class Outage(StrictModel):
    """A unit that is out of service, or only partly there."""

    unit: str = Field(description="Name of the unit")
    start: datetime = Field(description="From, Danish clock")
    end: datetime = Field(description="To, Danish clock")
    share: Annotated[float, quantity("1", 0, 1, "Share of full load that is left")] = 0.0
    reason: str = Field(default="", max_length=200, description="In words")

    @model_validator(mode="after")
    def _in_order(self) -> "Outage":
        if _instant(self.end, fold=1) <= _instant(self.start, fold=0):
            raise ValueError(f"end is {self.end:%Y-%m-%d %H:%M}, expected after start")
        return self


class LoadForecast(StrictModel):
    """How the load is forecast."""

    model: Literal["blend", "boosting", "network", "ridge", "naive_day", "naive_week", "auto"] = (
        Field(default="blend", description="auto: chosen by rolling-origin validation")
    )
    history_days: int = Field(default=365, ge=10, le=1500, description="Learnt from [d]")
    country: Literal["dk", "de"] = Field(default="dk", description="Whose holidays count")


class Planning(StrictModel):
    """When a plan is made, and how it is sought."""

    moment: datetime | None = Field(
        default=None, description="First hour of the plan, Danish clock; blank: the coming hour"
    )
    horizon_h: int = Field(default=72, ge=12, le=168, description="Hours looked ahead")
    commitment: bool = Field(default=True, description="Starts and minimum loads count")
    gap: Annotated[float, quantity("1", 0, 0.2, "Relative gap at which a search may stop")] = 1e-3
    limit_s: Annotated[float, quantity("s", 0.001, 3600, "Longest search")] = 30.0
    tank_mwh: Annotated[
        float | None,
        quantity("MWh", 0, 1e5, "Heat in the tank now; blank: its meter, else the last plan"),
    ] = None


class Replay(StrictModel):
    """How a backtest goes through its days."""

    plan_hour: int = Field(default=13, ge=0, le=23, description="Hour of planning, Danish clock")
    every_h: Literal[1, 2, 3, 4, 6, 8, 12, 24] = Field(
        default=24, description="Hours between plans, counted from plan_hour"
    )
    load: Literal["forecast", "perfect"] = Field(
        default="forecast", description="What a plan knows of the load; perfect is labelled so"
    )
    refit_days: int = Field(default=90, ge=1, le=1000, description="Days between fits")


class Supply(StrictModel):
    """Water temperatures at the plant."""

    forward: Annotated[
        CurveControl | HoldControl,
        Field(discriminator="kind", description="Control of the forward temperature, by its kind"),
    ]
    return_degc: Annotated[float, quantity("°C", 5, 80, "Return")] = 42.0

    @model_validator(mode="after")
    def _one_source(self) -> "Supply":
        if self.forward.sources:
            raise ValueError("forward.sources is set, but a plant has one forward temperature")
        return self


class SupplyNetworkCase(StrictModel):
    """The network behind the plant: its supply temperature becomes part of the plan."""

    case: str = Field(
        min_length=1,
        description="Case of a heat network (`tvilling run`), whose network, sizing, stock and "
        "model are taken; a relative path starts at the folder of this case",
    )
    consumer_degc: Annotated[
        float, quantity("°C", 30, 100, "Coldest water any consumer may get")
    ] = 60.0
    low_degc: Annotated[float, quantity("°C", 30, 140, "Lowest supply temperature")] = 55.0
    high_degc: Annotated[float, quantity("°C", 30, 140, "Highest supply temperature")] = 95.0
    ramp_k_per_h: Annotated[float, quantity("K/h", 0.5, 60, "Greatest change in an hour")] = 10.0
    max_lift_bar: Annotated[
        float | None, quantity("bar", 0.1, 40, "Most the pump lifts; blank: no limit")
    ] = None
    run_out_h: int = Field(default=12, ge=1, le=48, description="Last hours, on the curve [h]")


class PlantCase(StrictModel):
    """A heat plant, planned against the price of power."""

    title: str = Field(default="", max_length=120, description="Headline of the report")
    system: Literal["heat_plant"] = Field(description="System that is planned")
    plant: HeatPlant
    supply: Supply
    network: SupplyNetworkCase | None = Field(
        default=None, description="Blank: the load is that at the plant, losses included"
    )
    load: Annotated[
        StockLoad | CityLoad | FileLoad,
        Field(discriminator="kind", description="Where the heat load comes from, by its kind"),
    ]
    weather: PlantWeather = PlantWeather()
    prices: PlantPrices = PlantPrices()
    charges: ChargesChoice = ChargesChoice()
    sources_degc: dict[str, Annotated[float, quantity("°C", -30, 90, "Constant")]] = Field(
        default={}, description="Sources of heat pumps other than the air, by name"
    )
    outages: tuple[Outage, ...] = Field(
        default=(), description="Units that are out of service, or only partly there"
    )
    forecast: LoadForecast = LoadForecast()
    plan: Planning = Planning()
    backtest: Replay = Replay()

    @model_validator(mode="after")
    def _names_fit(self) -> "PlantCase":
        faults = [
            f"outages: {outage.unit} is not a unit; units are {', '.join(self.plant.unit_names)}"
            for outage in self.outages
            if outage.unit not in self.plant.unit_names
        ]
        faults += [
            f"sources_degc: {name} is missing, the source of a heat pump"
            for name in self.plant.source_names
            if name not in self.sources_degc
        ]
        if faults:
            raise ValueError("; ".join(faults))
        return self
