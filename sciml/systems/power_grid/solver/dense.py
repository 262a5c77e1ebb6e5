"""The power flow as dense algebra in JAX: the form for a GPU.

Every scenario takes the same two matrix products a step, with the admittances and with the inverse
of the Jacobian at the base case, so a batch is one product of matrices. The steps converge
linearly (a chord method: Kelley, Iterative Methods for Linear and Nonlinear Equations, SIAM 1995,
section 5.4, doi:10.1137/1.9781611970944); scenarios that have not converged go to the kernel,
which also tells those without a solution. On a CPU the kernel is many times faster.

Memory is 6 n² doubles beside the scenarios: up to a few thousand buses.
"""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from tvilling.sciml.systems.power_grid.kernel.adjoint import solve_linear
from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.solver.batch_solver import base_case, solve
from tvilling.sciml.systems.power_grid.solver.equations import (
    Varying,
    held_voltages,
    injected,
    slack_voltages,
)
from tvilling.sciml.systems.power_grid.solver.flow import DEFAULT, Flow, Options, Outcome
from tvilling.sciml.systems.power_grid.solver.scenarios import check

STEPS = 40
LOST = 1e3  # a mismatch [p.u.] after which a scenario is given up
Solver = Callable[[Varying], tuple[Array, Array, Array, Array]]


def solve_dense(
    grid: PowerGrid, varying: Mapping[str, np.ndarray], options: Options = DEFAULT
) -> Flow:
    """Power flow of every scenario on JAX's default device; see `solve` for the arguments.

    Raises
    ------
    InputError
        If `varying` does not fit the grid.
    ValueError
        If the grid has voltage-dependent loads, or limits or a shared slack are asked for.
    """
    given, asked = check(grid, varying), options.on(grid)
    if len(grid.depends) or asked.q_limits or asked.distributed_slack:
        raise ValueError("the dense form has no limits, shared slack or voltage-dependent loads")
    solver = jax.jit(dense_solver(grid, options.tolerance.of(grid)))
    e, f, worst, steps = (np.array(part) for part in solver(given))
    count = len(worst)
    flow = Flow(
        grid=grid,
        e=e,
        f=f,
        outcome=np.full(count, int(Outcome.SOLVED), np.int8),
        iterations=np.full(count, int(steps)),
        worst_pu=worst,
        reached=np.ones(count),
        weakest=np.full(count, -1),
        start=base_case(grid).start,
    )
    left = np.flatnonzero(~(worst <= options.tolerance.of(grid)))
    if len(left):
        again = solve(grid, {name: values[left] for name, values in given.items()}, None, options)
        for name in ("e", "f", "outcome", "iterations", "worst_pu", "reached", "weakest"):
            getattr(flow, name)[left] = getattr(again, name)
    return flow


def dense_solver(grid: PowerGrid, tolerance_pu: float, steps: int = STEPS) -> Solver:
    """A function of scenarios that gives e, f `[scenario, bus]`, mismatches and steps taken.

    It can be compiled, and put under `jax.lax.map` for batches beyond the memory of the device.
    """
    base = base_case(grid)
    admittance = jnp.asarray(_admittance(grid))
    inverse = jnp.asarray(_inverse(grid, base.v))
    held = np.zeros(grid.n_bus, bool)
    held[grid.held] = True
    free = np.ones((2, grid.n_bus))
    free[:, grid.slack] = 0.0
    n = grid.n_bus

    def missed(given: tuple[Array, ...], v: Float[Array, "batch two_n"]) -> Array:
        p, q, square = given
        current = v @ admittance
        e, f, re, im = v[:, :n], v[:, n:], current[:, :n], current[:, n:]
        first = e * re + f * im - p
        second = jnp.where(held, e * e + f * f - square, f * re - e * im - q)
        return jnp.concatenate([first, second], axis=1) * free.reshape(-1)

    def solver(varying: Varying) -> tuple[Array, Array, Array, Int[Array, ""]]:
        inputs = {name: jnp.asarray(values) for name, values in varying.items()}
        count = len(next(iter(inputs.values())))
        asked = (
            injected(grid, inputs, False),
            injected(grid, inputs, True),
            held_voltages(grid, inputs) ** 2,
        )
        start = jnp.asarray(np.concatenate([base.v.real, base.v.imag]))
        v = jnp.broadcast_to(start, (count, 2 * n))
        e_slack, f_slack = slack_voltages(grid, inputs, (count,))
        v = v.at[:, grid.slack].set(e_slack).at[:, n + grid.slack].set(f_slack)

        def go_on(carry: tuple[Array, Array, Array]) -> Array:
            _, r, step = carry
            worst = jnp.abs(r).max(axis=1)
            return ((worst > tolerance_pu) & (worst < LOST)).any() & (step < steps)

        def advance(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
            v, r, step = carry
            v = v - r @ inverse
            return v, missed(asked, v), step + 1

        v, r, step = jax.lax.while_loop(go_on, advance, (v, missed(asked, v), jnp.asarray(0)))
        return v[:, :n], v[:, n:], jnp.abs(r).max(axis=1), step

    return solver


def _admittance(grid: PowerGrid) -> np.ndarray:
    """The matrix M of [Re I, Im I] = [e, f] M."""
    y = np.zeros((grid.n_bus, grid.n_bus), complex)
    y_ff, y_ft, y_tf, y_tt = np.ascontiguousarray(grid.two_port).view(complex).T
    a, b, own = grid.from_bus, grid.to_bus, np.arange(grid.n_bus)
    np.add.at(y, (a, a), y_ff)
    np.add.at(y, (a, b), y_ft)
    np.add.at(y, (b, a), y_tf)
    np.add.at(y, (b, b), y_tt)
    y[own, own] += grid.shunt_g + 1j * grid.shunt_b
    return np.block([[y.real.T, y.imag.T], [-y.imag.T, y.real.T]])


def _inverse(grid: PowerGrid, v: np.ndarray) -> np.ndarray:
    """The transpose of the Jacobian's inverse at `v`, zero at slack buses `[2n, 2n]`."""
    size = 2 * grid.n_bus
    right = np.eye(size).reshape(size, 2, grid.n_bus)
    right[..., grid.slack] = 0.0
    ends = np.repeat(v.real[None], size, axis=0), np.repeat(v.imag[None], size, axis=0)
    return solve_linear(grid, {}, None, ends, right).reshape(size, size)
