"""Properties of the heat carrier as polynomials in temperature.

The default is liquid water at 0.6 MPa after IAPWS-IF97, fitted between 3 and 145 °C. Pressure
matters little for a liquid: between 0.1 and 2.5 MPa density moves by 0.1 %, heat capacity by 0.2 %.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from tvilling.sciml.core.units import ZERO_DEGC_K

MID_DEGC, SPAN_K = 75.0, 75.0  # the polynomials run in (t - MID) / SPAN
CP_REF = 4200.0  # J/(kg·K), scales enthalpy in the inverse polynomial
DEGREES = {"temperature": 7, "density": 5, "fluidity": 5, "enthalpy": 4}


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Water:
    """Coefficients of one heat carrier, lowest power first.

    `temperature` [°C] is a polynomial of enthalpy [J/kg], which is about zero at 0 °C, and
    defines both it and the heat capacity 1/(dT/dh). `density` [kg/m³] and `fluidity` [1/(Pa·s)]
    are polynomials of temperature, and so is `enthalpy`, a start for the inverse. Outside the
    range it was fitted to it extrapolates.
    """

    temperature: Float[Array, " power"]
    density: Float[Array, " power"]
    fluidity: Float[Array, " power"]
    enthalpy: Float[Array, " power"]

    def temperature_degc(self, enthalpy_j_per_kg: ArrayLike) -> Array:
        """Temperature [°C] of water with this enthalpy [J/kg]."""
        return _polynomial(self.temperature, _scaled(jnp.asarray(enthalpy_j_per_kg) * (1 / CP_REF)))

    def cp_at_enthalpy(self, enthalpy_j_per_kg: ArrayLike) -> Array:
        """Specific heat capacity [J/(kg·K)] of water with this enthalpy [J/kg]."""
        return CP_REF * SPAN_K / self._slope(enthalpy_j_per_kg)

    def enthalpy_j_per_kg(self, degc: ArrayLike) -> Array:
        """Specific enthalpy [J/kg] at `degc` [°C]: a polynomial start and two Newton steps."""
        enthalpy = CP_REF * _polynomial(self.enthalpy, _scaled(degc))
        for _ in range(2):
            miss = self.temperature_degc(enthalpy) - degc
            enthalpy = enthalpy - miss * self.cp_at_enthalpy(enthalpy)
        return enthalpy

    def cp_j_per_kgk(self, degc: ArrayLike) -> Array:
        """Specific heat capacity [J/(kg·K)] at `degc` [°C]."""
        return self.cp_at_enthalpy(self.enthalpy_j_per_kg(degc))

    def density_kg_per_m3(self, degc: ArrayLike) -> Array:
        """Density [kg/m³] at `degc` [°C]."""
        return _polynomial(self.density, _scaled(degc))

    def viscosity_pa_s(self, degc: ArrayLike) -> Array:
        """Dynamic viscosity [Pa·s] at `degc` [°C]."""
        return 1.0 / _polynomial(self.fluidity, _scaled(degc))

    def _slope(self, enthalpy_j_per_kg: ArrayLike) -> Array:
        """Derivative of the temperature polynomial with respect to its scaled argument [K]."""
        powers = np.arange(1, self.temperature.shape[-1])
        return _polynomial(
            self.temperature[1:] * powers, _scaled(jnp.asarray(enthalpy_j_per_kg) * (1 / CP_REF))
        )


def iapws_water() -> Water:
    """Liquid water at 0.6 MPa, 3 to 145 °C.

    Reproduces IAPWS-IF97 [1] within 1 J/(kg·K) in heat capacity, 0.05 kg/m³ in density and
    0.04 % in viscosity.

    [1] IAPWS R7-97(2012), Industrial Formulation 1997 for the properties of water and steam.
    """
    return Water(
        temperature=jnp.array(
            [75.27542444, 75.16834114, -0.4950872606, -0.3558076279,
             -0.02752358516, 0.03618189604, 0.04522356373, -0.05275828968]
        ),
        density=jnp.array(
            [975.069947, -44.7856416, -14.5408127, 2.39172067, -1.86729111, 0.867125872]
        ),
        fluidity=jnp.array(
            [2648.64246, 2596.6495, 367.739283, -148.524586, 0.136131255, 10.4320844]
        ),
        enthalpy=jnp.array(
            [74.72433232, 74.82249253, 0.5068261224, 0.3740062314, -0.02013535302]
        ),
    )  # fmt: skip


REGION_4 = (
    1167.0521452767, -724213.16703206, -17.073846940092, 12020.82470247, -3232555.0322333,
    14.91510861353, -4823.2657361591, 405113.40542057, -0.23855557567849, 650.17534844798,
)  # fmt: skip


def saturation_pa(degc: ArrayLike) -> Array:
    """Absolute pressure at which water of `degc` [°C] boils [Pa], between 0 and 350 °C.

    IAPWS R7-97(2012), equation 30; below and above the range that of its end.
    """
    kelvin = jnp.clip(jnp.asarray(degc), 0.0, 350.0) + ZERO_DEGC_K
    n = REGION_4
    x = kelvin + n[8] / (kelvin - n[9])
    a = x**2 + n[0] * x + n[1]
    b = n[2] * x**2 + n[3] * x + n[4]
    c = n[5] * x**2 + n[6] * x + n[7]
    return 1e6 * (2 * c / (-b + jnp.sqrt(b**2 - 4 * a * c))) ** 4


def fit_water(
    degc: np.ndarray, density: np.ndarray, cp: np.ndarray, viscosity: np.ndarray
) -> Water:
    """Polynomials through a table of properties, for another carrier or another source.

    Parameters
    ----------
    degc, density, cp, viscosity
        Temperatures [°C] that rise, and the properties there [kg/m³, J/(kg·K), Pa·s].
    """
    fine = np.linspace(degc[0], degc[-1], 400)
    cp_fine = np.interp(fine, degc, cp)
    steps = np.diff(fine) * (cp_fine[1:] + cp_fine[:-1]) / 2
    enthalpy = np.concatenate([[0.0], np.cumsum(steps)])
    enthalpy += fine[0] * cp_fine[0]  # about zero at 0 °C
    x = _scaled(fine)

    def fit(at: np.ndarray, values: np.ndarray, degree: int) -> np.ndarray:
        return np.polynomial.polynomial.polyfit(at, values, degree)

    slope = fit(_scaled(enthalpy / CP_REF), CP_REF / cp_fine, DEGREES["temperature"] - 1)
    powers = np.arange(1, len(slope) + 1)
    temperature = np.concatenate([[0.0], slope * SPAN_K / powers])
    temperature[0] = np.mean(fine - _polynomial(temperature, _scaled(enthalpy / CP_REF)))
    return Water(
        temperature=jnp.asarray(temperature),
        density=jnp.asarray(fit(x, np.interp(fine, degc, density), DEGREES["density"])),
        fluidity=jnp.asarray(fit(x, 1 / np.interp(fine, degc, viscosity), DEGREES["fluidity"])),
        enthalpy=jnp.asarray(fit(x, enthalpy / CP_REF, DEGREES["enthalpy"])),
    )


def constant_water(cp: float, density: float, viscosity: float) -> Water:
    """A carrier whose properties do not change with temperature."""
    flat = np.ones(2)
    return fit_water(np.array([0.0, 150.0]), density * flat, cp * flat, viscosity * flat)


def _scaled(value: Any) -> Any:
    return (value - MID_DEGC) * (1 / SPAN_K)


def _polynomial(coefficients: Any, x: Any) -> Any:
    """Horner's rule, lowest power first."""
    total = coefficients[..., -1]
    for power in range(coefficients.shape[-1] - 2, -1, -1):
        total = total * x + coefficients[..., power]
    return total
