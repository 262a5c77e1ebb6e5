"""The heat network against pandapipes on the same input."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandapipes.networks as pn
import pytest
from pandapipes_peer import KELVIN, quiet, solve, water_of, with_constant_water

from tvilling.benchmarks.networks import random_tree
from tvilling.datasets.readers.heat.pandapipes import read_pandapipes
from tvilling.datasets.simulated.building_stock import draw_stock
from tvilling.datasets.simulated.pandapipes_writer import to_pandapipes
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.simulate import simulate
from tvilling.sciml.systems.heat_network import HeatNetworkTables, Options, build
from tvilling.sciml.systems.heat_network.example import looped_tables
from tvilling.sciml.systems.heat_network.sizing.pipes import size

HEAT_CASES = (
    "delta",
    "delta_2sinks",
    "heights",
    "one_pipe",
    "one_source",
    "section_variation",
    "t_cross",
    "two_pipes",
)
JUNCTION_K = 5e-3
FLOW_SHARE = 1e-4
SECTIONS = 24  # steep cooling in the cases: their five sections are within 1 mK of the exponential


def assert_same_steady(tables: HeatNetworkTables, net, friction: str = "nikuradse") -> dict:
    """Ours and the solved `net` agree in temperatures and flows; gives our outputs."""
    options = Options(cells=SECTIONS, friction=friction, water=water_of(net))
    network = build(tables, options)
    action = {"supply_degc": jnp.asarray(network_supply(tables))}
    drive = {
        "heat_w": jnp.asarray(tables.consumers["heat_w"].fillna(0.0).to_numpy(float)),
        "ground_degc": jnp.array(20.0),
    }
    _, output = jax.jit(type(network).steady)(network, action, drive)
    assert int(output["status"]) == 0
    degc = net.res_junction["t_k"].to_numpy() - KELVIN
    np.testing.assert_allclose(output["junction_degc"], degc, atol=JUNCTION_K, rtol=0)
    flow = net.res_pipe["mdot_from_kg_per_s"].to_numpy()
    largest = np.abs(flow).max()
    np.testing.assert_allclose(output["pipe_kg_per_s"], flow, rtol=FLOW_SHARE, atol=1e-6 * largest)
    return output


def network_supply(tables: HeatNetworkTables) -> np.ndarray:
    return tables.sources["supply_degc"].to_numpy(float)


@pytest.mark.parametrize("case", HEAT_CASES)
def test_every_heat_case_of_the_wheel(case):
    net = getattr(pn, f"heat_transfer_{case}")()
    tables = read_pandapipes(net)
    assert_same_steady(tables, solve(net, friction_model="nikuradse"))


@pytest.mark.slow
def test_laminar_branch_is_what_parts_us_from_pure_colebrook():
    """pandapipes' "colebrook" uses the turbulent law at any Reynolds number, ours does not.

    In the one case with a laminar pipe the flows differ there; in the others they agree.
    """
    for case in ("delta", "delta_2sinks"):
        net = getattr(pn, f"heat_transfer_{case}")()
        assert_same_steady(
            read_pandapipes(net), solve(net, friction_model="colebrook"), "colebrook"
        )
    net = solve(pn.heat_transfer_section_variation(), friction_model="colebrook")
    slow = net.res_pipe["reynolds"].to_numpy() < 2300
    assert slow.sum() == 1


def shipped_town():
    with quiet():
        return pn.schutterwald_heat()


def test_town_network_as_shipped():
    net = shipped_town()
    tables = read_pandapipes(net)
    output = assert_same_steady(tables, solve(net, friction_model="nikuradse"))
    bar = net.res_junction["p_bar"].to_numpy()
    np.testing.assert_allclose(output["junction_bar"], bar, atol=1e-3)


def test_town_network_as_sized():
    read = read_pandapipes(shipped_town())
    stock = draw_stock(list(read.consumers["name"]), 1)
    consumers = read.consumers.assign(
        heat_w=stock["design_w"].to_numpy(), return_degc=45.0, flow_kg_per_s=np.nan
    )
    pipes = read.pipes.assign(ground_degc=np.nan)
    sized = size(replace(read, consumers=consumers, pipes=pipes)).tables
    half = replace(sized, consumers=sized.consumers.assign(heat_w=0.4 * consumers["heat_w"]))
    net = with_constant_water(to_pandapipes(half, ground_degc=20.0))
    solve(net, friction_model="nikuradse")
    assert_same_steady(half, net)


@pytest.mark.parametrize("school_w", [30e3, 260e3])
def test_ring_main(school_w):
    net, output = ring(school_w)
    bar = net.res_junction["p_bar"].to_numpy()
    np.testing.assert_allclose(output["junction_bar"], bar, atol=1e-3)


def ring(school_w: float):
    tables = looped_tables()
    consumers = tables.consumers.assign(bypass_kg_per_s=0.0)
    consumers.loc[0, "heat_w"] = school_w
    tables = replace(tables, consumers=consumers)
    net = with_constant_water(to_pandapipes(tables, ground_degc=20.0))
    solve(net, friction_model="nikuradse")
    return net, assert_same_steady(tables, net)


def test_flow_in_the_ring_reverses_with_the_load():
    """The two loads of `test_ring_main` push the tie in opposite directions."""
    names = list(looped_tables().pipes["name"])
    tie = [
        float(ring(school_w)[1]["pipe_kg_per_s"][names.index("tie_s")])
        for school_w in (30e3, 260e3)
    ]
    assert tie[0] * tie[1] < 0


def test_heat_capacity_of_consumers_is_integrated():
    """The one difference with the peer's own water: it takes the mean of cp at the two ends.

    Our flow times the integral of cp equals its flow times that mean.
    """
    tables = random_tree(3, seed=1)
    net = solve(to_pandapipes(tables, ground_degc=8.0), friction_model="nikuradse")
    network = build(tables, Options(water=water_of(net)))
    action = {"supply_degc": jnp.array([75.0])}
    drive = {"heat_w": jnp.full(3, 20e3), "ground_degc": jnp.array(8.0)}
    _, output = network.steady(action, drive)
    warm, cold = np.asarray(output["consumer_supply_degc"]), 40.0
    cp = np.asarray(net.fluid.get_heat_capacity(np.array([*warm, cold]) + KELVIN), float)
    fine = np.linspace(cold, warm, 2001)
    integral = np.trapezoid(net.fluid.get_heat_capacity(fine + KELVIN), fine, axis=0)
    ends = (cp[:-1] + cp[-1]) / 2 * (warm - cold)
    theirs = net.res_heat_consumer["mdot_from_kg_per_s"].to_numpy() * ends
    ours = np.asarray(output["consumer_kg_per_s"]) * integral
    np.testing.assert_allclose(ours, theirs, rtol=FLOW_SHARE)
    assert np.all(np.abs(ends / integral - 1) > FLOW_SHARE)


class Supply:
    """Holds the supply temperature."""

    def init(self):
        return ()

    def __call__(self, memory, state, forecast):
        return {"supply_degc": jnp.array([75.0])}, memory


jax.tree_util.register_static(Supply)


@pytest.mark.parametrize("network", ["tree", "ring"])
def test_transient_with_varying_load(network):
    """Two hours of quarter-hours from the peer's own start; implicit upwind on both sides.

    pandapipes starts every junction and section from `tfluid_k`; so do we.
    """
    tables = random_tree(12, seed=3) if network == "tree" else looped_tables()
    tables = replace(tables, consumers=tables.consumers.assign(bypass_kg_per_s=0.0))
    tables = replace(tables, pipes=tables.pipes.assign(wall_j_per_mk=0.0))
    net = to_pandapipes(tables, ground_degc=8.0, sections=4)
    steps = 24
    load = tables.checked().consumers["heat_w"].to_numpy(float)
    swing = 1 + 0.5 * np.sin(2 * np.pi * np.arange(steps) / 16)
    theirs = []
    for step in range(steps):
        net.heat_consumer["qext_w"] = load * swing[step]
        net.circ_pump_pressure["t_flow_k"] = 75.0 + KELVIN
        solve(net, friction_model="nikuradse", transient=True, dt=900, simulation_time_step=step)
        theirs.append(net.res_junction["t_k"].to_numpy() - KELVIN)
    ours = build(tables, Options(cells=4, friction="nikuradse", water=water_of(net)))
    start = ours.init(jax.random.key(0))
    warm = ours.water.enthalpy_j_per_kg(jnp.array(60.0))
    start = replace(start, enthalpy=jnp.full_like(start.enthalpy, warm))
    drive = {"heat_w": jnp.asarray(swing[:, None] * load), "ground_degc": jnp.full(steps, 8.0)}
    run = jax.jit(simulate)(ours, Supply(), Scenario(start, drive, 900.0))
    settled = slice(8, None)
    miss = np.asarray(run.output["junction_degc"])[settled] - np.array(theirs)[settled]
    assert np.sqrt(np.mean(miss**2)) < JUNCTION_K
