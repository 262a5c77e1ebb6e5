"""A load forecast: learn from a history, then say what comes, with quantiles."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.short_repr import short_repr
from tvilling.twins.forecasting.load.bounds import quantiles_from
from tvilling.twins.forecasting.load.features import Rows, make_rows
from tvilling.twins.forecasting.load.known_ahead import known_ahead
from tvilling.twins.forecasting.load.models import Predict
from tvilling.twins.forecasting.load.series import (
    DAY_H,
    HOUR,
    Series,
    as_stamp,
    lengthened,
    read_series,
    without_future,
)
from tvilling.twins.forecasting.load.settings import INTERVALS, WEATHERS, ForecastSettings
from tvilling.twins.forecasting.load.training import MIN_KNOWN

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

MAX_DELAY_H, MAX_NAIVE_DELAY_H = 72, 336


@dataclass(frozen=True)
class LoadModel:
    """A fitted forecast of a load.

    Attributes
    ----------
    settings
        What it was fitted with; `model` is the one that was taken.
    members
        Fitted models by name, the naive ones among them.
    weights
        Weight of each member of the blend, as of the last outcomes known; empty without one.
    naive
        The naive model that was nearer to the truth, which stands in where the others cannot.
    rooms
        Room beside a forecast [MW at typical load] by model, upper level and lead.
    learned
        Learned quantiles by level; none where the interval is split conformal.
    trained_until
        Hour behind the last that was learned from.
    scale_mw
        Typical load, and what no load is forecast below.
    notes
        What was done differently from what the settings ask, with the reason.
    """

    settings: ForecastSettings
    members: dict[str, Predict]
    weights: dict[str, float]
    naive: str
    rooms: dict[str, dict[float, Float[np.ndarray, " lead"]]]
    learned: Callable[[Rows], dict[float, np.ndarray]]
    trained_until: np.datetime64
    scale_mw: tuple[float, float]
    notes: tuple[str, ...]

    __repr__ = short_repr

    def forecast(
        self,
        history: "xr.Dataset | pd.DataFrame",
        weather_ahead: "xr.Dataset | pd.DataFrame | None" = None,
        hours: int | None = None,
        start: "np.datetime64 | str | None" = None,
    ) -> "xr.Dataset":
        """The load of the hours from `start`.

        Parameters
        ----------
        history
            `load_mw` and weather, as for `fit`. What lies at or behind `start` is not looked at.
            The load may end before `start` (data that come late): leads then count from its end.
        weather_ahead
            Weather over `time` from `start`, where the model was trained with weather that is
            `perfect` or a `forecast`. Hours that it lacks are held as last known, and noted.
        hours
            How many [h]; by default those of the settings.
        start
            First hour of the forecast; by default the one behind the last known load.

        Returns
        -------
        xr.Dataset
            Over `time`: `load_mw`, `lead_h` from the last known load (1 for the next hour), and
            `load_quantile_mw` over `quantile` too. Attributes: `model` (the one that answered),
            `weather`, `trained_until`, `interval`, `coverage_target`, `delay_h`, `missing_h` (in
            the history), `weather_held_h`, and `notes`: every fallback with its reason.

        Raises
        ------
        InputError
            Where the history is at fault or ends more than 14 days before `start`, or more hours
            are asked for than the model was trained for.
        """
        hours = self.settings.hours if hours is None else hours
        series = without_future(read_series(history, self.settings), start)
        first = series.time[0] + series.end * HOUR if start is None else as_stamp(start)
        delay_h = int((first - series.time[0]) // HOUR) - series.end
        self._check(hours, delay_h)
        total = _reaching(self.settings, delay_h + hours)
        ahead, held_h = known_ahead(series, weather_ahead, delay_h, total)
        longer = lengthened(series, total.hours)
        rows = make_rows(longer, np.array([series.end]), ahead, total)
        model, notes = self._who_answers(series, delay_h, held_h)
        point, told = self._answer(rows.where(np.arange(delay_h, total.hours)), model)
        attrs = {
            "model": model,
            "delay_h": delay_h,
            "missing_h": series.missing_h,
            "weather_held_h": held_h,
            "notes": "; ".join(notes),
            **self._attrs(),
        }
        return _label(point, told, first, delay_h, attrs)

    def _check(self, hours: int, delay_h: int) -> None:
        faults = []
        if not 1 <= hours <= self.settings.hours:
            faults.append(f"hours is {hours} h, expected 1 to {self.settings.hours} h, as trained")
        if delay_h > MAX_NAIVE_DELAY_H:
            faults.append(
                f"the load ends {delay_h} h before, expected at most {MAX_NAIVE_DELAY_H} h"
            )
        if faults:
            raise InputError("load forecast", faults)

    def _who_answers(
        self, series: Series, delay_h: int, held_h: int
    ) -> tuple[str, tuple[str, ...]]:
        """The model that answers, and notes with the reason where it is another one."""
        notes, model = [*self.notes, *series.notes], self.settings.model
        known = float(series.share_known(DAY_H)[series.end])
        absent = [name for name in self.settings.weather_names if name not in series.weather]
        if delay_h > MAX_DELAY_H:
            model = self.naive
            notes.append(f"{model}: the last load is more than {MAX_DELAY_H} h old")
        elif known < MIN_KNOWN:
            model = self.naive
            notes.append(f"{model}: of the last {DAY_H} h of load only {known:.0%} are known")
        elif absent:
            model = self.naive
            notes.append(f"{model}: the history has no {', '.join(absent)}")
        if delay_h:
            notes.append(f"the load ends {delay_h} h before the forecast begins")
        if held_h:
            notes.append(f"weather ahead is not known in {held_h} h and held as last known")
        return model, tuple(notes)

    def _answer(self, rows: Rows, model: str) -> tuple[np.ndarray, dict[float, np.ndarray]]:
        """Load and quantiles [MW] of each row."""
        shares = self.weights if model == "blend" else {model: 1.0}
        least = self.scale_mw[1]
        point = np.sum(
            [share * np.maximum(self.members[m](rows), least) for m, share in shares.items()],
            axis=0,
        )
        lead = np.minimum(rows.lead_h, self.settings.hours - 1)
        rooms = {level: room[lead] for level, room in self.rooms[model].items()}
        learned = self.learned(rows) if model == self.settings.model else {}
        return point, quantiles_from(point, learned, rooms, self.scale_mw, self.settings)

    def _attrs(self) -> dict[str, Any]:
        settings = self.settings
        return {
            "weather": settings.weather,
            "weather_is": WEATHERS[settings.weather],
            "interval": settings.interval,
            "interval_is": INTERVALS[settings.interval],
            "coverage_target": settings.coverage,
            "trained_until": str(self.trained_until),
        }


def _reaching(settings: ForecastSettings, hours: int) -> ForecastSettings:
    """The settings with leads from the last known load on, beyond what can be asked for."""
    longer = copy.copy(settings)
    object.__setattr__(longer, "hours", hours)
    return longer


def _label(
    point: np.ndarray,
    quantiles: dict[float, np.ndarray],
    first: np.datetime64,
    delay_h: int,
    attrs: dict[str, Any],
) -> "xr.Dataset":
    import xarray as xr

    lead = np.arange(len(point))
    told = np.stack(list(quantiles.values())) if quantiles else np.empty((0, len(point)))
    return xr.Dataset(
        {
            "load_mw": ("time", point, {"units": "MW", "long_name": "load"}),
            "load_quantile_mw": (("quantile", "time"), told, {"units": "MW"}),
            "lead_h": (
                "time",
                delay_h + lead + 1,
                {"units": "h", "long_name": "hours behind the last known load"},
            ),
        },
        coords={"time": first + lead * HOUR, "quantile": list(quantiles)},
        attrs=attrs,
    )
