"""How voltages and losses answer to one megawatt more at each bus, by gradient.

One solve with the transposed Jacobian for each quantity gives its sensitivity to the active and
reactive power of every bus: x = J⁻ᵀ ∂m/∂v, and then dm = x · d(p, q).
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.kernel.adjoint import solve_linear
from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.results.measures import loss_pu
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve
from tvilling.sciml.systems.power_grid.solver.differentiable import Voltages
from tvilling.sciml.systems.power_grid.solver.scenarios import check

if TYPE_CHECKING:
    import xarray as xr


def sensitivities(
    grid: PowerGrid,
    observed: Sequence[int] | None = None,
    varying: Mapping[str, np.ndarray] | None = None,
) -> "xr.Dataset":
    """Derivatives of voltages and losses by the power that enters at each bus of the file.

    Parameters
    ----------
    observed
        Indices of the bus table whose voltages are told; by default all.
    varying
        One scenario, as `solve` takes it; by default the base case.

    Returns
    -------
    xr.Dataset
        `vm_by_p` and `vm_by_q` `[observed, bus]` [p.u. per MW or Mvar], `loss_by_p` and
        `loss_by_q` `[bus]` [MW per MW or Mvar]. At a bus whose voltage is held, reactive power
        changes nothing; at a slack bus, neither does active power, apart from the losses
        that the slack bus itself makes up. NaN at buses without supply.

    Raises
    ------
    InputError
        If a bus is not known or has no supply, or the scenario has no power flow.
    """
    import xarray as xr

    given = check(grid, varying or {})
    flow = solve(grid, given)
    rows = _rows(grid, observed)
    if not flow.solved[0]:
        raise InputError(grid.source, ["the scenario has no power flow to take derivatives of"])
    e, f, vm = flow.e[0], flow.f[0], flow.vm_pu[0]
    bus = grid.buses.bus[rows]
    right = np.zeros((len(rows) + 1, 2, grid.n_bus))
    at = np.arange(len(rows))
    right[at, 0, bus], right[at, 1, bus] = e[bus] / vm[bus], f[bus] / vm[bus]
    right[-1] = _loss_slope(grid, e, f)
    many = {name: np.repeat(values[:1], len(right), axis=0) for name, values in given.items()}
    v = np.repeat(e[None], len(right), axis=0), np.repeat(f[None], len(right), axis=0)
    x = solve_linear(grid, many, None, v, right, mirrored=True)
    x[:, 1, grid.held] = 0.0  # the row there is the voltage, not reactive power
    on = grid.buses.bus >= 0
    full = np.where(on, x[..., grid.buses.bus], np.nan)
    by = {"p": full[:, 0] / grid.base_mva, "q": full[:, 1] / grid.base_mva}
    names, unit = grid.buses.name.astype(str), {"p": "MW", "q": "Mvar"}
    variables: dict[str, Any] = {}
    for power, values in by.items():
        units = {"units": f"p.u./{unit[power]}", "long_name": f"Voltage by {unit[power]} entering"}
        variables[f"vm_by_{power}"] = (("observed", "bus"), values[:-1], units)
        units = {"units": f"MW/{unit[power]}", "long_name": f"Losses by {unit[power]} entering"}
        variables[f"loss_by_{power}"] = (("bus",), values[-1] * grid.base_mva, units)
    return xr.Dataset(variables, {"observed": names[rows], "bus": names}, {"source": grid.source})


def _rows(grid: PowerGrid, observed: Sequence[int] | None) -> np.ndarray:
    """Rows of the bus table to observe."""
    if observed is None:
        return np.flatnonzero(grid.buses.bus >= 0)
    row_of = {index: row for row, index in enumerate(grid.buses.index.tolist())}
    faults = [f"bus {index} is not known" for index in observed if index not in row_of]
    known = [index for index in observed if index in row_of]
    faults += [f"bus {i} has no supply" for i in known if grid.buses.bus[row_of[i]] < 0]
    if faults:
        raise InputError(grid.source, faults)
    return np.array([row_of[index] for index in observed], int)


def _loss_slope(grid: PowerGrid, e: np.ndarray, f: np.ndarray) -> np.ndarray:
    """Derivatives of the losses by e and f of every bus `[2, bus]`."""

    def loss(v: jax.Array) -> jax.Array:
        return loss_pu(grid, Voltages(v[0], v[1], jnp.zeros((), jnp.int32)))

    return np.asarray(jax.grad(loss)(jnp.stack([jnp.asarray(e), jnp.asarray(f)])))
