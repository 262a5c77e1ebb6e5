"""The blend: members weighed by how near they were in the last weeks.

    w_m ∝ e_m^-8,   e_m = mean absolute error of member m over the first day ahead of the forecasts
                    of the last 30 days whose outcome is known

A member that is a tenth worse has half the weight. Members that learn in different ways share few
errors, and which of them is best changes with the season and with how long there is to learn from.
Window and power were set on Flensburg 2015, Aalborg 2019 and Denmark from September 2020.
"""

import numpy as np
from jaxtyping import Float

from tvilling.twins.forecasting.load.series import DAY_H, HOUR

MEMBERS = ("boosting", "network", "ridge")
WINDOW_DAYS, POWER, ENOUGH = 30, 8, 7


def weights_over(
    origin: np.ndarray,
    load_mw: Float[np.ndarray, "origin lead"],
    members_mw: dict[str, Float[np.ndarray, "origin lead"]],
) -> dict[str, Float[np.ndarray, " origin"]]:
    """Weight of each member at each origin, from outcomes that were known then; the sum is 1.

    Members are weighed alike until the outcome of `ENOUGH` forecasts is known.
    """
    first = np.arange(min(DAY_H, load_mw.shape[1]))
    errors = np.stack([np.abs(m[:, first] - load_mw[:, first]) for m in members_mw.values()])
    hours = np.isfinite(errors[0]).sum(axis=1)
    total = np.concatenate([[0], np.cumsum(hours)])
    sums = np.cumsum(np.nansum(errors, axis=2), axis=1)
    sums = np.concatenate([np.zeros((len(errors), 1)), sums], axis=1)
    known = np.searchsorted(origin + len(first) * HOUR, origin, side="right")
    oldest = np.searchsorted(origin, origin - np.timedelta64(WINDOW_DAYS, "D"))
    oldest = np.minimum(oldest, known)
    counted = total[known] - total[oldest]
    mean = (sums[:, known] - sums[:, oldest]) / np.maximum(counted, 1)
    inverse = (mean.min(axis=0) / np.maximum(mean, 1e-12)) ** POWER
    inverse[:, counted < ENOUGH * len(first)] = 1.0
    return dict(zip(members_mw, inverse / inverse.sum(axis=0), strict=True))
