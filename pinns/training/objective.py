"""A problem and a network as a task of training: flat weights, points, residual rows."""

from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from tvilling.pinns.network.ansatz import Params, start
from tvilling.pinns.network.network import Network
from tvilling.pinns.problem.specification import declared
from tvilling.pinns.problem.statement import Problem
from tvilling.pinns.training.groups import AXES, INSIDE, Group, Placed, PlacedByGroup
from tvilling.pinns.training.least_squares import Task, Weights
from tvilling.pinns.training.loss import PhysicsLoss, drawn
from tvilling.pinns.training.quick_compile import jit_quick_compile
from tvilling.pinns.training.settings import Causal, TrainSettings

UNTRAINED, SCALE_SEED = 3, 20_240  # networks behind a scale
HELD_OUT = 4  # times as many points judge a state as train it
CANDIDATES = HELD_OUT  # the same to choose from, so that one compilation serves both
TAIL = 100  # one point in so many is left out where states are compared
CACHED = 400  # points at a time: a larger batch of a small network falls out of the cache


@dataclass(frozen=True, eq=False)
class Physics:
    """Makes the task of one problem; its methods are the task's functions.

    Attributes
    ----------
    scales
        Of the residuals, by name of the equation [its unit].
    params
        Weights to begin with.
    """

    problem: Problem
    loss: PhysicsLoss
    scales: dict[str, float]
    settings: TrainSettings
    params: Params

    @cached_property
    def _flat(self) -> tuple[Weights, Any]:
        return ravel_pytree(self.params)

    def task(self, seed: int) -> Task:
        """The task, with held-out points drawn from `seed`."""
        theta, unravel = self._flat
        random = np.random.default_rng([seed, 1])
        held_out = {
            group.name: self._placed(group, drawn(self.problem, group, random, count))
            for group, count in self._counts(HELD_OUT).items()
        }
        return Task(
            name=self.problem.name,
            theta=theta,
            rows=self.rows,
            draw=self.draw,
            held_out=held_out,
            jacobian=self.jacobian,
            slope=self.slope,
            held=self.held,
            typical=self.typical,
            unravel=unravel,
            declared=repr(declared(self.problem)),
        )

    def rows(self, theta: Weights, placed: PlacedByGroup) -> Float[Array, " row"]:
        """Scaled residuals of all groups."""
        return self.loss.rows(self._flat[1](theta), placed)

    def held(self, theta: Weights, placed: PlacedByGroup) -> Array:
        """The loss, from the compiled rows of each group."""
        rows = [self._rows[name](theta, here) for name, here in placed.items()]
        return jnp.sum(jnp.stack([jnp.sum(row**2) for row in rows]))

    def typical(self, theta: Weights, placed: PlacedByGroup) -> Array:
        """The loss without the hundredth of the points of each term that contributes most.

        A corner where nothing smooth meets all conditions rules a mean square; which state is the
        best elsewhere is told by the rest.
        """
        total = 0.0
        for name, here in placed.items():
            sizes = np.sort(np.abs(np.asarray(self._rows[name](theta, here))), axis=1)
            with np.errstate(over="ignore"):  # of a training that diverges
                squares = sizes**2
            total += squares[:, : squares.shape[1] - squares.shape[1] // TAIL].sum()
        return jnp.asarray(total)

    def not_finite(self, theta: Weights, placed: PlacedByGroup) -> str:
        """Which terms have no finite value, and where the first such place is."""
        for group in self.loss.groups:
            rows = np.asarray(self._rows[group.name](theta, placed[group.name]))
            for name, row in zip(group.names, rows, strict=True):
                if bad := np.flatnonzero(~np.isfinite(row)).tolist():
                    at = placed[group.name].points
                    where = ", ".join(f"{key} = {at[key][bad[0]]:g}" for key in at)
                    return f"{name} is not finite at {len(bad)} of {row.size} points, as at {where}"
        return "every term is finite"

    def slope(self, theta: Weights, placed: PlacedByGroup) -> tuple[Array, Weights]:
        """Loss and gradient, a few hundred points at a time."""

        def value(theta: Weights, placed: PlacedByGroup) -> Array:
            params = self._flat[1](theta)
            groups = [item for item in self.loss.groups if item.name in placed]
            rows = [self.loss.group_rows(item, params, placed[item.name]) for item in groups]
            return jnp.sum(jnp.stack([jnp.sum(row**2) for row in rows]))

        inside = placed.get(INSIDE)
        parts = 1 if inside is None else _parts(inside.target.shape[1])
        if inside is None or parts == 1:
            return jax.value_and_grad(value)(theta, placed)
        cut = {INSIDE: _cut(inside, parts)}

        def add(total: tuple[Array, Weights], part: Any) -> tuple[tuple[Array, Weights], None]:
            one = jax.value_and_grad(value)(theta, part)
            return (total[0] + one[0], total[1] + one[1]), None

        rest = {name: item for name, item in placed.items() if name != INSIDE}
        zero = jnp.zeros(()), jnp.zeros_like(theta)
        start = jax.value_and_grad(value)(theta, rest) if rest else zero
        return jax.lax.scan(add, start, cut)[0]

    def jacobian(self, theta: Weights, placed: PlacedByGroup) -> Float[Array, "row n"]:
        """Derivatives of the rows by weights, a backward pass a point."""
        parts = []
        for group in self.loss.groups:

            def one(theta: Weights, point: Placed, group: Group = group) -> Array:
                single = jax.tree.map(
                    lambda leaf, axis: jnp.expand_dims(leaf, axis), point, _axes(point)
                )
                return self.loss.group_rows(group, self._flat[1](theta), single)[:, 0]

            here = placed[group.name]
            by_point = jax.vmap(jax.jacrev(one), (None, _axes(here)))(theta, here)
            parts.append(by_point.swapaxes(0, 1).reshape(-1, theta.size))
        return jnp.concatenate(parts)

    def draw(self, random: np.random.Generator, theta: Weights) -> PlacedByGroup:
        """New points, chosen by the residual and weighted by time where that is asked for."""
        placed = {}
        for group, count in self._counts(1).items():
            if group.name == INSIDE and self.settings.focus > 0:
                points = self._chosen(group, theta, random)
            else:
                points = drawn(self.problem, group, random, count)
            placed[group.name] = self._placed(group, points)
        if self.settings.causal is not None and INSIDE in placed:
            placed[INSIDE] = self._causal(self.settings.causal, placed[INSIDE], theta)
        return self._balanced(theta, placed) if self.settings.balance else placed

    def _counts(self, times: int) -> dict[Group, int]:
        settings = self.settings
        return {
            group: times * (settings.points if group.edge is None else settings.edge_points)
            for group in self.loss.groups
        }

    @cached_property
    def _place(self) -> Any:
        return {
            group.name: jit_quick_compile(partial(self.loss.place, group))
            for group in self.loss.groups
        }

    def _placed(self, group: Group, points: dict[str, np.ndarray]) -> Placed:
        factors = np.asarray(group.factors(self.problem, self.scales))
        found: Placed = self._place[group.name](points, factors)
        return found

    @cached_property
    def _rows(self) -> Any:
        """The rows of each group, compiled: scales, choices and checks share them."""
        unravel = self._flat[1]

        def compiled(group: Group) -> Any:
            return jit_quick_compile(
                lambda theta, placed: self.loss.group_rows(group, unravel(theta), placed)
            )

        return {group.name: compiled(group) for group in self.loss.groups}

    def measured_scales(self) -> dict[str, float]:
        """Root mean square of each residual over untrained networks, where none is declared.

        The networks are always the same, whatever the seed of a training.
        """
        found = {}
        keys = jax.random.split(jax.random.key(SCALE_SEED), UNTRAINED)
        random = np.random.default_rng(SCALE_SEED)
        thetas = [
            ravel_pytree(start(self.problem, self.settings.network, key)[1])[0] for key in keys
        ]
        for group, count in self._counts(HELD_OUT).items():
            wanted = [item.scale is None for item in group.equations]
            if not any(wanted):
                continue
            placed = self._placed(group, drawn(self.problem, group, random, count))
            squares = [jnp.sum(self._rows[group.name](theta, placed) ** 2, 1) for theta in thetas]
            sizes = np.sqrt(np.mean(squares, axis=0))
            for item, size, asked in zip(group.equations, sizes, wanted, strict=True):
                plain = float(size) / item.weight**0.5
                if asked and np.isfinite(plain) and plain > 0:
                    found[item.name] = plain
        return found

    def _squares(self, theta: Weights, placed: Placed) -> np.ndarray:
        """Squared rows of points inside, summed over equations, in units of their mean."""
        rows = np.asarray(self._rows[INSIDE](theta, placed))
        return np.sum(rows**2, axis=0) * rows.shape[1]

    def _chosen(
        self,
        group: Group,
        theta: Weights,
        random: np.random.Generator,
    ) -> dict[str, np.ndarray]:
        """As many points, from four times as many, by their residuals."""
        count = self.settings.points
        pool = drawn(self.problem, group, random, CANDIDATES * count)
        size = self._squares(theta, self._placed(group, pool))
        chance = np.nan_to_num(size, nan=0.0, posinf=0.0) ** (self.settings.focus / 2)
        chance = chance / max(chance.mean(), np.finfo(float).tiny) + 1.0
        taken = random.choice(chance.size, count, replace=False, p=chance / chance.sum())
        return {name: values[taken] for name, values in pool.items()}

    def _causal(self, causal: Causal, placed: Placed, theta: Weights) -> Placed:
        """Weights by how well everything earlier is solved."""
        axis = next(item for item in self.problem.inputs.axes if item.name == causal.axis)
        share = np.asarray(axis.share(placed.points[axis.name]))
        place = np.clip((share * causal.slices).astype(int), 0, causal.slices - 1)
        squares = np.asarray(self._squares(theta, placed))
        totals = np.bincount(place, squares, causal.slices)
        means = totals / np.maximum(np.bincount(place, minlength=causal.slices), 1)
        before = np.concatenate([[0.0], np.cumsum(means)[:-1]])
        weight = np.exp(-causal.strength * before)[place]
        return replace(placed, factor=placed.factor * jnp.sqrt(jnp.asarray(weight)))

    @cached_property
    def _slopes(self) -> Any:
        """Length of the gradient of each group's part of the loss."""

        @jit_quick_compile
        def lengths(theta: Weights, placed: PlacedByGroup) -> dict[str, Array]:
            def part(theta: Weights, group: Group) -> Array:
                rows = self.loss.group_rows(group, self._flat[1](theta), placed[group.name])
                return jnp.sum(rows**2)

            return {
                group.name: jnp.linalg.norm(jax.grad(part)(theta, group))
                for group in self.loss.groups
            }

        return lengths

    def _balanced(self, theta: Weights, placed: PlacedByGroup) -> PlacedByGroup:
        """Groups on edges and of measurements weighted to pull as strongly as the equations."""
        lengths = {name: float(size) for name, size in self._slopes(theta, placed).items()}
        inside = lengths.get(INSIDE, max(lengths.values()))
        found = dict(placed)
        for name, length in lengths.items():
            if name != INSIDE and length > 0 and np.isfinite(inside / length):
                weight = float(np.clip(inside / length, 1e-3, 1e3))
                found[name] = replace(placed[name], factor=placed[name].factor * weight**0.5)
        return found


def of_problem(
    problem: Problem,
    graph: nnx.GraphDef[Network],
    params: Params,
    scales: dict[str, float] | None,
    settings: TrainSettings,
) -> Physics:
    """The physics of `problem` with a network that starts from `params`.

    Scales that are not given are those declared, or measured.
    """
    known = {item.name: item.scale or 1.0 for item in problem.equations}
    physics = Physics(problem, PhysicsLoss(problem, graph), known, settings, params)
    known.update(physics.measured_scales() if scales is None else scales)
    return physics


def _axes(placed: Placed) -> Placed:
    """Which axis of each array runs over points."""
    return Placed(
        {name: 0 for name in placed.points},  # type: ignore[misc]
        AXES.target,
        AXES.factor,
        jax.tree.map(lambda leaf: 1, placed.lifts),
    )


def _parts(count: int) -> int:
    """Into how many equal parts `count` points are cut, each of about `CACHED`."""
    wanted = max(1, count // CACHED)
    return next(parts for parts in range(wanted, 0, -1) if count % parts == 0)


def _cut(placed: Placed, parts: int) -> Placed:
    """The same points with a leading axis of parts."""

    def cut(leaf: Array, axis: int) -> Array:
        each = leaf.shape[axis] // parts
        split = leaf.reshape(*leaf.shape[:axis], parts, each, *leaf.shape[axis + 1 :])
        return jnp.moveaxis(split, axis, 0)

    return jax.tree.map(cut, placed, _axes(placed))
