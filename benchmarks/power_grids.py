"""Power grids and scenarios to measure on, and pandapower's own voltages to check them by."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pandapower import pandapowerNet

    from tvilling.sciml.systems.power_grid.model.grid import PowerGrid

MV_URBAN = "1-MV-urban--0-sw"
CASE118 = "pandapower:case118"
PANDAPOWER_PU = 1e-10  # mismatch at which pandapower stops, on the base of the grid

Varying = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Case:
    """A network as pandapower has it, and the grid made of it."""

    net: "pandapowerNet"
    grid: "PowerGrid"

    def pandapower_voltages(
        self,
        varying: Mapping[str, np.ndarray] | None = None,
        scenario: int = 0,
        opened: Sequence[int] = (),
    ) -> np.ndarray:
        """Complex voltages `[bus]` of one scenario by pandapower's Newton [p.u.].

        `opened` are branches of the grid to switch off. Buses that no row of the file stands for
        are NaN, and so are those without supply.
        """
        import pandapower

        net = deepcopy(self.net)
        for name, values in (varying or {}).items():
            table, column = name.split("_", 1)
            net[table][column] = values[scenario]
        for branch in opened:
            kind, row = self.row_of(branch)
            net[kind].loc[row, "in_service"] = False
        pandapower.runpp(
            net,
            init="dc",
            trafo_model="t",
            calculate_voltage_angles=True,
            tolerance_mva=PANDAPOWER_PU * self.grid.base_mva,
            max_iteration=30,
        )
        angle = np.exp(1j * np.radians(net.res_bus["va_degree"].to_numpy()))
        found = np.full(self.grid.n_bus, np.nan, complex)
        at = self.grid.buses.bus
        found[at[at >= 0]] = (net.res_bus["vm_pu"].to_numpy() * angle)[at >= 0]
        return found

    def row_of(self, branch: int) -> tuple[str, int]:
        """Table and index of a branch of the grid."""
        for kind, group in self.grid.groups.items():
            at = np.flatnonzero(group.branch == branch)
            if len(at):
                return kind, int(group.index[at[0]])
        raise ValueError(f"no table has branch {branch}")


def read_case(source: str) -> Case:
    """The network that `source` names, read and converted as for any user."""
    from tvilling.datasets.readers.power_grid.reader import read_power_net
    from tvilling.sciml.systems.power_grid.model.convert import from_pandapower

    found = read_power_net(source)
    return Case(found.net, from_pandapower(found.net, found.source, found.notes))


def random_scenarios(grid: "PowerGrid", count: int, seed: int = 0) -> Varying:
    """Loads at 40 to 130 % together and ±40 % each, static generation at 0 to 100 % together.

    Where generators hold voltages the loads stay below 110 %: their own plan is not changed.
    """
    rng = np.random.default_rng(seed)
    load, sgen = grid.elements["load"], grid.elements["sgen"]
    together = rng.uniform(0.4, 1.1 if len(grid.held) else 1.3, (count, 1))
    shape = count, len(load.index)
    varying = {
        "load_p_mw": load.p_mw * together * rng.uniform(0.6, 1.4, shape),
        "load_q_mvar": load.q_mvar * together * rng.uniform(0.6, 1.4, shape),
    }
    if len(sgen.index):
        sun = rng.uniform(0.0, 1.0, (count, 1))
        shape = count, len(sgen.index)
        varying["sgen_p_mw"] = sgen.p_mw * sun * rng.uniform(0.6, 1.2, shape)
    return varying
