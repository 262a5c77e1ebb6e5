"""Units that names end with."""

import pytest

from tvilling.sciml.systems import SYSTEMS
from tvilling.twins.naming import unit_of


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_name_of_every_channel_gives_its_unit(name: str) -> None:
    system = SYSTEMS[name].example().system
    for channel in (*system.actions, *system.drives, *system.outputs):
        if channel.unit != "1":
            assert unit_of(channel.name) == channel.unit


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("branch.loss_w_per_mk", "W/(m·K)"),
        ("capacity_j_per_k", "J/K"),
        ("slope_bar_h_per_m3", "bar·h/m³"),
        ("curve_bar_h2_per_m6", "bar·h²/m⁶"),
        ("price_dkk_per_kwh", "DKK/kWh"),
        ("decay_per_h", "1/h"),
        ("state", ""),
        ("m", ""),
        ("efficiency", ""),
        ("steps_per_round", ""),
    ],
)
def test_units_of_names(name: str, unit: str) -> None:
    assert unit_of(name) == unit
