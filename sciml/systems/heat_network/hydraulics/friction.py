"""Friction of water in a full pipe."""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float

LOG_10 = 2.302585092994046
LAMINAR_END, TURBULENT_START = 2300.0, 4000.0
MIN_REYNOLDS = 1e-3  # below it the pressure drop stays linear in the flow


def colebrook(reynolds: Array, relative_roughness: Array) -> Array:
    """Darcy friction factor of turbulent flow after Colebrook and White [-].

    1/√f = -2 log10(ε/(3.71 D) + 2.51/(Re √f)), by one Newton step from Haaland's explicit form,
    which leaves less than 1e-5 of f. Valid for Re > 4000 and ε/D < 0.05.

    Colebrook, J. Inst. Civ. Eng. 11, 1939, doi 10.1680/ijoti.1939.13150;
    Haaland, J. Fluids Eng. 105, 1983, doi 10.1115/1.3240948.
    """
    rough, smooth = relative_roughness / 3.71, 2.51 / reynolds
    x = -1.8 / LOG_10 * jnp.log((relative_roughness / 3.7) ** 1.11 + 6.9 / reynolds)
    argument = rough + smooth * x
    miss = x + 2.0 / LOG_10 * jnp.log(argument)
    x = x - miss / (1.0 + 2.0 / LOG_10 * smooth / argument)
    return 1.0 / x**2


def blended(reynolds: Array, relative_roughness: Array) -> Array:
    """Darcy friction factor for every Reynolds number [-].

    Laminar 64/Re below 2300, `colebrook` above 4000, and between them a smooth step in Re (the
    transition has no settled law; the step keeps the factor and its slope continuous).
    """
    reynolds = jnp.maximum(reynolds, MIN_REYNOLDS)
    laminar = 64.0 / reynolds
    turbulent = colebrook(jnp.maximum(reynolds, LAMINAR_END), relative_roughness)
    share = jnp.clip((reynolds - LAMINAR_END) / (TURBULENT_START - LAMINAR_END), 0.0, 1.0)
    share = share**2 * (3.0 - 2.0 * share)
    return laminar + share * (turbulent - laminar)


def laminar_plus_rough(reynolds: Array, relative_roughness: Array) -> Array:
    """Sum of the laminar and the fully rough factor [-], pandapipes' default ("nikuradse").

    f = 64/Re + (2 log10(3.71 D/ε))^-2. Kept for comparison with that program.
    """
    reynolds = jnp.maximum(reynolds, MIN_REYNOLDS)
    return 64.0 / reynolds + 0.25 / jnp.log10(relative_roughness / 3.71) ** 2


FRICTION_LAWS: dict[str, Callable[[Array, Array], Array]] = {
    "colebrook": blended,
    "nikuradse": laminar_plus_rough,
}


def friction_gradient_pa_per_m(
    flow_kg_per_s: Float[Array, "*pipe"],
    diameter_m: Float[Array, "*pipe"],
    roughness_m: Float[Array, "*pipe"],
    density_kg_per_m3: Float[Array, "*pipe"],
    viscosity_pa_s: Float[Array, "*pipe"],
    law: str = "colebrook",
) -> Float[Array, "*pipe"]:
    """Pressure drop per metre in the direction of positive flow [Pa/m].

    Darcy-Weisbach: dp/dx = f m|m| / (2 ρ A² D), odd in the flow and linear where it vanishes.
    """
    area_m2 = jnp.pi / 4 * diameter_m**2
    size = jnp.abs(flow_kg_per_s)
    reynolds = size * diameter_m / (viscosity_pa_s * area_m2)
    factor = FRICTION_LAWS[law](reynolds, roughness_m / diameter_m)
    least = MIN_REYNOLDS * viscosity_pa_s * area_m2 / diameter_m
    size = jnp.maximum(size, least)
    return factor * flow_kg_per_s * size / (2 * density_kg_per_m3 * area_m2**2 * diameter_m)
