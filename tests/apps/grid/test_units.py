"""Powers and energies are told in the unit that fits their size."""

import numpy as np
import pytest

from tvilling.apps.grid.units import energy_text, power_text, unit_for

POWERS = {
    0.0: "0.0 kW",
    2.5e-6: "0.003 kW",
    0.0004: "0.400 kW",
    0.1302: "130.2 kW",
    -0.7: "\u2212700.0 kW",
    36.437: "36.44 MW",
    9999.0: "9\u2009999.00 MW",
    61500.0: "61.500 GW",
}
ENERGIES = {0.04: "40.0 kWh", 4000.0: "4\u2009000.0 MWh", 2.5e6: "2\u2009500.000 GWh"}


@pytest.mark.parametrize("mw", POWERS)
def test_a_power_is_told_in_kw_mw_or_gw(mw: float) -> None:
    assert power_text(mw) == POWERS[mw]


@pytest.mark.parametrize("mwh", ENERGIES)
def test_an_energy_is_told_in_kwh_mwh_or_gwh(mwh: float) -> None:
    assert energy_text(mwh) == ENERGIES[mwh]


def test_an_axis_takes_the_unit_of_its_greatest_value() -> None:
    assert unit_for(np.array([0.001, -0.4, np.nan, np.inf])).prefix == "k"
    assert unit_for(np.array([0.001, -4.0])).prefix == "M"
    assert unit_for(np.array([np.nan])).prefix == "k"
    assert power_text(0.1488, 3, "var") == "148.8 kvar"
