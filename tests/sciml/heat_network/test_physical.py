"""States that physics does not allow carry a flag, and the failures name the element."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from heat_networks import inputs, line, open_pipe, source

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.results import failures, label
from tvilling.sciml.core.simulate import Trajectory
from tvilling.sciml.core.system import Status
from tvilling.sciml.core.water import saturation_pa
from tvilling.sciml.systems.heat_network import HeatNetwork, HeatNetworkTables, Options, build
from tvilling.sciml.systems.heat_network.limits import limits

steady = jax.jit(HeatNetwork.steady)


def told(tables: HeatNetworkTables, supply_degc: Any = 80.0) -> tuple[Status, str]:
    """Status of the steady state, and its failures in one text."""
    network = build(tables, Options(cells=2))
    action, drive = inputs(tables, supply_degc)
    state, output = steady(network, action, drive)
    output = {name: np.asarray(values)[None] for name, values in output.items()}
    status = output.pop("status")
    data = label(Trajectory(state, {}, output, status), network, "2026-01-12", 900.0)
    data["heat_w"] = ("time", "consumer"), np.asarray(drive["heat_w"])[None]
    assert all(np.isfinite(values).all() for values in output.values())
    return Status(int(status[0])), " ".join(failures(data, limits(data, tables.checked())))


def test_pressure_of_boiling_is_that_of_the_standard() -> None:
    """IAPWS R7-97, table 35, and the normal boiling point."""
    found = saturation_pa(jnp.array([300.0, 500.0]) - 273.15)
    np.testing.assert_allclose(found, [0.353658941e-2 * 1e6, 0.263889776e1 * 1e6], rtol=1e-8)
    assert float(saturation_pa(99.974)) == pytest.approx(101_325.0, rel=2e-5)


def test_a_cooling_that_would_freeze_the_return() -> None:
    """At 2 kW the inlet of a consumer behind 300 m has 25 °C: it cannot cool by 30 K."""
    tables = line([{"heat_w": 2000.0, "cooling_k": 30.0}])
    pipes = tables.pipes.assign(length_m=300.0, loss_w_per_mk=0.25)
    status, text = told(replace(tables, pipes=pipes), 60.0)
    assert Status.UNPHYSICAL in status
    assert "water below freezing at consumer c1 (-" in text


def exchanger_tables(heat_w: float, flow_kg_per_s: float) -> HeatNetworkTables:
    tables = line([{"flow_kg_per_s": flow_kg_per_s, "cooling_k": 1.0}] * 2)
    pipes = tables.pipes[tables.pipes["name"] != "s2"]
    row = {"name": "big", "from_junction": "s1", "to_junction": "s2", "zeta": 2.0}
    exchangers = pd.DataFrame([row | {"inner_diameter_m": 0.05, "heat_w": heat_w}])
    return replace(tables, pipes=pipes, exchangers=exchangers)


def test_an_exchanger_that_takes_more_than_the_water_holds() -> None:
    status, text = told(exchanger_tables(110e3, 0.3))
    assert Status.UNPHYSICAL in status
    assert "water below freezing at junction r2 (-9." in text
    assert "s2 (-8." in text


def test_an_exchanger_that_boils_the_water() -> None:
    status, text = told(exchanger_tables(-200e3, 0.3))
    assert Status.UNPHYSICAL in status
    assert "water above its boiling point at junction r2" in text
    assert "s2 (" in text


def test_heat_into_still_water() -> None:
    status, text = told(exchanger_tables(10e3, 0.0))
    assert Status.UNPHYSICAL in status
    assert "heat into still water at an exchanger (big)" in text


def test_a_pressure_below_vacuum_names_the_junction() -> None:
    plant = source("plant", "s0", "r0", lift_bar=12.0, supply_bar=6.0)
    houses = [{"heat_w": 60e3, "return_degc": 45.0, "min_dp_bar": 0.3}]
    status, text = told(line(houses, sources=pd.DataFrame([plant])))
    assert Status.UNPHYSICAL | Status.PRESSURE in status
    assert "pressure below vacuum at junction r0 (-6 bar, at least -1.013)" in text
    assert "e-1" not in text  # no round-off named


def test_hot_water_without_pressure_boils() -> None:
    plant = source("plant", "s0", "r0", lift_bar=0.2, supply_bar=0.3)
    houses = [{"heat_w": 60e3, "return_degc": 45.0}]
    status, text = told(line(houses, sources=pd.DataFrame([plant])), 110.0)
    assert status == Status.UNPHYSICAL
    assert "water above its boiling point at junction s0 (0.3 bar, at least 0.42" in text


def test_a_return_warmer_than_the_inlet_cannot_be_stated() -> None:
    status, text = told(line([{"flow_kg_per_s": 0.2, "return_degc": 70.0}]), 60.0)
    assert status == Status.INFEASIBLE
    assert "colder than the return that is stated of consumer c1" in text


def test_a_source_pushed_backwards_is_named_with_the_cause() -> None:
    houses = [{"heat_w": 5e3, "return_degc": 45.0}, {"heat_w": 5e3, "return_degc": 45.0}]
    rows = [
        source("boiler", "s0", "r0", lift_bar=1.5, supply_bar=6.0),
        source("pump", "s2", "r2", flow_kg_per_s=1.5),
    ]
    status, text = told(line(houses, sources=pd.DataFrame(rows)))
    assert Status.NOT_CONVERGED | Status.UNBALANCED in status
    assert "water runs backwards through source boiler (-1." in text
    assert "because pump sends 1.5 kg/s and the consumers draw less" in text
    assert "heat that is missing, imbalance_w (" in text


def injected(flow_kg_per_s: float, loss_w_per_mk: float = 0.0) -> HeatNetworkTables:
    """Water that enters at the outlet and leaves by the open source."""
    return open_pipe(-flow_kg_per_s, loss_w_per_mk=loss_w_per_mk)


def test_an_injection_that_nothing_warms_is_nominal_and_said() -> None:
    tables = injected(0.5)
    status, text = told(tables)
    assert status == Status.UNDETERMINED
    assert "an injection brings in water of no stated temperature at junction outlet" in text
    output = steady(build(tables, Options(cells=2)), *inputs(tables))[1]
    np.testing.assert_allclose(output["junction_degc"], 80.0, atol=1e-6)


def test_injections_alone_are_refused_where_the_temperature_counts() -> None:
    with pytest.raises(InputError, match="outlet bring in all the water of their part"):
        build(injected(0.5, loss_w_per_mk=0.3))


VALVE = {"inner_diameter_m": 0.07, "zeta": 0.0}


def test_valves_that_close_a_loop_without_resistance_are_named() -> None:
    houses = [{"heat_w": 5e3, "return_degc": 45.0}] * 2
    tables = line(houses)
    ends = {"from_junction": "s1", "to_junction": "s2"}
    valves = pd.DataFrame([{"name": "VB"} | ends | VALVE, {"name": "VB2"} | ends | VALVE])
    with pytest.raises(InputError, match="VB close a loop without resistance") as caught:
        build(replace(tables, valves=valves))
    assert "VB2" in str(caught.value)
    (told,) = caught.value.faults
    assert told.startswith("valves: ")
    build(replace(tables, valves=valves.assign(zeta=[0.0, 1.0])))


def test_a_longer_loop_without_resistance_names_its_own_elements_alone() -> None:
    tables = line([{"heat_w": 5e3, "return_degc": 45.0}] * 3)
    ends = [("s1", "s2"), ("s2", "s3"), ("s3", "s1"), ("r0", "r1")]
    rows = [
        {"name": f"V{k}", "from_junction": a, "to_junction": b} | VALVE
        for k, (a, b) in enumerate(ends)
    ]
    with pytest.raises(InputError) as caught:
        build(replace(tables, valves=pd.DataFrame(rows)))
    (fault,) = caught.value.faults
    assert all(f"V{k}" in fault for k in range(3))
    assert "V3" not in fault
