import numpy as np
import pytest
import xarray as xr

from tvilling.datasets.simulated.samples import Range, latin_hypercube, sobol, weather_years
from tvilling.sciml.core.errors import InputError

RANGES = (Range("supply_degc", "°C", 60.0, 90.0), Range("roughness_m", "m", 1e-6, 1e-3, True))


def test_a_latin_hypercube_has_one_point_in_every_stratum():
    samples = latin_hypercube(RANGES, 40, seed=3)
    strata = np.floor((samples["supply_degc"].values - 60.0) / 30.0 * 40)
    assert sorted(strata) == list(range(40))
    decades = np.log(samples["roughness_m"].values / 1e-6) / np.log(1e3)
    assert sorted(np.floor(decades * 40)) == list(range(40))
    assert samples["roughness_m"].attrs["units"] == "m"


def test_sobol_integrates_better_than_chance():
    """The mean of x1 * x2 over the unit square is 1/4; chance would err by 0.22 / sqrt(4096)."""
    unit = (Range("a", "1", 0.0, 1.0), Range("b", "1", 0.0, 1.0))
    samples = sobol(unit, 4096, seed=1)
    assert float((samples["a"] * samples["b"]).mean()) == pytest.approx(0.25, abs=3e-4)


def test_the_seed_decides():
    same, other = (latin_hypercube(RANGES, 8, seed=seed) for seed in (1, 2))
    assert same.identical(latin_hypercube(RANGES, 8, seed=1))
    assert not np.array_equal(same["supply_degc"], other["supply_degc"])


def test_every_fault_of_the_ranges_is_told():
    bad = (Range("a", "m", 2.0, 1.0), Range("b", "W", -1.0, 1.0, True), Range("b", "W", 0.0, 1.0))
    with pytest.raises(InputError) as error:
        latin_hypercube(bad, 4, seed=0)
    text = str(error.value)
    assert "3 faults" in text
    assert "a: low is 2" in text
    assert "above 0 for a logarithmic range" in text
    assert "b is given twice" in text


@pytest.mark.parametrize("count", [0, 3, 100])
def test_sobol_wants_a_power_of_two(count):
    with pytest.raises(InputError, match="power of two"):
        sobol(RANGES, count, seed=0)


def _weather(start: str, days: int) -> xr.Dataset:
    time = np.datetime64(start, "ns") + np.arange(days * 24) * np.timedelta64(1, "h")
    return xr.Dataset(
        {"outdoor_degc": ("time", np.arange(days * 24.0), {"units": "°C"})}, {"time": time}
    )


def test_weather_years_begin_at_new_year_and_short_years_are_counted():
    weather = _weather("2019-01-01", 365 + 366 + 30)
    years = weather_years(weather, 8760)
    assert list(years["scenario"].values) == [2019, 2020]
    assert years.attrs["years_left_out"] == 1
    assert float(years["outdoor_degc"].sel(scenario=2020, time=5.0)) == 365 * 24 + 5
    assert years["outdoor_degc"].attrs["units"] == "°C"


def test_weather_with_gaps_is_refused():
    weather = _weather("2019-01-01", 365)
    weather["outdoor_degc"][7] = np.nan
    with pytest.raises(InputError) as error:
        weather_years(weather.drop_isel(time=[9]), 8000)
    assert "misses 1 values" in str(error.value)
    assert "steps of 2 lengths" in str(error.value)
