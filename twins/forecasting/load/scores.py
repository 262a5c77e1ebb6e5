"""How good forecasts were: mean absolute error, coverage and width of intervals."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tvilling.twins.forecasting.load.calendar import local_stamps

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Score:
    """What a backtest says of one model.

    Attributes
    ----------
    mae_mw
        Mean absolute error [MW].
    coverage
        Share of hours inside the widest interval [-].
    least_month_coverage
        The same over the origins of the month in which it is least [-].
    width_mw
        Mean width of that interval [MW].
    hours
        Hours that count: those whose load is known.
    """

    mae_mw: float
    coverage: float
    least_month_coverage: float
    width_mw: float
    hours: int


def score(backtest: "xr.Dataset") -> dict[str, Score]:
    """Scores by model of what `rolling_origin` gives."""
    load = backtest["load_mw"].to_numpy()
    known = np.isfinite(load)
    local = local_stamps(backtest["origin"].to_numpy(), backtest.attrs["zone"] or None)
    month = np.broadcast_to((12 * local.year + local.month).to_numpy()[:, None], load.shape)[known]
    found = {}
    for model in backtest["model"].to_numpy():
        one = backtest.sel(model=model)
        low, high = (one["quantile_mw"].isel(quantile=at).to_numpy() for at in (0, -1))
        inside = ((load >= low) & (load <= high))[known]
        found[str(model)] = Score(
            mae_mw=float(np.abs(one["forecast_mw"].to_numpy() - load)[known].mean()),
            coverage=float(inside.mean()),
            least_month_coverage=float(pd.Series(inside).groupby(month).mean().min()),
            width_mw=float((high - low)[known].mean()),
            hours=int(known.sum()),
        )
    return found
