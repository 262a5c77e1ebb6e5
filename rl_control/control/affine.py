"""A system's step as an affine map, with the region in which it is one.

    (next state, outputs) = M z + m   where   G z + g >= 0,   z = (state, action, drive)

Steps with limits are affine in pieces. M is the slope at the example, where no limit binds. Points
outside its piece are joined to the example by a line; where the line leaves the piece, the slopes
on the two sides give the plane between them, a row of G. The rows are then checked at every point
drawn. Outside there may only be steps that are flagged, and steps in which the action was cut back
to one inside: a bound over the region then holds for the system itself. Any other step (a kink in
the efficiency, a curve) is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from tvilling.rl_control.rl.observation import action_size, to_action
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.core.system import System
from tvilling.sciml.learning.scaling import flat_rows
from tvilling.sciml.systems.example import Example

SAMPLES = 512
SAME = 1e-8  # of the scale of a row: as near as rounding lets two affine maps be
BEYOND = 1e-5  # of the way from the example to a sample, past the edge of the piece
HALVINGS = 50
NOT_FINITE = "the step gives what is not a finite number within its limits"
NOT_AFFINE = "the step is not affine within its limits, so the plan would be no bound"


class NotAffineError(InputError):
    """The step is no affine map, so there is no bound; a comparison goes on without one."""


@dataclass(frozen=True)
class AffineModel:
    """A step as an affine map of z = (state, action, drive), each raveled, channels in order.

    Attributes
    ----------
    matrix, offset
        Next state, then the outputs: `matrix @ z + offset`.
    cuts, cut_offset
        The region: `cuts @ z + cut_offset >= 0`, scaled so that rows are of order one.
    stored
        Slope of the stored energy by state [J per unit of state].
    state_scale, row_scale
        Sizes of the state's numbers and of the rows, for conditioning.
    states, actions
        How many numbers of z are state, and how many action.
    """

    matrix: np.ndarray
    offset: np.ndarray
    cuts: np.ndarray
    cut_offset: np.ndarray
    stored: np.ndarray
    state_scale: np.ndarray
    row_scale: np.ndarray
    states: int
    actions: int

    __repr__ = short_repr

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """Next state and outputs of each row of `z`."""
        return z @ self.matrix.T + self.offset

    def inside(self, z: np.ndarray, slack: float = SAME) -> np.ndarray:
        """Whether each row of `z` keeps to the region."""
        return (z @ self.cuts.T + self.cut_offset >= -slack).all(axis=-1)


def affine_model(example: Example, scenarios: Scenario, seed: int = 0) -> AffineModel:
    """The affine map of one step of `example`, at the drives and step of `scenarios`, a batch.

    Raises
    ------
    NotAffineError
        The step is not affine, in one sentence.
    """
    flat = _FlatStep(example.system, scenarios)
    z = _samples(example, scenarios, seed)
    value, flagged = flat.value(z)
    if not np.isfinite(value).all():
        raise NotAffineError("dispatch", [NOT_FINITE])
    size = np.maximum(np.abs(z).mean(axis=0), np.ptp(z, axis=0))
    try:
        base, model = _base(flat, example, scenarios, size)
    except TypeError as error:  # of JAX: a step that has no forward derivative
        reason = f"the step cannot be differentiated: {str(error)[:80]}"
        raise NotAffineError("dispatch", [reason]) from error
    for _ in range(4 * z.shape[1]):
        apart = (np.abs(value - model(z)) > SAME * model.row_scale).any(axis=1)
        open_points = np.flatnonzero(apart & model.inside(z))
        if not open_points.size:
            break
        model = _with_cut(flat, model, base, z[open_points[0]], size)
    else:
        raise NotAffineError("dispatch", [NOT_AFFINE])
    outside = apart & ~flagged
    if apart.mean() > 0.95 or not _cut_back(model, example, z[outside], value[outside]).all():
        raise NotAffineError("dispatch", [NOT_AFFINE])
    return model


class _FlatStep:
    """A step on vectors, with its slope and its flags, compiled over rows."""

    def __init__(self, system: System, scenarios: Scenario) -> None:
        first = jax.tree.map(lambda leaf: leaf[0], scenarios.state)
        _, self.unravel = ravel_pytree(first)
        self.states = int(ravel_pytree(first)[0].size)
        self.actions = action_size(system.actions)
        self.system, self.dt_s = system, scenarios.dt_s
        self.value: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]] = self._over_rows(
            self._one
        )
        self.slope = self._over_rows(jax.jacfwd(lambda z: self._one(z)[0]))
        self.stored = jax.jit(jax.grad(lambda x: system.stored_j(self.unravel(x))))

    def _one(self, z: Float[Array, " number"]) -> tuple[Array, Array]:
        state, rest = self.unravel(z[: self.states]), z[self.states :]
        action = split(self.system.actions, rest[: self.actions])
        drive = split(self.system.drives, rest[self.actions :])
        state, output = self.system.step(state, action, drive, self.dt_s)
        outputs = [jnp.ravel(output[channel.name]) for channel in self.system.outputs]
        return jnp.concatenate([ravel_pytree(state)[0], *outputs]), output["status"] != 0

    @staticmethod
    def _over_rows(function: Callable[..., Any]) -> Callable[..., Any]:
        compiled = jax.jit(jax.vmap(function))
        return lambda z: jax.tree.map(np.asarray, compiled(jnp.asarray(z)))


def split(channels: tuple, flat: Float[Array, " number"]) -> dict[str, Array]:
    """A vector cut into channels, in order."""
    values, begin = {}, 0
    for channel in channels:
        count = int(np.prod(channel.shape))
        values[channel.name] = flat[begin : begin + count].reshape(channel.shape)
        begin += count
    return values


def join(channels: tuple, values: Any, lead: int) -> np.ndarray:
    """Channels `[*lead, *channel]`, with `lead` axes before them, as one vector at the end."""
    parts = [np.asarray(values[channel.name], float) for channel in channels]
    flat = [part.reshape(*part.shape[:lead], -1) for part in parts]
    return np.concatenate(flat, axis=-1) if flat else np.zeros(0)


def _samples(example: Example, scenarios: Scenario, seed: int) -> np.ndarray:
    """Points: starts, actions within and at their limits, drives of the scenarios."""
    system, random = example.system, np.random.default_rng(seed)
    starts = jax.vmap(system.init)(jax.random.split(jax.random.key(seed), SAMPLES))
    x = np.asarray(flat_rows(starts, SAMPLES))
    unit = np.clip(random.uniform(-1.5, 1.5, (SAMPLES, action_size(system.actions))), -1.0, 1.0)
    actions = jax.vmap(lambda row: to_action(system.actions, row))(jnp.asarray(unit))
    parts = [x, join(system.actions, actions, 1)]
    if system.drives:
        drives = join(system.drives, scenarios.drive, 2)
        rows = drives.reshape(-1, drives.shape[-1])
        parts.append(rows[random.integers(len(rows), size=SAMPLES)])
    return np.concatenate(parts, axis=1)


def _base(
    flat: _FlatStep, example: Example, scenarios: Scenario, size: np.ndarray
) -> tuple[np.ndarray, AffineModel]:
    """A point at the example's action and drive, and the affine map around it.

    Of several starts, one whose slope most others share.
    """
    z = _samples(example, scenarios, seed=1)[:64]
    z[:, flat.states :] = np.concatenate(
        [
            join(example.system.actions, example.action, 0),
            join(example.system.drives, example.drive, 0),
        ]
    )
    slopes, (value, flagged) = flat.slope(z), flat.value(z)
    rows = np.maximum(np.abs(slopes * size).sum(axis=2), 1e-12)
    like = (np.abs(slopes[:, None] - slopes) * size).sum(axis=3) <= SAME * rows
    votes = like.all(axis=2).sum(axis=1) * ~flagged
    best = int(votes.argmax())
    near = z[(like.all(axis=2)[best]) & ~flagged]
    middle = near[
        np.abs(near[:, : flat.states] - near[:, : flat.states].mean(axis=0)).sum(axis=1).argmin()
    ]
    stored = [np.asarray(flat.stored(jnp.asarray(point[: flat.states]))) for point in z[:8]]
    if not votes[best] or not all(np.allclose(stored[0], other, rtol=1e-9) for other in stored):
        raise NotAffineError("dispatch", [NOT_AFFINE])
    model = AffineModel(
        matrix=slopes[best],
        offset=value[best] - slopes[best] @ z[best],
        cuts=np.zeros((0, z.shape[1])),
        cut_offset=np.zeros(0),
        stored=stored[0],
        state_scale=np.maximum(
            np.ptp(_samples(example, scenarios, 1)[:, : flat.states], axis=0), 1e-12
        ),
        row_scale=rows[best],
        states=flat.states,
        actions=flat.actions,
    )
    return middle, model


def _with_cut(
    flat: _FlatStep, model: AffineModel, base: np.ndarray, point: np.ndarray, size: np.ndarray
) -> AffineModel:
    """`model` with the plane at which the line from `base` to `point` leaves its piece."""

    def at(share: float) -> np.ndarray:
        return (base + share * (point - base))[None]

    def same(share: float) -> bool:
        return bool(
            (np.abs(flat.value(at(share))[0] - model(at(share))) <= SAME * model.row_scale).all()
        )

    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if same(middle) else (low, middle)
    beyond = at(min(high + BEYOND, 1.0))
    slope = flat.slope(beyond)[0]
    change = (slope - model.matrix) / model.row_scale[:, None]
    offset = (flat.value(beyond)[0][0] - slope @ beyond[0] - model.offset) / model.row_scale
    row = int(np.abs(change * size).sum(axis=1).argmax())
    weight = np.abs(change[row] * size).sum()
    if not weight > SAME:
        raise NotAffineError("dispatch", [NOT_AFFINE])
    side = -np.sign(change[row] @ point + offset[row])
    cut, cut_offset = side * change[row] / weight, side * offset[row] / weight
    if cut @ base + cut_offset < -SAME or cut @ point + cut_offset >= -SAME:
        raise NotAffineError("dispatch", [NOT_AFFINE])
    return replace(
        model,
        cuts=np.vstack([model.cuts, cut]),
        cut_offset=np.append(model.cut_offset, cut_offset),
    )


def _cut_back(model: AffineModel, example: Example, z: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Whether what came out is what the map gives at another action, one inside the region."""
    begin, end = model.states, model.states + model.actions
    scaled = model.matrix[:, begin:end] / model.row_scale[:, None]
    miss = (value - model(z)) / model.row_scale
    move = np.linalg.lstsq(scaled, miss.T, rcond=None)[0].T
    other = z.copy()
    other[:, begin:end] += move
    reached = (np.abs(value - model(other)) <= 10 * SAME * model.row_scale).all(axis=1)
    channels = example.system.actions
    low, high = (
        join(channels, to_action(channels, jnp.full(model.actions, e)), 0) for e in (-1.0, 1.0)
    )
    slack = SAME * (high - low)
    action = other[:, begin:end]
    kept = ((action >= low - slack) & (action <= high + slack)).all(axis=1)
    return reached & kept & model.inside(other, 10 * SAME)
