"""What training gives: a function of the coordinates, with units, and how far it can be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import jax
import numpy as np
from flax import nnx
from jaxtyping import Float

from tvilling.pinns.fields.evaluation import evaluate
from tvilling.pinns.network.ansatz import Params, constants, terms
from tvilling.pinns.network.network import Network
from tvilling.pinns.problem.statement import Problem
from tvilling.pinns.problem.variables import Variables
from tvilling.pinns.solution.evaluated import Evaluated, arrays_of
from tvilling.pinns.solution.verdict import Verdict, verdict_of
from tvilling.pinns.training.training_loop import Check

CHUNK = 2048  # points at a time: larger batches of a small network fall out of the cache


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Solution(Evaluated):
    """A trained network for one problem; its weights are leaves, the rest is static.

    Attributes
    ----------
    params
        Weights and free parameters, those of the best check.
    scales
        Name and size of each residual that counts as one [unit of the equation].
    checks
        The course of training.
    stopped
        Why it ended: "steps" (all taken), "target", "time", "no descent" (no lower point was
        found on several draws of points) or "diverged" (a value was not finite).
    note
        That a checkpoint to go on from was lost, where one was.
    """

    params: Params
    graph: nnx.GraphDef[Network] = jax.tree.static()
    problem: Problem = jax.tree.static()
    scales: tuple[tuple[str, float], ...] = jax.tree.static()
    checks: tuple[Check, ...] = jax.tree.static()
    stopped: str = jax.tree.static()
    seed: int = jax.tree.static()
    note: str = jax.tree.static(default="")

    def __repr__(self) -> str:
        from tvilling.pinns.solution.notebook_repr import show_solution

        return show_solution(self)

    @property
    def best(self) -> Check:
        """The check whose weights were kept."""
        return min(self.checks, key=lambda check: check.rank)

    @property
    def fields(self) -> Variables:
        """Unknowns, coordinates and parameters as fields: `d(solution.fields.u, "x")(point)`."""
        return terms(self.problem, self.graph, self.params)

    @property
    def parameters(self) -> dict[str, float]:
        """Fixed parameters and those that were found, in their units."""
        found = constants(self.problem, self.params.free)
        return {name: float(value) for name, value in found.items()}

    @cached_property
    def verdict(self) -> Verdict:
        """Whether the problem is solved, by an independent check that is made when first asked."""
        return verdict_of(self)

    def with_weights(self, params: Params) -> "Solution":
        """The same with other weights."""
        return replace(self, params=params)

    @property
    def held_out(self) -> float:
        """Loss of the kept weights at points that were not trained on."""
        return self.best.held_out

    def values_at(
        self, points: Mapping[str, np.ndarray], names: list[str]
    ) -> dict[str, Float[np.ndarray, " point"]]:
        """The named unknowns at points `[point]`, a chunk at a time."""
        count = next(iter(points.values())).shape[0]
        chunks = [
            {name: values[start : start + CHUNK] for name, values in points.items()}
            for start in range(0, count, CHUNK)
        ]
        short = CHUNK - chunks[-1][next(iter(points))].shape[0] if count > CHUNK else 0
        chunks[-1] = {
            name: np.pad(np.asarray(v, float), (0, short), "edge") for name, v in chunks[-1].items()
        }
        parts = [_values(self, tuple(names), arrays_of(chunk)) for chunk in chunks]
        return {
            name: np.concatenate([np.asarray(part[name]) for part in parts])[:count]
            for name in names
        }


@partial(jax.jit, static_argnums=1)
def _values(solution: Solution, names: tuple[str, ...], points: Any) -> dict[str, Any]:
    """The named unknowns over `points`."""
    at = solution.fields
    found = evaluate([getattr(at, name) for name in names], points)
    return dict(zip(names, found, strict=True))
