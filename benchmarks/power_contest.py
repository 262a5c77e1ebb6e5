"""A race of batched power flows: the fastest of several ways that is exact, and then in turns.

Every way that a peer offers is tried. Those whose voltages are within 1e-8 p.u. of ours stay, and
the one that takes the least CPU time runs against ours, in turns, on one thread and on two.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tvilling.benchmarks.measurement import Measurement
from tvilling.benchmarks.timing import Timing, take_turns

EXACT_PU = 1e-8
REPEATS = 7
CORES = 2
CHAINED = ", chained"  # a way whose scenarios start from the ones before: on one thread only


@dataclass(frozen=True)
class Way:
    """One way to solve a batch.

    Attributes
    ----------
    run
        Solves it, and returns what the program returns.
    voltages
        Makes complex voltages `[scenario, bus]` of that; NaN where it has none.
    """

    run: Callable[[], Any]
    voltages: Callable[[Any], np.ndarray]


@dataclass(frozen=True)
class Peer:
    """Another program: its name, its version, and its ways by name for a number of threads."""

    name: str
    version: str
    ways: Callable[[int], dict[str, Way]]


@dataclass(frozen=True)
class Chosen:
    """The fastest exact way of a peer.

    Attributes
    ----------
    name
        Its name among those tried.
    away_pu
        Greatest distance of its voltages from ours.
    tried
        CPU time per scenario and distance of all, by name.
    """

    name: str
    away_pu: float
    tried: dict[str, dict[str, float]]


@dataclass(frozen=True)
class Ours:
    """Our side of a race.

    Attributes
    ----------
    run
        Makes a run for a number of threads.
    voltages
        What it finds `[scenario, bus]`; NaN where there is none.
    count
        Scenarios of a run.
    """

    run: Callable[[int], Callable[[], Any]]
    voltages: np.ndarray
    count: int


def distance_pu(one: np.ndarray, other: np.ndarray) -> float:
    """Greatest |ΔV| [p.u.]; infinite where only one of the two has a voltage."""
    known = np.isfinite(one)
    if one.shape != other.shape or not np.array_equal(known, np.isfinite(other)):
        return float("inf")
    return float(np.abs(one - other)[known].max())


def checked(away_pu: float, whom: str) -> float:
    """`away_pu`, if it is exact.

    Raises
    ------
    RuntimeError
        If it is not.
    """
    if not away_pu <= EXACT_PU:
        raise RuntimeError(f"voltages are {away_pu:g} p.u. from {whom}'s, expected {EXACT_PU:g}")
    return away_pu


def choose(ways: Mapping[str, Way], ours: Ours, turns: int = 2) -> Chosen:
    """Try all `ways` and choose the one that needs least CPU time among those that are exact.

    Raises
    ------
    RuntimeError
        If none is within 1e-8 p.u. of ours.
    """
    away = {name: distance_pu(way.voltages(way.run()), ours.voltages) for name, way in ways.items()}
    exact = {name: ways[name].run for name, far in away.items() if far <= EXACT_PU}
    if not exact:
        checked(min(away.values()), f"every one of {', '.join(ways)}")
    cpu_s = {name: timing.min_cpu_s for name, timing in take_turns(exact, turns).items()}
    fastest = min(cpu_s, key=lambda name: cpu_s[name])
    us = {name: {"us_cpu": spent / ours.count * 1e6} for name, spent in cpu_s.items()}
    told = {name: {"away_pu": far} for name, far in away.items() if np.isfinite(far)}
    tried = {name: us.get(name, {}) | told.get(name, {}) for name in ways}
    return Chosen(fastest, away[fastest], tried)


def race(
    name: str,
    unit: str,
    ours: Ours,
    peers: Sequence[Peer],
    extra: Mapping[str, Any],
    repeats: int = REPEATS,
) -> Measurement:
    """Ours beside the fastest exact way of each peer; the first peer is the one of the table."""
    runs = {"ours": ours.run(1), f"ours, {CORES} threads": ours.run(CORES)}
    chosen = {}
    for peer in peers:
        ways = peer.ways(1)
        chosen[peer.name] = choose(ways, ours)
        best = chosen[peer.name].name
        runs[peer.name] = ways[best].run
        more = peer.ways(CORES)[best.removesuffix(CHAINED)]
        checked(distance_pu(more.voltages(more.run()), ours.voltages), peer.name)
        runs[f"{peer.name}, {CORES} threads"] = more.run
    timing = take_turns(runs, repeats)
    spent = {side: _times(found, ours.count) for side, found in timing.items()}
    mine, theirs = spent["ours"]["us_cpu"], spent[peers[0].name]["us_cpu"]
    return Measurement(
        name=name,
        ours=mine,
        peer=theirs,
        unit=unit,
        ratio=theirs / mine,
        peer_name=peers[0].name,
        peer_version=peers[0].version,
        extra={
            **extra,
            "scenarios": ours.count,
            "times": spent,
            "versions": {peer.name: peer.version for peer in peers},
            "fastest_exact_way": {peer: found.name for peer, found in chosen.items()},
            "away_pu": {peer: found.away_pu for peer, found in chosen.items()},
            "ways": {peer: found.tried for peer, found in chosen.items()},
            "cores": len(os.sched_getaffinity(0)),
        },
    )


def _times(timing: Timing, count: int) -> dict[str, float]:
    """CPU and wall-clock time per scenario."""
    per = 1e6 / count
    return {
        "us_cpu": timing.min_cpu_s * per,
        "us_cpu_median": timing.median_cpu_s * per,
        "us_wall": timing.min_s * per,
        "us_wall_median": timing.median_s * per,
    }
