"""Courses of a supply temperature that follow linearly from a few numbers.

    set-points by the full hour = basis @ numbers + offset,   in between along straight lines

Every hour by itself, the two ends of a heating curve, and one temperature for all are of this kind.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from tvilling.rl_control.control.controllers import HeatingCurve


@dataclass(frozen=True)
class Course:
    """Set-points [°C] at the full hours of a window, its end included.

    Attributes
    ----------
    basis
        What one kelvin in each of the numbers adds to every set-point [1].
    offset_degc
        Set-points where all numbers are zero. The first set-point, which is sent already, and
        those of the run-out have no basis: they are given.
    start
        Numbers to begin with [°C].
    """

    basis: Float[np.ndarray, "node number"]
    offset_degc: Float[np.ndarray, " node"]
    start: Float[np.ndarray, " number"]

    def setpoints_degc(self, numbers: Float[np.ndarray, " number"]) -> Float[np.ndarray, " node"]:
        """The set-points that belong to `numbers`."""
        return self.basis @ numbers + self.offset_degc

    @property
    def free(self) -> np.ndarray:
        """Which set-points are not given."""
        return np.any(self.basis != 0, axis=1)


def hourly(curve_degc: Float[np.ndarray, " node"], run_out_h: int) -> Course:
    """Every set-point by itself, from the second to the run-out, which follows the curve."""
    nodes = len(curve_degc)
    free = np.zeros(nodes, bool)
    free[1 : nodes - run_out_h] = True
    return Course(np.eye(nodes)[:, free], np.where(free, 0.0, curve_degc), curve_degc[free])


def tuned_curve(
    curve: HeatingCurve, outdoor_degc: Float[np.ndarray, " node"], run_out_h: int
) -> Course:
    """A heating curve with two other supply temperatures, between the same outdoor ones."""
    cold, warm = float(curve.cold_degc), float(curve.warm_degc)
    share = np.clip((outdoor_degc - cold) / (warm - cold), 0.0, 1.0)
    ends = np.array([float(curve.supply_cold_degc[0]), float(curve.supply_warm_degc[0])])
    return _given_at_the_ends(np.stack([1 - share, share], axis=1), ends, run_out_h)


def constant(curve_degc: Float[np.ndarray, " node"], run_out_h: int) -> Course:
    """One temperature between the first set-point and the run-out, both those of the curve."""
    free = hourly(curve_degc, run_out_h)
    mean = np.array([curve_degc[free.free].mean()])
    return Course(free.basis.sum(axis=1, keepdims=True), free.offset_degc, mean)


def curve_setpoints(
    curve: HeatingCurve, outdoor_degc: Float[np.ndarray, " node"]
) -> Float[np.ndarray, " node"]:
    """What a heating curve sends at the full hours [°C]."""
    return np.array([float(curve.supply_degc(one)[0]) for one in outdoor_degc])


def between(steps_per_hour: int, nodes: int) -> Float[np.ndarray, "step node"]:
    """Weights that give the middle of every step from the set-points, along straight lines."""
    step = np.arange((nodes - 1) * steps_per_hour)
    hour, share = step // steps_per_hour, (step % steps_per_hour + 0.5) / steps_per_hour
    weights = np.zeros((len(step), nodes))
    weights[step, hour] = 1 - share
    weights[step, hour + 1] = share
    return weights


@dataclass(frozen=True)
class Pulses:
    """Directions to differentiate a run in, with several numbers in one where they are far apart.

    Attributes
    ----------
    direction
        Change of the supply temperature in each [1].
    owner
        Number that stands behind what each direction shows in a step; -1: none yet.
    """

    direction: Float[np.ndarray, "group step"]
    owner: Int[np.ndarray, "group step"]

    def gradient(self, shown: Float[np.ndarray, "group step"], numbers: int) -> np.ndarray:
        """Sum over the steps by number."""
        owned = self.owner >= 0
        return np.bincount(self.owner[owned], weights=shown[owned], minlength=numbers)


def pulses(slope: Float[np.ndarray, "step number"], memory_steps: int, groups: int) -> Pulses:
    """Pack the columns of `slope`, d supply / d number, into directions.

    A number may follow another in a direction `memory_steps` after the other's last effect on the
    supply temperature, when the network has forgotten it. At least `groups` directions, empty ones
    among them, so that courses of different kinds need one compilation.
    """
    steps, numbers = slope.shape
    direction: list[np.ndarray] = []
    owner: list[np.ndarray] = []
    forgotten: list[int] = []
    for number in range(numbers):
        touched = np.flatnonzero(slope[:, number])
        fits = [at for at, since in enumerate(forgotten) if since <= touched[0]]
        if not fits:
            direction.append(np.zeros(steps))
            owner.append(np.full(steps, -1))
            forgotten.append(0)
        at = fits[0] if fits else len(direction) - 1
        direction[at] = direction[at] + slope[:, number]
        owner[at][touched[0] :] = number
        forgotten[at] = touched[-1] + 1 + memory_steps
    for _ in range(groups - len(direction)):
        direction.append(np.zeros(steps))
        owner.append(np.full(steps, -1))
    return Pulses(np.stack(direction), np.stack(owner))


def _given_at_the_ends(
    basis: Float[np.ndarray, "node number"], start: np.ndarray, run_out_h: int
) -> Course:
    """A course whose first set-point and run-out are those of its `start`."""
    given = np.ones(len(basis), bool)
    given[1 : len(basis) - run_out_h] = False
    offset = np.where(given, basis @ start, 0.0)
    return Course(np.where(given[:, None], 0.0, basis), offset, start)
