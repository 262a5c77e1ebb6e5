"""Parameters found through a solver: against scipy, bounds in closed form, and a network."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import BSpline
from scipy.optimize import least_squares

from tvilling.pinns.fields.splines import cubic
from tvilling.pinns.inverse.classical_solver import SolverRoute, solve
from tvilling.pinns.inverse.estimates import Estimate
from tvilling.pinns.library.heat_inverse import SensedRod, crank_nicolson
from tvilling.pinns.library.heating_pipe_inverse import SensedPipe
from tvilling.pinns.library.swing_inverse import SensedMachine
from tvilling.sciml.core.errors import InputError


def test_machine_is_found_as_by_scipy():
    """Estimates and standard errors from DOP853 and scipy's own least squares."""
    machine = SensedMachine()
    time, read = machine.points["time_s"], machine.problem().measured[0].values

    def misfit(found):
        return SensedMachine(damping_s=found[0], inertia_s2=found[1]).solved(time) - read

    other = least_squares(misfit, [0.1, 0.3], x_scale=[0.1, 0.3], xtol=1e-12)
    variance = np.sum(other.fun**2) / (len(read) - 2) * np.linalg.inv(other.jac.T @ other.jac)
    found = solve(machine.route())
    for i, name in enumerate(("damping_s", "inertia_s2")):
        estimate, error = found.estimates[name], np.sqrt(variance[i, i])
        assert estimate.value == pytest.approx(other.x[i], abs=0.01 * error)
        assert estimate.standard_error == pytest.approx(error, rel=0.01)
    assert found.reached == 1.0


def test_rod_reaches_the_bound_of_cramer_and_rao():
    """d/dα exp(-α π² t) sin(π x) is known."""
    rod = SensedRod()
    x, t = rod.points["x"], rod.points["t"]
    slope = -(np.pi**2) * t * np.exp(-0.25 * np.pi**2 * t) * np.sin(np.pi * x)
    estimate = solve(rod.route(), rod.noise).estimates["diffusivity"]
    bound = rod.noise / np.linalg.norm(slope)
    assert estimate.standard_error == pytest.approx(bound, rel=0.05)
    assert estimate.value == pytest.approx(0.25, abs=3 * bound)


def test_finite_differences_of_the_rod_are_as_exact_as_they_say():
    t, x = np.linspace(0, 1, 41), np.linspace(0, 1, 41)
    exact = np.exp(-0.25 * np.pi**2 * t[:, None]) * np.sin(np.pi * x)
    found = np.asarray(crank_nicolson(jnp.asarray(0.25)))
    assert 1e-5 < np.abs(found - exact).max() < 4e-4


def test_speed_and_loss_of_the_pipe_are_found_without_knowing_the_inlet():
    pipe = SensedPipe()
    found = solve(pipe.route())
    for name, true in pipe.truth.items():
        estimate = found.estimates[name]
        assert abs(estimate.value - true) < 3 * estimate.standard_error
        assert estimate.standard_error < 0.01 * true
    assert found.noise[0] == pytest.approx(pipe.noise_k, rel=0.15)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_one_sensor_does_not_tell_the_loss_of_a_pipe(share):
    """What enters is not known, so that one sensor sees a course and nothing more."""
    pipe = SensedPipe(sensor_shares=(share,), readings=100)
    with pytest.raises(InputError, match="do not tell decay_per_s"):
        solve(pipe.route())


def test_the_spline_is_that_of_scipy():
    coefficients = np.random.default_rng(0).standard_normal(9)
    knots = 2.0 + 0.5 * np.arange(-3, 10)
    at = np.linspace(2.0, 5.0, 101)
    other = BSpline(knots, coefficients, 3)(at)
    found = cubic(2.0, 5.0, jnp.asarray(coefficients), jnp.asarray(at))
    np.testing.assert_allclose(found, other, atol=1e-13)


def test_a_solver_with_another_number_of_values_is_refused():
    problem = SensedRod().problem()
    route = SolverRoute(problem, lambda found, nuisance: jnp.ones(3) * found["diffusivity"])
    with pytest.raises(InputError, match=r"it gives \(3,\) values, expected \(30,\)"):
        solve(route)


def test_parameters_without_any_influence_are_refused_by_name():
    problem = SensedRod().problem()
    route = SolverRoute(problem, lambda found, nuisance: jnp.ones(30) + 0 * found["diffusivity"])
    with pytest.raises(InputError, match="do not tell diffusivity"):
        solve(route)


def test_an_estimate_is_told_with_interval_and_unit():
    told = Estimate("speed_m_per_s", "m/s", 0.1, 0.01, 0.08, 0.12).describe()
    assert told == "speed_m_per_s 0.1 (0.08 to 0.12) m/s"
