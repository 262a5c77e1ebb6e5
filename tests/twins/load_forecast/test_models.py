"""The models on loads whose law is known, and against scikit-learn."""

from dataclasses import replace

import numpy as np
import pytest
from town_load import NOISE_MW, town_history

from tvilling.twins.forecasting.load import models
from tvilling.twins.forecasting.load.blend import MEMBERS, weights_over
from tvilling.twins.forecasting.load.models import MODELS, fit_ridge, needed_days
from tvilling.twins.forecasting.load.series import read_series
from tvilling.twins.forecasting.load.settings import ForecastSettings
from tvilling.twins.forecasting.load.training import fit_members, training_rows

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
    found = {name: predict(new) for name, predict in members.items()}
    found["mean"] = np.mean([found[name] for name in MEMBERS], axis=0)
    return {name: np.abs(values - truth).mean() for name, values in found.items()}


def test_learned_models_come_near_the_noise_and_naive_ones_do_not(errors):
    """Lag of the weather, limit of heating and local hour are in reach of all that learn."""
    assert errors["naive_day"] > 4 * NOISE_MAE
    assert errors["naive_week"] > errors["naive_day"]
    assert errors["ridge"] < 1.35 * NOISE_MAE
    assert errors["network"] < 1.35 * NOISE_MAE
    assert errors["boosting"] < 1.8 * NOISE_MAE
    assert NOISE_MAE < errors["mean"] < 1.25 * NOISE_MAE


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


def test_the_blend_needs_all_its_members(rows):
    (known, load), _ = rows
    members = fit_members(["blend"], known.where(np.arange(2000)), load[:2000], 0)
    assert set(members) == set(MEMBERS)
    assert needed_days(["blend"]) == max(models.NEEDS_DAYS[name] for name in MEMBERS)


def test_weights_follow_the_errors_of_the_last_weeks_that_had_ended():
    """One member is off by 1 and the other by 2; after 40 days they change places."""
    origin = np.datetime64("2021-01-01", "ns") + np.arange(90) * np.timedelta64(1, "D")
    load = np.zeros((90, 48))
    swapped = np.arange(90)[:, None] >= 40
    members = {"a": np.where(swapped, 2.0, 1.0) + load, "b": np.where(swapped, 1.0, 2.0) + load}
    found = weights_over(origin, load, members)
    np.testing.assert_allclose(found["a"] + found["b"], 1.0)
    np.testing.assert_allclose(found["a"][:7], 0.5)
    np.testing.assert_allclose(found["a"][7:41], 2**8 / (1 + 2**8))  # day 40 has not ended at 40
    np.testing.assert_allclose(found["a"][55], 0.5)  # 15 days of each
    np.testing.assert_allclose(found["a"][70:], 1 / (1 + 2**8))
    load[10:20] = np.nan
    assert np.isfinite(weights_over(origin, load, members)["a"]).all()


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
