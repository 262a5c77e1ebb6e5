"""A plan run on the plant: the balance of heat, the tank in layers, and limits that broke."""

import jax
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.system import Status
from tvilling.sciml.systems.heat_plant.charges import danish_charges
from tvilling.sciml.systems.heat_plant.conditions import Conditions
from tvilling.sciml.systems.heat_plant.linearisation import linearise
from tvilling.sciml.systems.heat_plant.plant import HeatPlant, example_plant
from tvilling.sciml.systems.heat_plant.plant_system import build_plant, example
from tvilling.sciml.systems.heat_plant.units import ElectricBoiler, ExtractionChp
from tvilling.sciml.systems.heat_plant.verify import broken_limits, run_plan, starts

HOURS = 48
PLANT = example_plant()


def winter_days(steps=HOURS):
    time = pd.date_range("2022-01-12T23:00", periods=steps, freq="h").to_numpy()
    hour = np.arange(steps)
    return Conditions(
        time=time,
        price_dkk_per_kwh=0.9 + 0.6 * np.sin(2 * np.pi * hour / 12.0),
        outdoor_degc=2.0 + 4.0 * np.sin(2 * np.pi * (hour - 8) / 24.0),
        forward_degc=np.full(steps, 80.0),
        return_degc=np.full(steps, 40.0),
        charges=danish_charges(time),
        irradiance_w_per_m2=np.maximum(0.0, 300.0 * np.sin(2 * np.pi * (hour - 7) / 24.0)),
    )


CONDITIONS = winter_days()
DEMAND_MW = 9.0 + 2.0 * np.sin(2 * np.pi * np.arange(HOURS) / 24.0)
LINEAR = linearise(PLANT, CONDITIONS)


def cheapest(linear, demand):
    """The least cost of a plan with loads between 0 and 1, written down anew for scipy.

    Variables: loads of all modes by step, then heat into the tank by step; the content of the
    tank is a sum of those with losses in between, and ends as it began.
    """
    steps, modes = linear.steps, len(linear.modes)
    spread = linear.no_load_dkk_per_h[linear.mode_unit]
    cost = np.concatenate([(linear.cost_dkk_per_h + spread).ravel(), np.zeros(steps)])
    heat = [np.diag(row) for row in linear.heat_mw]
    balance = np.concatenate([*heat, -np.eye(steps)], axis=1)
    kept = 1.0 - linear.tank.loss_share_per_h
    power = np.subtract.outer(np.arange(steps), np.arange(steps))
    decay = np.where(power >= 0, kept ** np.maximum(power, 0), 0.0)
    start = linear.tank.capacity_mwh / 2
    fixed = start * kept ** np.arange(1, steps + 1) - decay.sum(1) * linear.tank.loss_mw
    content = np.concatenate([np.zeros((steps, modes * steps)), decay], axis=1)
    upper = np.concatenate([content, -content, -content[-1:]])
    room = [linear.tank.capacity_mwh - fixed, fixed, [fixed[-1] - start]]
    most = (linear.available[linear.mode_unit]).ravel()
    bounds = [(0.0, value) for value in most]
    bounds += [(-linear.tank.discharge_mw, linear.tank.charge_mw)] * steps
    found = linprog(cost, upper, np.concatenate(room), balance, demand, bounds, method="highs")
    assert found.status == 0
    level = fixed + decay @ found.x[modes * steps :]
    return found.x[: modes * steps].reshape(modes, steps), level


@pytest.fixture(scope="module")
def planned():
    load, level = cheapest(LINEAR, DEMAND_MW)
    return load, level, run_plan(PLANT, CONDITIONS, DEMAND_MW, load)


def test_a_plan_of_the_linear_form_serves_the_demand_on_the_plant(planned):
    """The layered tank follows the reservoir of the plan to 0.05 MWh of 60 over two days."""
    load, level, data = planned
    assert (data["status"] == int(Status.OK)).all()
    assert data.attrs["unserved_mwh"] == data.attrs["surplus_mwh"] == 0.0
    np.testing.assert_allclose(data["delivered_w"] / 1e6, DEMAND_MW)
    assert np.ptp(level) > 15.0  # the tank is used
    np.testing.assert_allclose(data["tank_mwh"], level, atol=0.05)
    np.testing.assert_allclose(
        data["unit_heat_w"].T / 1e6, LINEAR.by_unit(load, "heat_mw"), atol=1e-4
    )


def test_power_fuel_cost_and_emission_are_those_of_the_linear_form(planned):
    load, _, data = planned
    on = data["on"].values.T
    power = LINEAR.by_unit(load, "power_mw") + on * LINEAR.no_load_power_mw
    np.testing.assert_allclose(data["unit_power_w"].T / 1e6, power, atol=1e-4)
    fuel = LINEAR.by_unit(load, "fuel_mw") + on * LINEAR.no_load_fuel_mw
    np.testing.assert_allclose(data["unit_fuel_w"].T / 1e6, fuel, atol=1e-4)
    np.testing.assert_allclose(data["bought_w"], -data["unit_power_w"].sum("unit"))
    begun = starts(on)
    cost = LINEAR.by_unit(load, "cost_dkk_per_h").sum() + (on * LINEAR.no_load_dkk_per_h).sum()
    assert data.attrs["cost_dkk"] == pytest.approx(cost + begun.sum(1) @ LINEAR.start_cost_dkk)
    assert data.attrs["starts"] == begun.sum()
    gas_mwh = float(data["unit_fuel_w"].sum()) / 1e6
    drawn_mwh = float((-data["unit_power_w"]).clip(0).sum()) / 1e6
    assert data.attrs["co2_kg"] == pytest.approx(202 * gas_mwh + 125 * drawn_mwh, rel=1e-6)


def test_the_result_is_labelled(planned):
    data = planned[2]
    assert list(data["unit"].values) == list(PLANT.unit_names)
    assert data["time"].values[0] == CONDITIONS.time[0] + np.timedelta64(1, "h")
    assert all("units" in data[name].attrs for name in data.data_vars)
    assert data["layer_degc"].dims == ("time", "layer")


def test_a_tank_that_is_empty_leaves_demand_unserved_and_says_so():
    none = np.zeros((5, HOURS))
    cold = np.full(PLANT.tank.layers, 40.0)
    data = run_plan(PLANT, CONDITIONS, DEMAND_MW, none, cold)
    assert (data["status"] == int(Status.UNSERVED)).all()
    assert data.attrs["unserved_mwh"] == pytest.approx(DEMAND_MW.sum(), rel=1e-3)
    assert data.attrs["cost_dkk"] == 0.0


def test_a_unit_out_of_service_delivers_nothing_and_the_plan_is_told():
    outage = {"gas boiler": np.zeros(HOURS)}
    broken = Conditions(**(vars(CONDITIONS) | {"available": outage}))
    full = np.zeros((5, HOURS))
    full[2] = 0.8
    data = run_plan(PLANT, broken, DEMAND_MW, full)
    assert float(data["unit_heat_w"].sel(unit="gas boiler").max()) == 0.0
    assert "gas boiler: available 48 times" in data.attrs["broken"]


def test_loads_of_two_modes_share_what_a_unit_can():
    turbine = ExtractionChp(
        name="x",
        heat_mw=100.0,
        fuel="biomass",
        power_ratio=0.6,
        power_loss=0.15,
        condensing_efficiency=0.375,
        idle_share=0.2,
    )
    plant = HeatPlant(units=(turbine,))
    data = run_plan(
        plant,
        winter_days(3),
        np.full(3, 30.0),
        np.array([[0.4, 0.9, 0.0], [0.5, 0.9, 0.0]]),
    )
    np.testing.assert_allclose(data["unit_heat_w"][:, 0] / 1e6, [50.0, 50.0, 0.0])
    np.testing.assert_allclose(data["unit_power_w"][:, 0] / 1e6, [60.0, 67.5, 0.0])
    idle = 200.0 * (0.2 + 0.8 * np.array([0.9, 1.0]))
    np.testing.assert_allclose(data["unit_fuel_w"][:2, 0] / 1e6, idle)
    assert float(data["unit_fuel_w"][2, 0]) == 0.0
    np.testing.assert_allclose(data["surplus_w"] / 1e6, [20.0, 20.0, 0.0])
    assert "tank_mwh" not in data


def test_limits_that_are_broken_are_counted():
    unit = ElectricBoiler(
        name="e", heat_mw=1.0, min_load=0.3, ramp_per_h=0.2, min_up_h=3.0, min_down_h=2.0
    )
    linear = linearise(HeatPlant(units=(unit,)), winter_days(10))
    kept = [[0.0, 0.3, 0.5, 0.7, 0.5, 0.3, 0.0, 0.0, 0.3, 0.4]]
    assert broken_limits(linear, np.array(kept)) == {}
    wrong = [[0.0, 0.3, 0.2, 0.0, 0.3, 0.9, 0.7, 0.5, 1.1, 0.9]]
    assert broken_limits(linear, np.array(wrong)) == {
        "e: available": 1,
        "e: least load": 1,
        "e: ramp": 2,
        "e: up time": 1,
        "e: down time": 1,
    }


def test_a_faulty_plan_is_refused():
    with pytest.raises(InputError, match=r"load has shape \(2, 48\), expected \(5, 48\)"):
        run_plan(PLANT, CONDITIONS, DEMAND_MW, np.zeros((2, HOURS)))
    with pytest.raises(InputError, match="not a finite number at 1 places"):
        run_plan(PLANT, CONDITIONS, np.where(np.arange(HOURS) == 3, np.nan, 9.0), np.zeros((5, 48)))


def test_input_factors_scale_what_a_unit_uses_and_not_what_it_gives():
    given = example()
    system = given.system
    state = system.init(jax.random.key(0))
    worn = build_plant(PLANT)
    worn = jax.tree.map(lambda leaf: leaf, worn)
    worn = type(worn)(1.1 * worn.input_factor, worn.tank, worn.plant, worn.demand_max_w)
    _, new = system.step(state, given.action, given.drive, given.dt_s)
    _, old = worn.step(state, given.action, given.drive, given.dt_s)
    np.testing.assert_allclose(old["unit_heat_w"], new["unit_heat_w"])
    np.testing.assert_allclose(old["unit_fuel_w"], 1.1 * new["unit_fuel_w"])
    drawn = np.minimum(new["unit_power_w"], 0.0)
    np.testing.assert_allclose(old["unit_power_w"], new["unit_power_w"] + 0.1 * drawn)
