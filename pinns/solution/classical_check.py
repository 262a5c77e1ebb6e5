"""A trained solution of ordinary equations compared with SciPy's solvers of the same problem.

The residuals are solved for the highest derivatives, by Newton's method at each place, which makes
them a system y' = f(t, y). `solve_ivp` takes it where all values are prescribed at one end; where
they are at both, it shoots from the network's own values, and else `solve_bvp` begins with them.
Meshes, steps and derivatives are the solver's: nothing of the training enters but, for two ends,
the start of the iteration.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from math import ceil, log2
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.pinns.fields.domain import Axis
from tvilling.pinns.fields.evaluation import Along, NeededDerivatives, Place, evaluate, needs
from tvilling.pinns.fields.field import Field, Point, d
from tvilling.pinns.network.ansatz import fields_of, prescribed
from tvilling.pinns.problem.conditions import Condition
from tvilling.pinns.problem.statement import Problem
from tvilling.pinns.problem.variables import Variables
from tvilling.pinns.solution.evaluated import Evaluated
from tvilling.sciml.core.errors import InputError

TIGHT, LOOSE = 1e-9, 1e-7  # relative tolerances; where they part, nobody knows the solution
APART = 1e-3  # of the spread: how far both may part
BVP_TOLERANCE, MAX_NODES = 1e-6, 4_000
NEWTON_STEPS = 8
PLACES = 401
SINGULAR = 1e-10  # residual, over its size without derivatives, that Newton's method may leave


@dataclass(frozen=True)
class Compared:
    """How far a network is from a classical solver.

    Attributes
    ----------
    error
        Greatest root mean square of the difference over the spread of the solver's values.
    unknown
        Whose it is.
    turns
        How often the solver's values run through their range, rise and fall each counted as one.
    until
        Where the solver's own error becomes as large; the end of the axis, unless chaotic.
    """

    error: float
    unknown: str
    turns: float
    until: float


class _Given:
    """A source of unknowns whose values and derivatives are numbers."""

    def __init__(self, values: Mapping[tuple[str, Along], Any]) -> None:
        self.values = values

    def derivatives(
        self, points: Point, wanted: NeededDerivatives, place: Place = ()
    ) -> dict[tuple[str, Along], Array]:
        """What was given, anywhere but at a place held apart."""
        if place:
            raise InputError("classical solver", ["an equation looks at another place"])
        keys = [(name, along) for name, alongs in wanted.items() for along in alongs]
        return {key: jnp.asarray(self.values[key], float) for key in keys}


@dataclass(frozen=True, eq=False)
class _System:
    """Equations of one axis as y' = f(t, y)."""

    problem: Problem
    axis: Axis
    numbers: dict[str, Any]

    def at(self, values: Mapping[tuple[str, Along], Any]) -> Variables:
        """Fields of unknowns with these values."""
        return fields_of(self.problem, _Given(values), self.numbers)

    @cached_property
    def orders(self) -> dict[str, int]:
        """The highest derivative of each unknown; none where it has no derivative."""
        at = self.at({})
        found = {item.name: 0 for item in self.problem.unknowns}
        fields = [item.field(at) for item in self.problem.equations]
        names = {self.axis.name: 0.0, f"normal_{self.axis.name}": 0.0}
        for _, _, wanted in needs(fields, names):
            for name, alongs in wanted.items():
                found[name] = max(found[name], *(len(along) for along in alongs))
        return found

    @property
    def state(self) -> list[tuple[str, Along]]:
        """What a state holds: unknowns with their derivatives below the highest."""
        return [
            (name, (self.axis.name,) * count)
            for name, order in self.orders.items()
            for count in range(order)
        ]

    @property
    def highest(self) -> list[tuple[str, Along]]:
        """What the equations are solved for."""
        return [(name, (self.axis.name,) * order) for name, order in self.orders.items()]

    def residual(self, t: Array, state: Array, highest: Array) -> Float[Array, " unknown"]:
        """Of the equations inside, over their sizes."""
        known = dict(zip(self.state, state, strict=True)) | dict(
            zip(self.highest, highest, strict=True)
        )
        at = self.at(known)
        inside = [item.field(at) for item in self.problem.equations if item.face is None]
        return jnp.stack(evaluate(inside, {self.axis.name: t}))

    def solved(self, t: Array, state: Array) -> Float[Array, " unknown"]:
        """The highest derivatives; not finite where the equations do not give them."""

        def better(_: int, now: Array) -> Array:
            steep = jax.jacfwd(lambda v: self.residual(t, state, v))(now)
            return now - jnp.linalg.solve(steep, self.residual(t, state, now))

        start = jnp.zeros(len(self.highest))
        found = jax.lax.fori_loop(0, NEWTON_STEPS, better, start)
        left = jnp.abs(self.residual(t, state, found))
        size = jnp.abs(self.residual(t, state, start)) + jnp.abs(found).max() + 1e-300
        return jnp.where(jnp.all(left <= SINGULAR * size.max() + 1e-12), found, jnp.nan)

    def slope(self, t: Array, state: Array) -> Float[Array, " state"]:
        """f(t, y)."""
        known = dict(zip(self.state, state, strict=True))
        known |= dict(zip(self.highest, self.solved(t, state), strict=True))
        return jnp.stack([known[name, (*along, self.axis.name)] for name, along in self.state])

    def prescribed_at(self, end: float) -> list[Callable[[Array], Array]]:
        """What is to vanish at an end, functions of the state there."""
        point = {self.axis.name: jnp.asarray(end)}
        found: list[Callable[[Array], Array]] = []
        for item in self.problem.conditions:
            if not isinstance(item, Condition) or item.at != end:
                continue
            for what, along in (("value", ()), ("slope", (self.axis.name,))):
                key = item.unknown, along
                if what in item.formulas and key in self.state:
                    value = prescribed(item.formulas[what], self.numbers, point)
                    row = self.state.index(key)
                    found.append(partial(_less, row, value))
        outward = 1.0 if end == self.axis.high else -1.0
        there = {**point, f"normal_{self.axis.name}": jnp.asarray(outward)}
        for equation in self.problem.equations:
            if equation.face == (self.axis.name, end):

                def on_face(state: Array, equation: Any = equation) -> Array:
                    at = self.at(dict(zip(self.state, state, strict=True)))
                    return evaluate([equation.field(at)], there)[0]

                found.append(on_face)
        return found


def _less(row: int, value: Array, state: Array) -> Array:
    """An entry of the state less what is prescribed for it."""
    return state[row] - value


def compare_classical(solution: Evaluated, numbers: dict[str, float]) -> Compared | None:
    """How far `solution` is from a classical solver; None where none can be put to its problem.

    Parameters
    ----------
    numbers
        Fixed and free parameters in their units.
    """
    problem, (axis, *ranged) = solution.problem, solution.problem.inputs.axes
    if len(problem.domain.axes) != 1 or axis.periodic or problem.symmetries:
        return None
    inside = [item for item in problem.equations if item.face is None]
    if len(inside) != len(problem.unknowns):
        return None
    found: list[Compared] = []
    for share in (0.5, 0.1, 0.9)[: 3 if ranged else 1]:
        chosen = {item.name: item.low + share * (item.high - item.low) for item in ranged}
        one = _compared(solution, axis, numbers | chosen, chosen)
        if one is None:
            return None
        found.append(one)
    return max(found, key=lambda item: item.error)


def _compared(
    solution: Evaluated, axis: Axis, numbers: dict[str, float], chosen: dict[str, float]
) -> Compared | None:
    system = _System(solution.problem, axis, {k: jnp.asarray(v) for k, v in numbers.items()})
    try:
        low, high = (system.prescribed_at(end) for end in (axis.low, axis.high))
        if not system.state or len(low) + len(high) != len(system.state):
            return None
        solve = _from_two_ends if low and high else _from_one_end
        along = np.linspace(axis.low, axis.high, PLACES)
        known = solve(system, solution, (along, chosen))
    except (InputError, TypeError, KeyError, ValueError, ArithmeticError, np.linalg.LinAlgError):
        return None
    if known is None:
        return None
    true, until = known
    return _apart(system, solution, true, (along, chosen, until))


Where = tuple[np.ndarray, dict[str, float]]
States = Float[np.ndarray, "state place"]


def _from_one_end(
    system: _System, solution: Evaluated, where: Where
) -> tuple[States, float] | None:
    """All values prescribed at one end: solved twice, to know how far it can be."""
    from scipy.integrate import solve_ivp

    along = where[0]
    backwards = not system.prescribed_at(float(along[0]))
    start_at, end_at = (along[-1], along[0]) if backwards else (along[0], along[-1])
    start = _at_end(system, float(start_at))
    slope = jax.jit(system.slope)
    if start is None or not np.all(np.isfinite(np.asarray(slope(start_at, start)))):
        return None
    scale = {item.name: item.scale for item in solution.problem.unknowns}
    sizes = np.array([scale[name] for name, _ in system.state])
    rising = np.sort(along)[::-1] if backwards else along
    solved = [
        solve_ivp(
            lambda t, y: np.asarray(slope(t, y)),
            (start_at, end_at),
            start,
            method="LSODA",
            t_eval=rising,
            rtol=tolerance,
            atol=1e-3 * tolerance * sizes,
        )
        for tolerance in (TIGHT, LOOSE)
    ]
    if not all(one.success and np.all(np.isfinite(one.y)) for one in solved):
        return None
    tight, loose = (one.y for one in solved)
    part = np.abs(tight - loose) > APART * np.ptp(tight, axis=1, keepdims=True) + 1e-12
    parting = np.flatnonzero(part.any(axis=0))
    until = float(rising[parting[0]]) if len(parting) else float(end_at)
    return (tight[:, ::-1] if backwards else tight), until


def _at_end(system: _System, end: float) -> Float[np.ndarray, " state"] | None:
    """The state that conditions and equations prescribe at an end, by Newton's method."""
    terms = system.prescribed_at(end)

    def rows(state: Array) -> Array:
        return jnp.stack([term(state) for term in terms])

    state = jnp.zeros(len(system.state))
    for _ in range(NEWTON_STEPS):
        state = state - jnp.linalg.solve(jax.jacfwd(rows)(state), rows(state))
    found = np.asarray(state)
    return found if np.all(np.isfinite(found)) else None


def _from_two_ends(
    system: _System, solution: Evaluated, where: Where
) -> tuple[States, float] | None:
    """Values at both ends: the solver's collocation, from the network's values."""
    from scipy.integrate import solve_bvp

    along = where[0]
    guess = _states(system, solution, where)
    low, high = (system.prescribed_at(float(end)) for end in (along[0], along[-1]))

    @jax.jit
    def ends(first: Array, last: Array) -> Array:
        return jnp.stack([*(term(first) for term in low), *(term(last) for term in high)])

    shot = _shot(system, along, guess, ends)
    if shot is not None:
        return shot, float(along[-1])
    many = jax.jit(jax.vmap(system.slope, (0, 1), 1))

    def slopes(t: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Of a mesh, filled up so that few sizes are compiled."""
        fill = 2 ** ceil(log2(t.size)) - t.size
        padded = many(np.pad(t, (0, fill), "edge"), np.pad(y, ((0, 0), (0, fill)), "edge"))
        return np.asarray(padded)[:, : t.size]

    if not np.all(np.isfinite(slopes(along, guess))):
        return None
    with np.errstate(all="ignore"):
        found = solve_bvp(
            slopes,
            lambda a, b: np.asarray(ends(a, b)),
            along,
            guess,
            tol=BVP_TOLERANCE,
            max_nodes=MAX_NODES,
        )
    return (found.sol(along), float(along[-1])) if found.status == 0 else None


def _shot(system: _System, along: np.ndarray, guess: States, ends: Any) -> States | None:
    """The same by shooting from the low end, whose steps adapt to coefficients that jump."""
    from scipy.integrate import solve_ivp

    slope, start = jax.jit(system.slope), guess[:, 0]
    sizes = np.maximum(np.abs(guess).max(axis=1), 1e-12)

    def path(state: np.ndarray) -> States:
        solved = solve_ivp(
            lambda t, y: np.asarray(slope(t, y)),
            (along[0], along[-1]),
            state,
            method="LSODA",
            t_eval=along,
            rtol=TIGHT,
            atol=1e-3 * TIGHT * sizes,
        )
        return solved.y if solved.success else np.full((state.size, along.size), np.nan)

    def missed(state: np.ndarray) -> np.ndarray:
        return np.asarray(ends(state, path(state)[:, -1]))

    for _ in range(NEWTON_STEPS):
        off = missed(start)
        if not np.all(np.isfinite(off)):
            return None
        if np.abs(off).max() <= BVP_TOLERANCE * max(1.0, float(np.abs(start).max())):
            return path(start)
        steps = 1e-6 * np.maximum(np.abs(start), sizes)
        columns = [(missed(start + step * unit) - off) / step
                   for step, unit in zip(steps, np.eye(start.size), strict=True)]  # fmt: skip
        start = start - np.linalg.solve(np.stack(columns, axis=1), off)
    return None


def _states(system: _System, solution: Evaluated, where: Where) -> States:
    """What the network says of all that a state holds."""
    along, chosen = where
    points = {system.axis.name: along, **{k: np.full(along.size, v) for k, v in chosen.items()}}
    at = solution.fields
    wanted: list[Field] = []
    for name, order in system.state:
        field = getattr(at, name)
        wanted.append(d(field, *order) if order else field)
    return np.stack([np.broadcast_to(v, along.shape) for v in evaluate(wanted, points)])


def _apart(
    system: _System,
    solution: Evaluated,
    true: States,
    where: tuple[np.ndarray, dict[str, float], float],
) -> Compared:
    along, chosen, until = where
    points = {system.axis.name: along, **{k: np.full(along.size, v) for k, v in chosen.items()}}
    rows = {name: row for row, (name, order) in enumerate(system.state) if not order}
    values = solution.values_at(points, list(rows))
    forward = until >= along[-1] or not system.prescribed_at(float(along[-1]))
    known = along <= until if forward else along >= until
    errors, turns = {}, 0.0
    for name, row in rows.items():
        exact = true[row]
        off = float(np.sqrt(np.mean((values[name] - exact)[known] ** 2)))
        size = float(np.sqrt(np.mean(exact[known] ** 2)))
        spread = float(np.std(exact[known]))
        spread = spread if spread > 1e-3 * size else size
        errors[name] = off / (spread or solution.problem.unknown(name).scale)
        reach = float(np.ptp(exact))
        if reach > 1e-6 * (size or 1.0):
            turns = max(turns, float(np.abs(np.diff(exact)).sum()) / reach)
    worst = max(errors, key=lambda name: errors[name])
    return Compared(errors[worst], worst, turns, until)
