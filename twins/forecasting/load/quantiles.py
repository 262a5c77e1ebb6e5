"""Quantiles that a model learns, to be put right by conformal calibration."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from tvilling.twins.forecasting.load.features import Rows

TREES = {"max_iter": 120, "learning_rate": 0.08, "max_leaf_nodes": 15, "max_features": 0.3}


def fit_quantiles(
    rows: Rows, load_mw: Float[np.ndarray, " row"], levels: Sequence[float], seed: int
) -> Callable[[Rows], dict[float, Float[np.ndarray, " row"]]]:
    """Gradient boosting with the pinball loss, one for each level."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    fitted = {
        level: HistGradientBoostingRegressor(
            loss="quantile", quantile=level, early_stopping=False, random_state=seed, **TREES
        ).fit(rows.values, load_mw)
        for level in levels
    }
    return lambda new: {level: trees.predict(new.values) for level, trees in fitted.items()}
