"""A family that networks have solved becomes a system, for simulations, twins and pages.

What is asked of the networks is checked here as a whole, before anything is computed. The system
itself is in `tvilling.pinns.surrogate.network_system`.
"""

import math
from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.network.ansatz import Params
from tvilling.pinns.problem.specification import declared, differing
from tvilling.pinns.problem.statement import Problem
from tvilling.pinns.problem.variables import Formula
from tvilling.pinns.solution.solution import Solution
from tvilling.pinns.surrogate.network_system import Energy, PinnSystem, judged
from tvilling.pinns.surrogate.query import StateMapping, SurrogateOutput, SurrogateQuery, places_of
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.system import Channel
from tvilling.sciml.surrogates.guard import TRUST

__all__ = ["Energy", "PinnSystem", "StateMapping", "SurrogateOutput", "as_system"]

SECONDS = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "day": 86_400.0}
STEADY_S = 3600.0  # the usual step of a steady family, which takes any other as well
DRAWN = 512  # parameters of the family for which residual and spread are taken beforehand
USUAL = 0.99  # share of them that count as usual
MAX_RESIDUAL = 0.01  # of that of untrained networks: a larger one is never usual
MAX_SPREAD = 0.01  # half widths of an output's range: the same for the ensemble


def as_system(
    solutions: Sequence[Solution] | Solution,
    gauges: Sequence[SurrogateOutput],
    actions: Mapping[str, str] | None = None,
    drives: Mapping[str, str] | None = None,
    carried: Sequence[StateMapping] = (),
    time: str = "",
    energy: Energy | None = None,
) -> PinnSystem:
    """The family that `solutions` solve, as a system.

    Parameters
    ----------
    solutions
        One network or an ensemble of the same kind, each of the same problem from another seed.
    gauges
        The outputs.
    actions, drives
        Which `Ranged` parameters a controller sets and which it does not, each with its
        description.
    carried
        Parameters that are the state, and what becomes of them.
    time
        The axis along which a step goes, from its low to its high end. Empty: a steady family,
        whose values do not depend on the length of the step.
    energy
        Where a balance has a meaning.

    Raises
    ------
    InputError
        With everything that does not fit: a parameter that is used twice or not at all, a place
        outside the domain or left open, networks of different problems.
    """
    told = (dict(actions or {}), dict(drives or {}))
    if isinstance(solutions, Solution):
        solutions = [solutions]
    if not solutions:
        raise InputError("system of networks", ["there is no solution, expected at least one"])
    question = _question(solutions, gauges, told, carried, time)
    axes = {axis.name: axis for axis in question.ranged}
    params = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(one.params for one in solutions))
    residual, spread = _usual(question, params)
    step = question.problem.domain.axis(time) if time else None
    return PinnSystem(
        params=params,
        usual_residual=residual,
        usual_spread=spread,
        question=question,
        actions=tuple(_channel(axes[name], text) for name, text in told[0].items()),
        drives=tuple(_channel(axes[name], text) for name, text in told[1].items()),
        gauges=tuple(
            Channel(it.name, it.unit, it.low, it.high, description=it.description or it.name)
            for it in gauges
        ),
        carried=tuple(item.parameter for item in carried),
        steady=step is None,
        dt_s=STEADY_S if step is None else (step.high - step.low) * SECONDS[step.unit],
        energy=energy,
    )


def _question(
    solutions: Sequence[Solution],
    gauges: Sequence[SurrogateOutput],
    told: tuple[Mapping[str, str], Mapping[str, str]],
    carried: Sequence[StateMapping],
    time: str,
) -> SurrogateQuery:
    """What is asked, once nothing is wrong with it."""
    first, problem = solutions[0], solutions[0].problem
    asked: list[StateMapping | SurrogateOutput] = [*carried, *gauges]
    places, unplaced = _places(problem, gauges, carried, time)
    names = [gauge.name for gauge in gauges]
    names += [axis.name for axis in problem.inputs.ranged] + [TRUST]
    faults = [*_member_faults(solutions), *_parameter_faults(problem, told, carried)]
    faults += [f"{name} names two quantities" for name in {*names} if names.count(name) > 1]
    faults += unplaced
    faults += [fault for gauge in gauges for fault in _gauge_faults(problem, gauge)]
    if not problem.inputs.ranged:
        faults.append("no parameter is ranged, expected a family: see over_ranges")
    if not gauges:
        faults.append("there is no gauge, expected at least one output")
    if faults:
        raise InputError(f"system of {problem.name}", faults)
    axes = {axis.name: axis for axis in problem.inputs.ranged}
    ranges = [axes[item.parameter] for item in carried] + list(gauges)
    return SurrogateQuery(
        problem=problem,
        graph=first.graph,
        network=nnx.merge(first.graph, first.params.network).settings,
        targets=tuple((_target(item), at) for item, at in zip(asked, places, strict=True)),
        half=tuple((item.high - item.low) / 2 for item in ranges),
        scales=dict(first.scales),
        places=places_of(problem),
    )


def _usual(question: SurrogateQuery, params: Params) -> tuple[Array, Array]:
    """What residual and spread stay below for 99 of 100 parameters, within their limits."""
    drawn = Box(question.ranged).draw(np.random.default_rng(0), DRAWN)
    scaled = jnp.stack(
        [2 * axis.share(jnp.asarray(drawn[axis.name])) - 1 for axis in question.ranged], axis=1
    )

    @jax.jit
    def all_of(params: Params, scaled: Array) -> tuple[Array, Array]:
        return jax.vmap(lambda one: judged(question, *question.answers(params, one)))(scaled)

    residual, spread = (jnp.quantile(item, USUAL) for item in all_of(params, scaled))
    return jnp.fmin(residual, MAX_RESIDUAL), jnp.fmin(spread, MAX_SPREAD)


def _channel(axis: Axis, description: str) -> Channel:
    return Channel(axis.name, axis.unit, axis.low, axis.high, description=description or axis.name)


def _member_faults(solutions: Sequence[Solution]) -> list[str]:
    """Networks that are not of one kind, or of different problems."""
    if not all(isinstance(one, Solution) for one in solutions):
        return ["a solution is in windows of time, expected one network for all of it"]
    first, faults = solutions[0], []
    known = declared(first.problem)
    for index, one in enumerate(solutions[1:], 1):
        if parts := differing(known, declared(one.problem)):
            faults.append(f"solution {index} has other {', '.join(parts)} than the first")
        elif one.graph != first.graph:
            faults.append(f"solution {index} has a network of another shape than the first")
    return faults


def _parameter_faults(
    problem: Problem, told: tuple[Mapping[str, str], ...], carried: Sequence[StateMapping]
) -> list[str]:
    """Parameters that are not used once each, as an input."""
    ranged = {axis.name for axis in problem.inputs.ranged}
    used = [*told[0], *told[1], *(item.parameter for item in carried)]
    faults = [
        f"{name} is no ranged parameter of {problem.name}" for name in used if name not in ranged
    ]
    for name in sorted(ranged):
        if used.count(name) != 1:
            faults.append(
                f"{name} is used {used.count(name)} times, "
                "expected once, as action, drive or carried"
            )
    return faults


def _gauge_faults(problem: Problem, gauge: SurrogateOutput) -> list[str]:
    """A range that is none, and a quantity that is not told or has another unit."""
    faults = []
    if not -math.inf < gauge.low < gauge.high < math.inf:
        faults.append(
            f"{gauge.name}: its range is {gauge.low:g} to {gauge.high:g} {gauge.unit}, "
            "expected two finite numbers, the smaller first"
        )
    units = {item.name: item.unit for item in problem.told}
    if isinstance(gauge.of, str) and gauge.of not in units:
        faults.append(f"{gauge.name}: {gauge.of!r} is not told; there are {', '.join(units)}")
    elif isinstance(gauge.of, str) and gauge.unit != units[gauge.of]:
        faults.append(f"{gauge.name} is in {gauge.unit}, expected {units[gauge.of]}")
    return faults


def _target(item: StateMapping | SurrogateOutput) -> str | Formula:
    """What is asked of the networks for it."""
    if isinstance(item, StateMapping) and item.of is None:
        return item.parameter
    return item.of  # type: ignore[return-value]


def _places(
    problem: Problem, gauges: Sequence[SurrogateOutput], carried: Sequence[StateMapping], time: str
) -> tuple[list[dict[str, float]], list[str]]:
    """The place of each target, carried ones first; and what is wrong with them."""
    axes = {axis.name: axis for axis in problem.domain.axes}
    faults = []
    if time and not carried:
        faults.append(f"nothing is carried over steps along {time}, expected a start value")
    if time and time not in axes:
        return [], [*faults, f"time is {time!r}, expected one of {', '.join(axes)}"]
    if time and axes[time].unit not in SECONDS:
        faults.append(f"{time} is in {axes[time].unit}, expected one of {', '.join(SECONDS)}")
    end = {time: axes[time].high} if time else {}
    names = [item.parameter for item in carried] + [gauge.name for gauge in gauges]
    places = []
    asked: list[StateMapping | SurrogateOutput] = [*carried, *gauges]
    for name, item in zip(names, asked, strict=True):
        stays = isinstance(item, StateMapping) and item.of is None
        place = ({axis.name: axis.low for axis in axes.values()} if stays else end) | dict(
            item.place
        )
        faults += [f"{name}: {axis} is left open" for axis in axes if axis not in place]
        for axis, at in place.items():
            if axis not in axes:
                faults.append(f"{name}: {axis} is no axis, expected one of {', '.join(axes)}")
            elif not axes[axis].low <= at <= axes[axis].high:
                known = axes[axis]
                faults.append(
                    f"{name}: {axis} is {at:g} {known.unit}, "
                    f"expected {known.low:g} to {known.high:g} {known.unit}"
                )
        places.append(place)
    return places, faults
