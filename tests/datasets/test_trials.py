"""Trial scenarios keep to the channels of any system, and prices look like prices."""

from dataclasses import replace

import numpy as np
import pytest

from tvilling.datasets.prices import synthetic_prices
from tvilling.datasets.simulated.trials import PRICE, trial_scenarios
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.system import Channel
from tvilling.sciml.systems import SYSTEMS


@pytest.mark.parametrize("name", SYSTEMS)
def test_drives_keep_to_their_channels_and_move(name):
    example = SYSTEMS[name].example()
    trial = trial_scenarios(example, count=5, days=2, seed=3)
    steps = round(2 * 86_400 / example.dt_s)
    for channel in example.system.drives:
        values = np.asarray(trial.drive[channel.name])
        assert values.shape == (5, steps, *channel.shape)
        assert values.min() >= channel.low
        assert values.max() <= channel.high
        assert values.std(axis=1).min() > 0
    assert set(trial.drive) == {PRICE} | {channel.name for channel in example.system.drives}
    again = trial_scenarios(example, count=5, days=2, seed=3)
    np.testing.assert_array_equal(again.drive[PRICE], trial.drive[PRICE])


def test_prices_are_held_over_the_hour():
    example = SYSTEMS["tank"].example()
    price = np.asarray(trial_scenarios(example, 1, 1, 0, dt_s=900.0).drive[PRICE][0])
    assert (price.reshape(24, 4).std(axis=1) == 0).all()
    np.testing.assert_array_equal(price[::4], synthetic_prices(1, 0, 1)[0])


def test_every_argument_out_of_range_is_told_at_once():
    with pytest.raises(InputError) as caught:
        trial_scenarios(SYSTEMS["tank"].example(), 0, 0, 0, dt_s=7000.0)
    assert len(caught.value.faults) == 3
    assert "dt_s is 7000 s, expected a divisor of a day" in str(caught.value)


def test_prices_have_the_stated_mean_and_peak_in_the_evening():
    """Of 4000 days; the day level has a memory, so its mean is known to about 2 %."""
    price = synthetic_prices(40, seed=1, count=100).reshape(-1, 24)
    assert price.mean() == pytest.approx(0.55, rel=0.05)
    assert price.min() > 0
    assert price.mean(axis=0).argmax() in (18, 19)
    assert price.mean(axis=0).argmin() in (2, 3, 4)


def test_a_drive_without_limits_is_refused():
    """It would swing by infinity, and be no number."""

    class Open(type(SYSTEMS["tank"].example().system)):
        drives = (Channel("demand_w", "W", 0.0, float("inf")),)

    example = replace(SYSTEMS["tank"].example(), system=object.__new__(Open))
    with pytest.raises(InputError, match="demand_w has the limits 0 to inf W"):
        trial_scenarios(example, 2, 1, 0)
