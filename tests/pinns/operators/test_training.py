"""Trained operators on functions they have not seen, beside linear regression and the mean."""

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

from tvilling.pinns.operators import (
    DeepONet,
    FourierOperator,
    GaussianField,
    LinearOperator,
    OperatorSolution,
    Physics,
    burgers_course,
    burgers_end,
    ensemble,
    pipe_outlet,
    train_operator,
)
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.learning.fit import FitSettings

SHORT = FitSettings(steps=300, batch=20, learning_rate=5e-3, check_every=100)


def median(errors: xr.Dataset, name: str = "relative_l2") -> float:
    return float(errors[name].median())


@pytest.fixture(scope="module")
def known() -> xr.Dataset:
    return ensemble(burgers_end(), 200, seed=1)


@pytest.fixture(scope="module")
def fresh() -> xr.Dataset:
    return ensemble(burgers_end(), 60, seed=2)


@pytest.fixture(scope="module")
def fourier(known: xr.Dataset) -> OperatorSolution:
    return train_operator(burgers_end(), known, FourierOperator(width=16), SHORT)


def test_a_fourier_operator_beats_linear_regression_fourfold(
    known: xr.Dataset, fresh: xr.Dataset, fourier: OperatorSolution
) -> None:
    mean = median(LinearOperator.mean_of(fourier.problem, known).error(fresh))
    linear = median(LinearOperator.ridge(fourier.problem, known).error(fresh))
    found = median(fourier.error(fresh))
    assert found < 0.08
    assert found < linear / 4 < mean / 10
    assert fourier.stopped == "steps"


def test_its_error_does_not_depend_on_the_grid(fourier: OperatorSolution) -> None:
    """Trained on 64 places; each grid is compared with solutions of its own."""
    errors = fourier.error_by_resolution((32, 64, 512), samples=8)
    assert errors.max() < 1.1 * errors.min()
    assert errors.max() < 0.1


def test_functions_unlike_those_of_the_training_are_far_and_badly_solved(
    fourier: OperatorSolution, fresh: xr.Dataset
) -> None:
    problem = fourier.problem
    usual = fourier.error(fresh)
    assert float((usual["distance"] <= 1.0).mean()) >= 0.9
    higher = GaussianField(-1.0, 1.0, 1.5, 0.4, "periodic").draw(20, seed=3)
    rougher = GaussianField(-1.0, 1.0, 0.5, 0.05, "periodic").draw(20, seed=3)
    for functions in (higher, rougher):
        distance = fourier.distance(functions)
        assert np.median(distance) > 2.0
        grid = problem.grid()
        found = fourier.evaluate(functions)
        miss = found["u"].values - problem.solve(functions, grid)
        assert np.sqrt(np.mean(miss**2)) > 2 * float(np.sqrt((usual["rms"] ** 2).mean()))
        np.testing.assert_allclose(found["distance"], distance)


def test_values_and_functions_give_the_same(fourier: OperatorSolution) -> None:
    functions = fourier.problem.varied.draws.draw(3, seed=9)
    table = ensemble(fourier.problem, 3, seed=9, points={"x": 128})["start"]
    own, read = fourier.evaluate(functions), fourier.evaluate(table)
    np.testing.assert_array_equal(own["u"], read["u"])  # every second place of the table
    other = fourier.evaluate(table, x=np.linspace(-1, 1, 96, endpoint=False))
    np.testing.assert_allclose(
        other["u"], fourier.evaluate(functions, x=other["x"].values)["u"], atol=1e-4
    )
    assert (own["u"].units, own["x"].units) == ("1", "1")


def test_places_that_do_not_suit_are_told(fourier: OperatorSolution) -> None:
    function = fourier.problem.varied.draws.draw(1, seed=0)
    with pytest.raises(InputError, match="y is no axis") as caught:
        fourier.evaluate(function, y=[0.0], x=[-2.0, 0.0])
    assert "x runs from -2 to 0 1, expected -1 to 1 1" in str(caught.value)
    with pytest.raises(InputError, match="not an even grid"):
        fourier.evaluate(function, x=[-1.0, 0.2])


def test_training_repeats_to_the_bit(known: xr.Dataset) -> None:
    few = FitSettings(steps=20, check_every=10)
    twice = [train_operator(burgers_end(), known, DeepONet(), few, seed=3) for _ in range(2)]
    a, b = (one.evaluate(known["start"][:5])["u"].values for one in twice)
    np.testing.assert_array_equal(a, b)


def test_a_deep_operator_network_of_the_pipe_and_linear_regression_that_beats_it() -> None:
    """The outlet is a linear function of the inlet: regression has it to rounding."""
    problem = pipe_outlet()
    known, fresh = ensemble(problem, 150, seed=1), ensemble(problem, 50, seed=2)
    solution = train_operator(problem, known, DeepONet(), SHORT)
    found = median(solution.error(fresh), "relative_to_spread")
    mean = median(LinearOperator.mean_of(problem, known).error(fresh), "relative_to_spread")
    linear = median(LinearOperator.ridge(problem, known).error(fresh), "relative_to_spread")
    assert linear < 1e-6 < found < mean / 7
    assert median(solution.error(fresh)) < 0.006
    outlet = solution.evaluate(lambda s: 80.0 + 0.0 * jnp.asarray(s), time_s=[1.5, 3333.0])
    assert outlet["water_degc"].units == "°C"
    exact = problem.solve([lambda s: 80.0 + 0.0 * jnp.asarray(s)], {"time_s": np.array([0.0])})
    np.testing.assert_allclose(outlet["water_degc"][0], exact[0, 0], atol=1.5)


@pytest.mark.slow
def test_the_equation_lowers_its_residual_between_few_samples() -> None:
    """With the equation in the loss, its mean square is lower on functions not seen."""
    from tvilling.pinns.operators.physics import physics_loss

    problem = burgers_course()
    known, fresh = ensemble(problem, 20, seed=1), ensemble(problem, 20, seed=2)
    settings = FitSettings(steps=150, batch=10, learning_rate=3e-3, check_every=50)
    without = train_operator(problem, known, DeepONet(width=32), settings)
    physics = Physics(scale=1.0, points=60)
    with_it = train_operator(problem, known, DeepONet(width=32), settings, physics=physics)
    other = Physics(scale=1.0, weight=1.0, points=200, seed=1)
    squares = []
    for one in (without, with_it):
        loss = physics_loss(problem, one.network, one.layout, one.scaling, other)
        functions = one.scaling.function(fresh["start"].values)
        squares.append(float(loss(one.weights, jnp.asarray(functions))))
    assert squares[1] < 0.7 * squares[0]


def test_physics_needs_values_anywhere_and_the_whole_domain(known: xr.Dataset) -> None:
    with pytest.raises(InputError, match="DeepONet only"):
        train_operator(burgers_end(), known, FourierOperator(), physics=Physics(1.0))
    with pytest.raises(InputError, match="the equation needs t as well"):
        train_operator(burgers_end(), known, DeepONet(), physics=Physics(1.0))


@pytest.mark.slow
def test_open_ends_do_not_bind_a_fourier_operator_to_its_grid() -> None:
    """The pipe's outlet, trained on 129 places: about 10 s of one core."""
    problem = pipe_outlet()
    known = ensemble(problem, 300, seed=1)
    settings = FitSettings(steps=1000, batch=20, learning_rate=3e-3, check_every=100)
    solution = train_operator(problem, known, FourierOperator(24, 16, 3), settings)
    errors = solution.error_by_resolution((65, 129, 257, 513))
    assert errors.max() < 0.0015
    assert errors.max() < 1.15 * errors.min()


@pytest.mark.slow
def test_longer_trainings_err_less() -> None:
    """500 samples, 2000 steps: about 20 s of one core each."""
    problem = burgers_end()
    known, fresh = ensemble(problem, 500, seed=1), ensemble(problem, 100, seed=2)
    settings = FitSettings(steps=2000, batch=20, learning_rate=3e-3, check_every=100)
    fourier = train_operator(problem, known, FourierOperator(24, 16, 3), settings)
    deep = train_operator(problem, known, DeepONet(width=100), settings)
    assert median(fourier.error(fresh)) < 0.03
    assert median(deep.error(fresh)) < 0.1
    errors = fourier.error_by_resolution((64, 128, 256, 512))
    assert errors.max() < 1.05 * errors.min()
