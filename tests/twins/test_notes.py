"""What is left out, cannot be corrected or is too small is said before it is believed."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from many_unknowns import Levels
from rooms import Rooms
from twin_week import start

from tvilling.sciml.core.errors import InputError
from tvilling.twins.assimilation.belief import Outcome
from tvilling.twins.assimilation.prior import Prior
from tvilling.twins.ledger import Ledger
from tvilling.twins.notes import TooFewMembersWarning
from tvilling.twins.twin import Twin


def levels(values: np.ndarray | list[float], members: int = 60, **given: object) -> Twin:
    plant = Levels(jnp.asarray(values, float), meters=2)
    return Twin.start(plant, "2026-01-12", 3600.0, members, **{"unknown": {"level": 0.3}, **given})


def test_too_few_members_are_reported_before_the_first_step(tmp_path: Path) -> None:
    with pytest.warns(
        TooFewMembersWarning, match=r"members is 20 for 30 numbers .* 61 members would do"
    ):
        twin = levels(np.ones(30), members=20)
    (note,) = twin.notes()
    assert "(30 unknowns, 0 of the state)" in note
    facts = twin.facts()
    assert (facts["event"], facts["notes"], facts["members"]) == ("start", [note], 20)
    Ledger(tmp_path / "ledger.jsonl").append(facts)
    assert levels(np.ones(30), members=61).notes() == ()


def test_numbers_of_the_state_count_where_they_are_uncertain() -> None:
    """Six floats of the rooms, of which noise or a spread at the start make all or three."""
    rooms = Rooms(jnp.asarray(0.1))
    state = {"count": 0, "air_degc": jnp.full(3, 20.0), "wall_degc": jnp.full(3, 20.0)}
    walls = {"count": 0, "air_degc": np.zeros(3), "wall_degc": np.ones(3)}

    def sources(prior: Prior) -> int:
        return int(Twin.start(rooms, "2026-01-12", 3600.0, prior=prior).model.sources)

    assert sources(Prior()) == 6
    assert sources(Prior(state)) == 0
    assert sources(Prior(state, walls)) == 3
    assert sources(Prior(state, 0.0, walls)) == 3
    assert sources(Prior(state, walls, 0.1)) == 6


def test_elements_of_zero_are_left_out_and_named() -> None:
    """Valves among pipes, which lose no heat: they stay at zero, and the others are estimated."""
    values = [1.0, 0.0, 2.0, 0.0, 3.0, 1.0, 1.0]
    twin = levels(values)
    assert twin.notes() == (
        "2 of 7 elements of level are 0 and are left as they are, as a lognormal is above 0: 1, 3",
    )
    twin = twin.assimilate({}, {}, {"mean_log": 0.3}, {"mean_log": 0.1})
    assert twin.status == Outcome.OK
    found = twin.estimate()["level"]
    zero = np.array(values) == 0
    np.testing.assert_array_equal(found.mean[zero], 0.0)
    np.testing.assert_array_equal(found.sd[zero], 0.0)
    assert (found.sd[~zero] > 0).all()
    np.testing.assert_array_equal(np.asarray(twin.calibrated().level)[zero], 0.0)  # type: ignore[attr-defined]
    assert twin.facts()["mean"]["level"][1] == 0.0
    assert twin.facts()["sd"]["level"][3] == 0.0


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([1.0, -2.0, -3.0], "level is -2 at element 1, and 1 more, expected above 0"),
        ([1.0, np.nan, 0.0], "level is nan at element 1, expected above 0"),
        ([np.inf, 1.0, 1.0], "level is inf at element 0, expected above 0"),
        ([0.0, 0.0, 0.0], "level is 0, expected above 0"),
    ],
)
def test_values_that_no_lognormal_has_are_refused(values: list[float], told: str) -> None:
    with pytest.raises(InputError, match=told):
        levels(values)


def test_whole_numbers_of_a_state_are_named_and_those_given_for_floats_are_floats() -> None:
    rooms = Rooms(jnp.asarray(0.1))
    whole = {"count": 2, "air_degc": np.array([20, 21, 22]), "wall_degc": [18, 18, 18]}
    with pytest.raises(InputError, match="state is built as"):
        Twin.start(rooms, "2026-01-12", 3600.0, prior=Prior(whole))
    whole["wall_degc"] = np.full(3, 18)
    twin = Twin.start(rooms, "2026-01-12", 3600.0, prior=Prior(whole, 1.0, 0.1))
    assert twin.notes() == (
        "state count is no float (int64): each member keeps its own, and no reading corrects it",
    )
    assert twin.belief.state["air_degc"].dtype == float
    assert twin.belief.state["air_degc"].std(axis=0, ddof=1) == pytest.approx(1.0)
    tank = start(state=70)
    assert float(tank.estimate()["state"].sd) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"members": 100.0}, "members is 100.0, expected a whole number"),
        ({"seed": -1}, "seed is -1, expected a whole number from 0"),
        ({"gate_sd": 0.0}, "gate_sd is 0, expected above 0"),
        ({"gate_sd": np.nan}, "gate_sd is nan, expected above 0"),
        ({"rotate": "no"}, "rotate is 'no', expected True or False"),
        ({"window": 2.5}, "window is 2.5 updates"),
        ({"relaxation": np.nan}, "relaxation is nan"),
        ({"unknown_walk": np.nan}, "unknown_walk of the unknowns is nan"),
        ({"unknown": {"loss_w_per_k": np.nan}}, "deviation of loss_w_per_k is nan"),
        ({"unknown": {"loss_w_per_k": "0.4"}}, "deviation of loss_w_per_k is '0.4'"),
        ({"state": np.zeros(2)}, r"state has shape \(2,\), expected \(\)"),
        ({"state_noise": np.nan}, "state_noise is nan somewhere"),
        ({"state_sd": np.inf}, "state_sd is inf somewhere"),
    ],
)
def test_numbers_that_say_nothing_are_refused(given: dict, told: str) -> None:
    with pytest.raises(InputError, match=told):
        start(**given)
