"""Points for a problem of DeepXDE: drawn by its own geometry, anew, and always as many.

Nothing here imports DeepXDE; its objects are used by what they offer.
"""

import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

ROUNDS = 20  # draws until a condition has as many points as the problem gives it
VALUED = ("DirichletBC", "IC", "NeumannBC")  # conditions whose values depend on the point alone
MOVING = (*VALUED, "PeriodicBC")

Points = Float[np.ndarray, "point coordinate"]
Drawn = dict[str, np.ndarray]


def resized(data: Any, points: int) -> Any:
    """A copy of `data` with `points` inside, and those of conditions in proportion.

    It keeps at least two on a boundary, where the problem has any.
    """
    copied = copy.copy(data)
    share = points / max(data.num_domain, 1)
    copied.num_domain = points
    if share < 1:
        for name in ("num_boundary", "num_initial"):
            count = getattr(data, name, 0)
            setattr(copied, name, min(count, max(2, round(share * count))))
    _forget(copied)
    with _quiet():
        copied.train_next_batch()
    return copied


def _forget(data: Any) -> None:
    for name in ("train_x_all", "train_x_bc", "train_x", "train_y", "train_aux_vars"):
        setattr(data, name, None)


@dataclass(frozen=True, eq=False)
class Sampler:
    """Draws points for equations and conditions of `data`.

    Attributes
    ----------
    names
        Of the kinds of the conditions; the points of kinds that are not known here stay.
    """

    data: Any
    names: tuple[str, ...]

    def draw(self, seed: int, times: int = 1) -> Drawn:
        """New points: "inside", and of the conditions "edge" with their "values" and "normals".

        `times` as many inside.
        """
        with _seeded(seed):
            inside = np.concatenate([self._sample() for _ in range(times)])
            edge = self._edge(inside)
        values, normals = np.zeros((len(edge), 1)), np.zeros_like(edge)
        starts = np.cumsum([0, *self.data.num_bcs])
        for name, bc, start, end in zip(
            self.names, self.data.bcs, starts[:-1], starts[1:], strict=True
        ):
            if name in VALUED:
                values[start:end] = _values(bc, edge[start:end])
            if name == "NeumannBC":
                normals[start:end] = bc.geom.boundary_normal(edge[start:end])
        return {"inside": inside, "edge": edge, "values": values, "normals": normals}

    def _sample(self) -> Points:
        """One sample, by the problem's own rules, at random."""
        data = copy.copy(self.data)
        data.train_distribution = "pseudo"
        _forget(data)
        return np.asarray(data.train_points(), float)

    def _edge(self, inside: Points) -> Points:
        kept = np.split(np.asarray(self.data.train_x_bc, float), np.cumsum(self.data.num_bcs)[:-1])
        samples = [inside]
        parts = []
        for name, bc, old in zip(self.names, self.data.bcs, kept, strict=False):
            moves = name in MOVING and len(old) > 0
            parts.append(self._moved(name, bc, old, samples) if moves else old)
        return np.concatenate(parts) if parts else np.zeros((0, inside.shape[1]))

    def _moved(self, name: str, bc: Any, old: Points, samples: list[Points]) -> Points:
        """As many new points for `bc` as it had; more samples are taken where one is not enough."""
        found: list[Points] = []
        pairs = name == "PeriodicBC"  # the points come first, then their images
        wanted = len(old) // 2 if pairs else len(old)
        for at in range(ROUNDS):
            if at == len(samples):
                samples.append(self._sample())
            found.append(bc.filter(samples[at]))
            if sum(map(len, found)) >= wanted:
                break
        points = np.concatenate(found)[:wanted]
        if len(points) < wanted:
            return old
        return (
            np.vstack([points, bc.geom.periodic_point(points, bc.component_x)]) if pairs else points
        )


def chosen(points: Points, sizes: np.ndarray, count: int, focus: float, seed: int) -> Points:
    """`count` of `points`, more often where `sizes`, those of the residual, are large.

    The chance is the size to the power `focus`, over its mean, plus one: Wu et al., Comput.
    Methods Appl. Mech. Eng. 403 (2023) 115671, DOI 10.1016/j.cma.2022.115671.
    """
    chance = np.nan_to_num(sizes, nan=0.0, posinf=0.0) ** focus
    chance = chance / max(float(np.mean(chance)), np.finfo(float).tiny) + 1.0
    random = np.random.default_rng(seed)
    return points[random.choice(len(points), count, replace=False, p=chance / chance.sum())]


def _values(bc: Any, points: Points) -> np.ndarray:
    values = np.asarray(bc.func(points, 0, len(points), None), float)
    return np.broadcast_to(values if values.ndim == 2 else values.reshape(-1, 1), (len(points), 1))


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what DeepXDE's polygons make NumPy say."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Arrays of 2-dimensional vectors", DeprecationWarning)
        yield


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """The global generator of NumPy, from which DeepXDE draws, at `seed`; put back afterwards."""
    before = np.random.get_state()
    np.random.seed(seed)
    try:
        with _quiet():
            yield
    finally:
        np.random.set_state(before)
