"""How to train: network, points, stages of optimisation, and when to stop."""

import math
from dataclasses import dataclass, field

import numpy as np

from tvilling.pinns.network.network import NetworkSettings
from tvilling.pinns.optimisers.stages import Broyden, Stage
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.typed import lists_to_tuples, type_errors

GREATEST_SEED = 2**32 - 1


@dataclass(frozen=True)
class Causal:
    """Points count for little until what was before them is solved.

    A point in slice i of `slices` along `axis` is weighted by exp(-strength · L), where L is the
    sum of the mean squared residuals of all earlier slices: Wang, Sankaran and Perdikaris,
    CMAME 421 (2024) 116813, DOI 10.1016/j.cma.2024.116813.
    """

    axis: str
    strength: float = 1.0
    slices: int = 16


@dataclass(frozen=True)
class Windows:
    """Time cut into `count` equal windows, solved one after the other by a network each."""

    axis: str
    count: int


@dataclass(frozen=True)
class TrainSettings:
    """How to train.

    Attributes
    ----------
    network
        Kind and size of the network.
    points
        Where the residual is made small at a time.
    edge_points
        The same on each edge where an equation holds.
    stages
        Optimisers with their steps, one after the other.
    check_every
        Steps between checks. At each the loss at points that are never trained on is taken, the
        best weights are kept by it, and new points are drawn.
    focus
        New points are taken from four times as many, with a chance that grows with the residual
        to this power (over its mean, plus one): Wu et al., CMAME 403 (2023) 115671,
        DOI 10.1016/j.cma.2022.115671. 0: evenly.
    causal
        Earlier first; None: all times alike.
    windows
        Cut time; None: one network for all of it.
    balance
        Whether terms on edges and measurements are weighted anew at each check so that their
        gradients are as long as that of the equations inside (Wang, Teng and Perdikaris, SIAM J.
        Sci. Comput. 43 (2021) A3055, DOI 10.1137/20M1318043).
    target
        Loss at the held-out points at which training ends.
    time_s
        Wall time after which training ends at the next check [s], compilation included. Where it
        decides, the same seed need not give the same result.
    """

    network: NetworkSettings = field(default_factory=NetworkSettings)
    points: int = 1000
    edge_points: int = 200
    stages: tuple[Stage, ...] = (Broyden(2500),)
    check_every: int = 250
    focus: float = 0.0
    causal: Causal | None = None
    windows: Windows | None = None
    balance: bool = False
    target: float = 0.0
    time_s: float = float("inf")

    def __post_init__(self) -> None:
        lists_to_tuples(self)
        if told := list(type_errors(self)):
            raise InputError("training settings", told)
        least = {
            "points": 1,
            "edge_points": 1,
            "check_every": 1,
            "focus": 0,
            "target": 0,
        }
        faults = [
            f"{name} is {getattr(self, name):g}, expected at least {low}"
            for name, low in least.items()
            if not (getattr(self, name) >= low and math.isfinite(getattr(self, name)))
        ]
        if not self.time_s > 0:
            faults.append(f"time_s is {self.time_s:g}, expected above 0")
        if not self.stages:
            faults.append("there is no stage, expected at least one optimiser")
        for stage in self.stages:
            faults += stage.faults()
        if self.windows is not None and self.windows.count < 1:
            faults.append(f"windows is {self.windows.count}, expected at least 1")
        if self.causal is not None and not self.causal.strength >= 0:
            faults.append(f"causal strength is {self.causal.strength:g}, expected at least 0")
        if self.causal is not None and self.causal.slices < 1:
            faults.append(f"causal slices is {self.causal.slices}, expected at least 1")
        if faults:
            raise InputError("training settings", faults)


def check_seed(seed: int) -> None:
    """Raise an InputError where `seed` is no whole number from 0 to 2³² - 1."""
    if not isinstance(seed, int | np.integer) or not 0 <= seed <= GREATEST_SEED:
        raise InputError("seed", [f"{seed!r}, expected a whole number from 0 to {GREATEST_SEED}"])
