"""An AC power grid as a system: set-points and loads in, voltages and loadings out."""

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.sciml.core.limits import Limit
from tvilling.sciml.core.physical import finite_status, join_status
from tvilling.sciml.core.system import Channel, Status, Values
from tvilling.sciml.systems.example import Example
from tvilling.sciml.systems.power_grid.model.branches import Branches
from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.model.grid import Elements, PowerGrid
from tvilling.sciml.systems.power_grid.results.measures import bus_power, loading_percent, loss_pu
from tvilling.sciml.systems.power_grid.results.violations import SLACK_PERCENT, SLACK_PU, limits_of
from tvilling.sciml.systems.power_grid.solver.differentiable import (
    Voltages,
    power_flow,
    refuse_regulated,
)
from tvilling.sciml.systems.power_grid.solver.equations import injected
from tvilling.sciml.systems.power_grid.solver.flow import Options, Outcome, Tolerance

W_PER_MW = 1e6
MAX_W = 1e12
OPTIONS = Options(tolerance=Tolerance(mismatch_pu=1e-12))
VOLTAGES_PU = (0.85, 1.15)
ROOM = 3.0  # times the greatest power in the file: how far a channel of powers reaches
MIN_W = 1e5
NAMED = {  # channel: (unit, name in the power flow, table, what it is)
    "gen_w": ("W", "gen_p_mw", "gen", "Active power of machines"),
    "gen_vm_pu": ("p.u.", "gen_vm_pu", "gen", "Voltage that machines hold"),
    "ext_grid_vm_pu": ("p.u.", "ext_grid_vm_pu", "ext_grid", "Voltage of the supply"),
    "storage_w": ("W", "storage_p_mw", "storage", "Power into storage"),
    "load_w": ("W", "load_p_mw", "load", "Active power of loads"),
    "load_var": ("var", "load_q_mvar", "load", "Reactive power of loads"),
    "sgen_w": ("W", "sgen_p_mw", "sgen", "Active power fed in"),
    "sgen_var": ("var", "sgen_q_mvar", "sgen", "Reactive power fed in"),
}
LOADINGS = {"line": "Loading of lines by current", "trafo": "Loading of transformers by current"}
ACTIONS = ("gen_w", "gen_vm_pu", "ext_grid_vm_pu", "storage_w")
DRIVES = ("load_w", "load_var", "sgen_w", "sgen_var")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class PowerSystem:
    """A grid in steady state; it has no memory, so its state is empty.

    Attributes
    ----------
    branches
        The π-circuits, which calibration may move.
    grid
        Everything else.
    """

    branches: Branches
    grid: PowerGrid = jax.tree.static()

    @property
    def actions(self) -> tuple[Channel, ...]:
        """Set-points of machines, storage and supply, where the grid has them."""
        return self._channels(ACTIONS)

    @property
    def drives(self) -> tuple[Channel, ...]:
        """Loads, and what plants without voltage control feed in."""
        return self._channels(DRIVES)

    @property
    def outputs(self) -> tuple[Channel, ...]:
        """Voltages by bus of the solved grid, loadings, and what the supply gives."""
        grid = self.grid
        buses = ("bus", tuple(bus_names(grid)))
        found = [
            Channel("vm_pu", "p.u.", 0.0, 2.0, *_dim(buses), "Voltage magnitude"),
            Channel("va_degree", "°", -720.0, 720.0, *_dim(buses), "Voltage angle"),
        ]
        for kind in rated_kinds(grid):
            names = (kind, _unique(grid.groups[kind].name))
            label = f"{kind}_loading_percent", "%", 0.0, 1e6
            found.append(Channel(*label, *_dim(names), LOADINGS[kind]))
        ends = (-MAX_W, MAX_W)
        return (
            *found,
            Channel("slack_w", "W", *ends, description="Active power from the supply"),
            Channel("slack_var", "var", *ends, description="Reactive power from the supply"),
            Channel("loss_w", "W", *ends, description="Losses of branches and shunts"),
        )

    def init(self, key: jax.Array) -> tuple[()]:
        """The empty state."""
        return ()

    def step(
        self, state: tuple[()], action: Values, drive: Values, dt_s: float
    ) -> tuple[tuple[()], Values]:
        """The power flow at these set-points and loads; `dt_s` has no part in it.

        Where one of them is not a finite number no output is, and the status says so.
        """
        unknown = finite_status([v for k, v in {**action, **drive}.items() if k in NAMED])
        grid, given = self.grid, self._varying(_finite(action), _finite(drive))
        voltages = power_flow(grid, given, self.branches, OPTIONS)
        base_w = grid.base_mva * W_PER_MW
        p, q = bus_power(grid, voltages, self.branches)
        asked_p, asked_q = injected(grid, given, False), injected(grid, given, True)
        output = {
            "vm_pu": voltages.vm_pu,
            "va_degree": jnp.degrees(voltages.va_rad),
            "slack_w": (p - asked_p)[..., grid.slack].sum(axis=-1) * base_w,
            "slack_var": (q - asked_q)[..., grid.slack].sum(axis=-1) * base_w,
            "loss_w": loss_pu(grid, voltages, self.branches) * base_w,
            "status": _status(voltages),
        }
        for kind in rated_kinds(grid):
            percent = loading_percent(grid, voltages, kind, self.branches)
            output[f"{kind}_loading_percent"] = percent
        status = join_status(output.pop("status"), unknown)
        return (), _nan_where(unknown > 0, output) | {"status": status}

    def stored_j(self, state: tuple[()]) -> Float[Array, ""]:
        """Nothing is stored."""
        return jnp.zeros(())

    def net_power_w(self, action: Values, drive: Values, output: Values) -> Float[Array, ""]:
        """What the supply, machines, plants and storage give, less loads and losses [W]."""
        asked = injected(self.grid, self._varying(action, drive), False).sum(axis=-1)
        base_w = self.grid.base_mva * W_PER_MW
        return output["slack_w"] + asked * base_w - output["loss_w"]

    def _varying(self, action: Values, drive: Values) -> dict[str, Array]:
        scale = {"W": W_PER_MW, "var": W_PER_MW, "p.u.": 1.0}
        both = {**action, **drive}
        return {
            NAMED[name][1]: both[name] / scale[NAMED[name][0]] for name in NAMED if name in both
        }

    def _channels(self, names: tuple[str, ...]) -> tuple[Channel, ...]:
        found = []
        for name in names:
            unit, _, kind, words = NAMED[name]
            elements = self.grid.elements[kind]
            if len(elements.index):
                dim = (kind, _unique(elements.name))
                found.append(Channel(name, unit, *_limits(elements, unit), *_dim(dim), words))
        return tuple(found)


def _limits(elements: Elements, unit: str) -> tuple[float, float]:
    """How far a channel reaches: from zero where no power of the file is negative."""
    if unit == "p.u.":
        return VOLTAGES_PU
    values = W_PER_MW * (elements.q_mvar if unit == "var" else elements.p_mw)
    most = max(ROOM * float(np.abs(values).max()), MIN_W)
    one_way = elements.kind != "storage" and bool((values >= 0).all() and values.any())
    return (0.0 if one_way else -most), most


def _dim(named: tuple[str, tuple[str, ...]]) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    return (named[0],), (named[1],)


def _unique(names: Any) -> tuple[str, ...]:
    """Names, those that occur again with a number behind."""
    seen: Counter[str] = Counter()
    found = []
    for name in map(str, names):
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(found)


def bus_names(grid: PowerGrid) -> tuple[str, ...]:
    """A name for each bus of the solved grid: that of the first row that is part of it."""
    names = [f"node {bus}" for bus in range(grid.n_bus)]
    for name, bus in reversed(list(zip(grid.buses.name, grid.buses.bus, strict=True))):
        if bus >= 0:
            names[bus] = name
    return _unique(names)


def _finite(values: Values) -> Values:
    """Set-points of 1 p.u. and powers of zero where `values` are not finite: one stands in."""
    return {
        name: jnp.where(
            jnp.isfinite(value), value, 1.0 if name in NAMED and NAMED[name][0] == "p.u." else 0.0
        )
        for name, value in values.items()
    }


def _nan_where(bad: Array, values: Values) -> Values:
    return {name: jnp.where(bad, jnp.nan, value) for name, value in values.items()}


def _status(voltages: Voltages) -> Array:
    """Flags of a step for what came of the power flow."""
    flags = {
        Outcome.INFEASIBLE: Status.INFEASIBLE,
        Outcome.UNSUPPLIED: Status.DISCONNECTED,
        Outcome.UNKNOWN: Status.NOT_CONVERGED,
    }
    status = jnp.zeros(voltages.outcome.shape, jnp.int32)
    for outcome, flag in flags.items():
        status = jnp.where(voltages.outcome == outcome, int(flag), status)
    return status


def system(grid: PowerGrid) -> PowerSystem:
    """The grid as a system.

    Raises
    ------
    InputError
        If its file asks for reactive limits or a distributed slack, which have no derivatives.
    """
    refuse_regulated(grid, OPTIONS)
    return PowerSystem(jax.tree.map(jnp.asarray, grid.branches), grid)


def example() -> Example:
    """The medium-voltage grid of CIGRE with sun and wind, and its transformers two taps up.

    It fails at fifty times its load.

    CIGRE Task Force C6.04.02, Benchmark Systems for Network Integration of Renewable and
    Distributed Energy Resources, Technical Brochure 575, 2014; as pandapower has it.
    """
    grid = _cigre()
    drive = {name: _base(grid.elements[NAMED[name][2]], NAMED[name][0]) for name in DRIVES}
    action = {"ext_grid_vm_pu": jnp.asarray(grid.vm_pu[grid.elements["ext_grid"].bus])}
    much = {**drive, "load_w": drive["load_w"] * 50.0}
    return Example(
        system=system(grid),
        action=action,
        drive=drive,
        dt_s=900.0,
        failing=(action, much),
        bought="slack_w",
        limits=run_limits(grid),
    )


def run_limits(grid: PowerGrid) -> tuple[Limit, ...]:
    """Voltages and loadings that a run of the grid as a system should keep, as its file has them.

    Where the file has none they are those that `limits_of` assumes; a bus of the solved grid has
    the narrowest band of the rows that are part of it.
    """
    import xarray as xr

    limits = limits_of(grid)
    low, high = np.full(grid.n_bus, -np.inf), np.full(grid.n_bus, np.inf)
    kept = grid.buses.bus >= 0
    np.maximum.at(low, grid.buses.bus[kept], limits.vm_min_pu[kept])
    np.minimum.at(high, grid.buses.bus[kept], limits.vm_max_pu[kept])
    low_pu, high_pu = xr.DataArray(low, dims="bus"), xr.DataArray(high, dims="bus")
    return (
        Limit("vm_pu", low=low_pu, high=high_pu, margin=SLACK_PU),
        *(
            Limit(
                f"{kind}_loading_percent",
                high=xr.DataArray(limits.loading_percent[kind], dims=kind),
                margin=SLACK_PERCENT,
            )
            for kind in rated_kinds(grid)
        ),
    )


def rated_kinds(grid: PowerGrid) -> list[str]:
    """Kinds of branches that have a rating."""
    return [
        kind
        for kind, group in grid.groups.items()
        if kind in ("line", "trafo") and (group.branch >= 0).all()
    ]


@cache
def _cigre() -> PowerGrid:
    """The example's grid, once, so that two examples are the same plant."""
    import pandapower.networks as networks

    net = networks.create_cigre_network_mv(with_der="pv_wind")
    taps = {"side": "hv", "neutral": 0, "step_percent": 1.25, "pos": -2, "changer_type": "Ratio"}
    for name, value in taps.items():
        net.trafo[f"tap_{name}"] = value
    return from_pandapower(net, "CIGRE MV with PV and wind")


def _base(elements: Elements, unit: str) -> Array:
    """What the file has for the elements [W or var]."""
    values = np.asarray(elements.q_mvar if unit == "var" else elements.p_mw)
    return jnp.asarray(values * W_PER_MW)
