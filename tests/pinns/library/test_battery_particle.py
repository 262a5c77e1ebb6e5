"""The particle: its series against finite volumes, refinement, and what has left it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from tvilling.pinns.library.battery_particle import BatteryParticle, example, roots_of_tan
from tvilling.sciml.core.errors import InputError

ONE = BatteryParticle()
RANDOM = np.random.default_rng(0)
R, TIME = RANDOM.uniform(0, ONE.radius_um, 200), RANDOM.uniform(0, ONE.horizon_s, 200)


def test_the_roots_are_those_of_the_tables():
    """Carslaw and Jaeger, appendix IV, table III."""
    np.testing.assert_allclose(
        roots_of_tan(6), [4.4934, 7.7253, 10.9041, 14.0662, 17.2208, 20.3713], atol=5e-5
    )
    roots = roots_of_tan(500)
    np.testing.assert_allclose(np.tan(roots), roots, rtol=1e-6)


def test_the_stated_error_is_that_of_further_terms():
    found, finer = ONE.exact_mol_per_m3(R, TIME), ONE.exact_mol_per_m3(R, TIME, modes=4000)
    assert np.max(np.abs(found / finer - 1)) < example().reference.relative_error


def finite_volumes(cells, time_s):
    """Mean concentration of equally thick shells, by scipy's BDF."""
    edges = np.linspace(0.0, ONE.radius_um, cells + 1)
    volume, width = np.diff(edges**3) / 3, edges[1]

    def change(time, state):
        out = np.zeros(cells + 1)
        out[1:-1] = -ONE.diffusivity_um2_per_s * np.diff(state) / width
        out[-1] = ONE.flux_um * (1 - np.exp(-time / ONE.rise_s))
        return -np.diff(edges**2 * out) / volume

    start = np.full(cells, ONE.start_mol_per_m3)
    band = np.eye(cells) + np.eye(cells, k=1) + np.eye(cells, k=-1)
    solved = solve_ivp(
        change, (0, time_s), start, method="BDF", rtol=1e-9, atol=1e-5, jac_sparsity=band
    )
    return edges, solved.y[:, -1]


def test_finite_volumes_tend_to_it_at_second_order():
    def off(cells):
        edges, found = finite_volumes(cells, 300.0)
        node, weight = np.polynomial.legendre.leggauss(4)
        r = edges[:-1, None] + np.diff(edges)[:, None] * (node + 1) / 2
        exact = ONE.exact_mol_per_m3(r, 300.0)
        mean = (exact * r**2) @ weight / (r**2 @ weight)
        return np.sqrt(np.mean((found - mean) ** 2))

    assert np.log2(off(20) / off(40)) == pytest.approx(2.0, abs=0.15)
    assert off(40) < 1e-3 * 548.0  # of the difference between surface and mean


def test_what_is_missing_has_left():
    whole = quad(lambda r: r**2 * float(ONE.exact_mol_per_m3(r, 700.0)), 0, ONE.radius_um)[0]
    mean = 3 * whole / ONE.radius_um**3
    assert mean == pytest.approx(29866.0 - float(ONE.taken_mol_per_m3(700.0)), rel=1e-9)


def test_at_constant_current_the_surface_lags_by_a_fifth():
    """After the rise: mean minus surface is j R / (5 D), that of the textbook's parabola."""
    surface = float(ONE.exact_mol_per_m3(ONE.radius_um, 3300.0))
    mean = ONE.start_mol_per_m3 - float(ONE.taken_mol_per_m3(3300.0))
    lag = ONE.flux_um * ONE.radius_um / (5 * ONE.diffusivity_um2_per_s)
    assert mean - surface == pytest.approx(lag, rel=1e-5)


def test_the_middle_and_equal_rates_are_no_exceptions():
    rate = ONE.diffusivity_um2_per_s * roots_of_tan(1)[0] ** 2 / ONE.radius_um**2
    equal = replace(ONE, rise_s=1 / rate)
    near = replace(ONE, rise_s=(1 + 1e-9) / rate)
    at = np.array([0.0, 1e-6, 3.0]), np.full(3, 200.0)
    np.testing.assert_allclose(equal.exact_mol_per_m3(*at), near.exact_mol_per_m3(*at), rtol=1e-9)
    found = ONE.exact_mol_per_m3(*at)
    assert found[0] == pytest.approx(found[1], rel=1e-12)


def test_impossible_particles_are_refused():
    with pytest.raises(InputError) as error:
        BatteryParticle(radius_um=0.0, rise_s=-1.0)
    assert len(error.value.faults) == 2
