"""Several sources, pipes between supply and return, and parts without a source."""

import jax
import numpy as np
import pandas as pd
import pytest
from heat_networks import (
    CP,
    HOUSES,
    PLAIN_WATER,
    assert_conserved,
    inputs,
    line,
    of,
    settled,
    source,
    step,
)

from tvilling.sciml.core.system import Status
from tvilling.sciml.systems.heat_network import HeatNetworkTables, Options, build

PIPE = {"length_m": 50.0, "inner_diameter_m": 0.03, "loss_w_per_mk": 0.2}


def with_pipe(tables: HeatNetworkTables, name: str, start: str, end: str) -> pd.DataFrame:
    row = pd.DataFrame([{"name": name, "from_junction": start, "to_junction": end} | PIPE])
    return pd.concat([tables.pipes, row], ignore_index=True)


def two_sources(**second: float) -> HeatNetworkTables:
    """A plant at one end of the line and another at the other."""
    rows = [
        source("near", "s0", "r0", lift_bar=1.5, supply_bar=6.0),
        source("far", "s3", "r3", **second),
    ]
    return line(HOUSES, sources=pd.DataFrame(rows))


def test_prescribed_flow_beside_a_lift() -> None:
    tables = two_sources(flow_kg_per_s=0.6)
    degc = [80.0, 65.0]
    network, output = settled(tables, degc)
    assert Status(int(output["status"])) == Status.OK
    assert_conserved(network, tables, output, degc)
    near, far = of(network, output, "source_kg_per_s", "near", "far")
    assert far == pytest.approx(0.6, rel=1e-12)
    assert near + far == pytest.approx(output["consumer_kg_per_s"].sum(), rel=1e-9)
    assert_mixes(network, output)


def test_two_lifts_share_the_flow_as_pressure_has_it() -> None:
    tables = two_sources(lift_bar=1.495)
    degc = [80.0, 65.0]
    network, output = settled(tables, degc)
    assert Status(int(output["status"])) == Status.OK
    assert_conserved(network, tables, output, degc)
    flows = of(network, output, "source_kg_per_s", "near", "far")
    assert min(flows) > 0.1
    for lift, (supply, back) in zip((1.5, 1.495), (("s0", "r0"), ("s3", "r3")), strict=True):
        high, low = of(network, output, "junction_bar", supply, back)
        assert high - low == pytest.approx(lift, abs=1e-7)
    assert_mixes(network, output)


def test_a_source_that_is_pushed_back_is_told() -> None:
    """What a plant does with water that enters at its supply is not modelled."""
    output = settled(two_sources(lift_bar=1.4))[1]
    assert output["source_kg_per_s"][1] < 0
    assert Status(int(output["status"])) & Status.NOT_CONVERGED


def assert_mixes(network: object, output: dict[str, np.ndarray]) -> None:
    """Where both waters meet, the temperature is the mean weighted with their flows."""
    flow = dict(zip(("s1", "s2", "s3"), output["pipe_kg_per_s"][:3], strict=True))
    assert flow["s1"] > 0 > flow["s3"]  # they meet at s1 or s2
    at = "s2" if flow["s2"] > 0 else "s1"
    arriving = [("s1", "s0"), ("s2", "s2")] if at == "s1" else [("s2", "s1"), ("s3", "s3")]
    size = np.abs([flow[pipe] for pipe, _ in arriving])
    degc = []
    for (_, start), kg_per_s in zip(arriving, size, strict=True):
        ntu = 0.3 * 120.0 / kg_per_s / CP
        degc.append(8 + (of(network, output, "junction_degc", start) - 8) * np.exp(-ntu))
    expected = float(np.average(degc, weights=size))
    assert abs(degc[0] - degc[1]) > 5
    assert of(network, output, "junction_degc", at) == pytest.approx(expected, rel=1e-8)


@pytest.mark.slow
def test_two_sources_keep_their_balance_while_flow_turns() -> None:
    """The stored heat changes by what passes the boundary, step by step, as demands move."""
    tables = two_sources(lift_bar=1.48)
    network = build(tables, Options(water=PLAIN_WATER, cells=3))
    state = network.init(jax.random.key(0))
    action, drive = inputs(tables, [80.0, 65.0])
    signs = set()
    for factors in ([1.0, 1.0, 1.0], [3.0, 0.2, 0.2], [0.2, 0.2, 3.0]):
        now = drive | {"heat_w": drive["heat_w"] * np.array(factors)}
        before = float(network.stored_j(state))
        state, output = step(network, state, action, now, 300.0)
        gained = float(network.net_power_w(action, now, output)) * 300.0
        assert float(network.stored_j(state)) - before == pytest.approx(gained, rel=1e-8, abs=10.0)
        signs.add(tuple(np.sign(np.asarray(output["pipe_kg_per_s"][:3])).astype(int)))
    assert len(signs) > 1


def test_a_pipe_between_supply_and_return_carries_hot_water_back() -> None:
    alone = line(HOUSES[:1])
    tables = line(HOUSES[:1], pipes=with_pipe(alone, "short", "s1", "r1"))
    network, output = settled(tables)
    assert Status(int(output["status"])) == Status.OK
    assert_conserved(network, tables, output)
    short = of(network, output, "pipe_kg_per_s", "short")
    house = float(output["consumer_kg_per_s"][0])
    assert short > 0.1
    supply, back = of(network, output, "junction_degc", "s1", "r1")
    arriving = 8 + (supply - 8) * np.exp(-0.2 * 50.0 / short / CP)
    mixed = (short * arriving + house * 40.0) / (short + house)
    assert back == pytest.approx(mixed, rel=1e-8)
    high, low = of(network, output, "junction_bar", "s1", "r1")
    assert high - low == pytest.approx(float(output["consumer_dp_bar"][0]), abs=1e-9)


def test_a_part_behind_a_closed_valve_is_named_and_does_not_disturb_the_rest() -> None:
    whole = line(HOUSES)
    valve = {"name": "v", "from_junction": "s2", "to_junction": "s3", "inner_diameter_m": 0.07}
    cut = line(
        HOUSES,
        pipes=whole.pipes[whole.pipes["name"] != "s3"],
        valves=pd.DataFrame([valve | {"is_open": False}]),
    )
    network, output = settled(cut)
    assert network.layout.cut_off_names == ("s3",)
    assert Status(int(output["status"])) & Status.DISCONNECTED
    assert output["consumer_kg_per_s"][2] == 0.0
    assert output["delivered_w"][2] == 0.0
    assert all(np.isfinite(values).all() for values in output.values())
    served = settled(line(HOUSES[:2]))[1]
    for name in ("delivered_w", "consumer_kg_per_s", "consumer_supply_degc"):
        np.testing.assert_allclose(output[name][:2], served[name], rtol=1e-9)


def test_an_open_valve_connects() -> None:
    whole = line(HOUSES)
    valve = {"name": "v", "from_junction": "s2", "to_junction": "s3", "inner_diameter_m": 0.07}
    tables = line(
        HOUSES, pipes=whole.pipes[whole.pipes["name"] != "s3"], valves=pd.DataFrame([valve])
    )
    network, output = settled(tables)
    assert network.layout.cut_off_names == ()
    assert Status(int(output["status"])) == Status.OK
    third = of(network, output, "junction_degc", "s3")
    assert third == pytest.approx(of(network, output, "junction_degc", "s2"), rel=1e-9)
