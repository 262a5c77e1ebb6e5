"""Random functions have the variance, the ends and the covariance that they should."""

import numpy as np
import pytest

from tvilling.pinns.operators import GaussianField
from tvilling.pinns.operators.random_function import DrawnFunction
from tvilling.sciml.core.errors import InputError

SAMPLES = 2000


def values(field: GaussianField, places: np.ndarray) -> np.ndarray:
    draws = field.draw(SAMPLES, seed=1)
    np.testing.assert_allclose(draws[0](places[1]), _series(draws[0], places[1:2])[0], rtol=1e-12)
    return np.stack([_series(draw, places) for draw in draws])


def _series(draw: DrawnFunction, places: np.ndarray) -> np.ndarray:
    """The same by NumPy, which is quicker for thousands."""
    turn = np.outer(places - draw.low, draw.rate)
    return draw.mean + np.cos(turn) @ draw.cosine + np.sin(turn) @ draw.sine


def test_deviation_and_mean_at_every_place_of_a_stationary_field() -> None:
    found = values(GaussianField(2.0, 5.0, 0.7, 0.4, "periodic", mean=3.0), np.linspace(2, 5, 4))
    np.testing.assert_allclose(found.std(axis=0), 0.7, rtol=0.06)  # 2000 draws: 1.6 % a deviation
    np.testing.assert_allclose(found.mean(axis=0), 3.0, atol=0.06)


def test_covariance_is_that_of_the_matern_kernel() -> None:
    """Smoothness 2 in one dimension is Matérn 3/2: (1 + r/ℓ) exp(-r/ℓ), on an infinite line."""
    field = GaussianField(0.0, 6.0, 1.0, 0.5, "free", terms=100)
    found = values(field, np.array([3.0, 3.25, 3.5, 4.5]))
    covariance = (found * found[:, :1]).mean(axis=0)
    apart = np.array([0.0, 0.5, 1.0, 3.0])  # over ℓ
    np.testing.assert_allclose(covariance, (1 + apart) * np.exp(-apart), atol=0.07)


def test_ends() -> None:
    ends = np.array([-1.0, 1.0])
    for kind, gap in (("periodic", 0.0), ("free", None)):
        found = values(GaussianField(-1.0, 1.0, 1.0, 0.3, kind), ends)
        difference = np.abs(found[:, 1] - found[:, 0]).max()
        assert difference < 1e-12 if gap == 0.0 else difference > 1.0
    zero = values(GaussianField(-1.0, 1.0, 1.0, 0.3, "zero", mean=2.0), np.array([-1.0, 0.0, 1.0]))
    np.testing.assert_allclose(zero[:, [0, 2]], 2.0, atol=1e-12)
    assert zero[:, 1].std() > 0.5


def test_first_draws_do_not_depend_on_their_number() -> None:
    field = GaussianField(0.0, 1.0, 1.0, 0.3)
    few, many = field.draw(2, seed=4), field.draw(9, seed=4)
    np.testing.assert_array_equal(few[1](0.3), many[1](0.3))


def test_all_faults_at_once() -> None:
    with pytest.raises(InputError) as caught:
        GaussianField(1.0, 0.0, -1.0, 0.0)
    assert len(caught.value.faults) == 3
