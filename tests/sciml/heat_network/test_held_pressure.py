"""Every source holds the pressure and the temperature it states, against pandapipes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandapipes as pp
import pandas as pd
import pytest
from heat_networks import HOUSES, PLAIN_WATER, inputs, line, of, settled, source
from pandapipes_compare import compare, ours
from pandapipes_peer import solve, with_constant_water

from tvilling.datasets.readers.heat.pandapipes import read_pandapipes
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.system import Status
from tvilling.sciml.systems.heat_network import HeatNetworkTables, Options, build
from tvilling.sciml.systems.heat_network.hydraulics.held_pressure import (
    holds_pressure,
    unheld_notes,
)

PIPE = {"k_mm": 0.1, "u_w_per_m2k": 1.0, "text_k": 283.0}
OPEN_CASES = ("strand_net/cross_3ext", "meshed_networks/one_valve_stanet")


@pytest.mark.parametrize("case", OPEN_CASES)
def test_open_sources_of_the_peers_own_cases(case: str) -> None:
    """Each external grid holds its pressure; hydraulics only, the cases state no temperature."""
    folder = Path(pp.__file__).parent / "networks/network_files/openmodelica_test_networks"
    net = pp.from_json(folder / f"water_cases_swamee-jain/{case}.json")
    with_constant_water(net)
    solve(net, mode="hydraulics", friction_model="nikuradse")
    _, output = ours(net)
    np.testing.assert_allclose(output["junction_bar"], net.res_junction["p_bar"], atol=1e-6)
    np.testing.assert_allclose(
        output["pipe_kg_per_s"], net.res_pipe["mdot_from_kg_per_s"], rtol=1e-6, atol=1e-9
    )
    np.testing.assert_allclose(
        output["source_kg_per_s"], -net.res_ext_grid["mdot_kg_per_s"], rtol=1e-6, atol=1e-9
    )


def test_three_sources_around_a_loop_and_one_that_takes_water_in() -> None:
    net = pp.create_empty_network(fluid="water")
    with_constant_water(net)
    at = [pp.create_junction(net, 6, 330) for _ in range(6)]
    for k in range(6):
        pp.create_pipe_from_parameters(net, at[k], at[(k + 1) % 6], 0.15, 60, **PIPE)
    for k, (bar, kelvin) in {0: (6, 350), 2: (5.98, 340), 4: (5.9, None)}.items():
        pp.create_ext_grid(net, at[k], bar, kelvin)
    for k, kg_per_s in {1: 1.0, 3: 0.7, 5: 0.5}.items():
        pp.create_sink(net, at[k], kg_per_s)
    compared = compare(net)
    assert compared.status == 0
    assert compared.agrees, compared
    assert compared.output["source_kg_per_s"][2] < -1  # it takes water in
    assert any("E2 holds no temperature" in note for note in compared.tables.notes)


def loop_of_two_sides(**consumer: Any) -> tuple[Any, list[int], list[int]]:
    """Three supply and three return junctions and a consumer between the middle ones."""
    net = pp.create_empty_network(fluid="water")
    with_constant_water(net)
    sides = [[pp.create_junction(net, 6, 330) for _ in range(3)] for _ in "sr"]
    for side in sides:
        for k in (0, 1):
            pp.create_pipe_from_parameters(net, side[k], side[k + 1], 0.2, 60, **PIPE)
    taken = {"qext_w": 100e3, "controlled_mdot_kg_per_s": 1.0} | consumer
    pp.create_heat_consumer(net, sides[0][1], sides[1][1], **taken)
    return net, *sides


@pytest.mark.slow
def test_two_pumps_with_a_lift_of_which_the_second_holds_the_pressure() -> None:
    net, supply, back = loop_of_two_sides()
    pp.create_circ_pump_const_pressure(net, back[0], supply[0], None, 1.5, 350)
    pp.create_circ_pump_const_pressure(net, back[2], supply[2], 7, 1.49, 340)
    compared = compare(net)
    assert compared.status == 0
    assert compared.agrees, compared
    assert list(holds_pressure(compared.tables)) == [False, True]
    assert compared.tables.notes == ()


def test_a_pump_with_a_flow_beside_one_with_a_lift() -> None:
    net, supply, back = loop_of_two_sides()
    pp.create_circ_pump_const_pressure(net, back[0], supply[0], 6, 1.5, 350)
    pp.create_circ_pump_const_mass_flow(net, back[2], supply[2], None, 0.4, 340)
    compared = compare(net)
    assert compared.status == 0
    assert compared.agrees, compared
    np.testing.assert_allclose(compared.output["source_kg_per_s"], [0.6, 0.4], rtol=1e-9)


def test_an_open_source_beside_a_pump_and_an_outlet_on_the_return_side() -> None:
    """Water flows both ways through the return: to the outlet and to the pump."""
    net, supply, back = loop_of_two_sides()
    pp.create_ext_grid(net, supply[0], 6, 350)
    pp.create_circ_pump_const_pressure(net, back[2], supply[2], None, 1.5, 340)
    pp.create_sink(net, back[0], 0.6)
    compared = compare(net)
    assert compared.status == 0
    assert compared.agrees, compared


@pytest.mark.slow
def test_a_source_of_one_heat_exchanger_and_a_pump_with_a_flow() -> None:
    net = pp.create_empty_network(fluid="water")
    with_constant_water(net)
    warm, cold, home = (pp.create_junction(net, 6, 330) for _ in range(3))
    pp.create_pipe_from_parameters(net, home, warm, 0.3, 80, **PIPE)
    pp.create_heat_exchanger(net, warm, cold, 60e3, 50, loss_coefficient=20)
    back = pp.create_junction(net, 6, 330)
    pp.create_pipe_from_parameters(net, cold, back, 0.3, 80, **PIPE)
    pp.create_circ_pump_const_mass_flow(net, back, home, 5, 0.8, 350)
    compared = compare(net)
    assert compared.status == 0
    assert compared.agrees, compared


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        ("ext_grid", {"p_bar": None, "t_k": 350}, "it holds a temperature"),
        ("ext_grid", {"p_bar": np.nan, "t_k": 350, "type": "pt"}, "p_bar has no value"),
        ("ext_grid", {"p_bar": 6, "t_k": 350, "type": "x"}, "it holds type x"),
    ],
)
def test_a_source_that_does_not_hold_what_it_has_to_is_refused(
    kind: str, values: dict[str, Any], message: str
) -> None:
    net, supply, back = loop_of_two_sides()
    pp.create_circ_pump_const_pressure(net, back[0], supply[0], 6, 1.5, 350)
    pp.create_ext_grid(net, supply[2], 6, 350)
    for column, value in values.items():
        net.ext_grid[column] = value
    if "type" not in values:
        net.ext_grid["type"] = "auto"
    with pytest.raises(InputError, match=message):
        read_pandapipes(net)


def two_plants(**second: Any) -> HeatNetworkTables:
    rows = [source("near", "s0", "r0", lift_bar=1.5), source("far", "s3", "r3", **second)]
    return line(HOUSES, sources=pd.DataFrame(rows)).checked()


@pytest.mark.slow
def test_a_closed_source_whose_pressure_another_decides_is_noted() -> None:
    tables = two_plants(lift_bar=1.495, supply_bar=5.0)
    assert list(holds_pressure(tables)) == [False, True]
    assert unheld_notes(tables) == []
    both = replace(tables, sources=tables.sources.assign(supply_bar=[6.0, 5.0]))
    (note,) = unheld_notes(both)
    assert note.startswith("source far: its pressure of 5 bar is not held")
    network, output = settled(tables)
    assert of(network, output, "junction_bar", "s3") == pytest.approx(5.0, abs=1e-12)


def test_a_pressure_that_none_states_is_six_bar() -> None:
    network, output = settled(two_plants(lift_bar=1.495))
    assert of(network, output, "junction_bar", "s0") == pytest.approx(6.0, abs=1e-12)


def test_an_open_source_with_a_lift_or_a_flow_is_refused() -> None:
    with pytest.raises(InputError, match=r"far.*has lift_bar and flow_kg_per_s, which only"):
        two_plants(return_junction="", lift_bar=1.0, flow_kg_per_s=2.0)


@pytest.fixture(scope="module")
def two_open() -> HeatNetworkTables:
    """Two sources at the ends of a pipe, a tap in the middle: 1 kg/s from each by symmetry."""
    size = {"length_m": 100.0, "inner_diameter_m": 0.05}
    ends = [{"name": f"{e}m", "from_junction": e, "to_junction": "m"} | size for e in "ab"]
    sources = [
        {"name": e, "supply_junction": e, "supply_degc": degc, "supply_bar": 6.0}
        for e, degc in (("a", 80.0), ("b", 60.0))
    ]
    return HeatNetworkTables(
        junctions=pd.DataFrame({"name": ["a", "m", "b"]}),
        pipes=pd.DataFrame(ends),
        consumers=pd.DataFrame({"name": [], "from_junction": [], "to_junction": []}),
        sources=pd.DataFrame(sources),
        injections=pd.DataFrame([{"name": "tap", "junction": "m", "flow_kg_per_s": -2.0}]),
    )


def test_two_open_sources_share_by_their_pressures(two_open: HeatNetworkTables) -> None:
    """Mapped over pressures, jitted, and the derivative against a difference."""
    network = build(two_open, Options(water=PLAIN_WATER, cells=1))
    action, drive = inputs(two_open, [80.0, 60.0])

    def run(higher_pa: jax.Array) -> dict[str, jax.Array]:
        supply_pa = network.source.supply_pa.at[0].add(higher_pa)
        now = replace(network, source=replace(network.source, supply_pa=supply_pa))
        return now.steady(action, drive)[1]

    higher_pa = jnp.array([0.0, 1e3 - 1.0, 1e3, 1e3 + 1.0, 1e5])
    output = jax.jit(jax.vmap(run))(higher_pa)
    sent = output["source_kg_per_s"]
    assert not np.any(output["status"])
    np.testing.assert_allclose(sent[0], [1.0, 1.0], rtol=1e-9)
    np.testing.assert_allclose(output["junction_degc"][0], [80.0, 70.0, 60.0], atol=1e-9)
    np.testing.assert_allclose(sent.sum(axis=1), 2.0, rtol=1e-12)
    bar = output["junction_bar"]
    np.testing.assert_allclose(bar[:, 0], 6 + higher_pa / 1e5, rtol=1e-12)
    np.testing.assert_allclose(bar[:, 2], 6.0, rtol=1e-12)
    assert sent[4, 1] < 0  # pushed back, it takes water in at the mixture's temperature
    np.testing.assert_allclose(output["junction_degc"][4], 80.0, atol=1e-9)
    slope = jax.jit(jax.jacfwd(lambda pa: run(pa)["source_kg_per_s"]))(jnp.array(1e3))
    np.testing.assert_allclose(slope, (sent[3] - sent[1]) / 2, rtol=1e-4)


def test_a_source_pushed_back_is_open_and_agrees(two_open: HeatNetworkTables) -> None:
    bar = pd.Series([6.5, 6.0])
    output = settled(replace(two_open, sources=two_open.sources.assign(supply_bar=bar)), [80, 60])[
        1
    ]
    assert Status(int(output["status"])) == Status.OK
    assert output["source_w"][1] < 0
