"""Run a system under a controller, over one scenario or very many."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

import jax
from jaxtyping import Array, Int

from tvilling.sciml.core.physical import finite_status, join_status, used_inputs
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.core.system import System, Values

M = TypeVar("M")


@runtime_checkable
class Controller(Protocol[M]):
    """Chooses the action of each step from what it sees; pure, with an explicit memory."""

    def init(self) -> M:
        """Memory at the start."""

    def __call__(self, memory: M, state: Any, forecast: Values) -> tuple[Values, M]:
        """Action for this step and the new memory.

        `forecast` holds what is expected, each array `[ahead, *channel]`; its first entry is
        this step.
        """


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Trajectory:
    """States, actions, outputs and status of a run, each led by time (and batch before it)."""

    state: Any
    action: Values
    output: Values
    status: Int[Array, "*batch_time"]

    __repr__ = short_repr


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Play:
    """A controller that plays the actions which the scenario's forecast holds for each step."""

    names: tuple[str, ...] = jax.tree.static()

    def init(self) -> tuple[()]:
        """No memory."""
        return ()

    def __call__(self, memory: tuple[()], state: Any, forecast: Values) -> tuple[Values, tuple[()]]:
        """The action that stands there for this step."""
        return {name: forecast[name][0] for name in self.names}, memory


def simulate(system: System, controller: Controller, scenario: Scenario) -> Trajectory:
    """Run `scenario` and keep everything.

    States are those at the end of each step, outputs those over it. The status of a step with a
    state, an input or an output that is not a finite number has the flag `NOT_FINITE`, whatever
    the system says.

    Raises
    ------
    ValueError
        The scenario has no drive, and so no length; a price, which no plant needs, gives it one.
    """
    if not scenario.drive:
        raise ValueError("the scenario has no drive and so no length; give it one, such as a price")

    def advance(carry: tuple, now: tuple[Values, Values]) -> tuple[tuple, Trajectory]:
        (state, memory), (drive, forecast) = carry, now
        action, memory = controller(memory, state, forecast)
        given = state, used_inputs(system, action, drive)
        state, output = system.step(state, action, drive, scenario.dt_s)
        output = dict(output)
        status = join_status(output.pop("status"), finite_status(given, state, output))
        return (state, memory), Trajectory(state, action, output, status)

    start = scenario.state, controller.init()
    return jax.lax.scan(advance, start, (scenario.drive, scenario.seen()))[1]


def simulate_many(
    system: System,
    controller: Controller,
    scenarios: Scenario,
    keep: Callable[[Trajectory], Any] = lambda trajectory: trajectory,
    chunk: int = 250,
) -> Any:
    """Run a batch of scenarios in chunks, keeping what `keep` takes from each trajectory.

    Reducing inside the map (a sum, a maximum, a few outputs) is what makes large ensembles
    cheap in memory and time; compile the call with `jax.jit`.
    """

    def run(scenario: Scenario) -> Any:
        return keep(simulate(system, controller, scenario))

    return jax.lax.map(run, scenarios, batch_size=chunk)
