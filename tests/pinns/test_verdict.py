"""Whether a training solved its problem is said, and what to try where it did not."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from pinn_cases import SOLVED, UNSOLVED, bratu, epidemic, in_time

from tvilling.pinns import (
    Axis,
    Box,
    Broyden,
    Condition,
    Equation,
    NetworkSettings,
    Problem,
    TrainSettings,
    Unknown,
    d,
    train,
)
from tvilling.pinns.problem.corner_equations import disagreements
from tvilling.pinns.solution.classical_check import compare_classical
from tvilling.pinns.solution.defect import DEGREES, defect
from tvilling.pinns.training import Windows

QUICK = TrainSettings(NetworkSettings(width=10), points=150, stages=(Broyden(200),))
SEEDS = range(5)


@pytest.fixture(scope="module")
def trivial():
    return train(epidemic(), QUICK)


def test_a_trivial_solution_is_not_solved_and_windows_are_named(trivial):
    """Its loss is small, and SciPy's solver has a peak where it has none."""
    assert trivial.stopped == "steps"
    assert trivial.held_out < 0.1
    assert trivial.status == "not solved"
    assert "of its spread from SciPy's solver" in trivial.verdict.reason
    assert "TrainSettings(windows=Windows('t', 6)" in trivial.recommend
    assert "status     not solved" in repr(trivial)


@pytest.mark.slow
def test_the_step_that_is_recommended_solves_the_epidemic():
    settings = TrainSettings(windows=Windows("t", 6), points=300, stages=(Broyden(600),))
    solution = train(epidemic(), settings)
    assert solution.status == "solved"
    peak = solution.evaluate(t=np.linspace(0, 60, 601))["i"].max().item()
    assert peak == pytest.approx(0.325582, abs=1e-5)  # solve_ivp, rtol 1e-10


def test_values_at_both_ends_are_compared_with_a_solver_too():
    solution = train(bratu(), QUICK)
    found = compare_classical(solution, solution.parameters)
    assert found.error < 1e-5
    assert solution.status == "solved"
    shifted = solution.with_weights(
        replace(solution.params, network=_scaled(solution.params.network, 1.5))
    )
    assert shifted.status == "not solved"


def _scaled(state, factor):
    import jax

    return jax.tree.map(lambda leaf: leaf * factor, state)


def test_a_step_of_newton_s_method_knows_the_error_of_a_plate(monkeypatch):
    """u = exp(x) sin(y), spoilt; the step of the check is the error, to a tenth."""
    monkeypatch.setitem(DEGREES, 2, 10)  # quick
    problem, _ = SOLVED["laplace"]()
    solution = train(problem, replace(QUICK, stages=(Broyden(20),)))
    spoilt = solution.with_weights(
        replace(solution.params, network=_scaled(solution.params.network, 1.4))
    )
    x, y = np.meshgrid(np.linspace(0, 1, 41), np.linspace(0, 1, 41), indexing="ij")
    exact = np.exp(x) * np.sin(y)
    off = spoilt.evaluate(x=x[:, 0], y=y[0])["u"].values - exact
    error = np.sqrt(np.mean(off**2)) / np.std(exact)
    assert error > 1e-4
    assert defect(spoilt).worst_correction == pytest.approx(error, rel=0.15)


def test_equations_that_differ_in_size_are_each_set_against_their_own_terms(monkeypatch):
    """A small residual of small terms is large: half of y is left of y' + y = 0 with y about 0."""
    monkeypatch.setitem(DEGREES, 1, 12)  # quick
    slow = in_time("slow", 1.0, {"y": (0.0, 1.0)}, {"y": 1e-6}, lambda at: {"y": -1.0 * at.y})
    solution = train(slow, replace(QUICK, stages=(Broyden(1),)))
    assert defect(solution).worst_residual > 0.05


def test_a_corner_that_disagrees_is_told():
    def heated(start):
        return Problem(
            "heated",
            Box((Axis("x", "m", 0.0, 1.0), Axis("t", "s", 0.0, 1.0))),
            (Unknown("u", "K", 0.0, 1.0),),
            (
                Equation("heat", "K/s", lambda at: d(at.u, "t") - d(at.u, "x", "x")),
                Equation("flux", "K/m", lambda at: d(at.u, "x") + 1.0, face=("x", 0.0)),
            ),
            (Condition("u", "t", 0.0, start), Condition("u", "x", 1.0, 0.0)),
        )

    (told,) = disagreements(heated(0.0))
    assert told.startswith("equation flux and the condition on u at t = 0 disagree where they meet")
    assert "1 K/m is left" in told
    assert not list(disagreements(heated(lambda at: 1.0 - at.x)))


def test_the_best_state_is_not_that_of_one_singular_point():
    from tvilling.pinns.training.training_loop import Check

    checks = (Check("start", 0, 1.0, 1.0, 0.0, typical=0.9), Check("a", 1, 0.1, 0.3, 1.0,
              typical=1e-6), Check("b", 2, 0.1, 0.2, 2.0, typical=1e-3))  # fmt: skip
    assert min(checks, key=lambda check: check.rank).step == 1
    assert Check("c", 3, 0.1, 0.25, 3.0).rank == 0.25
    assert jnp.isfinite(checks[0].rank)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", UNSOLVED)
def test_what_default_settings_do_not_solve_is_called_unsolved(name, seed):
    problem, settings = UNSOLVED[name]()
    solution = train(problem, settings, seed=seed)
    assert solution.status == "not solved"
    assert "TrainSettings(" in solution.recommend or "NetworkSettings(" in solution.recommend


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", SOLVED)
def test_what_default_settings_solve_is_never_called_unsolved(name, seed):
    problem, settings = SOLVED[name]()
    assert train(problem, settings, seed=seed).status != "not solved"


@pytest.mark.slow
@pytest.mark.parametrize("name", UNSOLVED)
def test_the_step_that_is_recommended_solves_it(name):
    """`recommend` names settings in Python: they are taken as they stand."""
    problem, settings = UNSOLVED[name]()
    solution = train(problem, settings)
    for _ in range(3):
        if solution.status == "solved":
            break
        solution = train(problem, named_settings(solution.recommend))
    assert solution.status == "solved"


def named_settings(text: str) -> TrainSettings:
    """The settings in a sentence."""
    known = {kind.__name__: kind for kind in (TrainSettings, NetworkSettings, Windows, Broyden)}
    first = text.index("TrainSettings(") if "TrainSettings(" in text else text.index("NetworkS")
    depth = 0
    for last in range(first, len(text)):
        depth += {"(": 1, ")": -1}.get(text[last], 0)
        if depth == 0 and text[last] == ")":
            break
    found = eval(text[first : last + 1], {"__builtins__": {}}, known)
    return found if isinstance(found, TrainSettings) else TrainSettings(found)
