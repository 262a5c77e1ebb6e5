"""Any state that comes back is physical and balanced, or flagged: random inputs on one ring."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from heat_networks import left_over_kg_per_s

from tvilling.sciml.core.system import Status, Values
from tvilling.sciml.systems.heat_network import HeatNetwork, Options, build
from tvilling.sciml.systems.heat_network.example import looped_tables

DRAWS, DT_S = 300, 900.0


def draws(count: int, seed: int) -> dict[str, np.ndarray]:
    """Inputs from usual to absurd: loads of watts to megawatts, cold supply, little pressure."""
    make = np.random.default_rng(seed).uniform
    return {
        "supply_degc": make(25.0, 140.0, (count, 1)),
        "heat_w": 10 ** make(1.0, 6.3, (count, 4)) * (make(size=(count, 4)) > 0.2),
        "ground_degc": make(-20.0, 25.0, count),
        "loss": 10 ** make(-1.5, 1.0, count),
        "back_degc": make(5.0, 70.0, (count, 4)),
        "supply_bar": make(-0.5, 12.0, count),
        "lift_bar": make(0.1, 10.0, count),
    }


def one(network: HeatNetwork, draw: Values) -> tuple[Values, Values]:
    """Steady state of a draw, and a step with another load after it."""
    changed = replace(
        network,
        branch=replace(network.branch, loss_w_per_mk=network.branch.loss_w_per_mk * draw["loss"]),
        consumer=replace(network.consumer, return_degc=draw["back_degc"]),
        source=replace(
            network.source,
            supply_pa=draw["supply_bar"][None] * 1e5,
            lift_pa=draw["lift_bar"][None] * 1e5,
        ),
    )
    action = {"supply_degc": draw["supply_degc"]}
    drive = {"heat_w": draw["heat_w"], "ground_degc": draw["ground_degc"]}
    state, steady = changed.steady(action, drive)
    later = {**drive, "heat_w": draw["heat_w"][::-1]}
    return steady, changed.step(state, action, later, DT_S)[1]


pytestmark = pytest.mark.slow  # both solvers are compiled for a batch


@pytest.fixture(scope="module")
def results() -> list[dict[str, np.ndarray]]:
    network = build(looped_tables(), Options(cells=2))
    arrays = {name: jnp.asarray(values) for name, values in draws(DRAWS, 1).items()}
    both = jax.jit(jax.vmap(one, in_axes=(None, 0)))(network, arrays)
    return [{name: np.asarray(values) for name, values in output.items()} for output in both]


@pytest.mark.parametrize("kind", [0, 1], ids=["steady", "step"])
def test_what_is_not_flagged_is_physical_and_balanced(results, kind: int) -> None:
    iapws97 = pytest.importorskip("iapws.iapws97")
    output, tables = results[kind], looped_tables()
    fine = np.flatnonzero(output["status"] == Status.OK)
    assert DRAWS / 20 < len(fine) < DRAWS
    for at in fine:
        now = {name: values[at] for name, values in output.items()}
        assert all(np.isfinite(values).all() for values in now.values())
        assert max(map(abs, left_over_kg_per_s(tables, now).values())) < 1e-6
        assert now["junction_degc"].min() > -0.02
        assert now["consumer_return_degc"].min() > -0.02
        hottest = max(float(now["junction_degc"].max()), 0.01)
        boiling = iapws97._PSat_T(hottest + 273.15) * 10 - 1.01325
        at_hottest = now["junction_bar"][now["junction_degc"].argmax()]
        assert at_hottest > boiling - 0.01
        if kind == 0:
            put_in, used = now["source_w"].sum(), now["delivered_w"].sum() + now["loss_w"]
            assert abs(put_in - used) < 1e-3 * abs(put_in) + 1.0


@pytest.mark.parametrize("kind", [0, 1], ids=["steady", "step"])
def test_flags_say_what_is_wrong(results, kind: int) -> None:
    """Ice and vacuum are met among the draws, and flagged wherever they are."""
    output = results[kind]
    status = output["status"]
    frozen = (output["junction_degc"] < -0.05).any(axis=1)
    vacuum = (output["junction_bar"] < -1.02).any(axis=1)
    assert frozen.any()
    assert vacuum.any()
    assert ((status[frozen | vacuum] & int(Status.UNPHYSICAL)) != 0).all()
    balanced = np.abs(output["imbalance_w"]) < 1.0 + 1e-3 * np.abs(output["source_w"]).sum(axis=1)
    assert (balanced | ((status & int(Status.UNBALANCED)) != 0)).all()
