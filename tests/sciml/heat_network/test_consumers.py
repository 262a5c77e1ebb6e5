"""What consumers draw: every way to set one, the heat exchanger, and demands that are not met."""

import jax.numpy as jnp
import numpy as np
import pytest
from heat_networks import CP, assert_conserved, line, of, settled

from tvilling.sciml.core.system import Status
from tvilling.sciml.systems.heat_network import build
from tvilling.sciml.systems.heat_network.heat.consumers import exchanger_return_degc
from tvilling.sciml.systems.heat_network.parameters import ConsumerData

EXCHANGER = {"ua_w_per_k": 3000.0, "secondary_supply_degc": 60.0, "secondary_return_degc": 30.0}
MODES = (
    {"heat_w": 50e3, "return_degc": 42.0},
    {"heat_w": 40e3, "cooling_k": 28.0},
    {"heat_w": 30e3, "flow_kg_per_s": 0.35},
    {"heat_w": 60e3, **EXCHANGER},
    {"flow_kg_per_s": 0.2, "return_degc": 38.0},
    {"flow_kg_per_s": 0.3, "cooling_k": 25.0},
)


@pytest.fixture(scope="module")
def outputs() -> dict[str, np.ndarray]:
    """Steady state of a line with one consumer of each kind."""
    tables = line(MODES)
    network, output = settled(tables)
    assert Status(int(output["status"])) == Status.OK
    assert_conserved(network, tables, output)
    return output


@pytest.mark.parametrize("at", range(len(MODES)))
def test_what_is_given_is_what_comes_out(outputs: dict[str, np.ndarray], at: int) -> None:
    mode = MODES[at]
    supply, back = outputs["consumer_supply_degc"][at], outputs["consumer_return_degc"][at]
    seen = {
        "heat_w": outputs["delivered_w"][at],
        "flow_kg_per_s": outputs["consumer_kg_per_s"][at],
        "return_degc": back,
        "cooling_k": supply - back,
    }
    for name in seen.keys() & mode.keys():
        assert seen[name] == pytest.approx(mode[name], rel=1e-8), name
    balance = outputs["consumer_kg_per_s"][at] * CP * (supply - back)
    assert outputs["delivered_w"][at] == pytest.approx(balance, rel=1e-8)
    if "ua_w_per_k" in mode:
        hot, cold = supply - 60.0, back - 30.0
        transferred = 3000.0 * (hot - cold) / np.log(hot / cold)
        assert transferred == pytest.approx(mode["heat_w"], rel=1e-6)


def exchanger_return(heat_w: np.ndarray, inlet_degc: np.ndarray) -> np.ndarray:
    other = jnp.zeros(len(heat_w))
    names = ConsumerData.__dataclass_fields__
    data = ConsumerData(
        **{name: jnp.full(len(heat_w), EXCHANGER.get(name, np.nan)) for name in names}
    )
    assert data.ua_w_per_k.shape == other.shape
    return np.asarray(exchanger_return_degc(data, jnp.asarray(heat_w), jnp.asarray(inlet_degc)))


def test_exchanger_transfers_what_the_mean_temperature_difference_allows() -> None:
    """Q = UA (ΔT_hot - ΔT_cold)/ln(ΔT_hot/ΔT_cold), from ΔT_cold of 1 µK up to the inlet."""
    hot = np.repeat([0.5, 2.0, 10.0, 30.0, 60.0], 8)
    cold = hot * np.tile([1e-6, 1e-3, 0.05, 0.5, 0.999, 1.5, 5.0, 20.0], 5)
    cold = np.minimum(cold, 30.0 + hot - 0.01)  # no warmer than the inlet
    heat_w = 3000.0 * (hot - cold) / np.log(hot / cold)
    back = exchanger_return(heat_w, 60.0 + hot)
    np.testing.assert_allclose(back - 30.0, cold, rtol=1e-6, atol=1e-9)


def test_exchanger_with_equal_differences() -> None:
    """Where both ends differ by the same, Q = UA ΔT: the mean has a removable singularity."""
    hot = np.array([1.0, 5.0, 20.0])
    for nearly in (1.0, 1 + 1e-12, 1 - 1e-9, 1 + 1e-5):
        back = exchanger_return(3000.0 * hot * nearly, 60.0 + hot)
        expected = 2 * nearly - 1  # the mean of both differences, up to second order
        np.testing.assert_allclose(back - 30.0, hot * expected, rtol=1e-8)


def test_exchanger_that_cannot_heat_its_secondary_side_hands_back_its_inlet() -> None:
    inlet = np.array([50.0, 60.0, 59.999])
    np.testing.assert_array_equal(exchanger_return(np.full(3, 20e3), inlet), inlet)


def test_demand_beyond_the_greatest_flow_is_short() -> None:
    limited = {"heat_w": 50e3, "return_degc": 40.0, "max_flow_kg_per_s": 0.2}
    tables = line([limited, MODES[0]])
    network, output = settled(tables)
    assert Status(int(output["status"])) == Status.UNSERVED
    assert output["consumer_kg_per_s"][0] == pytest.approx(0.2)
    supply = output["consumer_supply_degc"][0]
    assert output["delivered_w"][0] == pytest.approx(0.2 * CP * (supply - 40.0), rel=1e-8)
    assert output["delivered_w"][1] == pytest.approx(50e3, rel=1e-8)
    assert_conserved(network, tables, output)


def test_supply_colder_than_the_return_serves_nobody() -> None:
    tables = line([MODES[0]])
    output = settled(tables, supply_degc=35.0)[1]
    assert Status(int(output["status"])) & Status.UNSERVED
    assert output["delivered_w"][0] == pytest.approx(0.0, abs=1.0)
    assert all(np.isfinite(values).all() for values in output.values())


def test_bypass_and_least_flow_pass_water_without_taking_heat() -> None:
    idle = {"heat_w": 0.0, "return_degc": 40.0, "min_flow_kg_per_s": 0.05}
    leaky = {"heat_w": 50e3, "return_degc": 40.0, "bypass_kg_per_s": 0.1}
    tables = line([idle, leaky])
    network, output = settled(tables)
    assert output["consumer_kg_per_s"][0] == pytest.approx(0.05)
    assert output["consumer_return_degc"][0] == pytest.approx(output["consumer_supply_degc"][0])
    supply, back = output["consumer_supply_degc"][1], output["consumer_return_degc"][1]
    through = 50e3 / CP / (supply - 40.0)
    assert output["consumer_kg_per_s"][1] == pytest.approx(through + 0.1, rel=1e-8)
    mixed = (through * 40.0 + 0.1 * supply) / (through + 0.1)
    assert back == pytest.approx(mixed, rel=1e-8)
    assert of(network, output, "delivered_w", "c2") == pytest.approx(50e3, rel=1e-8)
    assert_conserved(network, tables, output)


def test_a_prescribed_flow_is_not_cut_by_the_heat_that_it_carries() -> None:
    """Only a flow that follows from the heat has a valve chosen for that heat."""
    network = build(line([{"heat_w": 2e3, "flow_kg_per_s": 1.5}, {"heat_w": 2e3, "cooling_k": 25}]))
    most = network.consumer.max_flow_kg_per_s
    assert most[0] == np.inf
    assert np.isfinite(most[1])
