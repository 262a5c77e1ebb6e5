"""What is read off the voltages of a power flow, in JAX: powers, losses, loadings."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.sciml.systems.power_grid.model.branches import Branches, two_port
from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.results.planner_units import per_unit_percent
from tvilling.sciml.systems.power_grid.solver.differentiable import Voltages
from tvilling.sciml.systems.power_grid.solver.equations import (
    TWO_PORT,
    Varying,
    bus_currents,
    currents,
)


def _given(branches: Branches | None) -> Varying:
    return {} if branches is None else {TWO_PORT: jnp.asarray(two_port(branches))}


def bus_power(
    grid: PowerGrid, voltages: Voltages, branches: Branches | None = None
) -> tuple[Float[Array, "*batch bus"], Float[Array, "*batch bus"]]:
    """Active and reactive power that enters the grid at every bus [p.u.]."""
    e, f = voltages.e, voltages.f
    re, im = bus_currents(grid, _given(branches), e, f)
    return e * re + f * im, f * re - e * im


def loss_pu(
    grid: PowerGrid, voltages: Voltages, branches: Branches | None = None
) -> Float[Array, "*batch"]:
    """Active power that branches and shunts take [p.u.]: what enters at all buses together."""
    return bus_power(grid, voltages, branches)[0].sum(axis=-1)


def loading_percent(
    grid: PowerGrid, voltages: Voltages, kind: str, branches: Branches | None = None
) -> Float[Array, "*batch element"]:
    """Greater current of the two ends over the rated one, for lines or transformers [%].

    Power stands in the place of current where the file has it so (`BranchGroup.rated_mva`).
    Elements out of service have none. The square root is smooth except where no current flows.
    """
    group = grid.groups[kind]
    on = group.branch >= 0
    at = group.branch[on]
    parts = []
    ends = currents(grid, _given(branches), voltages.e, voltages.f)
    for (re, im), bus, rated in zip(
        ends, (grid.from_bus, grid.to_bus), (group.rated_ka_from, group.rated_ka_to), strict=True
    ):
        square = re[..., at] ** 2 + im[..., at] ** 2
        size = jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1.0)), 0.0)
        if group.rated_mva is not None:
            near = bus[at]
            size = size * jnp.sqrt(voltages.e[..., near] ** 2 + voltages.f[..., near] ** 2)
        parts.append(size * per_unit_percent(grid, group, bus[at], rated[on], on))
    percent = jnp.maximum(*parts)
    full = jnp.zeros((*percent.shape[:-1], len(group.branch)))
    return full.at[..., np.flatnonzero(on)].set(percent)
