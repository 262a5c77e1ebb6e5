"""The models on loads whose law is known, and against scikit-learn."""

from dataclasses import replace

import numpy as np
import pytest
from town_load import NOISE_MW, town_history

from tvilling.twins.load_forecast import models
from tvilling.twins.load_forecast.models import MODELS, fit_ridge, needed_days, predict_all
from tvilling.twins.load_forecast.series import read_series
from tvilling.twins.load_forecast.settings import ForecastSettings
from tvilling.twins.load_forecast.training import fit_members, training_rows

SETTINGS = ForecastSettings(weather="perfect", origin_hours=(0,))
NOISE_MAE = NOISE_MW * np.sqrt(2 / np.pi)  # what is left for one who knows the law


@pytest.fixture(scope="module")
def rows():
    """Rows of 400 days, the last 60 apart."""
    rows, load = training_rows(read_series(town_history(400), SETTINGS), SETTINGS)
    old = rows.origin < rows.origin[-1] - np.timedelta64(60, "D")
    return (rows.where(old), load[old]), (rows.where(~old), load[~old])


@pytest.fixture(scope="module")
def errors(rows):
    (known, load), (new, truth) = rows
    members = fit_members(tuple(MODELS), known, load, 0)
    found = predict_all(members, tuple(MODELS), new)
    return {name: np.abs(values - truth).mean() for name, values in found.items()}


def test_learned_models_come_near_the_noise_and_naive_ones_do_not(errors):
    """Lag of the weather, limit of heating and local hour are in reach of all that learn."""
    assert errors["naive_day"] > 4 * NOISE_MAE
    assert errors["naive_week"] > errors["naive_day"]
    assert errors["ridge"] < 1.35 * NOISE_MAE
    assert errors["network"] < 1.35 * NOISE_MAE
    assert errors["boosting"] < 1.8 * NOISE_MAE
    assert NOISE_MAE < errors["blend"] < 1.25 * NOISE_MAE


def test_ridge_is_that_of_scikit_learn(rows):
    from sklearn.linear_model import Ridge

    (known, load), (new, _) = rows
    scale = models._Scaling.of(known.values)
    design, ahead = models._linear_design(known, scale), models._linear_design(new, scale)
    middle, spread = design.mean(axis=0), design.std(axis=0) + 1e-9
    peer = Ridge(alpha=models.SHRINK).fit((design - middle) / spread, load)
    theirs = peer.predict((ahead - middle) / spread)
    np.testing.assert_allclose(fit_ridge(known, load, 0)(new), theirs, rtol=0, atol=1e-6)


def test_boosting_and_network_repeat_themselves(rows):
    (known, load), (new, _) = rows
    some = known.where(np.arange(2000))
    for name in ("boosting", "network"):
        first, again = (MODELS[name](some, load[:2000], 5)(new) for _ in range(2))
        np.testing.assert_array_equal(first, again)


def test_the_blend_is_the_mean_of_its_members(rows):
    (known, load), (new, _) = rows
    members = fit_members(["blend"], known.where(np.arange(2000)), load[:2000], 0)
    assert set(members) == set(models.BLEND)
    found = predict_all(members, ["blend"], new)["blend"]
    np.testing.assert_allclose(found, np.mean([m(new) for m in members.values()], axis=0))
    assert needed_days(["blend"]) == max(models.NEEDS_DAYS[name] for name in models.BLEND)


def test_rows_are_thinned_and_gaps_left_out():
    history = town_history(200)
    history.iloc[3000:3030, 0] = np.nan
    series = read_series(history, SETTINGS)
    rows, load = training_rows(series, SETTINGS)
    assert np.isfinite(load).all()
    assert not np.isin(series.time[3000:3030], rows.time).any()
    # the origin behind a day of which 18 h are missing teaches nothing
    assert np.datetime64("2021-05-06") not in rows.origin
    few, _ = training_rows(series, replace(SETTINGS, max_rows=600, origin_hours=()))
    assert len(few.values) == 600
    assert len(np.unique(few["hour"])) == 24
    lead_and_hour = (few["hour"] - few.lead_h) % 24
    assert len(np.unique(lead_and_hour)) > 12
