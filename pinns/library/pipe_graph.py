"""Temperatures in a graph of pipes: one unknown a pipe, joined exactly at the junctions.

    dT_p/dt + 1/τ_p dT_p/ds = -k_p (T_p - T_ground)          in every pipe, s from 0 to 1

with the time τ_p that water takes through pipe p and the loss rate k_p = U / (ρ A cp) [1/s]. At a
junction the water mixes, and all that leaves has the mixture's temperature:

    T_p(0, t) = Σ m_i T_i(1, t) / Σ m_i       over the pipes i that end where p begins

which is continuity behind a split. Flows are constant; plug flow, no heat stored in walls or
junctions (van der Heijde et al., Energy Convers. Manag. 151 (2017) 158-169,
DOI 10.1016/j.enconman.2017.08.072).

The unknown of a pipe is the change of temperature since its inlet, T_p(s, t) - T_p(0, t), which is
zero at s = 0 by a condition. The temperature is that change on top of the mixture which arrives, so
the laws of the junctions hold exactly whatever the networks say (`PipeGraph.temperature`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.fields.field import Field, at_place, d, of
from tvilling.pinns.library.heating_pipe import WATER_J_PER_M3K
from tvilling.pinns.library.positive import check_positive
from tvilling.pinns.problem.conditions import Condition
from tvilling.pinns.problem.parameters import Fixed
from tvilling.pinns.problem.statement import Equation, Problem, Reference, Unknown, Values
from tvilling.pinns.problem.variables import Variables
from tvilling.sciml.core.errors import InputError

WATER_KG_PER_M3 = 972.0  # at 80 °C


@dataclass(frozen=True)
class Pipe:
    """A pipe from one junction to another, with constant flow.

    Attributes
    ----------
    start, end
        Names of the junctions.
    """

    name: str
    start: str
    end: str
    flow_kg_per_s: float
    length_m: float
    inner_m: float
    loss_w_per_mk: float

    @property
    def passage_s(self) -> float:
        """τ, the time the water takes through it."""
        content_kg = WATER_KG_PER_M3 * math.pi * self.inner_m**2 / 4 * self.length_m
        return content_kg / self.flow_kg_per_s

    @property
    def decay_per_s(self) -> float:
        """k, the share of the excess over the ground that is lost in a second."""
        return self.loss_w_per_mk / (WATER_J_PER_M3K * math.pi * self.inner_m**2 / 4)

    @property
    def unknown(self) -> str:
        """Name of its unknown."""
        return f"{self.name}_change_k"


@dataclass(frozen=True)
class PipeGraph:
    """Pipes without a cycle, fed at one junction.

    The feed swings about a mean with two periods, and has done so before.

    Attributes
    ----------
    pipes
        Each after those that it takes water from.
    source
        The junction that is fed.
    swings
        Amplitude [K] and period [s] of the harmonics.
    """

    pipes: tuple[Pipe, ...]
    source: str
    mean_degc: float = 80.0
    swings: tuple[tuple[float, float], ...] = ((6.0, 2400.0), (2.0, 1100.0))
    ground_degc: float = 8.0
    horizon_s: float = 3600.0

    def __post_init__(self) -> None:
        figures = {"horizon_s": self.horizon_s}
        for pipe in self.pipes:
            for name in ("flow_kg_per_s", "length_m", "inner_m", "loss_w_per_mk"):
                figures[f"{name} of {pipe.name}"] = getattr(pipe, name)
        check_positive("pipe graph", figures)
        faults, reached = [], {self.source}
        for pipe in self.pipes:
            if pipe.start not in reached:
                faults.append(f"pipe {pipe.name} starts at {pipe.start}, which no pipe has reached")
            reached.add(pipe.end)
        for junction in sorted(reached - {self.source}):
            arrives, leaves = (
                math.fsum(pipe.flow_kg_per_s for pipe in self.pipes if place(pipe) == junction)
                for place in (lambda pipe: pipe.end, lambda pipe: pipe.start)
            )
            if leaves > arrives * (1 + 1e-9):
                faults.append(
                    f"junction {junction}: {leaves:g} kg/s leave, at most {arrives:g} kg/s arrive"
                )
        if faults:
            raise InputError("pipe graph", faults)

    def shares(self, junction: str) -> tuple[tuple[Pipe, float], ...]:
        """The pipes that end at a junction, with their shares in the mixture."""
        ending = [pipe for pipe in self.pipes if pipe.end == junction]
        total = math.fsum(pipe.flow_kg_per_s for pipe in ending)
        return tuple((pipe, pipe.flow_kg_per_s / total) for pipe in ending)

    def feed_degc(self, time_s: ArrayLike) -> Array:
        """Temperature at the source."""
        time = jnp.asarray(time_s, float)
        total = jnp.full_like(time, self.mean_degc)
        for amplitude, period in self.swings:
            total = total + amplitude * jnp.sin(2 * math.pi * time / period)
        return total

    def exact_degc(self, pipe: Pipe, s: ArrayLike, time_s: ArrayLike) -> Array:
        """Temperature in a pipe, exact along the path of the water."""
        run = jnp.asarray(s, float) * pipe.passage_s
        entered = self.junction_degc(pipe.start, jnp.asarray(time_s, float) - run)
        return self.ground_degc + (entered - self.ground_degc) * jnp.exp(-pipe.decay_per_s * run)

    def junction_degc(self, junction: str, time_s: ArrayLike) -> Array:
        """Temperature of the water that leaves a junction, exact."""
        if junction == self.source:
            return self.feed_degc(time_s)
        parts = [
            share * self.exact_degc(pipe, 1.0, time_s) for pipe, share in self.shares(junction)
        ]
        return jnp.asarray(sum(parts))

    def exact_change_k(self, pipe: Pipe, s: ArrayLike, time_s: ArrayLike) -> Array:
        """The unknown of a pipe, exact."""
        return self.exact_degc(pipe, s, time_s) - self.junction_degc(pipe.start, time_s)

    def temperature(self, at: Variables, pipe: Pipe) -> Field:
        """Temperature of a pipe as a field, of an equation's or a solution's terms [°C]."""
        change: Field = getattr(at, pipe.unknown)
        return self.mixture(at, pipe.start) + change

    def mixture(self, at: Variables, junction: str) -> Field:
        """Temperature of the water that leaves a junction, as a field [°C]."""
        if junction == self.source:
            return of(self.feed_degc, at.time_s)
        total: Any = 0.0
        for pipe, share in self.shares(junction):
            end = self.mixture(at, pipe.start) + at_place(getattr(at, pipe.unknown), s=1.0)
            total = total + share * end
        result: Field = total
        return result

    def problem(self) -> Problem:
        """The equations of all pipes, and the exact solution as their reference."""
        reach = 2 * sum(amplitude for amplitude, _ in self.swings)
        return Problem(
            name="pipe_graph",
            domain=Box((Axis("s", "1", 0.0, 1.0), Axis("time_s", "s", 0.0, self.horizon_s))),
            unknowns=tuple(Unknown(pipe.unknown, "K", -reach, reach) for pipe in self.pipes),
            parameters=(Fixed("ground_degc", "°C", self.ground_degc),),
            equations=tuple(
                Equation(f"{pipe.name}_heat", "K", self._balance(pipe)) for pipe in self.pipes
            ),
            conditions=tuple(
                condition for pipe in self.pipes for condition in self._conditions(pipe)
            ),
            reference=Reference(
                self._reference, 1e-13, "along the path of the water, exact but for rounding"
            ),
        )

    def _balance(self, pipe: Pipe) -> Any:
        def residual(at: Variables) -> Any:
            degc = self.temperature(at, pipe)
            lost = pipe.decay_per_s * (degc - at.ground_degc)
            return pipe.passage_s * (d(degc, "time_s") + lost) + d(getattr(at, pipe.unknown), "s")

        return residual

    def _conditions(self, pipe: Pipe) -> tuple[Condition, Condition]:
        return (
            Condition(pipe.unknown, "s", 0.0, 0.0),
            Condition(pipe.unknown, "time_s", 0.0, lambda at: self.exact_change_k(pipe, at.s, 0.0)),
        )

    def _reference(self, points: Mapping[str, Float[np.ndarray, "*point"]]) -> Values:
        at = points["s"], points["time_s"]
        return {pipe.unknown: np.asarray(self.exact_change_k(pipe, *at)) for pipe in self.pipes}


def example_graph() -> PipeGraph:
    """Six pipes with two splits and a merge, 10 kg/s in all; dimensions by EN 253."""
    return PipeGraph(
        pipes=(
            Pipe("main", "plant", "square", 10.0, 300.0, 0.1325, 0.35),
            Pipe("north", "square", "school", 6.0, 250.0, 0.1071, 0.30),
            Pipe("south", "square", "bridge", 4.0, 350.0, 0.0825, 0.25),
            Pipe("link", "school", "bridge", 2.0, 150.0, 0.0703, 0.22),
            Pipe("hill", "school", "hospital", 4.0, 200.0, 0.0825, 0.25),
            Pipe("harbour", "bridge", "port", 6.0, 250.0, 0.1071, 0.30),
        ),
        source="plant",
    )


def example() -> Problem:
    """The problem of `example_graph`."""
    return example_graph().problem()
