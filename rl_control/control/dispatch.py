"""Perfect foresight: the least that a run can cost, as a linear programme.

Every price and drive is known from the start, so no controller can do better; a forecast that the
scenarios carry is no part of it. Actions are planned
with the step as an affine map (`affine.py`), within the limits of actions and outputs and without
a flagged step, at the objective of `outlook.py`. The plan is then run on the system itself.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from tvilling.datasets.simulated.trials import PRICE
from tvilling.rl_control.control.affine import AffineModel, affine_model, join
from tvilling.rl_control.control.controllers import Plan
from tvilling.rl_control.control.highs import OPTIMAL, Matrices, solve
from tvilling.rl_control.control.objective import check_priced, credit_dkk_per_kwh, run_cost_dkk
from tvilling.rl_control.control.safety import violates
from tvilling.rl_control.rl.observation import to_action
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.core.simulate import simulate
from tvilling.sciml.core.system import Values
from tvilling.sciml.core.units import J_PER_KWH
from tvilling.sciml.learning.scaling import flat_rows
from tvilling.sciml.systems.example import Example

if TYPE_CHECKING:
    import xarray as xr

MARGIN = 1e-8  # of the scale of a row: keeps the plan clear of flags that rounding would set


@dataclass(frozen=True)
class Dispatch:
    """A plan for each scenario, and what it costs.

    Attributes
    ----------
    action
        By channel, `[scenario, time, *channel]`.
    cost_dkk
        Objective of the programme by scenario [DKK]; NaN where the status is not `optimal`.
    simulated_dkk
        Cost of the plan run on the system [DKK]; NaN where there is none.
    violations
        Flagged steps, or steps outside a limit, of that run.
    status
        What the solver said, by scenario.
    gap
        Largest relative distance between the objective and its dual bound.
    """

    action: Values
    cost_dkk: np.ndarray
    simulated_dkk: np.ndarray
    violations: np.ndarray
    status: tuple[str, ...]
    gap: float

    __repr__ = short_repr

    @property
    def plan(self) -> Plan:
        """The plans as a controller, a batch."""
        return Plan(self.action)


def best_dispatch(example: Example, scenarios: Scenario) -> Dispatch:
    """The best plan for each of `scenarios`, a batch.

    Raises
    ------
    NotAffineError
        The step is not affine.
    InputError
        The system buys nothing, or the scenarios hold no price.
    """
    check_priced(example, scenarios)
    model = affine_model(example, scenarios)
    shares, cost, status, gap = _solve(example, scenarios, model)
    channels = example.system.actions
    action = jax.vmap(jax.vmap(lambda row: to_action(channels, row)))(jnp.asarray(2 * shares - 1))

    def run(action: Values, scenario: Scenario) -> tuple[Any, Any]:
        found = simulate(example.system, Plan(action), scenario)
        bad = violates(example.system, {**found.output, "status": found.status})
        return run_cost_dkk(example, scenario, found), bad.sum()

    simulated, violations = jax.jit(jax.vmap(run))(action, scenarios)
    simulated = np.where(np.isfinite(cost), simulated, np.nan)  # no plan, no cost
    return Dispatch(action, cost, simulated, np.asarray(violations), status, gap)


def _solve(
    example: Example, scenarios: Scenario, model: AffineModel
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...], float]:
    """Shares of the actions' spans, objective, status and gap; one by one where a batch fails."""
    count = scenarios.drive[PRICE].shape[0]
    shares, cost, status, gap = _programme(example, scenarios, model)
    if status == "optimal" or count == 1:
        return shares, cost, (status,) * count, gap
    one_by_one = [
        _programme(example, jax.tree.map(lambda leaf, i=i: leaf[i : i + 1], scenarios), model)
        for i in range(count)
    ]
    all_shares, costs, statuses, gaps = zip(*one_by_one, strict=True)
    return np.concatenate(all_shares), np.concatenate(costs), tuple(statuses), max(gaps)


@dataclass(frozen=True)
class _Scaled:
    """The affine map over a batch, in numbers of order one: state / scale, action in [0, 1].

    Attributes
    ----------
    matrix, fixed
        Next state, then outputs: `matrix @ (state, share) + fixed[scenario, time]`.
    least, least_fixed
        Rows that must not be negative: limits of the outputs, and the region.
    start
        State at the start, by scenario.
    bought
        Row of the power bought.
    paid, worth
        Cost of that row [scenario, time] and worth of the last state [scenario, state], in DKK.
    """

    matrix: np.ndarray
    fixed: np.ndarray
    least: np.ndarray
    least_fixed: np.ndarray
    start: np.ndarray
    bought: int
    paid: np.ndarray
    worth: np.ndarray


def _scaled(example: Example, scenarios: Scenario, model: AffineModel) -> _Scaled:
    system, nx, nu = example.system, model.states, model.actions
    low, high = (
        join(system.actions, to_action(system.actions, jnp.full(nu, end)), 0) for end in (-1.0, 1.0)
    )
    scale = np.concatenate([model.state_scale, high - low])
    known = np.zeros((*scenarios.drive[PRICE].shape, model.matrix.shape[1]))
    known[..., nx : nx + nu] = low
    if system.drives:
        known[..., nx + nu :] = join(system.drives, scenarios.drive, 2)
    rows = np.concatenate([model.state_scale, model.row_scale[nx:]])
    matrix = model.matrix[:, : nx + nu] * scale / rows[:, None]
    fixed = model(known) / rows
    lowest, highest = _output_limits(example, model)
    finite_low, finite_high = np.isfinite(lowest), np.isfinite(highest)
    outputs, outputs_fixed = matrix[nx:], fixed[..., nx:]
    least = [outputs[finite_low], -outputs[finite_high], model.cuts[:, : nx + nu] * scale]
    least_fixed = [
        (outputs_fixed - lowest)[..., finite_low],
        (highest - outputs_fixed)[..., finite_high],
        known @ model.cuts.T + model.cut_offset - MARGIN,
    ]
    start = np.asarray(flat_rows(scenarios.state, known.shape[0]))
    bought = nx + _row_of(example)
    credit = np.asarray(credit_dkk_per_kwh(scenarios))
    return _Scaled(
        matrix,
        fixed,
        np.concatenate(least),
        np.concatenate(least_fixed, axis=-1),
        start / model.state_scale,
        bought,
        np.asarray(scenarios.drive[PRICE]) * scenarios.dt_s / J_PER_KWH * rows[bought],
        credit[:, None] * model.stored * model.state_scale / J_PER_KWH,
    )


def _row_of(example: Example) -> int:
    """Number of the output that is bought, among the raveled outputs."""
    before = 0
    for channel in example.system.outputs:
        if channel.name == example.bought:
            return before
        before += int(np.prod(channel.shape))
    raise KeyError(example.bought)


def _output_limits(example: Example, model: AffineModel) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest value of each output, over the scale of its row."""
    channels = example.system.outputs
    scale = model.row_scale[model.states :]
    ends = (
        {c.name: np.full(c.shape, getattr(c, end)) for c in channels} for end in ("low", "high")
    )
    lowest, highest = (join(channels, values, 0) / scale for values in ends)
    return lowest, highest


def _programme(
    example: Example, scenarios: Scenario, model: AffineModel
) -> tuple[np.ndarray, np.ndarray, str, float]:
    """Build and solve the programme of a batch, its scenarios side by side."""
    import linopy

    step, nx = _scaled(example, scenarios, model), model.states
    lead = ("scenario", "time")
    counts = dict(zip(lead, map(np.arange, step.fixed.shape[:2]), strict=True))
    lp = linopy.Model()
    state = lp.add_variables(coords={**counts, "x": np.arange(nx)}, name="state")
    share = lp.add_variables(0, 1, coords={**counts, "u": np.arange(model.actions)}, name="share")

    def rows(matrix: np.ndarray) -> Any:
        """`matrix` (state, share), each row of the matrix along the dimension `row`."""
        by_state = _labelled(matrix[:, :nx], "row", "x")
        by_share = _labelled(matrix[:, nx:], "row", "u")
        return (state * by_state).sum("x") + (share * by_share).sum("u")

    after = rows(step.matrix[:nx]).rename({"row": "x"})
    later = state.isel(time=slice(1, None)).assign_coords(time=counts["time"][:-1])
    given = _labelled(step.fixed[:, :-1, :nx], *lead, "x")
    lp.add_constraints(later - after.isel(time=slice(None, -1)) == given, name="steps")
    first = state.isel(time=0, drop=True)
    lp.add_constraints(first == _labelled(step.start, "scenario", "x"), name="start")
    least = -_labelled(step.least_fixed, *lead, "row")
    lp.add_constraints(rows(step.least) >= least, name="limits")
    bought = rows(step.matrix[step.bought][None]).sum("row")
    end = after.isel(time=-1, drop=True)
    lp.add_objective(
        (bought * _labelled(step.paid, *lead)).sum()
        - (end * _labelled(step.worth, "scenario", "x")).sum()
    )
    return _solved(lp, share, step)


def _labelled(values: np.ndarray, *dims: str) -> "xr.DataArray":
    """`values` with dimensions, counted from zero."""
    import xarray as xr

    coords = {dim: np.arange(size) for dim, size in zip(dims, values.shape, strict=True)}
    return xr.DataArray(values, dims=dims, coords=coords)


def _solved(lp: Any, share: Any, step: _Scaled) -> tuple[np.ndarray, np.ndarray, str, float]:
    """Solve, and the objective of each scenario."""
    found = solve(Matrices.of(lp))
    values = found.values
    if values is None or found.status != OPTIMAL:
        return np.zeros(share.shape), np.full(share.shape[0], np.nan), found.status, np.inf
    shares = np.clip(values[share.labels.to_numpy()], 0.0, 1.0)
    state = values[lp.variables["state"].labels.to_numpy()]
    row = np.concatenate([state, shares], axis=-1) @ step.matrix.T + step.fixed
    nx = state.shape[-1]
    left = ((row[:, -1, :nx] - step.start) * step.worth).sum(axis=-1)
    cost = (step.paid * row[..., step.bought]).sum(axis=-1) - left
    return shares, cost, found.status, found.gap
