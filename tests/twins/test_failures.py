"""Members that fail, readings that are missing, input that is wrong: all of it is told."""

from collections.abc import Mapping
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from rooms import Rooms
from twin_week import follow, hour_of, start

from tvilling.benchmarks.twin_reference import LOSS_W_PER_K, make_week
from tvilling.sciml.core.errors import InputError
from tvilling.twins.assimilation.assimilate import advance
from tvilling.twins.assimilation.belief import Outcome
from tvilling.twins.assimilation.prior import Prior
from tvilling.twins.ledger import Ledger
from tvilling.twins.twin import Twin

ACTION, DRIVE = {"heat_w": [0.0, 0.0, 0.0]}, {"outdoor_degc": 5.0}


def rooms_state() -> dict:
    return {"count": 0, "air_degc": jnp.full(3, 20.0), "wall_degc": jnp.full(3, 20.0)}


def rooms_twin(fails_above: float, members: int = 200) -> Twin:
    plant = Rooms(jnp.asarray(0.0), fails_above)
    return Twin.start(plant, "2026-01-12", 3600.0, members, prior=Prior(rooms_state(), 1.0, 0.0))


def test_members_that_fail_are_counted_and_drawn_anew_from_the_others(tmp_path: Path) -> None:
    """The share above 21 °C of N(20, 1) is 15.9 %; what is left has the moments of a normal
    distribution cut off there: mean 20 - 0.288, standard deviation 0.794."""
    ledger = Ledger(tmp_path / "ledger.jsonl")
    twin = rooms_twin(21.0, members=2000)
    after = twin.assimilate(ACTION, DRIVE, ledger=ledger)
    assert after.status == Outcome.REPLACED | Outcome.FORECAST_ONLY
    failed = int(np.asarray(twin.belief.state["air_degc"][:, 0] > 21.0).sum())
    assert failed == pytest.approx(2000 * 0.1587, rel=0.15)
    assert after.last is not None
    assert int(after.last.replaced) == failed
    first = np.asarray(after.belief.state["air_degc"])[:, 0]
    assert np.isfinite(np.asarray(after.belief.vector())).all()
    assert first.mean() == pytest.approx(20 - 0.288, abs=0.08)
    assert first.std() == pytest.approx(0.794, abs=0.05)
    (line,) = ledger.read()
    assert line["facts"]["status"] == ["forecast_only", "replaced"]
    assert line["facts"]["members_replaced"] == failed
    assert line["facts"]["members_flagged"] == {"not_converged": failed}


def test_when_most_members_fail_the_belief_stays_and_says_so(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    twin = rooms_twin(19.0)
    after = twin.assimilate(ACTION, DRIVE, {"mean_degc": 20.0}, {"mean_degc": 0.1}, ledger)
    assert Outcome.LOST in after.status
    np.testing.assert_array_equal(after.belief.vector(), twin.belief.vector())
    assert after.time - twin.time == np.timedelta64(1, "h")
    facts = next(iter(ledger.read()))["facts"]
    assert "lost" in facts["status"]
    assert facts["mean"] == {"air_degc": None, "wall_degc": None}
    assert facts["nis"] is None
    assert facts["readings"] == 0
    assert after.health().readings == 0


def test_members_that_are_not_finite_do_not_spread() -> None:
    plant = Rooms(jnp.asarray(0.0), breaks_above=21.5)
    twin = Twin.start(plant, "2026-01-12", 3600.0, prior=Prior(rooms_state(), 1.0, 0.0))
    broken = int(np.asarray(twin.belief.state["air_degc"][:, 0] > 21.5).sum())
    assert broken > 0
    after = twin.assimilate(ACTION, DRIVE, {"mean_degc": 20.0}, {"mean_degc": 0.1})
    assert after.status == Outcome.REPLACED
    assert after.last is not None
    assert int(after.last.replaced) == broken
    assert np.isfinite(np.asarray(after.belief.vector())).all()


def test_a_start_that_is_not_finite_is_refused() -> None:
    with pytest.raises(InputError, match="state is not finite in 100 of 100 members"):
        start(state=jnp.asarray(np.nan))


@pytest.mark.parametrize(
    "missing", [{}, {"water_degc": np.nan}, {"water_degc": np.inf}, {"water_degc": 1e30}]
)
def test_without_a_reading_the_step_is_a_forecast_and_says_so(
    missing: Mapping[str, float], tmp_path: Path
) -> None:
    """Mean and spread before and after are the same numbers."""
    ledger = Ledger(tmp_path / "ledger.jsonl")
    action, drive, _, sigma = hour_of(make_week(0, hours=24), 0)
    after = start().assimilate(action, drive, missing, sigma, ledger)
    assert Outcome.FORECAST_ONLY in after.status
    assert (Outcome.MISSING in after.status) == bool(missing)
    facts = next(iter(ledger.read()))["facts"]
    assert "forecast_only" in facts["status"]
    assert facts["mean"] == pytest.approx(facts["prior_mean"], rel=1e-12)
    assert facts["sd"] == pytest.approx(facts["prior_sd"], rel=1e-12)
    assert facts["readings"] == 0
    assert facts["reading"] == dict.fromkeys(missing)


def test_the_ledger_holds_the_update_in_numbers(tmp_path: Path) -> None:
    """One update by hand: the Kalman filter on one number, as the ledger tells it."""
    ledger = Ledger(tmp_path / "ledger.jsonl")
    week = make_week(0, hours=24)
    twin = start(LOSS_W_PER_K, unknown={}, relaxation=0.0).named("north-tank")
    twin.assimilate(*hour_of(week, 0), ledger=ledger)
    facts = next(iter(ledger.read()))["facts"]
    assert facts["time"] == "2026-01-12T01:00:00.000Z"
    assert (facts["twin"], facts["system"], facts["step"]) == ("north-tank", "Tank", 1)
    prior, sd = facts["prior_mean"]["state"], facts["prior_sd"]["state"]
    gain = sd**2 / (sd**2 + 0.2**2)
    innovation = week.read_degc[0] - prior
    assert facts["innovation"]["water_degc"] == pytest.approx(innovation, rel=1e-9)
    assert facts["mean"]["state"] == pytest.approx(prior + gain * innovation, rel=1e-12)
    assert facts["sd"]["state"] == pytest.approx(sd * np.sqrt(1 - gain), rel=1e-12)
    assert facts["nis"] == pytest.approx(innovation**2 / (sd**2 + 0.2**2), rel=1e-9)
    assert facts["units"]["water_degc"] == "°C"
    assert len(facts["observation_sha256"]) == len(facts["model_version"]) == 64


def test_steps_are_compiled_once() -> None:
    twin = follow(start(), make_week(0, hours=24), range(1))[-1]
    compiled = advance._cache_size()
    follow(twin, make_week(0, hours=24), range(1, 24))
    follow(start(loss_w_per_k=5.0, seed=9), make_week(1, hours=24), range(5))
    assert advance._cache_size() == compiled


def test_every_fault_of_a_step_is_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        start().assimilate(
            {},
            {"demand_w": np.nan, "ambient_degc": [1.0, 2.0]},
            {"water_degc": 70.0, "level_m": 1.0, "loss_w": 3.0},
            {"water_degc": 0.0, "flow_kg_per_s": 0.1},
        )
    text = str(caught.value)
    assert "7 faults" in text
    assert "sigma of flow_kg_per_s is of no output" in text
    assert "action heater_w is missing" in text
    assert "drive demand_w is not finite, expected 0 to 6000 W" in text
    assert "drive ambient_degc has shape (2,), expected ()" in text
    assert "measured level_m is no output, known are water_degc" in text
    assert "sigma of loss_w is missing" in text
    assert "sigma of water_degc is 0 °C, expected above 0, finite" in text
