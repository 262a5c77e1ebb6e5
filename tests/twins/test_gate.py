"""Readings that cannot be: left out, reported, and not for ever."""

from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from rooms import Rooms
from twin_week import follow, start

from tvilling.benchmarks.twin_reference import LOSS_W_PER_K, hour_of, make_week
from tvilling.twins.assimilation.belief import Outcome
from tvilling.twins.assimilation.gate import PATIENCE
from tvilling.twins.assimilation.prior import Prior
from tvilling.twins.ledger import Ledger
from tvilling.twins.monitor import Follows, health
from tvilling.twins.twin import Twin

DAY = range(24)
ACTION, DRIVE = {"heat_w": [0.0, 0.0, 0.0]}, {"outdoor_degc": 20.0}
SIGMA = {"air_degc": 0.2, "mean_degc": 0.2}


def one_more(twin: Twin, away_sd: float, ledger: Ledger | None = None) -> tuple[Twin, float]:
    """The twin after a reading that is `away_sd` standard deviations above what it expects."""
    action, drive, _, sigma = hour_of(make_week(1, hours=48), 24)
    last = twin.assimilate(action, drive, {"water_degc": np.nan}, sigma).last
    assert last is not None
    expected, sd = float(last.predicted[0]), float(np.hypot(last.predicted_sd[0], 0.2))
    reading = {"water_degc": expected + away_sd * sd}
    return twin.assimilate(action, drive, reading, sigma, ledger), expected


def test_a_reading_at_ten_standard_deviations_is_left_out_and_reported(tmp_path: Path) -> None:
    twin = follow(start(), make_week(1, hours=48), DAY)[-1]
    ledger = Ledger(tmp_path / "ledger.jsonl")
    after, expected = one_more(twin, 10.0, ledger)
    assert after.status == Outcome.GATED | Outcome.FORECAST_ONLY
    (one,) = after.gated()
    assert (one.name, one.unit, one.in_a_row) == ("water_degc", "°C", 1)
    assert one.time == np.datetime64("2026-01-13T01:00")
    assert one.expected == pytest.approx(expected)
    assert abs(one.value - one.expected) / one.sd == pytest.approx(10.0)
    assert "10 standard deviations, left out 1 in a row" in str(one)
    assert "water_degc read" in str(one)
    assert str(after.health()).endswith("; 1 left out as too far away")
    (line,) = ledger.read()
    facts = line["facts"]
    assert facts["status"] == ["forecast_only", "gated"]
    assert facts["gated"][0]["name"] == "water_degc"
    assert facts["gated"][0]["value"] == pytest.approx(one.value)
    assert facts["gated"][0]["expected"] == pytest.approx(expected)
    assert facts["time"] == "2026-01-13T01:00:00.000Z"
    assert (facts["readings"], facts["readings_gated"]) == (0, 1)
    assert facts["mean"] == pytest.approx(facts["prior_mean"], rel=1e-12)
    assert facts["sd"] == pytest.approx(facts["prior_sd"], rel=1e-12)


def test_a_reading_within_the_gate_is_believed() -> None:
    twin = follow(start(), make_week(1, hours=48), DAY)[-1]
    assert one_more(twin, 5.0)[0].status == Outcome.OK
    assert one_more(twin, 5.0)[0].gated() == ()
    wide = replace(twin, model=replace(twin.model, gate_sd=jnp.asarray(np.inf)))
    assert one_more(wide, 300.0)[0].status == Outcome.OK


def test_a_thermometer_that_fails_to_zero_for_an_hour_changes_nothing() -> None:
    """0.0 °C once a day, 300 standard deviations away: the loss is found as without it."""
    week = make_week(seed=0)
    read = np.where(np.arange(168) % 24 == 12, 0.0, week.read_degc)
    found = follow(start(), replace(week, read_degc=read))[-1]
    gone = follow(start(), replace(week, read_degc=np.where(read == 0.0, np.nan, read)))[-1]
    loss, same = found.estimate()["loss_w_per_k"], gone.estimate()["loss_w_per_k"]
    assert float(loss.mean) == pytest.approx(float(same.mean), rel=1e-2)
    assert abs(float(loss.mean) - LOSS_W_PER_K) < 0.05 * LOSS_W_PER_K
    assert found.health().gated == 2


def test_one_broken_meter_among_four_stays_out_and_is_named() -> None:
    """The kitchen's thermometer hangs at 0 °C; the twin follows by the others."""
    state = {"count": 0, "air_degc": jnp.full(3, 20.0), "wall_degc": jnp.full(3, 20.0)}
    twin = Twin.start(Rooms(jnp.asarray(0.0)), "2026-01-12", 3600.0, 40, prior=Prior(state, 1.0))
    random = np.random.default_rng(0)
    for hours in range(1, 9):
        read = 20.0 + 0.2 * random.standard_normal(4)
        measured = {"air_degc": np.array([0.0, *read[1:3]]), "mean_degc": read[3]}
        twin = twin.assimilate(ACTION, DRIVE, measured, SIGMA)
        (one,) = twin.gated()
        assert (one.name, one.value, one.in_a_row) == ("air_degc[kitchen]", 0.0, hours)
        assert twin.status == Outcome.GATED
    assert twin.estimate()["air_degc"].mean == pytest.approx(np.full(3, 20.0), abs=0.5)
    assert twin.health().verdict is Follows.NO
    assert "8 left out" in str(twin.health())
    twin = twin.assimilate(ACTION, DRIVE, {"air_degc": 20.0}, SIGMA)
    assert twin.status == Outcome.OK
    assert (np.asarray(twin.belief.gated_runs) == 0).all()


def test_a_plant_that_jumped_is_followed_again_after_some_updates() -> None:
    """30 K warmer within an hour, by water that nobody metered: the only meter is left out twice,
    then the spread is widened, and it is believed."""
    week = make_week(seed=1, hours=96)
    twin = follow(start(LOSS_W_PER_K, unknown={}), week, DAY)[-1]
    jumped = replace(week, read_degc=week.read_degc - 30.0)
    after = follow(twin, jumped, range(24, 40))
    gated = [Outcome.GATED in one.status for one in after]
    assert gated[: PATIENCE - 1] == [True] * (PATIENCE - 1)
    first = next(at for at, one in enumerate(after) if Outcome.WIDENED in one.status)
    assert first == PATIENCE - 1
    assert not any(gated[6:])
    assert abs(float(after[-1].estimate()["state"].mean) - jumped.read_degc[39]) < 2.0
    assert not after[-1].health().ok
    assert np.isfinite(np.asarray(after[-1].belief.vector())).all()


def test_what_was_left_out_counts_against_a_twin() -> None:
    """One outlier in many readings is none of the twin's; a twentieth of them is."""
    few, many = np.full(20, 3.0), np.full(20, 3)
    assert health(few, many, np.array([2])).verdict is Follows.YES
    assert health(few, many, np.array([4])).verdict is Follows.NO
    assert "4 left out as too far away" in str(health(few, many, np.array([4])))
    none = health(np.zeros(5), np.zeros(5, int), np.array([5]))
    assert none.verdict is Follows.NO
    assert str(none) == "does not follow: 0 readings used; 5 left out as too far away"
