"""Test benches: a measured or published network with what drove it, ready to be simulated."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np

from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.core.simulate import Play, Trajectory, simulate
from tvilling.sciml.core.system import Values
from tvilling.sciml.systems.heat_network import (
    HeatNetwork,
    HeatNetworkTables,
    HeatState,
    Options,
    build,
)

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Bench:
    """One network with the drives of one test, and what was seen of it.

    Attributes
    ----------
    tables, options
        The network and how it is modelled.
    drive
        Drives, and `supply_degc` [°C] of the sources, each `[time, …]`; one time if steady.
    dt_s
        Length of a step [s]; a steady state does not use it.
    seen
        What was measured, or what other programs found; see the function that made the bench.
    start_degc
        Temperature at the start [°C] at both ends of a pipe, by its name; linear between them.
        Pipes that are not named start at the nominal temperature of their side.
    """

    tables: HeatNetworkTables
    options: Options
    drive: Values
    dt_s: float
    seen: "xr.Dataset"
    start_degc: dict[str, tuple[float, float]] = field(default_factory=dict)

    __repr__ = short_repr

    @property
    def time_s(self) -> np.ndarray:
        """Time at the end of every step since the start [s]."""
        return self.dt_s * np.arange(1, len(self.drive["ground_degc"]) + 1)


def run(bench: Bench) -> Trajectory:
    """Simulate `bench`; outputs stand at the end of every step."""
    network = build(bench.tables, bench.options)
    start = _start(network, bench.start_degc)
    return _simulate(network, Play(("supply_degc",)), Scenario(start, bench.drive, bench.dt_s))


def settle(bench: Bench) -> Values:
    """Outputs of the steady state under the first drives of `bench`."""
    network = build(bench.tables, bench.options)
    drive = {name: values[0] for name, values in bench.drive.items()}
    return _steady(network, {"supply_degc": drive["supply_degc"]}, drive)[1]


def difference_k(
    bench: Bench, trajectory: Trajectory, junction: str, measured: "xr.DataArray"
) -> "xr.DataArray":
    """Simulated less measured temperature of one junction [K], at the times of the measurement.

    Parameters
    ----------
    measured
        Temperature [°C] over `time_s` [s]; between the steps the simulation is interpolated.
    """
    at = list(bench.tables.junctions["name"]).index(junction)
    simulated = np.asarray(trajectory.output["junction_degc"])[:, at]
    time_s = measured["time_s"].values
    found = np.interp(time_s, bench.time_s, simulated) - measured.values
    return measured.copy(data=found).assign_attrs(units="K")


def rms(values: "xr.DataArray") -> float:
    """Root of the mean square, in the unit of `values`."""
    return float(np.sqrt((values**2).mean()))


def _start(network: HeatNetwork, start_degc: dict[str, tuple[float, float]]) -> HeatState:
    state = network.init(jax.random.key(0))
    enthalpy = state.enthalpy
    middle = (np.arange(network.cells) + 0.5) / network.cells
    for name, (first, last) in start_degc.items():
        at = network.layout.pipe_names.index(name)
        along = middle if network.layout.pipe_sign[at] > 0 else 1 - middle
        degc = jnp.asarray(first + (last - first) * along)
        place = network.layout.pipe_place[at]
        enthalpy = enthalpy.at[:, place].set(network.water.enthalpy_j_per_kg(degc))
    return HeatState(enthalpy, state.inlet, state.loop_kg_per_s)


_simulate = jax.jit(simulate)
_steady = jax.jit(HeatNetwork.steady)
