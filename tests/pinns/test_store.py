import json
from dataclasses import replace

import jax
import numpy as np
import pytest

from tvilling.pinns import (
    Adam,
    Axis,
    Box,
    Condition,
    Equation,
    Fixed,
    Free,
    Measured,
    NetworkSettings,
    Problem,
    TrainSettings,
    Unknown,
    d,
    train,
)
from tvilling.pinns.solution.store import load_solution, read_about, save_solution
from tvilling.pinns.training import Windows
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.checksums import write_sums
from tvilling.sciml.learning.footprint import Footprint

HOURS = np.array([2.0, 5.0, 9.0])
SETTINGS = TrainSettings(
    NetworkSettings(width=6, depth=1, activation="sin"), points=40, stages=(Adam(20, 1e-2),)
)


def standing_water(start_degc=70.0, ground_degc=8.0, **changes):
    """Water that cools towards the ground at a rate that is to be found."""
    readings = 8 + 62 * np.exp(-0.15 * HOURS)
    parts = {
        "name": "standing_water",
        "domain": Box((Axis("time_h", "h", 0.0, 12.0),)),
        "unknowns": (Unknown("water_degc", "°C", 10.0, 70.0),),
        "parameters": (Fixed("ground_degc", "°C", ground_degc), Free("decay", "1/h", 0.01, 1.0)),
        "equations": (
            Equation(
                "heat",
                "K/h",
                lambda at: d(at.water_degc, "time_h") + at.decay * (at.water_degc - at.ground_degc),
            ),
        ),
        "conditions": (Condition("water_degc", "time_h", 0.0, start_degc),),
        "measured": (Measured("water_degc", {"time_h": HOURS}, readings),),
    }
    return Problem(**(parts | changes))


def edited(factor):
    """The same names and units, and another number in a formula."""
    (heat,) = standing_water().equations
    other = replace(
        heat, residual=lambda at: heat.residual(at) + (factor - 1) * d(at.water_degc, "time_h")
    )
    return standing_water(equations=(other,))


@pytest.fixture(scope="module")
def solution():
    return train(standing_water(), SETTINGS, seed=3)


@pytest.fixture(scope="module")
def folder(solution, tmp_path_factory):
    took = Footprint(wall_s=1.5, energy_mode="not measured")
    return save_solution(solution, tmp_path_factory.mktemp("kept") / "run" / "pipe", SETTINGS, took)


def test_a_solution_comes_back_equal_to_the_bit(solution, folder):
    again = load_solution(folder, standing_water())
    for one, other in zip(
        jax.tree.leaves(solution.params), jax.tree.leaves(again.params), strict=True
    ):
        assert one.dtype == other.dtype
        assert np.asarray(one).tobytes() == np.asarray(other).tobytes()
    time_h = np.linspace(0.0, 12.0, 101)
    assert again.evaluate(time_h=time_h).identical(solution.evaluate(time_h=time_h))
    assert again.parameters == solution.parameters
    assert (again.scales, again.stopped, again.seed) == (
        solution.scales,
        solution.stopped,
        solution.seed,
    )
    np.testing.assert_equal(
        [list(vars(check).values()) for check in again.checks],
        [list(vars(check).values()) for check in solution.checks],
    )


def test_what_is_known_is_plain_json_and_nothing_is_pickled(solution, folder):
    about = json.loads((folder / "solution.json").read_text(encoding="utf-8"))
    assert about["problem"] == "standing_water"
    stage = {"optimiser": "Adam", "steps": 20, "learning_rate": 0.01}
    assert about["settings"]["stages"] == [stage]
    assert about["settings"]["time_s"] is None  # infinity is no JSON
    assert about["network"]["activation"] == "sin"
    assert about["footprint"]["wall_s"] == 1.5
    assert about["parameters"] == solution.parameters
    assert read_about(folder).checks[0].error is None  # no reference was watched
    assert not [path for path in folder.rglob("*") if path.suffix in (".pkl", ".pickle")]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (standing_water(name="kettle"), "a solution of standing_water, not of kettle"),
        (standing_water(ground_degc=9.0), "with other parameters"),
        (
            standing_water(
                domain=Box((Axis("time_h", "h", 0.0, 24.0),)),
                unknowns=(Unknown("water_degc", "°C", 0.0, 70.0),),
            ),
            "with other coordinates, unknowns",
        ),
        (standing_water(start_degc=65.0), "gives other values of water_degc"),
        (edited(1.01), "equation heat is another one than when it was kept"),
    ],
    ids=["name", "parameter", "range", "condition", "equation"],
)
def test_another_problem_is_refused_in_one_sentence(folder, other, words):
    with pytest.raises(InputError, match=words) as raised:
        load_solution(folder, other)
    assert len(raised.value.faults) == 1


def test_another_network_is_refused(solution, folder, tmp_path):
    kept = save_solution(solution, tmp_path / "kept")
    about = json.loads((kept / "solution.json").read_text(encoding="utf-8"))
    about["network"]["width"] = 7
    (kept / "solution.json").write_text(json.dumps(about), encoding="utf-8")
    write_sums(kept)
    with pytest.raises(InputError, match="another network than it describes"):
        load_solution(kept, solution.problem)


def test_nothing_is_overwritten_and_nothing_is_read_where_nothing_is(solution, folder, tmp_path):
    before = (folder / "solution.json").read_bytes()
    with pytest.raises(InputError, match="is there already"):
        save_solution(replace(solution, seed=9), folder)
    assert (folder / "solution.json").read_bytes() == before
    with pytest.raises(InputError, match="holds no solution"):
        load_solution(tmp_path, solution.problem)


@pytest.mark.slow
def test_windows_come_back_equal_to_the_bit(tmp_path):
    problem = standing_water(
        parameters=(Fixed("ground_degc", "°C", 8.0), Fixed("decay", "1/h", 0.15)), measured=()
    )
    cut = replace(SETTINGS, stages=(Adam(10),), windows=Windows("time_h", 2))
    solution = train(problem, cut)
    again = load_solution(save_solution(solution, tmp_path / "kept", cut), problem)
    time_h = np.linspace(0.0, 12.0, 101)
    assert again.evaluate(time_h=time_h).identical(solution.evaluate(time_h=time_h))
    with pytest.raises(InputError, match="of standing_water in windows of time_h, not of kettle"):
        load_solution(tmp_path / "kept", replace(problem, name="kettle"))
