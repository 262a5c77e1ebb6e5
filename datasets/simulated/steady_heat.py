"""Steady states of a heat network for sampled demands, supply and ground temperatures."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_network import HeatNetwork

if TYPE_CHECKING:
    import xarray as xr

CHUNK = 128


@dataclass(frozen=True)
class HeatRanges:
    """What is sampled: least and greatest value of each.

    Attributes
    ----------
    load
        Demand over design demand, of the network as a whole and of every consumer [1].
    spread
        Deviation of the logarithm of a consumer's load about the common one [1].
    supply_degc, ground_degc
        Temperatures [°C].
    """

    load: tuple[float, float] = (0.1, 1.2)
    spread: float = 0.4
    supply_degc: tuple[float, float] = (65.0, 90.0)
    ground_degc: tuple[float, float] = (-2.0, 15.0)


def steady_heat(
    network: HeatNetwork,
    design_w: Float[np.ndarray, " consumer"],
    count: int,
    seed: int,
    ranges: HeatRanges = HeatRanges(),
    tell: Callable[[str], None] = lambda text: None,
) -> "xr.Dataset":
    """`count` steady states of `network`, which has one source.

    The common load, the supply and the ground temperature are uniform. A consumer's load is the
    common one times exp(spread · normal), cut to the range. Scenarios that the solver flags as
    not converged or unserved are left out and counted in the attribute `left_out`.

    Returns
    -------
    Dataset
        `heat_w` [scenario, consumer], `supply_degc` and `ground_degc` [scenario], and the answer
        `junction_degc` [scenario, junction], with units.

    Raises
    ------
    InputError
        The network has not one source, `count` is below 1, or `design_w` does not fit.
    """
    import xarray as xr

    names = network.layout.consumer_names
    faults = []
    if len(network.layout.source_names) != 1:
        faults.append(f"the network has {len(network.layout.source_names)} sources, expected 1")
    if count < 1:
        faults.append(f"count is {count}, expected at least 1 scenario")
    if design_w.shape != (len(names),):
        faults.append(f"design_w has shape {design_w.shape}, expected ({len(names)},)")
    if faults:
        raise InputError("steady heat", faults)
    drives = _drives(design_w, count, np.random.default_rng(seed), ranges)
    junction_degc, failed = _solved(network, drives, tell)
    kept = np.flatnonzero(~failed)
    heat_w, supply_degc, ground_degc = (values[kept] for values in drives)
    return xr.Dataset(
        {
            "heat_w": (("scenario", "consumer"), heat_w, {"units": "W"}),
            "supply_degc": ("scenario", supply_degc, {"units": "degC"}),
            "ground_degc": ("scenario", ground_degc, {"units": "degC"}),
            "junction_degc": (("scenario", "junction"), junction_degc[kept], {"units": "degC"}),
        },
        coords={
            "scenario": kept,
            "consumer": list(names),
            "junction": list(network.layout.junction_names),
        },
        attrs={"seed": seed, "left_out": int(failed.sum())},
    )


def _drives(
    design_w: np.ndarray, count: int, random: np.random.Generator, ranges: HeatRanges
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    common = random.uniform(*ranges.load, (count, 1))
    own = np.exp(ranges.spread * random.standard_normal((count, len(design_w))))
    heat_w = design_w * np.clip(common * own, *ranges.load)
    return (
        heat_w,
        random.uniform(*ranges.supply_degc, count),
        random.uniform(*ranges.ground_degc, count),
    )


def _solved(
    network: HeatNetwork,
    drives: tuple[np.ndarray, np.ndarray, np.ndarray],
    tell: Callable[[str], None],
) -> tuple[np.ndarray, np.ndarray]:
    """Junction temperatures [°C], and whether the solver or the plant failed."""
    from tvilling.sciml.core.system import Status

    count = len(drives[0])
    tell(f"steady states of {count} scenarios")
    size = min(count, CHUNK)
    parts = []
    for start in range(0, count, size):
        # The last part is filled up, so that all have the shape that is compiled.
        rows = np.minimum(np.arange(start, start + size), count - 1)
        parts.append(_steady_many(network, tuple(jnp.asarray(values[rows]) for values in drives)))
    degc, status = (np.concatenate(values)[:count] for values in zip(*parts, strict=True))
    wrong = Status.NOT_CONVERGED | Status.UNSERVED | Status.DISCONNECTED
    return degc, (status & wrong) != 0


@jax.jit
def _steady_many(network: HeatNetwork, drives: tuple[Array, ...]) -> tuple[Array, Array]:
    """Junction temperatures [°C] and status under many drives."""

    def one(heat_w: Array, supply_degc: Array, ground_degc: Array) -> tuple[Array, Array]:
        output = network.steady(
            {"supply_degc": supply_degc[None]}, {"heat_w": heat_w, "ground_degc": ground_degc}
        )[1]
        return output["junction_degc"], output["status"]

    return jax.vmap(one)(*drives)
