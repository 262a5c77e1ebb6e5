"""Units against hand calculations, published figures and the first and second law."""

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from tvilling.sciml.systems.heat_plant.cop import heat_pump_cop
from tvilling.sciml.systems.heat_plant.units import (
    AnyUnit,
    BackPressureChp,
    Boiler,
    ElectricBoiler,
    ExtractionChp,
    HeatPump,
    SolarField,
    Surroundings,
)


def around(outdoor=5.0, forward=80.0, back=40.0, sun=0.0, **source):
    return Surroundings(outdoor, forward, back, sun, source)


def test_the_input_of_boilers_is_heat_over_efficiency():
    (electric,) = ElectricBoiler(name="e", heat_mw=8.0, efficiency=0.98).modes(around())
    assert float(electric.power_mw) == pytest.approx(-8.0 / 0.98)
    assert float(electric.fuel_mw) == 0.0
    (gas,) = Boiler(name="g", heat_mw=12.0, fuel="gas", efficiency=1.02).modes(around())
    assert (float(gas.heat_mw), float(gas.power_mw)) == (12.0, 0.0)
    assert float(gas.fuel_mw) == pytest.approx(12.0 / 1.02)


def test_back_pressure_keeps_its_ratio_and_its_balance():
    unit = BackPressureChp(name="c", heat_mw=3.6, fuel="gas", power_ratio=3 / 3.6, efficiency=0.92)
    (mode,) = unit.modes(around())
    assert float(mode.power_mw) == pytest.approx(3.0)
    assert float(mode.heat_mw + mode.power_mw) == pytest.approx(0.92 * float(mode.fuel_mw))


def test_extraction_gives_up_power_for_heat_at_constant_fuel():
    unit = ExtractionChp(
        name="x",
        heat_mw=100.0,
        fuel="biomass",
        power_ratio=0.6,
        power_loss=0.15,
        condensing_efficiency=0.38,
    )
    condensing, extraction = unit.modes(around())
    assert unit.mode_names == (condensing.name, extraction.name)
    assert float(condensing.fuel_mw) == float(extraction.fuel_mw) == pytest.approx(75.0 / 0.38)
    given_up = float(condensing.power_mw - extraction.power_mw)
    assert given_up == pytest.approx(0.15 * float(extraction.heat_mw))
    assert float(extraction.power_mw) == pytest.approx(0.6 * 100.0)
    assert float(condensing.heat_mw) == 0.0
    with pytest.raises(ValidationError, match="of the fuel"):
        ExtractionChp(
            name="x",
            heat_mw=1.0,
            fuel="gas",
            power_ratio=0.3,
            power_loss=0.1,
            condensing_efficiency=0.5,
        )


def test_a_heat_pump_follows_its_source_and_stops_at_its_limits():
    pump = HeatPump(name="p", heat_mw=3.0, capacity_per_k=0.02, min_source_degc=-15.0)
    warm, rated, cold = (pump.modes(around(outdoor))[0] for outdoor in (20.0, 7.0, -3.0))
    assert float(warm.heat_mw) == float(rated.heat_mw) == 3.0
    assert float(cold.heat_mw) == pytest.approx(3.0 * (1 - 0.02 * 10))
    expected = float(heat_pump_cop(-3.0, -8.0, 80.0, 40.0, 0.5))
    assert float(-cold.heat_mw / cold.power_mw) == pytest.approx(expected)
    share = [
        float(pump.share(around(outdoor, forward)))
        for outdoor, forward in ((-15.1, 80.0), (-14.9, 80.0), (5.0, 90.1), (5.0, 89.9))
    ]
    assert share == [0.0, 1.0, 0.0, 1.0]


def test_defrosting_takes_cop_and_heat_of_an_air_source_only():
    dry, wet = (HeatPump(name="p", heat_mw=3.0, defrost_loss=loss) for loss in (0.0, 0.1))
    cold = around(-5.0)
    assert float(wet.cop(cold) / dry.cop(cold)) == pytest.approx(0.9, abs=1e-4)
    kept = wet.modes(cold)[0].heat_mw / dry.modes(cold)[0].heat_mw
    assert float(kept) == pytest.approx(0.9, abs=1e-4)
    water = HeatPump(name="w", heat_mw=3.0, source="waste water", defrost_loss=0.1)
    at = Surroundings(-5.0, 80.0, 40.0, 0.0, {"waste water": 1.0})
    assert float(water.cop(at)) == pytest.approx(float(heat_pump_cop(1.0, -4.0, 80.0, 40.0, 0.5)))


def test_a_warm_source_beats_cold_air():
    """Waste water of 12 °C in winter: the reason to look for it."""
    air = HeatPump(name="a", heat_mw=1.0)
    water = HeatPump(name="w", heat_mw=1.0, source="sewer")
    at = Surroundings(0.0, 70.0, 40.0, 0.0, {"sewer": 12.0})
    assert float(water.cop(at)) > 1.2 * float(air.cop(at))


def test_collectors_follow_their_efficiency_curve():
    """eta = 0.8 - 2.5 · 40/800 - 0.01 · 40²/800 = 0.655 at 40 K above the air and 800 W/m²."""
    field = SolarField(name="s", heat_mw=2.0)
    (mode,) = field.modes(around(20.0, 80.0, 40.0, 800.0))
    assert field.area_m2 == pytest.approx(2500.0)
    assert float(mode.heat_mw) == pytest.approx(2500.0 * 800.0 * 0.655 / 1e6)
    (night,) = field.modes(around(20.0, 80.0, 40.0, 0.0))
    assert float(night.heat_mw) == 0.0
    (bright,) = field.modes(around(45.0, 40.0, 30.0, 1400.0))
    assert float(bright.heat_mw) == 2.0


def test_arrays_and_numbers_give_the_same():
    outdoor = np.array([-8.0, 0.0, 9.0])
    many = Surroundings(outdoor, np.full(3, 75.0), np.full(3, 40.0), np.full(3, 300.0))
    units = (
        HeatPump(name="p", heat_mw=3.0, defrost_loss=0.1),
        SolarField(name="s", heat_mw=2.0),
        Boiler(name="b", heat_mw=1.0, fuel="waste"),
    )
    for unit in units:
        (together,) = unit.modes(many)
        for i, degc in enumerate(outdoor):
            (alone,) = unit.modes(Surroundings(degc, 75.0, 40.0, 300.0))
            for got, want in zip(together[1:], alone[1:], strict=True):
                assert float(got[i]) == pytest.approx(float(want), rel=1e-12, abs=1e-15)


def test_a_unit_is_read_by_its_kind_and_faults_are_told_together():
    reader: TypeAdapter = TypeAdapter(AnyUnit)
    boiler = reader.validate_python(
        {"kind": "boiler", "name": "straw", "heat_mw": 5.0, "fuel": "biomass"}
    )
    assert isinstance(boiler, Boiler)
    with pytest.raises(ValidationError) as caught:
        reader.validate_python(
            {"kind": "boiler", "name": "b", "heat_mw": -1.0, "fuel": "coal", "colour": "red"}
        )
    assert {error["loc"][-1] for error in caught.value.errors()} == {"heat_mw", "fuel", "colour"}
