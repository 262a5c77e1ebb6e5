"""The transformer: figures of the standard, step responses, and tolerance."""

from dataclasses import replace

import numpy as np
import pytest

from tvilling.pinns.library.transformer_hot_spot import (
    LoadedTransformer,
    Transformer,
    ageing,
    example,
)
from tvilling.sciml.core.errors import InputError

DAY = LoadedTransformer()
RANDOM = np.random.default_rng(0)
TIME, PEAK = RANDOM.uniform(0, 1440, 200), RANDOM.uniform(0.7, 1.3, 200)


def test_the_start_of_the_worked_example_of_the_standard():
    """IEC 60076-7:2005, annex C: 81 % load at 30.3 °C has top oil of 63.9 °C."""
    unit = Transformer(top_oil_rise_k=45.0, gradient_k=35.0, loss_ratio=8.0)
    oil, rise, lag = unit.settled(0.81, 30.3)
    assert oil == pytest.approx(63.9, abs=0.05)
    assert rise == pytest.approx(2 * 35.0 * 0.81**1.3)
    assert rise - lag == pytest.approx(26.6, abs=0.05)


def test_at_rated_load_the_rises_are_the_rated_ones():
    oil, rise, lag = Transformer().settled(1.0, 20.0)
    assert (oil, rise - lag) == (pytest.approx(58.3), pytest.approx(20.3))


class Step(LoadedTransformer):
    """Load rises from none to the peak in an instant."""

    def shape(self, time_min):
        return 1.0 if time_min > 0 else 0.0

    def ambient_degc(self, time_min):
        return 20.0


def test_a_step_of_the_load_gives_the_step_functions_of_the_standard():
    """f1 = 1 - e^(-t / k11 τo).

    f2 = k21 (1 - e^(-t / k22 τw)) - (k21 - 1) (1 - e^(-t k22 / τo)).
    """
    time = np.linspace(0.0, 600.0, 40)
    oil, rise, lag = Step().solved(time, np.full(40, 1.2))
    share = ((1 + 1.44 * 8) / 9) ** 0.8
    idle = (1 / 9) ** 0.8
    f1 = 1 - np.exp(-time / (0.5 * 150))
    f2 = 2 * (1 - np.exp(-time / (2 * 7))) - (1 - np.exp(-time * 2 / 150))
    np.testing.assert_allclose(oil, 20 + 38.3 * (idle + (share - idle) * f1), rtol=1e-9)
    np.testing.assert_allclose(rise - lag, 20.3 * 1.2**1.3 * f2, atol=1e-8)
    assert np.max(rise - lag) > 1.15 * 20.3 * 1.2**1.3  # the winding overshoots


def test_the_stated_error_is_that_of_a_looser_tolerance():
    stated = example().reference.relative_error
    found, looser = DAY.solved(TIME, PEAK), DAY.solved(TIME, PEAK, tolerance=1e-10)
    assert np.max(np.abs(found - looser)) < 100 * stated * np.max(found)
    at = {"time_min": TIME, "peak": PEAK}
    np.testing.assert_array_equal(example().reference.function(at)["top_oil_degc"], found[0])


def test_a_day_at_rated_peak_is_mild_and_paper_ages_by_the_rule():
    """Doubled every 6 K from 98 °C on."""
    oil, rise, lag = DAY.solved(np.linspace(0, 1440, 97), np.full(97, 1.3))
    hot = oil + rise - lag
    assert 80.0 < hot.max() < 120.0
    np.testing.assert_allclose(ageing([98.0, 104.0, 86.0]), [1.0, 2.0, 0.25])


def test_impossible_transformers_are_refused():
    with pytest.raises(InputError) as error:
        replace(Transformer(), k11=0.0, oil_min=-1.0)
    assert len(error.value.faults) == 2
