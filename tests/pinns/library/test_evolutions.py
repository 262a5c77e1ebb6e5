"""The Fourier references: exact solutions, refinement, invariants, and other schemes."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from tvilling.pinns.library import allen_cahn, kdv
from tvilling.pinns.library.references import evolutions
from tvilling.pinns.library.references.etdrk4 import Scheme, to_grid, to_modes

X = np.linspace(-1.0, 1.0, 401)


def grid(times):
    return np.meshgrid(X, np.asarray(times, float))


def relative(found, true):
    return np.linalg.norm(found - true) / np.linalg.norm(true)


def test_the_scheme_is_of_fourth_order():
    """y' = -2 y + y² from 1/2: y = 2 / (1 + 3 exp(2 t))."""

    def off(steps):
        scheme, y = Scheme.of(np.array([-2.0 + 0j]), 1 / steps), np.array([0.5 + 0j])
        for _ in range(steps):
            y = scheme.after(y, lambda y: y**2)
        return abs(y[0] - 2 / (1 + 3 * np.exp(2.0)))

    assert np.log2(off(64) / off(128)) == pytest.approx(4.0, abs=0.05)


def test_modes_and_places_are_two_forms_of_one_thing():
    values = np.random.default_rng(0).normal(size=16)
    modes = to_modes(values)
    np.testing.assert_allclose(to_modes(to_grid(modes)), modes, atol=1e-15)
    place = np.arange(16) / 16
    wave = 0.5 - np.cos(2 * np.pi * 3 * place) + 2 * np.sin(2 * np.pi * 7 * place)
    found = to_modes(wave)
    np.testing.assert_allclose(found[[0, 3, 7]], [0.5, -1, -2j], atol=1e-15)
    np.testing.assert_allclose(to_grid(found), wave, atol=1e-14)


@pytest.mark.slow
def test_kdv_is_the_same_on_finer_modes_and_steps():
    pairs = grid([0.1, 0.5, 0.8765, 1.0])
    fine = evolutions.kdv(0.022, modes=320, steps=30_000)(*pairs)
    error = kdv.example().reference.relative_error
    assert relative(kdv.solution(*pairs), fine) < error == 1e-10


def test_kdv_keeps_its_invariants():
    """Mean, ∫ u² dx, and ∫ u³ / 3 - δ² u_x² dx, which Zabusky and Kruskal's equation conserves."""
    modes = evolutions.kdv(0.022).modes[::100]
    wave_number = np.pi * np.arange(256)
    u = np.stack([to_grid(np.pad(one, (0, 256))) for one in modes])
    u_x = np.stack([to_grid(np.pad(1j * wave_number * one, (0, 256))) for one in modes])
    np.testing.assert_allclose(u.mean(axis=1), 0.0, atol=1e-13)
    np.testing.assert_allclose((u**2).mean(axis=1), 0.5, rtol=1e-10)
    energy = (u**3 / 3 - 0.022**2 * u_x**2).mean(axis=1)
    np.testing.assert_allclose(energy, -(0.022**2) * np.pi**2 / 2, rtol=1e-8)


def test_a_soliton_moves_as_it_should():
    """3 sech²((x - t) / (2 δ)), the solution on the line."""
    x, t = grid([0.05, 0.4321, 1.0])
    found = evolutions.kdv(0.022, "soliton")(x, t)
    from_crest = (x - t + 1) % 2 - 1
    np.testing.assert_allclose(found, 3 / np.cosh(from_crest / 0.044) ** 2, atol=1e-9)


def test_kdv_steepens_at_first_as_without_dispersion():
    """Well before the time 1/π of Zabusky and Kruskal, u = cos(π (x - u t))."""
    u = kdv.solution(X, np.full_like(X, 0.1))
    np.testing.assert_allclose(u, np.cos(np.pi * (X - u * 0.1)), atol=0.01)


@pytest.mark.slow
def test_allen_cahn_is_the_same_on_finer_modes_and_steps():
    """At even times from 0, and from t = 0.003 at each of them."""
    x, t = grid(np.linspace(0, 1, 41))
    fine = evolutions.allen_cahn(1e-4, 5.0, modes=3000, steps=2000)
    true = np.where(t == 0, x**2 * np.cos(np.pi * x), fine(x, t))
    assert relative(allen_cahn.solution(x, t), true) < 1e-10
    x, t = grid([0.003, 0.0123456])
    assert relative(allen_cahn.solution(x, t), fine(x, t)) < 1e-9


@pytest.mark.slow
def test_allen_cahn_is_worst_just_after_the_start():
    """Where modes are left out that the kink has: the most that `REFERENCE_ERROR` speaks of."""
    x, t = np.meshgrid(np.linspace(-1, 1, 8001), [1e-6, 1e-4, 1e-3])
    fine = evolutions.allen_cahn(1e-4, 5.0, modes=3000, steps=2000)(x, t)
    start = x[0] ** 2 * np.cos(np.pi * x[0])
    found = allen_cahn.solution(x, t)
    assert relative(found[0], start) < 1e-5
    assert relative(found[1], fine[1]) < 1e-5
    assert relative(found[2], fine[2]) < allen_cahn.REFERENCE_ERROR


def test_finite_differences_of_allen_cahn_tend_to_it():
    """Of second order in space, by scipy's BDF; half the interval, since the solution is even."""

    def off(cells):
        x = (np.arange(cells) + 0.5) / cells
        rate = 1e-4 * cells**2

        def slope(_, u):
            ghost = np.concatenate([u[:1], u, u[-1:]])
            return rate * (ghost[2:] - 2 * u + ghost[:-2]) + 5 * (u - u**3)

        found = solve_ivp(
            slope, (0, 0.5), x**2 * np.cos(np.pi * x), "LSODA", rtol=1e-8, atol=1e-9,
            lband=1, uband=1,
        ).y[:, -1]  # fmt: skip
        return relative(found, allen_cahn.solution(x, np.full_like(x, 0.5)))

    assert np.log2(off(400) / off(800)) == pytest.approx(2.0, abs=0.1)


def test_the_start_and_the_ends_are_met():
    """At time 0 as stated, and the same at both ends at all times."""
    start = np.zeros_like(X)
    np.testing.assert_allclose(kdv.solution(X, start), np.cos(np.pi * X), atol=1e-14)
    np.testing.assert_array_equal(allen_cahn.solution(X, start), allen_cahn.start(X))
    times = np.linspace(0.01, 1, 7)
    for solution in (kdv.solution, allen_cahn.solution):
        low, high = (solution(np.full(7, end), times) for end in (-1.0, 1.0))
        np.testing.assert_allclose(low, high, atol=1e-12)


@pytest.mark.parametrize("module", [allen_cahn, kdv])
def test_the_reference_meets_the_equation(module):
    """By differences of fourth order."""
    problem = module.example()
    random = np.random.default_rng(0)
    x, t = random.uniform(-1, 1, 50), random.uniform(0.1, 0.9, 50)
    step = 5e-4
    u = {
        (i, j): problem.reference.function({"x": x + i * step, "t": t + j * step})["u"]
        for i, j in [(i, 0) for i in range(-3, 4)] + [(0, j) for j in (-2, -1, 1, 2)]
    }
    u_t = (u[0, -2] - 8 * u[0, -1] + 8 * u[0, 1] - u[0, 2]) / (12 * step)
    u_x = (u[-2, 0] - 8 * u[-1, 0] + 8 * u[1, 0] - u[2, 0]) / (12 * step)
    u_xx = (-u[-2, 0] + 16 * u[-1, 0] - 30 * u[0, 0] + 16 * u[1, 0] - u[2, 0]) / (12 * step**2)
    u_xxx = (
        (u[-3, 0] - u[3, 0]) + 8 * (u[2, 0] - u[-2, 0]) + 13 * (u[-1, 0] - u[1, 0])
    ) / (8 * step**3)  # fmt: skip
    now = u[0, 0]
    parts = {
        "allen_cahn": (u_t, -1e-4 * u_xx, 5 * now**3 - 5 * now),
        "kdv": (u_t, now * u_x, 0.022**2 * u_xxx),
    }[problem.name]
    np.testing.assert_allclose(sum(parts), 0.0, atol=1e-4 * np.abs(parts).max())
