"""Coefficient of performance of a compression heat pump from the temperatures around it."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array

from tvilling.sciml.core.units import ZERO_DEGC_K

MIN_LIFT_K = 10.0  # the law is used as it stands down to here
SERIES_TERMS = 12  # leaves out less than 1e-14 where one temperature is up to 1.8 times the other
FROST_BELOW_DEGC, FROST_WIDTH_K = 2.0, 0.5


def heat_pump_cop(
    source_in_degc: ArrayLike,
    source_out_degc: ArrayLike,
    forward_degc: ArrayLike,
    return_degc: ArrayLike,
    lorentz_efficiency: ArrayLike,
) -> Array:
    """Heat delivered over power drawn [1], by the law of Lorentz.

    A heat pump without losses, between a source that is cooled from `source_in_degc` to
    `source_out_degc` and water that is heated from `return_degc` to `forward_degc`, reaches [1]

        COP_L = T_sink / (T_sink - T_source),   T = (T_1 - T_2) / ln(T_1 / T_2) in kelvin

    with a logarithmic mean temperature on each side; a real one reaches `lorentz_efficiency` of
    it. That is a constant here, and an assumption: 0.4 to 0.6 for large units. Auxiliary power and
    defrosting are left out (`defrost_factor`).

    Valid for sources from -25 to 60 °C, forward temperatures up to 110 °C, and a lift
    T_sink - T_source of 10 K at least. A smaller lift is replaced by one that joins it with the
    same slope and ends at 5 K, so the answer stays finite, positive and differentiable; equal
    temperatures in and out are no special case. All arguments broadcast.

    [1] Reinholdt et al., Heat pump COP, part 1, 13th IIR-Gustav Lorentzen Conference 2018,
    doi 10.18462/iir.gl.2018.1380.
    """
    source_k = log_mean_k(source_in_degc, source_out_degc)
    sink_k = log_mean_k(forward_degc, return_degc)
    return jnp.asarray(lorentz_efficiency) * sink_k / _bounded_lift(sink_k - source_k)


def log_mean_k(one_degc: ArrayLike, other_degc: ArrayLike) -> Array:
    """Logarithmic mean of two temperatures [K], smooth where they are equal.

    With r = (T1 - T2) / (T1 + T2), ln(T1 / T2) = 2 artanh r, which is a series in r².
    """
    one, other = jnp.asarray(one_degc) + ZERO_DEGC_K, jnp.asarray(other_degc) + ZERO_DEGC_K
    square = ((one - other) / (one + other)) ** 2
    quotient = jnp.zeros_like(square)  # artanh(r) / r
    for k in range(SERIES_TERMS - 1, -1, -1):
        quotient = quotient * square + 1.0 / (2 * k + 1)
    return 0.5 * (one + other) / quotient


def defrost_factor(outdoor_degc: ArrayLike, loss: ArrayLike) -> Array:
    """Share of its COP and of its heat that an air source keeps where its coils frost [1].

    1 in air that is warm enough, 1 - `loss` below 2 °C [1], with a rise of about 2 K between
    them instead of a jump. How much is lost depends on coils, humidity and control; [1] uses 0.2
    in its example for small units. Very cold air is dry and frosts less, which is left out.

    [1] oemof.thermal, `calc_cops`, arguments `factor_icing` and `temp_threshold_icing`.
    """
    frosting = jax.nn.sigmoid((FROST_BELOW_DEGC - jnp.asarray(outdoor_degc)) / FROST_WIDTH_K)
    return 1.0 - jnp.asarray(loss) * frosting


def _bounded_lift(lift_k: Array) -> Array:
    """`lift_k` down to `MIN_LIFT_K`, then an exponential that ends at half of it."""
    half = MIN_LIFT_K / 2
    below = half + half * jnp.exp(jnp.minimum(lift_k - MIN_LIFT_K, 0.0) / half)
    return jnp.where(lift_k < MIN_LIFT_K, below, lift_k)
