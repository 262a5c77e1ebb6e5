"""The pipe with a wall: its closed form against the equations, a solver, and the pipe without."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from tvilling.pinns.library.chebyshev import differentiation, nodes
from tvilling.pinns.library.heating_pipe import HeatingPipe
from tvilling.pinns.library.heating_pipe_wall import HeatingPipeWall, example
from tvilling.sciml.core.errors import InputError

PIPE = HeatingPipeWall()


def test_the_closed_form_meets_both_balances():
    random = np.random.default_rng(0)
    x = jnp.asarray(random.uniform(0, PIPE.length_m, 100))
    time = jnp.asarray(random.uniform(0, PIPE.horizon_s, 100))
    water, wall = PIPE.exact_degc(x, time)
    slopes = [
        jax.vmap(jax.grad(lambda x, t, i=i: PIPE.exact_degc(x, t)[i], axis))(x, time)
        for i in (0, 1)
        for axis in (0, 1)
    ]
    passed = PIPE.exchange_w_per_mk * (water - wall)
    in_water = PIPE.water_j_per_mk * (slopes[1] + PIPE.speed_m_per_s * slopes[0]) + passed
    lost = PIPE.loss_w_per_mk * (wall - PIPE.ground_degc)
    in_wall = PIPE.wall_j_per_mk * slopes[3] - passed + lost
    np.testing.assert_allclose(in_water, 0.0, atol=1e-9)
    np.testing.assert_allclose(in_wall, 0.0, atol=1e-9)


def test_a_solver_finds_the_same():
    """Chebyshev points along the pipe, scipy's LSODA in time, from the start's profile."""
    x = nodes(0.0, PIPE.length_m, 30)[1:]
    slope = differentiation(np.append(0.0, x))[1:]

    def change(time, state):
        water, wall = state[: len(x)], state[len(x) :]
        inlet = float(PIPE.exact_degc(0.0, time)[0])
        passed = PIPE.exchange_w_per_mk * (water - wall)
        carried = PIPE.speed_m_per_s * slope @ np.append(inlet, water)
        lost = PIPE.loss_w_per_mk * (wall - PIPE.ground_degc)
        return np.append(
            -carried - passed / PIPE.water_j_per_mk, (passed - lost) / PIPE.wall_j_per_mk
        )

    start = np.concatenate([np.asarray(part) for part in PIPE.exact_degc(x, 0.0)])
    end = solve_ivp(change, (0.0, 1500.0), start, method="LSODA", rtol=1e-10, atol=1e-9).y[:, -1]
    exact = np.concatenate([np.asarray(part) for part in PIPE.exact_degc(x, 1500.0)])
    np.testing.assert_allclose(end, exact, atol=2e-6)


def test_a_wall_that_stores_almost_nothing_leaves_the_pipe_without_one():
    """They differ by the loss through the film, U / (h P + U)."""
    thin = replace(PIPE, outer_m=PIPE.inner_m + 1e-9)
    loss = 1 / (1 / PIPE.loss_w_per_mk + 1 / PIPE.exchange_w_per_mk)
    plain = HeatingPipe(
        lambda time: thin.exact_degc(0.0, time)[0],
        speed_m_per_s=PIPE.speed_m_per_s,
        loss_w_per_mk=loss,
    )
    x, time = np.linspace(0, 200, 9), np.linspace(0, 3600, 9)
    np.testing.assert_allclose(thin.exact_degc(x, time)[0], plain.exact_degc(x, time), rtol=1e-7)


def test_the_wall_delays_a_slow_swing_by_its_share_of_the_heat_capacity():
    slow = replace(PIPE, swings=(replace(PIPE.swings[0], period_s=1e6),), loss_w_per_mk=1e-9)
    ratio = slow.wall_j_per_mk / slow.water_j_per_mk
    late = slow.length_m / slow.speed_m_per_s * (1 + ratio)
    time = np.linspace(0.0, 1e6, 50)
    outlet, inlet = slow.exact_degc(slow.length_m, time)[0], slow.exact_degc(0.0, time - late)[0]
    np.testing.assert_allclose(outlet, inlet, atol=1e-4)
    assert ratio == pytest.approx(0.193, abs=0.001)


def test_exchange_is_that_of_dittus_and_boelter():
    """Re = 29 863, Pr = 2.2: Nu = 0.023 · 3801 · 1.267 = 110.8."""
    assert PIPE.exchange_w_per_mk == pytest.approx(110.8 * 0.67 * np.pi, rel=2e-3)


def test_the_problem_starts_as_the_reference_does():
    problem = example()
    at = {"x_m": np.linspace(0, 200, 5), "time_s": np.zeros(5)}
    found = problem.reference.function(at)
    assert np.all(np.abs(found["water_degc"] - found["wall_degc"]) < 1.0)
    assert {item.name for item in problem.unknowns} == set(found)


def test_impossible_pipes_are_refused():
    with pytest.raises(InputError) as error:
        HeatingPipeWall(length_m=0.0, outer_m=0.05)
    assert len(error.value.faults) == 2
