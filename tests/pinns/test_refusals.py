"""Solutions, checkpoints and answers that must not be taken for what they are not."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tvilling.pinns import (
    Axis,
    Box,
    Broyden,
    Condition,
    Derived,
    Equation,
    Fixed,
    Free,
    Measured,
    NetworkSettings,
    Problem,
    Ranged,
    Reference,
    TrainSettings,
    Unknown,
    d,
    load_solution,
    save_solution,
    train,
)
from tvilling.pinns.inverse import invert
from tvilling.pinns.surrogate import SurrogateOutput, as_system
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.checksums import write_sums

QUICK = TrainSettings(
    NetworkSettings(width=6, depth=1), points=40, stages=(Broyden(60),), check_every=30
)


ONE = Fixed("rate", "1", 1.0)


def decay(rate=ONE, **changes):
    """u' = -rate u from one, its residual in units that are stated."""
    given = {
        "name": "decay",
        "domain": Box((Axis("x", "m", 0.0, 1.0),)),
        "unknowns": (Unknown("u", "K", 0.0, 1.0),),
        "equations": (Equation("e", "K/m", lambda at: d(at.u, "x") + at.rate * at.u, scale=1.0),),
        "conditions": (Condition("u", "x", 0.0, 1.0),),
        "parameters": (rate,),
    }
    return Problem(**(given | changes))


@pytest.fixture(scope="module")
def solved():
    return train(decay(), QUICK)


@pytest.mark.parametrize(
    "other",
    [
        decay(Fixed("rate", "1", 3.0)),
        decay(
            equations=(
                Equation("e", "K/m", lambda at: d(at.u, "x") + at.rate**2 * at.u * 2, scale=1.0),
            )
        ),
    ],
)
def test_checkpoints_of_another_problem_are_refused(tmp_path: Path, other):
    train(decay(), QUICK, folder=tmp_path / "kept")
    with pytest.raises(InputError, match="checkpoints of another training"):
        train(other, QUICK, folder=tmp_path / "kept")


def test_a_free_parameter_with_another_range_is_another_training(tmp_path: Path):
    x = np.linspace(0.1, 0.9, 9)
    measured = (Measured("u", {"x": x}, np.exp(-x)),)
    train(decay(Free("rate", "1", 0.5, 2.0), measured=measured), QUICK, folder=tmp_path / "kept")
    wider = decay(Free("rate", "1", 0.25, 4.0), measured=measured)  # of the same middle
    with pytest.raises(InputError, match="checkpoints of another training"):
        train(wider, QUICK, folder=tmp_path / "kept")


def test_a_solution_with_derived_quantities_is_kept(tmp_path: Path):
    flux = decay(derived=(Derived("flux", "W", lambda at: -d(at.u, "x")),))
    solution = train(flux, QUICK)
    folder = save_solution(solution, tmp_path / "kept")
    again = load_solution(folder, flux).evaluate(x=[0.3])
    assert float(again["flux"][0]) == float(solution.evaluate(x=[0.3])["flux"][0])
    other = decay(derived=(Derived("flux", "W", lambda at: -2.0 * d(at.u, "x")),))
    with pytest.raises(InputError, match="other values of flux"):
        load_solution(folder, other)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"checks": []}, "holds no solution that can be read"),
        ({"network": {"foo": 1}}, "its network is none that is known"),
        ({"network": {"width": "6"}}, "width is '6', expected a whole number"),
        ({"scales": {}}, "scales are not those of the equations"),
    ],
)
def test_a_damaged_folder_is_told(solved, tmp_path: Path, changed, told):
    file = save_solution(solved, tmp_path / "kept") / "solution.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | changed), "utf-8")
    write_sums(file.parent)
    with pytest.raises(InputError, match=told):
        load_solution(tmp_path / "kept", decay())


def test_bytes_that_are_no_text_are_told(solved, tmp_path: Path):
    folder = save_solution(solved, tmp_path / "kept")
    (folder / "solution.json").write_bytes(b"\xff\xfe")
    write_sums(folder)
    with pytest.raises(InputError, match="holds no solution that can be read"):
        load_solution(folder, decay())
    train(decay(), QUICK, folder=tmp_path / "steps")
    (tmp_path / "steps" / "training.sha256").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="checkpoints of another training"):
        train(decay(), QUICK, folder=tmp_path / "steps")
    with pytest.raises(InputError, match="is a file, expected a folder"):
        train(decay(), QUICK, folder=folder / "solution.json")


def test_weights_that_are_no_numbers_are_refused(solved, tmp_path: Path):
    import jax

    lost = jax.tree.map(lambda leaf: leaf * np.nan, solved.params)
    folder = save_solution(solved.with_weights(lost), tmp_path / "lost")
    with pytest.raises(InputError, match="its weights are not finite"):
        load_solution(folder, decay())


def test_an_error_over_nothing_is_infinite():
    flat = decay(
        equations=(Equation("e", "K/m", lambda at: d(at.u, "x")),),
        parameters=(),
        reference=Reference(lambda at: {"u": np.ones_like(at["x"])}, 0.0, "exact"),
    )
    found = train(flat, QUICK, watch=True).error()["u"]
    assert np.isinf(found.relative_to_spread)
    assert found.rms < 1e-6
    wrong = replace(flat, reference=Reference(lambda at: {"v": at["x"]}, 0.0, "exact"))
    with pytest.raises(InputError, match="it gives v; the solution has u"):
        train(wrong, QUICK).error()


def test_answers_outside_are_refused(solved):
    with pytest.raises(InputError, match="x runs from 5 to 5 m"):
        solved.residuals({"x": [5.0]})
    with pytest.raises(InputError, match="x is missing"):
        solved.residuals({})
    with pytest.raises(InputError, match="has 2 axes, expected one"):
        solved.evaluate(x=[[0.1, 0.2], [0.3, 0.4]])
    with pytest.raises(InputError, match="values of x are no numbers"):
        solved.evaluate(x="a")
    with pytest.raises(InputError, match="has no values"):
        solved.evaluate(x=[])


def test_a_parameter_at_the_end_of_its_range_is_told_as_such():
    x = np.linspace(0.05, 1.0, 20)
    given = decay(Free("rate", "1", 0.5, 1.0), measured=(Measured("u", {"x": x}, np.exp(-3 * x)),))
    with pytest.raises(InputError, match="rate ends where its range does, at 1 1"):
        invert(given, replace(QUICK, stages=(Broyden(150),)), noise=0.01)


def test_as_many_readings_as_parameters_leave_no_noise_to_estimate():
    one = decay(Free("rate", "1", 0.5, 2.0), measured=(Measured("u", {"x": [0.5]}, [0.6]),))
    with pytest.raises(InputError, match="the noise: state it"):
        invert(one, QUICK)


@pytest.fixture(scope="module")
def family():
    return train(decay(Ranged("rate", "1", 0.5, 1.5)), QUICK)


@pytest.mark.parametrize(
    ("gauge", "told"),
    [
        (SurrogateOutput("out", "K", 1.0, 0.0, "u", {"x": 1.0}), "expected two finite numbers"),
        (
            SurrogateOutput("out", "K", float("nan"), 1.0, "u", {"x": 1.0}),
            "expected two finite numbers",
        ),
        (SurrogateOutput("out", "Pa", 0.0, 1.0, "u", {"x": 1.0}), "out is in Pa, expected K"),
        (SurrogateOutput("out", "K", 0.0, 1.0, "v", {"x": 1.0}), "'v' is not told; there are u"),
    ],
)
def test_gauges_that_say_nothing_are_refused(family, gauge, told):
    with pytest.raises(InputError, match=told):
        as_system(family, [gauge], drives={"rate": "rate"})


def test_a_value_that_is_cut_is_not_trusted(family, solved):
    wide, narrow = (
        as_system(
            family,
            [SurrogateOutput("out", "K", low, 1.0, "u", {"x": 1.0})],
            drives={"rate": "rate"},
        )
        for low in (0.0, 0.9)
    )
    at = {}, {}, {"rate": 1.0}
    assert float(narrow.trust(*at)) < 1e-3 * float(wide.trust(*at))
    with pytest.raises(InputError, match="no parameter is ranged"):
        as_system(solved, [SurrogateOutput("out", "K", 0.0, 1.0, "u", {"x": 1.0})])
