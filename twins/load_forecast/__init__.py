"""Forecasts of heat load and power demand, with intervals that hold."""

from tvilling.twins.load_forecast.choose import Choice, choose
from tvilling.twins.load_forecast.fit import fit
from tvilling.twins.load_forecast.measured import MEASURED, measured_history
from tvilling.twins.load_forecast.model import LoadModel
from tvilling.twins.load_forecast.models import MODELS
from tvilling.twins.load_forecast.rolling import rolling_origin
from tvilling.twins.load_forecast.scores import Score, score
from tvilling.twins.load_forecast.settings import INTERVALS, WEATHERS, ForecastSettings

__all__ = [
    "INTERVALS",
    "MEASURED",
    "MODELS",
    "WEATHERS",
    "Choice",
    "ForecastSettings",
    "LoadModel",
    "Score",
    "choose",
    "fit",
    "measured_history",
    "rolling_origin",
    "score",
]
