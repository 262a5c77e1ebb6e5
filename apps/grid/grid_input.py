"""A power grid as a command asks for it: read, converted, with its limits."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.apps.grid.summary_stats import some, supply_note, without_supply
from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    from tvilling.datasets.readers.power_grid.reader import PowerNet
    from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
    from tvilling.sciml.systems.power_grid.results.violations import Limits
    from tvilling.sciml.systems.power_grid.solver.flow import Options

Tell = Callable[[str], None]
MODELS = ("t", "pi")  # of transformers


@dataclass(frozen=True)
class GridOptions:
    """What a command is told besides the file; None leaves it to the file.

    Attributes
    ----------
    trafo_model
        Equivalent circuit of transformers, `t` or `pi`; `t` where the file has none.
    vm_min_pu, vm_max_pu, loading_percent
        Limits in place of those of the file.
    q_limits, distributed_slack
        As in `flow.Options`.
    slack
        Bus that is the reference, of a grid whose file has none.
    """

    trafo_model: str | None = None
    vm_min_pu: float | None = None
    vm_max_pu: float | None = None
    loading_percent: float | None = None
    q_limits: bool | None = None
    distributed_slack: bool | None = None
    slack: str | None = None

    def options(self) -> "Options":
        """How to solve, with every core that is free."""
        from tvilling.sciml.systems.power_grid.solver.flow import Options

        return Options(q_limits=self.q_limits, distributed_slack=self.distributed_slack, threads=0)

    def conversion(self) -> dict[str, Any]:
        """What is asked for in place of the file's own options, by the names that it uses."""
        named = {
            "trafo_model": self.trafo_model,
            "enforce_q_lims": self.q_limits,
            "distributed_slack": self.distributed_slack,
        }
        return {name: value for name, value in named.items() if value is not None}

    def on(self, grid: "PowerGrid") -> "GridOptions":
        """What counts: what is asked for, else what the file asks for."""
        theirs = grid.options
        return replace(
            self,
            trafo_model=str(theirs.get("trafo_model", MODELS[0])),
            q_limits=bool(theirs.get("enforce_q_lims", False)),
            distributed_slack=bool(theirs.get("distributed_slack", False)),
        )


@dataclass(frozen=True)
class GridInput:
    """A grid that is ready to be solved.

    Attributes
    ----------
    power_net
        As it was read.
    grid
        As it is solved.
    limits
        What it is held to.
    asked
        What counts of the command and of the file.
    notes
        What else is to be known of what was asked.
    """

    power_net: "PowerNet"
    grid: "PowerGrid"
    limits: "Limits"
    asked: GridOptions
    notes: tuple[str, ...] = ()

    @property
    def assumptions(self) -> list[str]:
        """What has no supply, what the reader repaired, and the limits that were assumed."""
        dark = supply_note(self.without_supply)
        return [*dark, *self.notes, *self.grid.notes, *self.limits.notes]

    @property
    def without_supply(self) -> dict[str, Any] | None:
        """What no slack reaches, as `facts.without_supply` tells it."""
        import xarray as xr

        from tvilling.sciml.systems.power_grid.results.labels import unserved_coordinates

        return without_supply(xr.Dataset(coords=unserved_coordinates(self.grid)))

    @property
    def digest(self) -> str:
        """Eight digits that change with whatever decides the power flow of the base case."""
        grid, found = self.grid, hashlib.sha256()
        for values in (
            grid.two_port,
            grid.from_bus,
            grid.to_bus,
            grid.shunt_g,
            grid.shunt_b,
            grid.p_pu,
            grid.q_pu,
            grid.vm_pu,
            grid.slack,
            grid.held,
        ):
            found.update(values.tobytes())
        if self.asked.q_limits:
            found.update(grid.q_min_pu.tobytes() + grid.q_max_pu.tobytes())
        if self.asked.distributed_slack:
            found.update(grid.slack_weight.tobytes())
        return found.hexdigest()[:8]


def open_grid(
    file: str,
    asked: GridOptions | None = None,
    tell: Tell = lambda stage: None,
    faults: Sequence[str] = (),
    named: "Callable[[PowerGrid], object] | None" = None,
) -> GridInput:
    """Read `file`, convert it, and find its limits.

    Parameters
    ----------
    faults
        What is wrong with further options, to be told with the rest.
    named
        Looks up in the grid what options name, and raises `InputError` where it is not there, to
        be told with the rest too.

    Raises
    ------
    InputError
        With every fault of the file or of what was asked.
    """
    asked = asked or GridOptions()
    found = _faults(asked, faults)
    if found and named is None:
        raise InputError("options", found)
    sound = asked if asked.trafo_model in (None, *MODELS) else replace(asked, trafo_model=MODELS[0])
    try:
        opened = _opened(file, sound, tell)
    except InputError:
        if found:
            raise InputError("options", found) from None
        raise
    if not any(fault.startswith("--vm-") for fault in found):
        found += _crossed(opened, asked)
    if named is not None:
        try:
            named(opened.grid)
        except InputError as error:
            found += error.faults
    if found:
        raise InputError("options", found)
    return opened


def _opened(file: str, asked: GridOptions, tell: Tell) -> GridInput:
    from tvilling.datasets.readers.power_grid.reader import read_power_net
    from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
    from tvilling.sciml.systems.power_grid.results.violations import limits_of

    tell(f"reading {file}")
    net = read_power_net(file, asked.slack)
    tell("converting the grid")
    grid = from_pandapower(net.net, net.source, net.notes, **asked.conversion())
    limits = limits_of(grid, asked.vm_min_pu, asked.vm_max_pu, asked.loading_percent)
    return GridInput(net, grid, limits, asked.on(grid))


def by_current(opened: GridInput) -> GridInput:
    """`opened` for a study that loads transformers by current, with a note where it is not meant.

    A file may ask for loading by power (`trafo_loading`).
    """
    if all(group.rated_mva is None for group in opened.grid.groups.values()):
        return opened
    note = (
        "trafo_loading = power of the file's own options: this study loads by current all the same"
    )
    return replace(opened, notes=(*opened.notes, note))


def out_of_range(option: str, value: float | None, low: float, high: float, unit: str) -> list[str]:
    """The fault of an option that leaves its range."""
    if value is None or low <= value <= high:
        return []
    unit = f" {unit}" if unit else ""
    return [f"{option} is {value:g}{unit}, expected {low:g} to {high:g}{unit}"]


def _crossed(opened: GridInput, asked: GridOptions) -> list[str]:
    """Buses whose least voltage is not below the greatest, with what was asked for."""
    low, high = opened.limits.vm_min_pu, opened.limits.vm_max_pu
    rows = np.flatnonzero((low >= high) & (opened.grid.buses.bus >= 0))
    given = [
        f"{option} is {value:g} p.u."
        for option, value in (("--vm-min", asked.vm_min_pu), ("--vm-max", asked.vm_max_pu))
        if value is not None
    ]
    if not given or not len(rows):  # a file's own band is its reader's to check
        return []
    names = some([str(name) for name in opened.grid.buses.name[rows]])
    at = rows[0]
    return [
        f"{' and '.join(given)}: the least voltage of {names} is {low[at]:g} p.u., "
        f"expected less than the greatest there, {high[at]:g} p.u. (of the file, "
        "or assumed where it has none)"
    ]


def _faults(asked: GridOptions, others: Sequence[str]) -> list[str]:
    faults = list(others)
    if asked.trafo_model not in (None, *MODELS):
        faults.append(f"--trafo-model is {asked.trafo_model!r}, expected t or pi")
    low, high = asked.vm_min_pu, asked.vm_max_pu
    faults += out_of_range("--vm-min", low, 0.0, 2.0, "p.u.")
    faults += out_of_range("--vm-max", high, 0.0, 2.0, "p.u.")
    if low is not None and high is not None and low >= high:
        faults.append(f"--vm-min is {low:g} p.u., expected less than --vm-max, {high:g} p.u.")
    return faults + out_of_range("--max-loading", asked.loading_percent, 1.0, 1000.0, "%")
