"""The worst that each bus and branch sees in many scenarios, and in which."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tvilling.sciml.systems.power_grid.studies.extremes import Extremes, Peaks
from tvilling.sciml.systems.power_grid.studies.monitored import Monitored

Variables = dict[str, tuple[str, np.ndarray, dict[str, Any]]]


@dataclass(frozen=True)
class WorstCase:
    """Furthest values of every element, and how often its limit is broken.

    Attributes
    ----------
    lowest, highest, fullest
        Least and greatest voltage of `Monitored.buses`, greatest loading of the rows of its kinds;
        scenarios are counted through all blocks.
    vm_count, loading_count
        Scenarios in which the limit is broken.
    """

    lowest: Peaks
    highest: Peaks
    fullest: Peaks
    vm_count: np.ndarray
    loading_count: np.ndarray

    def add(self, other: "WorstCase") -> None:
        """Take in those of further scenarios."""
        _furthest(self.lowest, other.lowest, other.lowest.value < self.lowest.value)
        _furthest(self.highest, other.highest, other.highest.value > self.highest.value)
        more = ~(other.fullest.value <= self.fullest.value) & (other.fullest.scenario >= 0)
        _furthest(self.fullest, other.fullest, more)
        self.vm_count[:] += other.vm_count
        self.loading_count[:] += other.loading_count

    def variables(self, watched: Monitored) -> Variables:
        """Over `bus` and `branch`; scenarios by number."""
        place = np.searchsorted(watched.buses, watched.grid.buses.bus)
        place = np.where(watched.grid.buses.bus >= 0, place, len(watched.buses))
        pu = {"units": "1"}
        return {
            "bus_vm_min_pu": (
                "bus",
                _spread(_known(self.lowest), place),
                pu | {"long_name": "least voltage of the bus, of the rated one"},
            ),
            "bus_vm_min_when": ("bus", _spread(self.lowest.scenario, place), {}),
            "bus_vm_max_pu": (
                "bus",
                _spread(_known(self.highest), place),
                pu | {"long_name": "greatest voltage of the bus, of the rated one"},
            ),
            "bus_vm_max_when": ("bus", _spread(self.highest.scenario, place), {}),
            "bus_violations": (
                "bus",
                _spread(self.vm_count, place),
                pu | {"long_name": "times that the voltage is out of its band"},
            ),
            "branch_loading_percent": (
                "branch",
                _known(self.fullest),
                {"units": "percent", "long_name": "greatest loading of the branch"},
            ),
            "branch_when": ("branch", self.fullest.scenario, {}),
            "branch_violations": (
                "branch",
                self.loading_count,
                pu | {"long_name": "times that the loading is above its limit"},
            ),
        }


def furthest(found: Extremes, first: int) -> WorstCase:
    """Those of a block whose first scenario has the number `first`."""
    return WorstCase(
        _later(found.lowest, first),
        _later(found.highest, first),
        _later(found.fullest, first),
        found.broken_vm.sum(axis=0),
        found.broken_loading.sum(axis=0),
    )


def _later(peaks: Peaks, first: int) -> Peaks:
    return Peaks(peaks.value, np.where(peaks.scenario >= 0, peaks.scenario + first, -1))


def _furthest(own: Peaks, other: Peaks, more: np.ndarray) -> None:
    own.value[more], own.scenario[more] = other.value[more], other.scenario[more]


def _known(peaks: Peaks) -> np.ndarray:
    return np.where(peaks.scenario >= 0, peaks.value, np.nan)


def _spread(values: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Values of the watched buses at those of the file."""
    nothing = np.nan if values.dtype.kind == "f" else -1
    return np.append(values, np.array([nothing], values.dtype))[place]
