"""The equations of the power flow in JAX: what every bus injects, holds and misses.

They are those of the kernel (`newton`), written for whole arrays with any number of leading axes,
so that JAX can differentiate them by every parameter.
"""

from collections.abc import Mapping
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.solver.scenarios import POWERS, VOLTAGES

Varying = Mapping[str, Array]
TWO_PORT = "two_port"  # branch admittances `[*batch, branch, 8]`, beside what varies by element


def slack_voltages(grid: PowerGrid, given: Varying, batch: tuple[int, ...]) -> tuple[Array, Array]:
    """Real and imaginary part of the slack buses' voltages `[*batch, slack]` [p.u.]."""
    vm = jnp.broadcast_to(held_voltages(grid, given)[..., grid.slack], (*batch, len(grid.slack)))
    return vm * np.cos(grid.slack_va_rad), vm * np.sin(grid.slack_va_rad)


def held_voltages(grid: PowerGrid, given: Varying) -> Float[Array, "*batch bus"]:
    """Voltage magnitude to hold at every bus [p.u.]."""
    vm = jnp.asarray(grid.vm_pu)
    for name, kind in VOLTAGES.items():
        if name in given:
            bus = grid.elements[kind].bus
            on = np.flatnonzero(bus >= 0)
            values = given[name][..., on]
            vm = _widened(vm, values).at[..., bus[on]].set(values)
    return vm


def injected(grid: PowerGrid, given: Varying, reactive: bool) -> Float[Array, "*batch bus"]:
    """Active or reactive power that enters at every bus [p.u.]."""
    power = jnp.asarray(grid.q_pu if reactive else grid.p_pu)
    for name, (kind, is_reactive) in POWERS.items():
        if name in given and is_reactive == reactive:
            elements = grid.elements[kind]
            on = np.flatnonzero(elements.bus >= 0)
            base = elements.q_mvar if reactive else elements.p_mw
            weight = elements.sign[on] / grid.base_mva
            more = (given[name][..., on] - base[on]) * weight
            power = jnp.broadcast_to(
                power, (*jnp.broadcast_shapes(power.shape[:-1], more.shape[:-1]), grid.n_bus)
            )
            power = power.at[..., elements.bus[on]].add(more)
    return power


def currents(
    grid: PowerGrid, given: Varying, e: Array, f: Array
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Re and Im of the current into every branch at its from-end, then at its to-end [p.u.]."""
    y = jnp.moveaxis(given.get(TWO_PORT, jnp.asarray(grid.two_port)), -1, 0)
    ef, ff, et, ft = (
        e[..., grid.from_bus],
        f[..., grid.from_bus],
        e[..., grid.to_bus],
        f[..., grid.to_bus],
    )
    start = (
        y[0] * ef - y[1] * ff + y[2] * et - y[3] * ft,
        y[1] * ef + y[0] * ff + y[3] * et + y[2] * ft,
    )
    end = (
        y[4] * ef - y[5] * ff + y[6] * et - y[7] * ft,
        y[5] * ef + y[4] * ff + y[7] * et + y[6] * ft,
    )
    return start, end


def bus_currents(grid: PowerGrid, given: Varying, e: Array, f: Array) -> tuple[Array, Array]:
    """Re and Im of the current into the grid at every bus [p.u.]."""
    (re_f, im_f), (re_t, im_t) = currents(grid, given, e, f)

    def gathered(at_from: Array, at_to: Array) -> Array:
        into = jnp.zeros((*at_from.shape[:-1], grid.n_bus))
        return into.at[..., grid.from_bus].add(at_from).at[..., grid.to_bus].add(at_to)

    re = gathered(re_f, re_t) + grid.shunt_g * e - grid.shunt_b * f
    return re, gathered(im_f, im_t) + grid.shunt_b * e + grid.shunt_g * f


def residual(grid: PowerGrid, given: Varying, e: Array, f: Array) -> Float[Array, "*batch 2 bus"]:
    """What every bus misses: P, and Q or v² where a machine holds the voltage [p.u.]."""
    re, im = bus_currents(grid, given, e, f)
    p, q = injected(grid, given, False), injected(grid, given, True)
    square = e**2 + f**2
    if len(grid.depends):
        p, q = _with_dependent(grid, given, square, p, q)
    dp, dq = e * re + f * im - p, f * re - e * im - q
    held = np.zeros(grid.n_bus, bool)
    held[grid.held] = True
    dv = square - held_voltages(grid, given) ** 2
    dp, dq, dv = jnp.broadcast_arrays(dp, dq, dv)
    return jnp.stack([dp, jnp.where(held, dv, dq)], axis=-2)


def _with_dependent(
    grid: PowerGrid, given: Varying, square: Array, p: Array, q: Array
) -> tuple[Array, Array]:
    """Powers with what voltage-dependent loads take beyond their power at 1 p.u."""
    at, share = grid.depends, grid.depends_share.T
    p_base, q_base = np.zeros((2, grid.n_bus))
    p_base[at], q_base[at] = grid.depends_p_pu, grid.depends_q_pu
    base = replace(grid, p_pu=p_base, q_pu=q_base)
    loads = {name: values for name, values in given.items() if name != "gen_p_mw"}
    size, square = jnp.sqrt(square[..., at]), square[..., at]
    more_p = share[0] * (size - 1.0) + share[1] * (square - 1.0)
    more_q = share[2] * (size - 1.0) + share[3] * (square - 1.0)
    more_p = injected(base, loads, False)[..., at] * more_p
    more_q = injected(base, loads, True)[..., at] * more_q
    p = _widened(p, more_p).at[..., at].add(more_p)
    q = _widened(q, more_q).at[..., at].add(more_q)
    return p, q


def _widened(power: Array, more: Array) -> Array:
    """`power` by bus with the leading axes that `more` has."""
    batch = jnp.broadcast_shapes(power.shape[:-1], more.shape[:-1])
    return jnp.broadcast_to(power, (*batch, power.shape[-1]))
