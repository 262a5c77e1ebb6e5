"""Fourier layers are what their formula says; networks keep the symmetries they are built for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tvilling.pinns import Axis
from tvilling.pinns.operators import DeepONet, FourierOperator
from tvilling.pinns.operators.fno import spectral_convolution
from tvilling.pinns.operators.model import Layout
from tvilling.sciml.core.errors import InputError

RING = Layout((Axis("x", "1", -1.0, 1.0, periodic=True),), "x", 32)
STRIP = Layout((Axis("x", "m", 0.0, 1.0, periodic=True), Axis("t", "s", 0.0, 2.0)), "x", 16)


def drawn(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def test_spectral_convolution_of_a_line_is_the_fourier_sum() -> None:
    values, parts = drawn(3, 20, 2), drawn(2, 6, 2, 4, seed=1)
    weights = parts[0] + 1j * parts[1]
    modes = np.fft.rfft(values, axis=1)
    new = np.zeros((3, 11, 4), complex)
    for k in range(6):
        new[:, k] = modes[:, k] @ weights[k]
    found = spectral_convolution(jnp.asarray(values), jnp.asarray(weights))
    np.testing.assert_allclose(found, np.fft.irfft(new, 20, axis=1), atol=1e-13)


def test_spectral_convolution_of_a_plane_is_the_sum_over_waves() -> None:
    """By the definition: each pair of wave numbers alone, and its opposite by conjugation."""
    values, parts = drawn(2, 12, 10, 2), drawn(2, 5, 3, 2, 3, seed=1)
    weights = parts[0] + 1j * parts[1]
    x, y = np.meshgrid(np.arange(12) / 12, np.arange(10) / 10, indexing="ij")
    expected = np.zeros((2, 12, 10, 3))
    for row, k in enumerate((0, 1, 2, -2, -1)):
        for m in range(3):
            wave = np.exp(2j * np.pi * (k * x + m * y))
            mode = np.einsum("sxyi,xy->si", values, wave.conj()) / 120
            both = 1 if m == 0 else 2
            expected += both * np.einsum("so,xy->sxyo", mode @ weights[row, m], wave).real
    found = spectral_convolution(jnp.asarray(values), jnp.asarray(weights))
    np.testing.assert_allclose(found, expected, atol=1e-13)


def test_a_fourier_operator_commutes_with_shifts_of_a_ring() -> None:
    network = FourierOperator(width=8, modes=7)
    weights = network.begin(RING, jax.random.key(0))
    places = {"x": jnp.linspace(-1, 1, 32, endpoint=False)}
    function = drawn(4, 32).astype(np.float32)
    whole = np.asarray(network.apply(RING, weights, function, places))
    shifted = network.apply(RING, weights, np.roll(function, 5, axis=1), places)
    assert whole.std() > 0.01
    np.testing.assert_allclose(shifted, np.roll(whole, 5, axis=1), atol=1e-5 * whole.std() * 10)


def test_values_over_open_ends_tend_to_a_limit_with_the_square_of_the_spacing() -> None:
    """A jump between the ends would let them tend in first order: a ratio of 2."""
    layout = Layout((Axis("t", "s", 0.0, 2.0),), "t", 33)
    network = FourierOperator(width=8, modes=6)
    weights = network.begin(layout, jax.random.key(1))

    def at_coarse_places(count: int) -> np.ndarray:
        t = jnp.linspace(0.0, 2.0, count)
        found = jax.jit(
            lambda: network.apply(layout, weights, (jnp.sin(2 * t) + t)[None], {"t": t})
        )
        return np.asarray(found())[0, :: (count - 1) // 32]

    coarse, middle, fine = (at_coarse_places(count) for count in (33, 65, 129))
    ratio = np.linalg.norm(coarse - middle) / np.linalg.norm(middle - fine)
    assert ratio == pytest.approx(4.0, abs=0.5)


@pytest.mark.parametrize("layout", [RING, STRIP])
def test_a_deep_operator_network_agrees_at_both_ends_of_a_periodic_axis(layout: Layout) -> None:
    network = DeepONet(width=16, basis=8)
    weights = network.begin(layout, jax.random.key(0))
    places = {axis.name: jnp.linspace(axis.low, axis.high, 9) for axis in layout.axes}
    found = np.asarray(network.apply(layout, weights, drawn(3, layout.sensors), places))
    assert found.shape == (3, *(9 for _ in layout.axes))
    assert np.ptp(found, axis=1).min() > 1e-3
    np.testing.assert_allclose(found[:, 0], found[:, -1], atol=1e-5)


def test_grid_points_of_a_deep_operator_network_do_not_depend_on_each_other() -> None:
    network = DeepONet(width=16, basis=8)
    weights = network.begin(STRIP, jax.random.key(0))
    function = drawn(2, 16)
    x, t = jnp.asarray([0.1, 0.5, 0.8]), jnp.asarray([0.3, 1.9])
    whole = network.apply(STRIP, weights, function, {"x": x, "t": t})
    alone = network.apply(STRIP, weights, function, {"x": x[1:2], "t": t[1:]})
    np.testing.assert_allclose(whole[:, 1, 1], alone[:, 0, 0], rtol=1e-5, atol=1e-6)


def test_a_coarse_grid_and_an_uneven_one_are_refused_together() -> None:
    network = FourierOperator(modes=12)
    grid = {"x": np.linspace(0, 1, 16, endpoint=False), "t": np.array([0.0, 0.5, 2.0])}
    with pytest.raises(InputError, match="too few for 12 modes") as caught:
        network.function_places(STRIP, grid, grid["x"])
    assert "t is not an even grid" in str(caught.value)


def test_three_axes_are_refused() -> None:
    axes = tuple(Axis(name, "m", 0.0, 1.0) for name in "xyz")
    assert FourierOperator().faults(Layout(axes, "x", 16)) == [
        "the solution spans 3 axes, expected one or two"
    ]
