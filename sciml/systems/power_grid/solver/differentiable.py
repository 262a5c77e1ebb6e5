"""The power flow as a JAX function: compiled, mapped over scenarios and differentiated.

The voltages come from the batched kernel, called back from JAX. Their derivatives follow from the
equations F(v, θ) = 0 that they solve: J dv = -∂F/∂θ dθ forwards, and backwards one solve
with Jᵀ for each scenario, whatever the number of parameters. Both use the Jacobian at the solution,
not what the iteration happened to leave. (Implicit function theorem; Christianson, Optim. Methods
Softw. 3(4), 1994, doi:10.1080/10556789408805572.)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.kernel.adjoint import solve_linear
from tvilling.sciml.systems.power_grid.model.branches import Branches, two_port
from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.model.variant import with_two_port
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve
from tvilling.sciml.systems.power_grid.solver.equations import (
    TWO_PORT,
    Varying,
    residual,
    slack_voltages,
)
from tvilling.sciml.systems.power_grid.solver.flow import DEFAULT, Options, holds
from tvilling.sciml.systems.power_grid.solver.scenarios import POWERS, VOLTAGES, Outages


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Voltages:
    """Voltages of a grid, by bus.

    Attributes
    ----------
    e, f
        Real and imaginary part [p.u.].
    outcome
        `Outcome` of each scenario. Where it is INFEASIBLE or UNKNOWN the voltages are those of the
        last solution on the way to the scenario, and their derivatives are zero.
    """

    e: Float[Array, "*batch bus"]
    f: Float[Array, "*batch bus"]
    outcome: Int[Array, "*batch"]

    @property
    def vm_pu(self) -> Float[Array, "*batch bus"]:
        """Voltage magnitude [p.u.]."""
        return jnp.sqrt(self.e**2 + self.f**2)

    @property
    def va_rad(self) -> Float[Array, "*batch bus"]:
        """Voltage angle [rad]."""
        return jnp.arctan2(self.f, self.e)


def power_flow(
    grid: PowerGrid,
    varying: Varying,
    branches: Branches | None = None,
    options: Options = DEFAULT,
) -> Voltages:
    """Voltages as a function that JAX can differentiate, once or several times.

    Parameters
    ----------
    varying
        As in `solve`, with any number of leading axes: `[element]` for one scenario.
    branches
        π-circuits in place of the grid's: lines and taps may be differentiated and may differ by
        scenario.

    Raises
    ------
    InputError
        If names or shapes do not fit the grid, or limits or a shared slack are asked for. Values
        that are not finite are found when it is run, and told through JAX.
    """
    refuse_regulated(grid, options)
    inputs = {name: jnp.asarray(values, float) for name, values in varying.items()}
    _check_shapes(grid, inputs)
    if branches is not None:
        inputs[TWO_PORT] = jnp.asarray(two_port(branches))
    e, f, outcome = _voltages((grid, options), inputs)
    return Voltages(e, f, outcome)


def refuse_regulated(grid: PowerGrid, options: Options) -> None:
    """Refuse what has no derivatives here.

    Raises
    ------
    InputError
        If limits or a shared slack are asked for, by `options` or by the grid's file.
    """
    asked = options.on(grid)
    if asked.q_limits or asked.distributed_slack:
        fault = (
            "derivatives through reactive limits or a distributed slack are not known here; where "
            "the file asks for them, convert it with enforce_q_lims=False, distributed_slack=False"
        )
        raise InputError(grid.source, [fault])


def _check_shapes(grid: PowerGrid, inputs: Varying) -> None:
    """What can be told of the inputs before their values are known."""
    faults, batches = [], {}
    for name, values in inputs.items():
        kind = POWERS[name][0] if name in POWERS else VOLTAGES.get(name)
        if kind is None:
            faults.append(f"{name} is not known; known are {', '.join([*POWERS, *VOLTAGES])}")
            continue
        width = len(grid.elements[kind].index)
        if values.ndim == 0 or values.shape[-1] != width:
            faults.append(f"{name} has shape {values.shape}, expected (…, {width})")
        else:
            batches[name] = values.shape[:-1]
    try:
        np.broadcast_shapes(*batches.values())
    except ValueError:
        faults.append(f"leading axes do not fit each other: {batches}")
    if faults:
        raise InputError(grid.source, faults)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _voltages(static: tuple[PowerGrid, Options], inputs: Varying) -> tuple[Array, Array, Array]:
    grid, _ = static
    batch = _batch(inputs)
    real = jax.ShapeDtypeStruct((*batch, grid.n_bus), jnp.float64)
    shapes = real, real, jax.ShapeDtypeStruct(batch, jnp.int32)
    return jax.pure_callback(partial(_host, static), shapes, inputs, vmap_method="expand_dims")


@_voltages.defjvp
def _voltages_jvp(static: Any, primals: Any, tangents: Any) -> Any:
    """Forward rule; JAX turns it round for gradients."""
    grid, _ = static
    (inputs,), (dinputs,) = primals, tangents
    e, f, outcome = _voltages(static, inputs)

    def missed(given: Varying) -> tuple[Array, Array]:
        """What the equations miss where `given` changes and the unknown voltages stay."""
        slack_e, slack_f = slack_voltages(grid, given, e.shape[:-1])
        e_now, f_now = e.at[..., grid.slack].set(slack_e), f.at[..., grid.slack].set(slack_f)
        return residual(grid, given, e_now, f_now), jnp.stack([e_now, f_now], axis=-2)

    _, (d_missed, d_slack) = jax.jvp(missed, (inputs,), (dinputs,))
    good = holds(outcome)[..., None, None]
    right = jnp.where(good, -d_missed, 0.0)

    def product(x: Array) -> Array:
        """J x, with slack buses left out."""
        free = _free(grid)
        at = (e, f)
        along = (x[..., 0, :] * free, x[..., 1, :] * free)
        moved = jax.jvp(lambda e, f: residual(grid, inputs, e, f), at, along)[1]
        return moved * free + x * (1.0 - free)

    dv = jax.lax.custom_linear_solve(
        product,
        right * _free(grid),
        solve=lambda _, r: _linear(static, inputs, e, f, r, False),
        transpose_solve=lambda _, r: _linear(static, inputs, e, f, r, True),
    )
    dv = dv + d_slack
    zero = np.zeros(outcome.shape, jax.dtypes.float0)
    return (e, f, outcome), (dv[..., 0, :], dv[..., 1, :], zero)


def _free(grid: PowerGrid) -> np.ndarray:
    """0 at slack buses, 1 elsewhere."""
    free = np.ones(grid.n_bus)
    free[grid.slack] = 0.0
    return free


def _batch(inputs: Mapping[str, Any]) -> tuple[int, ...]:
    """Leading axes of the scenarios."""
    trailing = {name: 2 if name == TWO_PORT else 1 for name in inputs}
    return jnp.broadcast_shapes(
        *(values.shape[: -trailing[name]] for name, values in inputs.items())
    )


def _linear(
    static: Any, inputs: Varying, e: Array, f: Array, right: Array, mirrored: bool
) -> Array:
    shape = jax.ShapeDtypeStruct(right.shape, jnp.float64)
    call = partial(_host_linear, static, mirrored)
    return jax.pure_callback(call, shape, inputs, e, f, right, vmap_method="expand_dims")


def _flat(inputs: Mapping[str, Any], batch: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Inputs with one leading axis for all scenarios; those that all share keep a length of 1."""
    flat = {}
    for name, given in inputs.items():
        values = np.asarray(given)
        keep = values.ndim - (2 if name == TWO_PORT else 1)
        if name == TWO_PORT and all(size == 1 for size in values.shape[:keep]):
            flat[name] = values.reshape(1, *values.shape[keep:])
        else:
            full = np.broadcast_to(values, (*batch, *values.shape[keep:]))
            flat[name] = np.ascontiguousarray(full).reshape(-1, *values.shape[keep:])
    return flat


def _prepared(
    grid: PowerGrid, flat: dict[str, np.ndarray], count: int
) -> tuple[PowerGrid, Outages | None]:
    """The grid with the branches of `flat`, or what differs from it by scenario."""
    given = flat.pop(TWO_PORT, None)
    if given is None:
        return grid, None
    if len(given) == 1:
        return with_two_port(grid, given[0]), None
    delta = given - grid.two_port
    changed = np.flatnonzero(np.abs(delta).max(axis=(0, 2)) > 0)
    branch = np.broadcast_to(changed, (count, len(changed)))
    return grid, Outages(np.ascontiguousarray(branch), np.ascontiguousarray(delta[:, changed]))


def _host(static: Any, inputs: Any) -> tuple[np.ndarray, ...]:
    grid, options = static
    batch = _batch(inputs)
    flat = _flat(inputs, batch)
    count = int(np.prod(batch, dtype=int))
    grid, outages = _prepared(grid, flat, count)
    flow = solve(grid, flat, outages, options)
    shape = (*batch, grid.n_bus)
    return (
        flow.e.reshape(shape) if len(flow.e) == count else np.broadcast_to(flow.e, shape),
        flow.f.reshape(shape) if len(flow.f) == count else np.broadcast_to(flow.f, shape),
        np.broadcast_to(flow.outcome.astype(np.int32).reshape(-1), (count,)).reshape(batch),
    )


def _host_linear(
    static: Any, mirrored: bool, inputs: Any, e: Any, f: Any, right: Any
) -> np.ndarray:
    grid, options = static
    right = np.asarray(right)
    batch = np.broadcast_shapes(right.shape[:-2], np.shape(e)[:-1], _batch(inputs))
    count = int(np.prod(batch, dtype=int))
    flat = _flat(inputs, batch)
    grid, outages = _prepared(grid, flat, count)
    v = [np.broadcast_to(part, (*batch, grid.n_bus)).reshape(count, -1) for part in (e, f)]
    full = np.broadcast_to(right, (*batch, 2, grid.n_bus)).reshape(count, 2, -1)
    return solve_linear(grid, flat, outages, v, full, mirrored, options).reshape(
        *batch, 2, grid.n_bus
    )
