"""Flows of the consumers and the inlet temperatures that come with them, brought in line.

A colder inlet asks for more flow, and more flow brings a warmer inlet. At usual loads secants in
the inlet temperature settle both in a few rounds. At low load they can swing for ever; there the
flows are the better unknowns. The heat that a consumer takes, m (h_in(m) - h_return), rises with
the flow and is convex behind a pipe that loses heat, so that Newton steps from above fall on the
root without passing it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from tvilling.sciml.systems.heat_network.hydraulics.krylov import Krylov

Consumers = Float[Array, " consumer"]

MIN_MOVE_J_PER_KG = 0.01
MAX_SLOPE = 50.0
MAX_EVALUATIONS = 400
EXCESS_TOLERANCE = 1e-8  # of the demand
MIN_FACTOR = 0.1  # by which a flow falls at most in one step
PROBE_SIZE = 1e-6  # of the flows
LINEAR_TOLERANCE = 1e-5


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Secant:
    """The next guess of the consumers' inlet enthalpy, the last one and what was found for it.

    All in J/kg; `miss` is how far the last two were apart.
    """

    guess: Consumers
    before: Consumers
    found: Consumers
    miss: Float[Array, ""]

    def after(self, found: Consumers) -> "Secant":
        """With what was `found` for the guess, and the next guess: each consumer's own secant."""
        moved = self.guess - self.before
        known = jnp.abs(moved) > MIN_MOVE_J_PER_KG
        slope = jnp.where(known, (found - self.found) / jnp.where(known, moved, 1.0), 0.0)
        guess = self.guess + (found - self.guess) / (1 - jnp.clip(slope, -MAX_SLOPE, 0.5))
        return Secant(guess, self.guess, found, jnp.max(jnp.abs(found - self.guess), initial=0.0))


@dataclass(frozen=True)
class FlowProblem:
    """What the root is sought of.

    Attributes
    ----------
    inlet
        Enthalpy at the consumers' inlets [J/kg] that comes with the flow through each [kg/s].
    wanted
        Flow that each wants [kg/s], and by how much it cools the water [J/kg], at its inlet.
    heat_w
        Demand of each.
    low, high
        Limits of each flow [kg/s]; the same where it does not follow from the demand.
    """

    inlet: Callable[[Consumers], Consumers]
    wanted: Callable[[Consumers], tuple[Consumers, Consumers]]
    heat_w: Consumers
    low: Consumers
    high: Consumers

    def excess(self, flow: Consumers, inlet: Consumers) -> Consumers:
        """Share of the demand that each takes too much with `flow` of enthalpy `inlet`."""
        taken_w = flow * self.wanted(inlet)[1]
        return taken_w / jnp.where(self.heat_w > 0, self.heat_w, 1.0) - 1.0

    def gap(self, flow: Consumers, inlet: Consumers) -> tuple[Consumers, Bool[Array, " consumer"]]:
        """The excess where it is to vanish, and whose flow is at a limit for good."""
        excess = self.excess(flow, inlet)
        held = (flow >= self.high) & (excess < 0) | (flow <= self.low) & (excess > 0)
        held |= self.low >= self.high
        return jnp.where(held, 0.0, excess), held


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Search:
    """Where the search for the root is; see `find_inlet`.

    Attributes
    ----------
    stage
        What the next evaluation is for: `SECANT`, `TRIAL` of a Newton step, or `PROBE` of the
        Jacobian.
    evaluations
        How often the inlets were evaluated.
    flow, inlet, gap, held
        The best flows of Newton's method, and what comes with them.
    space
        Of the linear system for the next Newton step, as shares by which the flows fall.
    part
        How much of the step is tried: less after a step that made the gaps grow.
    """

    stage: Int[Array, ""]
    evaluations: Int[Array, ""]
    secant: Secant
    flow: Consumers
    inlet: Consumers
    gap: Consumers
    held: Bool[Array, " consumer"]
    space: Krylov
    part: Float[Array, ""]


SECANT, TRIAL, PROBE = 0, 1, 2


def find_inlet(
    problem: FlowProblem, first: Secant, rounds: int, tolerance: float
) -> Float[Array, " consumer"]:
    """Inlet enthalpy of every consumer [J/kg] that fits the flows it asks for.

    Goes on from `first` for at most `rounds` secants, until guess and finding differ by less than
    `tolerance` [J/kg]; then by Newton's method on the flows, from the greatest of them, with step
    halving. Its linear systems need differences of the inlets alone. Everything is one loop with
    one evaluation, which keeps the compiled program small.
    """

    def going(now: Search) -> Array:
        near = now.secant.miss <= tolerance
        near |= jnp.max(jnp.abs(now.gap), initial=0.0) <= EXCESS_TOLERANCE
        return ~near & (now.evaluations < rounds + MAX_EVALUATIONS)

    def advance(now: Search) -> Search:
        flow = jnp.where(
            now.stage == SECANT,
            problem.wanted(now.secant.guess)[0],
            jnp.where(now.stage == TRIAL, _tried(problem, now), _probed(now)),
        )
        inlet = problem.inlet(flow)
        stages = (
            replace(now, secant=now.secant.after(inlet)),
            _judged(problem, now, flow, inlet),
            _measured(problem, now, flow, inlet),
        )
        following = jax.tree.map(
            lambda a, b, c: jnp.where(now.stage == SECANT, a, jnp.where(now.stage == TRIAL, b, c)),
            *stages,
        )
        count = now.evaluations + 1
        switched = (now.stage == SECANT) & (count >= rounds)
        return replace(
            following, evaluations=count, stage=jnp.where(switched, TRIAL, following.stage)
        )

    nothing = jnp.zeros_like(problem.high)
    start = Search(
        stage=jnp.array(SECANT if rounds > 0 else TRIAL),
        evaluations=jnp.array(0),
        secant=first,
        flow=problem.high,
        inlet=first.guess,
        gap=nothing + jnp.inf,
        held=nothing > 0,
        space=Krylov.start(nothing),
        part=jnp.ones(()),
    )
    end = jax.lax.while_loop(going, advance, start)
    return jnp.where(end.evaluations > rounds, end.inlet, end.secant.before)


def _tried(problem: FlowProblem, now: Search) -> Consumers:
    """The flows of the next Newton step."""
    fallen = now.flow * jnp.maximum(1.0 - now.part * now.space.solution, MIN_FACTOR)
    return jnp.clip(fallen, problem.low, problem.high)


def _probed(now: Search) -> Consumers:
    """Flows a little beside the best ones, along the next vector of the linear system."""
    return now.flow * (1.0 + jnp.where(now.held, 0.0, PROBE_SIZE * now.space.vector))


def _judged(problem: FlowProblem, now: Search, flow: Consumers, inlet: Consumers) -> Search:
    """After a Newton step: taken if the gaps have shrunk, else tried again with half of it."""
    gap, held = problem.gap(flow, inlet)
    better = jnp.linalg.norm(gap) < jnp.linalg.norm(now.gap)
    taken = replace(
        now,
        stage=jnp.array(PROBE),
        flow=flow,
        inlet=inlet,
        gap=gap,
        held=held,
        space=Krylov.start(gap),
        part=jnp.minimum(2 * now.part, 1.0),
    )
    again = replace(now, part=now.part / 2)
    return jax.tree.map(lambda new, old: jnp.where(better, new, old), taken, again)


def _measured(problem: FlowProblem, now: Search, flow: Consumers, inlet: Consumers) -> Search:
    """After a probe: one product of the Jacobian more, and a step once they suffice."""
    change = problem.excess(flow, inlet) - problem.excess(now.flow, now.inlet)
    space = now.space.after(jnp.where(now.held, now.space.vector, change / PROBE_SIZE))
    stage = jnp.where(space.is_done(LINEAR_TOLERANCE), TRIAL, PROBE)
    return replace(now, stage=stage, space=space)
