"""DeepXDE: a problem written for it, trained with our optimisers; its geometries as our shapes.

Importing this file loads DeepXDE with its JAX backend, unless `DDE_BACKEND` names another, and sets
its floating-point numbers to 64 bits.
"""

import contextlib
import io
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float
from numpy.typing import ArrayLike

from tvilling.pinns.deepxde.columns import Columns, Path, Source, operators, plain
from tvilling.pinns.deepxde.dense_jets import derivatives
from tvilling.pinns.deepxde.faults import faults_of
from tvilling.pinns.deepxde.network import dense_of, drawn_params
from tvilling.pinns.deepxde.points import Sampler, chosen, resized
from tvilling.pinns.deepxde.shapes import shape_of
from tvilling.pinns.deepxde.tracing import tracing
from tvilling.pinns.training.least_squares import Task
from tvilling.pinns.training.quick_compile import jit_quick_compile
from tvilling.pinns.training.settings import TrainSettings, check_seed
from tvilling.pinns.training.training_loop import Check, Tell, run, silent
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.io.extras import needs_extra

os.environ.setdefault("DDE_BACKEND", "jax")
with (
    needs_extra("pinn"),
    contextlib.redirect_stderr(io.StringIO()),  # it tells its backend
    contextlib.redirect_stdout(io.StringIO()),
):
    import deepxde as dde
    from deepxde.gradients import gradients_forward, gradients_reverse

    dde.config.set_default_float("float64")

__all__ = ["DeepxdeSolution", "from_deepxde", "shape_of", "solve_deepxde"]

FEWEST = 128  # points inside at a time, where a problem asks for fewer: they are drawn anew
CANDIDATES = 4  # times as many points as are wanted, to choose from by the residual
CACHED = 400  # points at a time: a larger batch of a small network falls out of the cache
HELD_OUT = CANDIDATES  # as many judge a state, so that one compilation serves both
HELD_SEED = 1_000_003  # apart from those of the draws
Batch = dict[str, Float[Array, "point column"]]


@dataclass(frozen=True, eq=False)
class Guest:
    """A DeepXDE problem in parts that can be traced.

    Attributes
    ----------
    data, net
        Of DeepXDE.
    variables
        Its trainable numbers apart from the network.
    unravel
        From a flat vector to the network's parameters and the variables' values.
    weights
        One for each equation, then one for each condition.
    """

    data: Any
    net: Any
    variables: tuple[Any, ...]
    unravel: Callable[[Array], Any]
    weights: tuple[float, ...] | None = None

    __repr__ = short_repr

    @property
    def edges(self) -> tuple[int, ...]:
        """Where the points of each condition begin, and where the last ends."""
        return tuple(int(end) for end in np.cumsum([0, *self.data.num_bcs]))

    def source(self, params: Any, points: Array, paths: Sequence[Path]) -> Source:
        """The network at `points`, with the derivatives along `paths` that a sweep can give."""
        dense = dense_of(self.net, params, dde.nn.activations.get)
        known = {} if dense is None else derivatives(dense, points, paths)
        return Source(lambda x: self.net.apply(params, x), points, known)

    def rows(self, theta: Array, batch: Batch) -> Float[Array, " row"]:
        """All residuals; the sum of their squares is DeepXDE's loss."""
        return jnp.concatenate([self.inside(theta, batch["inside"]), self.edge(theta, batch)])

    def inside(self, theta: Array, points: Array) -> Float[Array, " row"]:
        """Residuals of the equations."""
        return self._weighted(self.equations(theta, points), 0)

    def edge(self, theta: Array, batch: Batch) -> Float[Array, " row"]:
        """Residuals of the conditions."""
        if not batch["edge"].shape[0]:
            return jnp.zeros(0)
        params, values = self.unravel(theta)
        with self._tracing(values):
            paths = _asked(
                lambda: self.source(params, batch["edge"], ()),
                lambda at: self._conditions(at, batch),
            )
            found = self._conditions(self.source(params, batch["edge"], paths), batch)
        return self._weighted(found, -len(found))

    def equations(self, theta: Array, points: Array) -> list[Array]:
        """The error of each equation at `points` [point, 1]."""
        params, values = self.unravel(theta)
        with self._tracing(values):
            paths = _asked(
                lambda: self.source(params, points, ()), lambda at: self._equations(at, values)
            )
            return self._equations(self.source(params, points, paths), values)

    def slope(self, theta: Array, batch: Batch) -> tuple[Array, Array]:
        """The loss and its gradient, some hundred points at a time."""
        inside = batch["inside"]
        parts = _parts(len(inside))

        def square(theta: Array, points: Array) -> Array:
            return jnp.sum(self.inside(theta, points) ** 2) / parts

        def add(total: tuple[Array, Array], points: Array) -> tuple[tuple[Array, Array], None]:
            one = jax.value_and_grad(square)(theta, points)
            return (total[0] + one[0], total[1] + one[1]), None

        start = jax.value_and_grad(lambda now: jnp.sum(self.edge(now, batch) ** 2))(theta)
        return jax.lax.scan(add, start, inside.reshape(parts, -1, inside.shape[1]))[0]

    def jacobian(self, theta: Array, batch: Batch) -> Float[Array, "row n"]:
        """Derivatives of the rows by weights, a backward pass a row."""
        count = len(batch["inside"])

        def one(theta: Array, point: Array) -> Array:
            return self.inside(theta, point[None]) / np.sqrt(count)

        inside = jax.vmap(jax.jacrev(one), (None, 0))(theta, batch["inside"])
        edge = jax.jacrev(self.edge)(theta, batch)
        return jnp.concatenate([inside.swapaxes(0, 1).reshape(-1, theta.size), edge])

    def judged(self, theta: Array, points: Array) -> tuple[Array, Float[Array, " point"]]:
        """The loss of the equations, and how far they are from being met at each point."""
        errors = self.equations(theta, points)
        squares = [jnp.sum(error**2, axis=1) for error in errors]
        loss = jnp.sum(self._weighted(errors, 0) ** 2)
        return loss, jnp.sqrt(jnp.sum(jnp.stack(squares), axis=0))

    def predict(self, theta: Array, points: ArrayLike) -> Float[np.ndarray, "point output"]:
        """The outputs of the network with weights `theta`."""
        params, _ = self.unravel(theta)
        return np.asarray(self._apply(params, jnp.asarray(points, float)))

    @cached_property
    def _apply(self) -> Any:
        return jit_quick_compile(self.net.apply)

    def _tracing(self, values: Sequence[Array]) -> AbstractContextManager[None]:
        modules = gradients_reverse, gradients_forward
        return tracing(modules, dde.Variable, self.variables, values)

    def _weighted(self, errors: Sequence[Array], first: int) -> Float[Array, " row"]:
        """Rows of errors, the weight of the first of which has the index `first`."""
        if not errors:
            return jnp.zeros(0)
        weights = self.weights or (1.0,) * (len(errors) + len(self.data.bcs))
        return jnp.concatenate(
            [
                jnp.ravel(error) * jnp.sqrt(weights[first + at] / error.size)
                for at, error in enumerate(errors)
            ]
        )

    def _equations(self, at: Source, values: Sequence[Array]) -> list[Array]:
        pde = self.data.pde
        if pde is None:
            return []
        y = Columns.of(at)
        if dde.utils.get_num_args(pde) == 3 and values:
            found = pde(at.points, y, unknowns=Unknowns(values))
        else:
            found = pde(at.points, y)
        return [jnp.asarray(plain(one)) for one in _listed(found)]

    def _conditions(self, at: Source, batch: Batch) -> list[Array]:
        y, ends, found = Columns.of(at), self.edges, []
        for bc, start, end in zip(self.data.bcs, ends[:-1], ends[1:], strict=True):
            wanted = batch["values"][start:end]
            if type(bc) in (dde.icbc.DirichletBC, dde.icbc.IC):
                error = y.array[start:end, bc.component : bc.component + 1] - wanted
            elif type(bc) is dde.icbc.NeumannBC:
                slopes = y.gradient(bc.component).array * batch["normals"]
                error = jnp.sum(slopes[start:end], axis=1, keepdims=True) - wanted
            else:  # those whose points stay, and periodic ones, which look at no coordinates
                error = bc.error(self.data.train_x_bc, at.points, y, start, end)
            found.append(jnp.asarray(plain(error)))
        return found


def _asked(source: Callable[[], Source], use: Callable[[Source], Any]) -> tuple[Path, ...]:
    """The derivatives that `use` asks of a source."""
    found: tuple[Path, ...] = ()

    def listen() -> None:
        nonlocal found
        at = source()
        use(at)
        found = at.asked

    jax.eval_shape(listen)
    return found


def _parts(count: int) -> int:
    """Into how many equal parts `count` points are cut, each of about `CACHED`."""
    wanted = max(1, round(count / CACHED))
    return next(parts for parts in range(wanted, 0, -1) if count % parts == 0)


class Unknowns(tuple[Any, ...]):
    """The values of variables; a single one counts as a number as well."""

    def __jax_array__(self) -> Array:
        return jnp.asarray(self[0] if len(self) == 1 else tuple(self))


for _name, _operator in operators().items():
    setattr(Unknowns, _name, _operator)


def _listed(found: Any) -> list[Any]:
    return list(found) if isinstance(found, list | tuple) else [found]


def from_deepxde(
    data: Any,
    net: Any = None,
    variables: Any = (),
    loss_weights: Sequence[float] | None = None,
    points: int | None = None,
    focus: float = 0.0,
    seed: int = 0,
) -> Task:
    """A DeepXDE problem as a task for our optimisers.

    The loss is DeepXDE's own: the sum over equations and conditions of the weighted mean square.
    Its points are drawn anew whenever the optimiser asks, as many as the problem says; those of
    conditions other than `DirichletBC`, `NeumannBC`, `IC` and `PeriodicBC`, and anchors, stay.

    Equations may be written as for DeepXDE's tensor backends (`y * dy_x`, a variable `C` by its
    name) or as for its JAX backend (pairs of values and function, `unknowns`).

    Parameters
    ----------
    data
        A `deepxde.data.PDE` or `TimePDE`.
    net
        A network of DeepXDE's JAX backend; if it has parameters, training starts from them.
        None: three layers of twenty.
    variables
        The `deepxde.Variable`, or several, that are found as well.
    points
        Inside at a time, in place of the problem's own number; those of conditions follow in
        proportion.
    focus
        How strongly points are drawn to where the residual is large, see `TrainSettings`.
    seed
        Of the network and of the held-out points.

    Raises
    ------
    InputError
        With everything that cannot be taken over.
    """
    guest, theta = _guest(data, net, variables, loss_weights, points, seed)
    return _task(guest, theta, focus, seed)


@dataclass(frozen=True, eq=False)
class DeepxdeSolution:
    """A trained network of a DeepXDE problem.

    Attributes
    ----------
    theta
        All that was trained, flat.
    checks, stopped
        How the training went and why it ended, see `Course`.
    """

    guest: Guest
    theta: Array
    checks: tuple[Check, ...] = ()
    stopped: str = ""

    __repr__ = short_repr

    def predict(self, points: ArrayLike) -> Float[np.ndarray, "point output"]:
        """The outputs at `points` [point, coordinate]."""
        return self.guest.predict(self.theta, points)

    @property
    def variables(self) -> tuple[float, ...]:
        """The values found, in the order in which they were given."""
        return tuple(float(value) for value in self.guest.unravel(self.theta)[1])


def solve_deepxde(  # noqa: PLR0913 - as many as DeepXDE's own steps take
    data: Any,
    net: Any = None,
    variables: Any = (),
    settings: TrainSettings | None = None,
    seed: int = 0,
    tell: Tell = silent,
    watch: Callable[[DeepxdeSolution], float] | None = None,
    loss_weights: Sequence[float] | None = None,
) -> DeepxdeSolution:
    """Train a DeepXDE problem with our optimisers; see `from_deepxde` for what it may be.

    Afterwards `net.params` and the variables hold what was found, so that `deepxde.Model` can go
    on from there.

    Parameters
    ----------
    settings
        Stages, steps and times; its network is not looked at.
    tell
        Told now and then how it goes.
    watch
        Says the error of the state at every check, which the checks then hold.
    loss_weights
        One for each equation, then one for each condition, as in DeepXDE's `Model.compile`.
    """
    settings = settings or TrainSettings()
    check_seed(seed)
    unused = [name for name in ("windows", "causal", "balance") if getattr(settings, name)]
    if unused:
        told = [f"{name} is not for problems of DeepXDE" for name in unused]
        raise InputError("training settings", told)
    guest, theta = _guest(data, net, variables, loss_weights, settings.points, seed)
    task = _task(guest, theta, settings.focus, seed)

    def error(theta: Array) -> float:
        return watch(DeepxdeSolution(guest, theta)) if watch else float("nan")

    course = run(task, settings, seed, tell, watch=error if watch else None)
    params, values = guest.unravel(course.best)
    guest.net.params = params
    for variable, value in zip(guest.variables, values, strict=True):
        variable.value = value
    return DeepxdeSolution(guest, course.best, course.checks, course.stopped)


def _guest(
    data: Any,
    net: Any,
    variables: Any,
    loss_weights: Sequence[float] | None,
    points: int | None,
    seed: int,
) -> tuple[Guest, Array]:
    """The problem in parts, and where training starts."""
    variables = tuple(variables) if isinstance(variables, list | tuple) else (variables,)
    faults = list(faults_of(dde, data, net, variables))
    if faults:
        raise InputError("DeepXDE problem", faults)
    net = net or _usual_net(data)
    sized = resized(data, points or max(data.num_domain, FEWEST))
    params = net.params or drawn_params(net, data.geom.dim, seed)
    values = tuple(variable.value for variable in variables)
    theta, unravel = ravel_pytree(jax.tree.map(_double, (params, values)))
    weights = None if loss_weights is None else tuple(map(float, loss_weights))
    guest = Guest(sized, net, variables, unravel, weights)
    if weights is not None:
        _check_weights(guest, weights, theta)
    return guest, theta


def _check_weights(guest: Guest, weights: tuple[float, ...], theta: Array) -> None:
    """Raise an InputError where there is not one weight, at least 0, for each term of the loss."""
    point = jnp.zeros((1, guest.data.geom.dim))
    equations = len(jax.eval_shape(guest.equations, theta, point))
    conditions = len(guest.data.bcs)
    faults = [f"loss_weights holds {one:g}, expected at least 0" for one in weights if not one >= 0]
    if len(weights) != equations + conditions:
        faults.append(
            f"loss_weights has {len(weights)} numbers, expected {equations + conditions}: one for "
            f"each of {equations} equations and {conditions} conditions"
        )
    if faults:
        raise InputError("DeepXDE problem", faults)


def _double(value: Any) -> Array:
    return jnp.asarray(value, float)


def _usual_net(data: Any) -> Any:
    """Three layers of twenty, with as many outputs as the conditions name."""
    outputs = 1 + max((getattr(bc, "component", 0) for bc in data.bcs), default=0)
    return dde.nn.FNN([data.geom.dim, 20, 20, 20, outputs], "tanh", "Glorot normal")


def _task(guest: Guest, theta: Array, focus: float, seed: int) -> Task:
    sampler = Sampler(guest.data, tuple(type(bc).__name__ for bc in guest.data.bcs))
    judged = jit_quick_compile(guest.judged)
    edge = jit_quick_compile(guest.edge)

    def held(theta: Array, batch: Batch) -> Array:
        rest = edge(theta, batch) if batch["edge"].shape[0] else np.zeros(0)
        inside, _ = judged(theta, batch["inside"])
        return jnp.asarray(float(inside) + np.sum(np.asarray(rest) ** 2))

    def draw(random: np.random.Generator, theta: Array) -> Batch:
        number = int(random.integers(2**32))
        drawn = sampler.draw(number, CANDIDATES if focus > 0 else 1)
        if focus > 0:
            pool = drawn["inside"]
            sizes = np.asarray(judged(theta, pool)[1])
            drawn["inside"] = chosen(pool, sizes, len(pool) // CANDIDATES, focus, number)
        return _arrays(drawn)

    return Task(
        name="DeepXDE problem",
        theta=theta,
        rows=guest.rows,
        draw=draw,
        held_out=_arrays(sampler.draw(seed + HELD_SEED, HELD_OUT)),
        jacobian=guest.jacobian,
        slope=guest.slope,
        held=held,
        unravel=guest.unravel,
    )


def _arrays(drawn: Mapping[str, np.ndarray]) -> Batch:
    return {name: jnp.asarray(array) for name, array in drawn.items()}
