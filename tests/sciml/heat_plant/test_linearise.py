"""The linear form against bills made by hand, and against the plant itself."""

from dataclasses import replace
from time import perf_counter

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_plant.charges import Charges, danish_charges
from tvilling.sciml.systems.heat_plant.conditions import Conditions
from tvilling.sciml.systems.heat_plant.linear import LinearTank
from tvilling.sciml.systems.heat_plant.linearisation import linearise
from tvilling.sciml.systems.heat_plant.plant import HeatPlant, example_plant
from tvilling.sciml.systems.heat_plant.units import (
    BackPressureChp,
    Boiler,
    ElectricBoiler,
    ExtractionChp,
    HeatPump,
)

PRICE, BOUGHT, SOLD = 0.60, 0.25, 0.004  # DKK/kWh
GAS, GAS_TAX, CO2_TAX = 250.0, 226.0, 37.0  # DKK/MWh of fuel
GAS_CO2, GRID_CO2, QUOTA = 202.0, 120.0, 0.5  # kg/MWh, kg/MWh, DKK/kg


def conditions(steps=3, **other):
    flat = np.ones(steps)
    charges = Charges(
        BOUGHT * flat,
        SOLD * flat,
        {"gas": GAS * flat, "biomass": 180.0 * flat},
        {"gas": GAS_TAX * flat},
        {"gas": CO2_TAX * flat},
        {"gas": GAS_CO2 * flat, "biomass": 0.0 * flat},
        GRID_CO2 * flat,
        QUOTA * flat,
    )
    time = pd.date_range("2022-01-03", periods=steps, freq="h").to_numpy()
    given = {
        "time": time,
        "price_dkk_per_kwh": PRICE * flat,
        "outdoor_degc": 5.0 * flat,
        "forward_degc": 80.0 * flat,
        "return_degc": 40.0 * flat,
        "charges": charges,
    }
    return Conditions(**(given | other))


def one(unit, quota=False, **other):
    return linearise(HeatPlant(units=(unit,), in_quota_system=quota), conditions(**other))


def test_the_bill_of_an_electric_boiler():
    plant = one(ElectricBoiler(name="e", heat_mw=8.0, efficiency=0.8, upkeep_dkk_per_mwh=5.0))
    np.testing.assert_allclose(plant.cost_dkk_per_h, 10_000 * (PRICE + BOUGHT) + 8 * 5.0)
    np.testing.assert_allclose(plant.co2_kg_per_h, 10 * GRID_CO2)
    np.testing.assert_allclose(plant.no_load_dkk_per_h, 0.0)
    np.testing.assert_allclose(plant.power_mw, -10.0)


def test_the_bill_of_a_gas_boiler_in_and_out_of_the_quota_system():
    boiler = Boiler(name="g", heat_mw=10.0, fuel="gas", efficiency=1.0)
    outside, inside = one(boiler), one(boiler, quota=True)
    np.testing.assert_allclose(outside.cost_dkk_per_h, 10 * (GAS + GAS_TAX + CO2_TAX))
    np.testing.assert_allclose(
        inside.cost_dkk_per_h, 10 * (GAS + GAS_TAX + CO2_TAX + GAS_CO2 * QUOTA)
    )
    np.testing.assert_allclose(outside.co2_kg_per_h, 10 * GAS_CO2)


def test_the_bill_of_a_gas_engine_taxes_the_fuel_for_heat():
    """Heat 3.6 MW, power 3 MW, fuel 7.5 MW: 3.6 / 1.2 = 3 MW of it are for heat."""
    engine = BackPressureChp(
        name="c", heat_mw=3.6, fuel="gas", power_ratio=3 / 3.6, efficiency=0.88
    )
    sale = 3000 * (PRICE - SOLD)
    outside, inside = one(engine), one(engine, quota=True)
    np.testing.assert_allclose(outside.cost_dkk_per_h, 7.5 * (GAS + CO2_TAX) + 3.0 * GAS_TAX - sale)
    np.testing.assert_allclose(
        inside.cost_dkk_per_h, 7.5 * (GAS + GAS_CO2 * QUOTA) + 3.0 * (GAS_TAX + CO2_TAX) - sale
    )
    np.testing.assert_allclose(outside.power_mw, 3.0)


def test_biomass_pays_no_tax_and_an_extraction_turbine_has_two_modes():
    turbine = ExtractionChp(
        name="x",
        heat_mw=100.0,
        fuel="biomass",
        power_ratio=0.6,
        power_loss=0.15,
        condensing_efficiency=0.375,
        min_load=0.4,
    )
    plant = one(turbine)
    assert plant.modes == ("x condensing", "x extraction")
    np.testing.assert_array_equal(plant.mode_unit, [0, 0])
    np.testing.assert_allclose(plant.fuel_mw, 200.0)
    for power, cost in zip(plant.power_mw, plant.cost_dkk_per_h, strict=True):
        np.testing.assert_allclose(cost, 200 * 180.0 - power * 1000 * (PRICE - SOLD))
    np.testing.assert_allclose(plant.min_load, 0.4)


def test_part_load_splits_the_input_and_not_the_output():
    """At full load the bill is the same; at half load it is half, and half the idle input more."""
    plain = Boiler(name="g", heat_mw=10.0, fuel="gas", efficiency=1.0, upkeep_dkk_per_mwh=7.0)
    idle = plain.model_copy(update={"idle_share": 0.1})
    before, after = one(plain), one(idle)
    np.testing.assert_allclose(
        after.cost_dkk_per_h + after.no_load_dkk_per_h, before.cost_dkk_per_h
    )
    np.testing.assert_allclose(after.no_load_dkk_per_h, 0.1 * (before.cost_dkk_per_h - 10 * 7.0))
    np.testing.assert_allclose(after.fuel_mw + after.no_load_fuel_mw, before.fuel_mw)
    np.testing.assert_allclose(after.co2_kg_per_h + after.no_load_co2_kg_per_h, before.co2_kg_per_h)
    np.testing.assert_allclose(after.heat_mw, before.heat_mw)


def test_a_heat_pump_varies_with_the_hour_and_outages_are_kept():
    plant = HeatPlant(
        units=(HeatPump(name="p", heat_mw=3.0), ElectricBoiler(name="e", heat_mw=1.0))
    )
    outdoor = np.array([-25.0, 0.0, 10.0])
    found = linearise(
        plant, conditions(outdoor_degc=outdoor, available={"e": np.array([1.0, 0.0, 0.5])})
    )
    np.testing.assert_array_equal(found.available, [[0.0, 1.0, 1.0], [1.0, 0.0, 0.5]])
    assert found.heat_mw[0, 1] < found.heat_mw[0, 2] == 3.0
    cop = -found.heat_mw[0] / found.power_mw[0]
    assert np.all(np.diff(cop) > 0)
    np.testing.assert_allclose(
        found.cost_dkk_per_h[0], 1000 * -found.power_mw[0] * (PRICE + BOUGHT)
    )


def test_without_a_tank_there_is_no_store():
    assert one(ElectricBoiler(name="e", heat_mw=1.0)).tank == LinearTank()


def test_a_year_of_hours_takes_a_fraction_of_a_second():
    time = pd.date_range("2021-01-01", periods=8760, freq="h").to_numpy()
    year = conditions(
        8760, time=time, charges=danish_charges(time), irradiance_w_per_m2=np.full(8760, 100.0)
    )
    plant = example_plant()
    linearise(plant, year)
    best = min(_seconds(plant, year) for _ in range(3))
    assert best < 0.2  # 0.015 s on an idle machine
    found = linearise(plant, year)
    assert found.steps == 8760
    assert all(np.isfinite(getattr(found, name)).all() for name in ("heat_mw", "cost_dkk_per_h"))
    part = linearise(plant, year.part(slice(100, 148)))
    whole = found.part(slice(100, 148))
    np.testing.assert_allclose(part.cost_dkk_per_h, whole.cost_dkk_per_h)
    np.testing.assert_allclose(part.no_load_dkk_per_h, whole.no_load_dkk_per_h)


def _seconds(plant, year):
    start = perf_counter()
    linearise(plant, year)
    return perf_counter() - start


def test_faulty_conditions_are_told_together():
    price = np.array([0.5, np.nan, 0.5])
    with pytest.raises(InputError) as caught:
        one(
            ElectricBoiler(name="e", heat_mw=1.0),
            price_dkk_per_kwh=price,
            outdoor_degc=np.array([5.0, 5.0]),
            available={"e": np.array([1.0, 1.2, 1.0])},
        )
    text = str(caught.value)
    assert len(caught.value.faults) == 3
    for word in ("price_dkk_per_kwh is nan", "outdoor_degc has shape (2,)", "available e is 1.2"):
        assert word in text


def test_names_that_are_not_there_are_told():
    plant = HeatPlant(
        units=(
            HeatPump(name="p", heat_mw=1.0, source="sewer"),
            Boiler(name="w", heat_mw=1.0, fuel="waste"),
        )
    )
    with pytest.raises(InputError) as caught:
        linearise(plant, conditions(available={"q": np.ones(3)}), dt_h=0.0)
    assert [fault.split(",")[0] for fault in caught.value.faults] == [
        "source_degc has no sewer",
        "available names q",
        "charges have no price of waste",
        "dt_h is 0 h",
    ]


def test_units_of_one_name_are_refused():
    boiler = ElectricBoiler(name="e", heat_mw=1.0)
    with pytest.raises(ValidationError, match="more than once: e"):
        HeatPlant(units=(boiler, boiler))


def test_own_prices_replace_those_that_ship():
    time = pd.date_range("2022-03-01", periods=3, freq="h").to_numpy()
    charges = danish_charges(time)
    own = replace(charges, fuel_dkk_per_mwh=charges.fuel_dkk_per_mwh | {"gas": np.full(3, 111.0)})
    boiler = Boiler(name="g", heat_mw=1.0, fuel="gas", efficiency=1.0)
    gap = (
        one(boiler, charges=own, time=time).cost_dkk_per_h
        - one(boiler, charges=charges, time=time).cost_dkk_per_h
    )
    np.testing.assert_allclose(gap[0], 111.0 - charges.fuel_dkk_per_mwh["gas"])
