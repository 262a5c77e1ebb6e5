"""At the edges of use: no flow, little load, too cold a supply, wrong options."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from heat_networks import inputs, line, of, settled, source, steady, step

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.system import Status
from tvilling.sciml.systems.heat_network import Options, build
from tvilling.sciml.systems.heat_network.example import looped_tables

HOUSES = [{"heat_w": 60e3, "return_degc": 45.0}, {"heat_w": 0.0, "return_degc": 45.0}]


def without_loss():
    tables = line(HOUSES)
    return replace(tables, pipes=tables.pipes.assign(loss_w_per_mk=0.0))


def test_water_that_stands_without_loss_keeps_a_temperature_of_its_side():
    network, output = settled(without_loss())
    supply, back = of(network, output, "junction_degc", "s2", "r2")
    assert supply == pytest.approx(80.0, abs=1e-6)
    assert back == pytest.approx(45.0, abs=1e-6)


def test_a_consumer_switched_on_brings_no_cold_water_from_nowhere():
    network, _ = settled(without_loss())
    action, drive = inputs(without_loss())
    state, _ = network.steady(action, drive)
    on = {**drive, "heat_w": jnp.array([60e3, 40e3])}
    for _ in range(4):
        state, output = step(network, state, action, on, dt_s=900.0)
        assert float(output["source_return_degc"][0]) == pytest.approx(45.0, abs=1e-6)


def test_with_no_demand_at_all_still_water_has_the_temperature_of_the_ground():
    network, output = settled(line([{**house, "heat_w": 0.0} for house in HOUSES]))
    assert Status(int(output["status"])) == Status.OK
    inner = of(network, output, "junction_degc", "s1", "s2", "r1", "r2")
    np.testing.assert_allclose(inner, 8.0, atol=1e-6)
    assert float(output["source_kg_per_s"][0]) == pytest.approx(0.0, abs=1e-12)


def test_the_pump_of_a_prescribed_flow_has_a_lift_and_takes_power():
    rows = [
        source("near", "s0", "r0", lift_bar=1.5, supply_bar=6.0),
        source("far", "s2", "r2", flow_kg_per_s=0.1),
    ]
    network, output = settled(line(HOUSES, sources=pd.DataFrame(rows)))
    supply, back = of(network, output, "junction_bar", "s2", "r2")
    near, far = of(network, output, "source_lift_bar", "near", "far")
    assert near == pytest.approx(1.5)
    assert far == pytest.approx(supply - back, rel=1e-12)
    hydraulic_w = 0.1 * far * 1e5 / 975.0
    power = of(network, output, "pump_w", "far")
    assert power == pytest.approx(hydraulic_w / Options().pump_efficiency, rel=1e-9)


@pytest.mark.parametrize("share", [1.0, 0.3, 0.1, 0.03, 0.01])
def test_a_ring_settles_at_any_load(share):
    """At low load inlets cool, flows answer and buoyancy drives the ring."""
    tables = looped_tables()
    network = build(tables, Options(cells=3))
    action, drive = inputs(tables)
    drive = {**drive, "heat_w": share * drive["heat_w"]}
    state, output = steady(network, action, drive)
    assert Status(int(output["status"])) == Status.OK
    np.testing.assert_allclose(output["delivered_w"], drive["heat_w"], rtol=1e-3)
    for swing in (0.6, 1.4, 0.5, 1.0):
        now = {**drive, "heat_w": swing * drive["heat_w"]}
        state, output = step(network, state, action, now, dt_s=3600.0)
        assert Status(int(output["status"])) == Status.OK
        np.testing.assert_allclose(output["delivered_w"], now["heat_w"], rtol=1e-3)


def test_a_supply_too_cold_for_anybody_asks_for_no_flow_whatever():
    tables = line([{"heat_w": 60e3, "return_degc": 45.0}])
    _, output = settled(tables, supply_degc=30.0)
    assert Status.UNSERVED in Status(int(output["status"]))
    needed = 60e3 / (4186.0 * 35.0)
    assert needed < float(output["consumer_kg_per_s"][0]) < 6 * needed


def test_a_pressure_below_vacuum_is_flagged():
    plant = source("plant", "s0", "r0", lift_bar=2.0, supply_bar=1.0)
    _, output = settled(line(HOUSES, sources=pd.DataFrame([plant])))
    assert output["junction_bar"].min() < -0.9
    assert Status.PRESSURE in Status(int(output["status"]))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"cells": 0}, "cells is 0, expected 1 to 1000"),
        ({"rounds": 0}, "rounds is 0, expected 3 to 1000"),
        ({"pump_efficiency": 0.0}, "pump_efficiency is 0.0, expected 0.01 to 1.0"),
        ({"friction": "foo"}, "friction is 'foo', expected one of colebrook, nikuradse"),
        ({"pump_control": "foo"}, "pump_control is 'foo', expected one of fixed, worst_consumer"),
    ],
)
def test_wrong_options_are_told(options, told):
    with pytest.raises(InputError, match="options of the heat network") as caught:
        Options(**options)
    assert told in str(caught.value)


def test_a_consumer_with_supply_and_return_exchanged_is_refused():
    tables = line(HOUSES)
    consumers = tables.consumers.copy()
    consumers.loc[1, ["from_junction", "to_junction"]] = ["r2", "s2"]
    with pytest.raises(InputError, match="consumer c2 has supply and return exchanged"):
        build(replace(tables, consumers=consumers))
