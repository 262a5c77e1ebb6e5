"""The buses and branches of a grid that have limits, as the studies look at them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.results.labels import unique, unserved_coordinates
from tvilling.sciml.systems.power_grid.results.planner_units import base_ka, sides
from tvilling.sciml.systems.power_grid.results.violations import Limits


@dataclass(frozen=True, eq=False)
class Monitored:
    """The buses and branches of a grid that have limits.

    Buses are those of the grid that at least one bus of the file is part of, with the narrowest of
    their bands; star points and open ends of lines are none.

    Attributes
    ----------
    grid, limits
        The grid and its limits.
    """

    grid: PowerGrid
    limits: Limits

    @cached_property
    def buses(self) -> np.ndarray:
        """Numbers of the buses in the grid, ascending."""
        bus = self.grid.buses.bus
        return np.unique(bus[bus >= 0])

    @cached_property
    def bus_row(self) -> np.ndarray:
        """For each of `buses`, the first row of the file that is part of it."""
        bus = self.grid.buses.bus
        first = np.full(self.grid.n_bus, -1)
        first[bus[::-1]] = np.arange(len(bus))[::-1]
        return np.asarray(first[self.buses])

    @cached_property
    def joined(self) -> np.ndarray:
        """How many buses of the file are part of each bus of the grid `[bus]`."""
        bus = self.grid.buses.bus
        return np.bincount(bus[bus >= 0], minlength=self.grid.n_bus)

    @cached_property
    def band_pu(self) -> np.ndarray:
        """Least and greatest voltage of each of `buses` `[2, bus]` [p.u.]."""
        bus = self.grid.buses.bus
        on = bus >= 0
        low, high = np.full(self.grid.n_bus, -np.inf), np.full(self.grid.n_bus, np.inf)
        np.maximum.at(low, bus[on], self.limits.vm_min_pu[on])
        np.minimum.at(high, bus[on], self.limits.vm_max_pu[on])
        return np.stack([low[self.buses], high[self.buses]])

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """Tables of the file whose branches have a rated current."""
        return tuple(
            kind
            for kind in self.limits.loading_percent
            if np.isfinite(self.grid.groups[kind].rated_ka_from).any()
            or np.isfinite(self.grid.groups[kind].rated_ka_to).any()
        )

    @cached_property
    def loading_percent(self) -> np.ndarray:
        """Greatest loading of the rows of all `kinds`, one table after the other [%]."""
        return np.concatenate([[], *(self.limits.loading_percent[kind] for kind in self.kinds)])

    @cached_property
    def branches(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Branches with a rated current, the row that each is part of, and its loading by 1 p.u.

        The loading is that by the current at either end `[2, branch]` [%].
        """
        grid, first = self.grid, 0
        numbers, rows, scales = [np.zeros(0, int)], [np.zeros(0, int)], [np.zeros((2, 0))]
        for kind in self.kinds:
            group = grid.groups[kind]
            count = len(group.name) // sides(group)
            on = group.branch >= 0
            number = group.branch[on]
            rated = group.rated_ka_from[on], group.rated_ka_to[on]
            ends = grid.from_bus[number], grid.to_bus[number]
            scales.append(
                np.stack(
                    [
                        100 * base_ka(grid, ends[0]) / rated[0],
                        100 * base_ka(grid, ends[1]) / rated[1],
                    ]
                )
            )
            numbers.append(number)
            rows.append(first + np.tile(np.arange(count), sides(group))[on])
            first += count
        return np.concatenate(numbers), np.concatenate(rows), np.concatenate(scales, axis=1)

    def coordinates(self) -> dict[str, Any]:
        """Names of the buses of the file and of the branches, for a dataset.

        `node` is equal for buses that closed switches join; -1 where there is no supply.
        """
        buses = self.grid.buses
        kind: list[str] = []
        name: list[str] = []
        index: list[int] = []
        for each in self.kinds:
            group = self.grid.groups[each]
            rows = len(group.name) // sides(group)
            kind.extend([each] * rows)
            name.extend(unique(group.name[:rows], group.index[:rows]))
            index.extend(group.index[:rows].tolist())
        return {
            "bus": unique(buses.name, buses.index),
            "bus_index": ("bus", buses.index),
            "node": ("bus", buses.bus),
            "branch_kind": ("branch", np.array(kind, str)),
            "branch_name": ("branch", np.array(name, str)),
            "branch_index": ("branch", np.array(index, np.int64)),
            **unserved_coordinates(self.grid),
        }
