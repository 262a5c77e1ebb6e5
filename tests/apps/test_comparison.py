import pytest

from tvilling.apps.heat.comparison import shown


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("heat_mwh", 1234.56, "1\N{NO-BREAK SPACE}234.6"),
        ("heat_mwh", 0.01234, "0.0123"),
        ("heat_mwh", 0.0, "0.0"),
        ("loss_mwh", 0.000123, "0.000123"),
        ("pump_kwh", 2e-9, "2.00e-09"),
        ("peak_mw", -0.0123, "-0.0123"),
        ("loss_share", 0.0123, "1.23"),
        ("supply_degc", 0.04, "0.0"),
        ("lift_max_bar", None, "–"),
    ],
)
def test_a_small_network_shows_digits_that_tell_something(name, value, text):
    assert shown(name, value) == text
