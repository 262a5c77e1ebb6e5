"""Solved scenarios of a supply tree, as arrays to learn from."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.gnn.supply import SupplyTree
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.systems.heat_network import HeatNetwork

if TYPE_CHECKING:
    import xarray as xr

MIN_SCENARIOS = 64
HELD_OUT, CALIBRATION = 8, 4  # one in so many is held out, one in so many calibrates the error


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Samples:
    """What was asked and what the physics answered, scenario by scenario.

    `junction_degc` is in the order of the supply tree.
    """

    heat_w: Float[Array, "scenario consumer"]
    supply_degc: Float[Array, " scenario"]
    ground_degc: Float[Array, " scenario"]
    junction_degc: Float[Array, "scenario junction"]

    __repr__ = short_repr

    @property
    def drives(self) -> tuple[Array, Array, Array]:
        """Demands, supply and ground temperatures."""
        return self.heat_w, self.supply_degc, self.ground_degc

    def rows(self, which: slice) -> "Samples":
        """Some of the scenarios."""
        return jax.tree.map(lambda values: values[which], self)


def from_scenarios(network: HeatNetwork, tree: SupplyTree, scenarios: "xr.Dataset") -> Samples:
    """The scenarios of `tvilling.datasets.simulated.steady_heat.steady_heat` for `network`.

    Raises
    ------
    InputError
        They are of another network, have missing values, or the supply is not warmer than the
        ground throughout.
    """
    names = {"consumer": network.layout.consumer_names, "junction": network.layout.junction_names}
    faults = [
        f"the {name}s are not those of the network, in its order"
        for name, expected in names.items()
        if list(scenarios[name].values) != list(expected)
    ]
    faults += [
        f"{name} misses {int(values.isnull().sum())} values"
        for name, values in scenarios.data_vars.items()
        if bool(values.isnull().any())
    ]
    cold = int((scenarios["junction_degc"].min("junction") <= scenarios["ground_degc"]).sum())
    if cold:
        faults.append(f"{cold} scenarios have water no warmer than the ground")
    if faults:
        raise InputError("scenarios of a supply tree", faults)
    return Samples(
        heat_w=jnp.asarray(scenarios["heat_w"].values),
        supply_degc=jnp.asarray(scenarios["supply_degc"].values),
        ground_degc=jnp.asarray(scenarios["ground_degc"].values),
        junction_degc=jnp.asarray(scenarios["junction_degc"].values[:, tree.place]),
    )


def parted(all_of_them: Samples) -> tuple[Samples, Samples, Samples]:
    """Scenarios to train on, to hold out for the choice of weights, and to calibrate with.

    Raises
    ------
    InputError
        There are fewer than 64.
    """
    count = len(all_of_them.supply_degc)
    if count < MIN_SCENARIOS:
        raise InputError(
            "scenarios of a supply tree",
            [f"there are {count} scenarios, expected {MIN_SCENARIOS} or more"],
        )
    first, second = np.cumsum([count - count // HELD_OUT - count // CALIBRATION, count // HELD_OUT])
    parts = slice(0, first), slice(first, second), slice(second, count)
    train, held_out, calibration = (all_of_them.rows(part) for part in parts)
    return train, held_out, calibration
