"""The models: each learns from rows and their loads, and answers rows that are new.

They are compared on the same rows. `blend` weighs some of them together; see `blend.weights_over`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from tvilling.twins.forecasting.load.blend import MEMBERS
from tvilling.twins.forecasting.load.features import Rows

Predict = Callable[[Rows], Float[np.ndarray, " row"]]
Fit = Callable[[Rows, Float[np.ndarray, " row"], int], Predict]

EPOCHS = 15
SHRINK = 30.0  # weight of the penalty of the ridge, in rows
TREES = {"max_iter": 200, "learning_rate": 0.06, "max_leaf_nodes": 12, "max_features": 0.3}


def fit_naive_day(rows: Rows, load_mw: np.ndarray, seed: int) -> Predict:
    """The same hour of the last whole day before the origin."""
    return lambda new: new["day_before"]


def fit_naive_week(rows: Rows, load_mw: np.ndarray, seed: int) -> Predict:
    """The same hour of the last whole week before the origin."""
    return lambda new: new["week_before"]


def fit_ridge(rows: Rows, load_mw: np.ndarray, seed: int) -> Predict:
    """Linear regression with a small penalty on weights, on scaled features.

    Beside the features: a level for each hour of each kind of day, and for each hour of the day a
    slope on the degrees below the heating limit and on the load of the day before.
    """
    scale = _Scaling.of(rows.values)
    design = _linear_design(rows, scale)
    middle, column = load_mw.mean(), design.mean(axis=0)
    spread = design.std(axis=0) + 1e-9
    centred = (design - column) / spread
    gram = centred.T @ centred + SHRINK * np.eye(centred.shape[1])
    weights = np.linalg.solve(gram, centred.T @ (load_mw - middle))
    return lambda new: middle + (_linear_design(new, scale) - column) / spread @ weights


def fit_boosting(rows: Rows, load_mw: np.ndarray, seed: int) -> Predict:
    """Gradient boosting of trees on histograms (scikit-learn), squared error."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    leaf = int(np.clip(len(load_mw) // 400, 5, 20))
    trees = HistGradientBoostingRegressor(
        **TREES, min_samples_leaf=leaf, early_stopping=False, random_state=seed
    )
    trees.fit(rows.values, load_mw)
    return lambda new: trees.predict(new.values)


def fit_network(rows: Rows, load_mw: np.ndarray, seed: int) -> Predict:
    """Two small networks with a straight line beside them, on scaled features."""
    from tvilling.twins.forecasting.load.network import answer, fit_members

    scale = _Scaling.of(rows.values)
    middle, spread = load_mw.mean(), load_mw.std() + 1e-9
    params = fit_members(_network_inputs(rows, scale), (load_mw - middle) / spread, EPOCHS, seed)
    return lambda new: middle + spread * answer(params, _network_inputs(new, scale))


MODELS: dict[str, Fit | None] = {
    "naive_day": fit_naive_day,
    "naive_week": fit_naive_week,
    "ridge": fit_ridge,
    "boosting": fit_boosting,
    "network": fit_network,
    "blend": None,
}
NAIVE = ("naive_day", "naive_week")
NEEDS_DAYS = {"naive_day": 0, "naive_week": 0, "ridge": 10, "boosting": 60, "network": 60}
SIMPLER = {"blend": "ridge", "boosting": "ridge", "network": "ridge", "ridge": "naive_day"}


def members_of(model: str) -> tuple[str, ...]:
    """The models that must be fitted for `model`."""
    return MEMBERS if model == "blend" else (model,)


def needed_days(models: Sequence[str]) -> int:
    """Days of past forecasts that the most demanding of `models` learns from."""
    return max(NEEDS_DAYS[member] for model in models for member in members_of(model))


@dataclass(frozen=True)
class _Scaling:
    """Centre and spread of features, and how far they reached in training."""

    middle: Float[np.ndarray, " feature"]
    spread: Float[np.ndarray, " feature"]

    @classmethod
    def of(cls, values: Float[np.ndarray, "row feature"]) -> "_Scaling":
        return cls(values.mean(axis=0), values.std(axis=0) + 1e-9)

    def __call__(self, values: Float[np.ndarray, "row feature"]) -> np.ndarray:
        return np.clip((values - self.middle) / self.spread, -5.0, 5.0)


def _one_hot(values: np.ndarray, count: int) -> Int[np.ndarray, "row kind"]:
    return np.eye(count)[values.astype(int)]


def _linear_design(rows: Rows, scale: _Scaling) -> Float[np.ndarray, "row column"]:
    scaled = scale(rows.values)
    hour = _one_hot(rows["hour"], 24)
    slopes = [
        hour * scaled[:, [rows.names.index(name)]]
        for name in ("degrees_below", "day_before")
        if name in rows.names
    ]
    week = _one_hot(rows["hour_of_week"], 168)
    return np.concatenate([scaled, week, *slopes], axis=1)


def _network_inputs(rows: Rows, scale: _Scaling) -> Float[np.ndarray, "row column"]:
    turn = 2 * np.pi * rows["hour"] / 24
    waves = [f(k * turn) for k in (1, 2, 3) for f in (np.sin, np.cos)]
    kinds = [_one_hot(rows["day"], 7), _one_hot(rows["hour"], 24)]
    return np.concatenate([scale(rows.values), np.stack(waves, axis=1), *kinds], axis=1)
