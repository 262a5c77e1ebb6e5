"""Properties of water against the IAPWS-IF97 tables of the `iapws` package."""

import iapws
import jax.numpy as jnp
import numpy as np
import pytest

from tvilling.sciml.core.water import constant_water, fit_water, iapws_water

DEGC = np.linspace(3.0, 145.0, 72)


@pytest.fixture(scope="module")
def real() -> dict[str, np.ndarray]:
    """Properties at 0.6 MPa."""
    points = [iapws.IAPWS97(T=degc + 273.15, P=0.6) for degc in DEGC]
    return {name: np.array([getattr(p, name) for p in points]) for name in ("rho", "mu", "cp", "h")}


def test_the_default_is_if97_within_the_stated_limits(real: dict[str, np.ndarray]) -> None:
    water, degc = iapws_water(), jnp.asarray(DEGC)
    np.testing.assert_allclose(water.density_kg_per_m3(degc), real["rho"], rtol=0, atol=0.05)
    np.testing.assert_allclose(water.viscosity_pa_s(degc), real["mu"], rtol=4e-4)
    np.testing.assert_allclose(water.cp_j_per_kgk(degc), real["cp"] * 1e3, rtol=0, atol=1.0)
    rise = np.asarray(water.enthalpy_j_per_kg(degc))
    expected = (real["h"] - real["h"][0]) * 1e3
    np.testing.assert_allclose(rise - rise[0], expected, rtol=0, atol=50.0)


def test_temperature_and_enthalpy_invert_each_other() -> None:
    water, degc = iapws_water(), jnp.asarray(DEGC)
    back = water.temperature_degc(water.enthalpy_j_per_kg(degc))
    np.testing.assert_allclose(back, DEGC, rtol=0, atol=1e-6)


def test_heat_capacity_is_the_slope_of_the_enthalpy() -> None:
    water = iapws_water()
    ahead, behind = (water.enthalpy_j_per_kg(jnp.asarray(DEGC + s)) for s in (0.01, -0.01))
    slope = (np.asarray(ahead) - np.asarray(behind)) / 0.02
    np.testing.assert_allclose(slope, water.cp_j_per_kgk(jnp.asarray(DEGC)), rtol=1e-6)


def test_fit_through_a_table_reproduces_it(real: dict[str, np.ndarray]) -> None:
    water = fit_water(DEGC, real["rho"], real["cp"] * 1e3, real["mu"])
    degc = jnp.asarray(DEGC)
    np.testing.assert_allclose(water.density_kg_per_m3(degc), real["rho"], rtol=1e-4)
    np.testing.assert_allclose(water.cp_j_per_kgk(degc), real["cp"] * 1e3, rtol=1e-3)
    np.testing.assert_allclose(water.viscosity_pa_s(degc), real["mu"], rtol=2e-3)


def test_a_constant_carrier_is_constant() -> None:
    water, degc = constant_water(4186.0, 975.0, 4e-4), jnp.array([5.0, 60.0, 140.0])
    np.testing.assert_allclose(water.cp_j_per_kgk(degc), 4186.0, rtol=1e-9)
    np.testing.assert_allclose(water.density_kg_per_m3(degc), 975.0, rtol=1e-9)
    np.testing.assert_allclose(water.viscosity_pa_s(degc), 4e-4, rtol=1e-9)
    np.testing.assert_allclose(water.enthalpy_j_per_kg(degc), 4186.0 * degc, rtol=1e-9)
