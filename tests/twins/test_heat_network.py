"""The heat losses of the shipped town as unknowns."""

from pathlib import Path

import jax
import numpy as np
import pytest

from tvilling.apps.heat.network_case import prepare
from tvilling.apps.shared.case_file import read_case
from tvilling.twins.assimilation.belief import Outcome
from tvilling.twins.assimilation.prior import Prior
from tvilling.twins.notes import TooFewMembersWarning
from tvilling.twins.twin import Twin

CASE = Path(__file__).parents[2] / "cases" / "schutterwald_week.yaml"


@pytest.mark.slow
def test_losses_of_pipes_are_unknown_and_those_of_valves_stay_zero() -> None:
    """482 pipes of 488 branches; 0.0 °C at one consumer is left out by name."""
    case = prepare(
        read_case(CASE, ["horizon.hours=24", "weather.source=synthetic"]), CASE, lambda stage: None
    )
    network = case.network
    prior = Prior(state=network.init(jax.random.key(0)), state_sd=2.0)
    with pytest.warns(TooFewMembersWarning, match="482 unknowns, 1020 of the state"):
        twin = Twin.start(
            network,
            "2026-01-02",
            900.0,
            members=30,
            unknown={"branch.loss_w_per_mk": 0.4},
            prior=prior,
        )
    assert "6 of 488 elements of branch.loss_w_per_mk are 0" in twin.notes()[1]
    drive = {
        "heat_w": np.asarray(case.drive["heat_w"])[0],
        "ground_degc": np.asarray(case.drive["ground_degc"])[0],
    }
    action, sigma = {"supply_degc": 78.0}, {"consumer_supply_degc": 0.3}
    dry = twin.assimilate(action, drive, {"consumer_supply_degc": np.nan}, sigma)
    assert dry.last is not None
    read = np.array(dry.last.predicted)
    read[5] = 0.0
    after = twin.assimilate(action, drive, {"consumer_supply_degc": read}, sigma)
    assert after.status & Outcome.GATED
    (one,) = after.gated()
    channel = next(c for c in network.outputs if c.name == "consumer_supply_degc")
    assert one.name == f"consumer_supply_degc[{channel.labels[0][5]}]"
    assert one.value == 0.0
    assert one.expected == pytest.approx(float(dry.last.predicted[5]))
    found = after.estimate()["branch.loss_w_per_mk"]
    zero = np.asarray(network.branch.loss_w_per_mk) == 0
    assert zero.sum() == 6
    np.testing.assert_array_equal(found.mean[zero], 0.0)
    assert (found.sd[~zero] > 0).all()
