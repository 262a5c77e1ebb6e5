"""Tariffs against published sums, in Danish clock time, across its changes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_plant.charges import danish_charges
from tvilling.sciml.systems.heat_plant.costs import cost
from tvilling.sciml.systems.heat_plant.plant import HeatPlant, example_plant
from tvilling.sciml.systems.heat_plant.tariffs import (
    danish_holidays,
    feed_in_tariff,
    rate,
    read_rates,
    shipped_rates,
    tariff,
)
from tvilling.sciml.systems.heat_plant.units import BackPressureChp, Boiler, Surroundings
from tvilling.sciml.systems.heat_plant.unverified import unverified_rates

LOW, HIGH, PEAK = 0.0661, 0.1563, 0.2618  # B høj of Elnet Øst in 2021, DKK/kWh


def hours(start: str, end: str) -> np.ndarray:
    """UTC hours of a stretch of Danish clock time, `end` left out."""
    local = pd.date_range(start, end, freq="h", tz="Europe/Copenhagen", inclusive="left")
    return local.tz_convert("UTC").tz_localize(None).to_numpy()


def test_a_winter_workday_of_2021_is_the_published_price_list():
    day = rate("grid", hours("2021-01-13", "2021-01-14"))
    np.testing.assert_allclose(day, [LOW] * 6 + [HIGH] + [PEAK] * 13 + [HIGH] * 4)


def test_a_summer_workday_and_a_sunday_of_2021():
    day = rate("grid", hours("2021-07-14", "2021-07-15"))
    np.testing.assert_allclose(day, [LOW] * 7 + [HIGH] * 16 + [LOW])
    np.testing.assert_allclose(rate("grid", hours("2021-01-10", "2021-01-11")), LOW)
    np.testing.assert_allclose(rate("grid", hours("2021-12-24", "2021-12-25"))[8], PEAK)
    np.testing.assert_allclose(rate("grid", hours("2021-04-01", "2021-04-06")), LOW)  # Easter


def test_tariff_model_3_has_other_hours():
    day = rate("grid", hours("2024-01-17", "2024-01-18"))
    np.testing.assert_allclose(day, [LOW] * 6 + [PEAK] * 15 + [HIGH] * 3)
    saturday = rate("grid", hours("2024-01-20", "2024-01-21"))
    np.testing.assert_allclose(saturday, [LOW] * 6 + [HIGH] * 18)


@pytest.mark.parametrize(
    ("day", "steps"), [("2021-03-28", 23), ("2021-10-31", 25), ("2022-03-27", 23)]
)
def test_days_of_the_clock_change_have_their_hours_and_a_price_for_each(day, steps):
    next_day = str(np.datetime64(day) + 1)
    time = hours(day, next_day)
    assert len(time) == steps
    np.testing.assert_allclose(rate("grid", time), LOW)  # they are Sundays


def test_the_evening_peak_moves_by_an_hour_in_utc_between_seasons():
    """Workdays on both sides of a change: the season changes with the month, the clock apart."""
    before, after = hours("2021-10-29", "2021-10-30"), hours("2021-11-01", "2021-11-02")
    for day in (before, after):
        assert pd.DatetimeIndex(day[rate("grid", day) == PEAK]).tz_localize("UTC").tz_convert(
            "Europe/Copenhagen"
        ).hour.tolist() == list(range(7, 20))
    first_utc = [pd.Timestamp(day[rate("grid", day) == PEAK][0]).hour for day in (before, after)]
    assert first_utc == [5, 6]
    summer, winter = hours("2021-09-30", "2021-10-01"), hours("2021-10-01", "2021-10-02")
    assert rate("grid", summer).max() == pytest.approx(HIGH)
    assert rate("grid", winter).max() == pytest.approx(PEAK)


def test_consumer_tariffs_of_energinet_are_the_published_sums():
    """11.2 øre/kWh in 2023; 1.3 more, 12.5, in 2024 (Energinet, 5 September 2023)."""
    for year, ore in ((2020, 5.3 + 4.4 + 0.187), (2021, 4.9 + 6.1 + 0.229), (2023, 11.2)):
        time = hours(f"{year}-06-01", f"{year}-06-02")
        total = sum(rate(what, time) for what in ("transmission", "system", "balance"))
        np.testing.assert_allclose(total, ore / 100.0)
    time = hours("2024-06-01", "2024-06-02")
    total = sum(rate(what, time) for what in ("transmission", "system", "balance"))
    np.testing.assert_allclose(total, 0.125)


def test_what_power_for_heat_costs_beyond_spot():
    time = hours("2021-01-13T08:00", "2021-01-13T09:00")
    assert tariff(time)[0] == pytest.approx(0.049 + 0.061 + 0.00229 + PEAK + 0.004)
    assert feed_in_tariff(time)[0] == pytest.approx(0.003 + 0.00123)


def test_gas_tax_is_the_published_one_per_cubic_metre():
    """2.726 DKK/Nm3 at 11 kWh/Nm3; per GJ that of coal, 68.8 (BDO, rates of 2024)."""
    time = hours("2024-05-01", "2024-05-02")
    tax = rate("energy_tax_gas", time)[0]
    assert tax == pytest.approx(2.726 / 0.011)
    assert tax / 3.6 == pytest.approx(68.8, abs=0.1)
    co2 = rate("co2_tax_gas", time)[0] / 3.6
    assert co2 == pytest.approx(18.5 * 56.1 / 94.6, rel=0.03)  # coal's 18.5 DKK/GJ by carbon


def test_taxes_on_gas_of_2026_are_those_of_the_ministry():
    """Skatteministeriet, CO2-afgiftsloven, satser: 194.2 and, for piston engines, 33.2 øre/Nm3."""
    time, before = hours("2026-01-20", "2026-01-21"), hours("2025-01-20", "2025-01-21")
    per_mwh = 3600.0 / 39.6 / 100.0
    assert rate("co2_tax_gas", time)[0] == pytest.approx(194.2 * per_mwh)
    assert rate("co2_tax_gas", before)[0] == pytest.approx(192.2 * per_mwh)
    assert rate("methane_tax_gas", time)[0] == pytest.approx(33.2 * per_mwh)
    assert rate("methane_tax_gas", before)[0] == pytest.approx(32.9 * per_mwh)
    assert rate("electricity_tax", time)[0] == pytest.approx(0.004)  # half of 0.8 øre/kWh


def test_rates_that_follow_the_index_rose_as_the_published_ones():
    """CO2 tax on coal 2265.8 and 2288.5 DKK/t, 1892.9 in prices of 2015; rounded to 0.1."""
    for year, index in ((2025, 2265.8 / 1892.9), (2026, 2288.5 / 1892.9)):
        time = hours(f"{year}-05-01", f"{year}-05-02")
        per_nm3 = rate("energy_tax_gas", time)[0] / (3600.0 / 39.6 / 100.0)
        assert per_nm3 == pytest.approx(136.9 / (2265.8 / 1892.9) * index, abs=0.06)
        emission = {2025: 71.2, 2026: 128.1}[year] * index / 1000.0
        assert rate("emission_tax", time)[0] == pytest.approx(emission, abs=6e-5)
        # what the refund gives back on heat is what the emission tax takes: 56.1 kg/GJ
        taken = emission * 56.1 * 3.6
        given = rate("co2_tax_refund", time)[0] * rate("co2_tax_gas", time)[0]
        assert given == pytest.approx(taken, rel=0.02)


def test_an_engine_pays_the_methane_tax_and_a_turbine_does_not():
    time = hours("2026-01-20", "2026-01-21")
    charges, around = danish_charges(time), Surroundings(2.0, np.full(24, 75.0), 42.0)
    given = {"name": "u", "heat_mw": 3.6, "fuel": "gas", "power_ratio": 0.83, "efficiency": 0.92}
    engine, turbine = (BackPressureChp(**given, piston_engine=is_one) for is_one in (True, False))
    dearer = [
        cost(engine, engine.modes(around)[0], np.full(24, 0.6), charges, in_quota_system=quota)[0]
        - cost(turbine, turbine.modes(around)[0], np.full(24, 0.6), charges, in_quota_system=quota)[
            0
        ]
        for quota in (False, True)
    ]
    burnt = 3.6 * 1.83 / 0.92
    per_mwh = (33.2 + 3.4 - 1.0) * 3600.0 / 39.6 / 100.0
    np.testing.assert_allclose(dearer, burnt * per_mwh)
    plain = Boiler(name="b", heat_mw=1.0, fuel="biomass", efficiency=1.0)
    assert charges.engine_tax_dkk_per_mwh.get(plain.fuel, 0.0) == 0.0


def test_rates_without_a_source_are_named_where_they_are_used():
    time = hours("2026-01-20", "2026-01-21")
    told = unverified_rates(example_plant(), time)
    assert "transmission 7.4 øre/kWh (carried over, as 2024)" in told
    assert "nox_tax_gas_engine 3.4 øre/Nm3 (derived)" in told
    assert not any(line.startswith(("co2_tax_gas", "methane", "quota", "waste")) for line in told)
    chips = HeatPlant(units=(Boiler(name="b", heat_mw=1.0, fuel="biomass", efficiency=1.0),))
    assert unverified_rates(chips, time) == ["biomass_price 70 DKK/GJ (assumption)"]
    assert unverified_rates(chips, time, own_fuels=("biomass",)) == []
    in_quota = unverified_rates(chips.model_copy(update={"in_quota_system": True}), time)
    assert any(line.startswith("quota 75 EUR/t") for line in in_quota)


def test_gas_rose_in_june_2022_as_the_world_bank_said():
    may, june = (rate("gas_price", hours(f"2022-{m}-10", f"2022-{m}-11"))[0] for m in ("05", "06"))
    assert june / may == pytest.approx(1.151, abs=0.001)  # prices have two decimals


def test_every_hour_of_every_year_has_one_price_of_everything():
    charges = danish_charges(hours("2020-01-01", "2027-01-01"))
    series = [charges.bought_dkk_per_kwh, charges.sold_dkk_per_kwh]
    for by_fuel in (
        charges.fuel_dkk_per_mwh,
        charges.energy_tax_dkk_per_mwh,
        charges.co2_tax_dkk_per_mwh,
        charges.co2_kg_per_mwh,
    ):
        series += by_fuel.values()
    for values in series:
        assert np.isfinite(values).all()
        assert (values >= 0).all()
    assert 0.15 < charges.bought_dkk_per_kwh.mean() < 0.5


def test_beyond_the_rows_there_is_no_price():
    with pytest.raises(InputError, match=r"transmission: 24 steps without one row .* 2019"):
        tariff(hours("2019-06-01", "2019-06-02"))
    with pytest.raises(InputError, match="milk"):
        rate("milk", hours("2021-06-01", "2021-06-02"))


def test_holidays_are_those_of_the_calendar():
    named = {
        2022: ["04-14", "04-15", "04-17", "04-18", "05-13", "05-26", "06-05", "06-06"],
        2024: ["03-28", "03-29", "03-31", "04-01", "05-09", "05-19", "05-20"],
    }
    for year, days in named.items():
        fixed = ["01-01", "12-25", "12-26"]
        expected = sorted(np.datetime64(f"{year}-{day}") for day in days + fixed)
        assert sorted(danish_holidays(year)) == expected


def test_every_row_says_where_it_comes_from():
    for row in shipped_rates():
        assert row.source, row
        unsure = ("from memory", "carried over", "assumption", "derived")
        assert row.verified != any(word in row.source for word in unsure), row
    assert sum(row.verified for row in shipped_rates()) > 30


def test_a_faulty_file_is_refused_with_every_row(tmp_path: Path):
    path = tmp_path / "own.csv"
    path.write_text(
        "what,value,unit,valid_from,valid_to,season,days,hours\n"
        "grid,6.6,øre/kWh,2021-01-01,2021-12-31,all,all,0-24\n"
        "grid,6.6,cents,2021-13-01,2021-12-31,spring,all,24-7\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError) as caught:
        read_rates(path)
    assert len(caught.value.faults) == 4
    assert all("row 3" in fault for fault in caught.value.faults)
