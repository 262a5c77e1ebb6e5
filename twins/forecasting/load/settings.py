"""What a load forecast is asked for."""

from dataclasses import dataclass
from typing import Literal

from tvilling.sciml.core.errors import InputError

Weather = Literal["perfect", "last_observed", "last_day", "forecast"]
Interval = Literal["split", "cqr", "adaptive", "adaptive_cqr"]
Country = Literal["dk", "de"]

WEATHERS: dict[str, str] = {
    "perfect": "what came true, which nobody knew at the time: a bound",
    "last_observed": "the last observed value, held",
    "last_day": "the course of the last 24 observed hours, repeated",
    "forecast": "a forecast, in backtests what came true with an error that grows",
}
INTERVALS: dict[str, str] = {
    "split": "split conformal: rank of past errors",
    "cqr": "conformalized quantile regression",
    "adaptive": "split conformal whose level follows what was missed",
    "adaptive_cqr": "conformalized quantile regression whose level follows what was missed",
}
MAX_HOURS = 168


@dataclass(frozen=True)
class ForecastSettings:
    """Settings of a load forecast.

    Attributes
    ----------
    hours
        Longest lead [h], 1 to 168.
    origin_hours
        Local hours of the day at which forecasts are made; empty means any.
    model
        One of `MODELS`, or `auto`: the one that `choose` finds best in rolling-origin validation.
    weather
        One of `WEATHERS`: what is known of the weather ahead when a forecast is made. A model is
        trained with the kind that it will get.
    interval
        One of `INTERVALS`.
    quantiles
        Levels of the quantiles told, between 0 and 1, symmetric about 0.5.
    zone
        Zone of the calendar, in the IANA data base; None where the stamps are local already.
    country
        Whose holidays count: `dk` or `de`.
    weather_names
        Variables of the history that are used as weather, where they are there; `outdoor_degc` is
        the outdoor temperature [°C].
    calibration_days
        How far back errors of past forecasts count for an interval [d].
    max_rows
        Most hours a model is trained on; more are thinned evenly.
    seed
        Start of every random draw.
    """

    hours: int = 24
    origin_hours: tuple[int, ...] = ()
    model: str = "blend"
    weather: Weather = "forecast"
    interval: Interval = "adaptive"
    quantiles: tuple[float, ...] = (0.05, 0.5, 0.95)
    zone: str | None = "Europe/Copenhagen"
    country: Country = "dk"
    weather_names: tuple[str, ...] = ("outdoor_degc", "wind_m_per_s", "humidity_percent")
    calibration_days: int = 60
    max_rows: int = 30_000
    seed: int = 0

    def __post_init__(self) -> None:
        faults = [*_out_of_range(self), *_unknown_words(self), *_bad_quantiles(self.quantiles)]
        if faults:
            raise InputError("forecast settings", faults)

    @property
    def coverage(self) -> float:
        """Coverage of the widest interval [-]; 0 without one."""
        return round(max(self.quantiles, default=0.5) * 2 - 1, 9)

    @property
    def is_adaptive(self) -> bool:
        """Whether the level of an interval follows what was missed."""
        return self.interval.startswith("adaptive")

    @property
    def levels_to_learn(self) -> tuple[float, ...]:
        """Levels of which models are fitted too; none for split conformal prediction."""
        if not self.interval.endswith("cqr"):
            return ()
        return tuple(level for level in self.quantiles if level != 0.5)


def _out_of_range(settings: ForecastSettings) -> list[str]:
    limits = {
        "hours": (settings.hours, 1, MAX_HOURS, "h"),
        "calibration_days": (settings.calibration_days, 7, 730, "d"),
        "max_rows": (settings.max_rows, 500, 1_000_000, "rows"),
    }
    faults = [
        f"{name} is {value} {unit}, expected {low} to {high} {unit}"
        for name, (value, low, high, unit) in limits.items()
        if not low <= value <= high
    ]
    return faults + [
        f"origin_hours holds {hour} h, expected 0 to 23 h"
        for hour in settings.origin_hours
        if not 0 <= hour <= 23
    ]


def _unknown_words(settings: ForecastSettings) -> list[str]:
    from tvilling.twins.forecasting.load.models import MODELS

    words = {
        "model": (settings.model, ("auto", *MODELS)),
        "weather": (settings.weather, tuple(WEATHERS)),
        "interval": (settings.interval, tuple(INTERVALS)),
        "country": (settings.country, ("dk", "de")),
    }
    return [
        f"{name} is {value!r}, expected one of {', '.join(known)}"
        for name, (value, known) in words.items()
        if value not in known
    ]


def _bad_quantiles(quantiles: tuple[float, ...]) -> list[str]:
    mirrored = {round(1 - level, 9) for level in quantiles}
    inside = all(0 < level < 1 for level in quantiles)
    if inside and mirrored == {round(level, 9) for level in quantiles}:
        return []
    return [f"quantiles are {quantiles}, expected between 0 and 1 and symmetric about 0.5"]
