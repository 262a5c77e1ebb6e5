"""A pandapower network as a `PowerGrid`, through pandapower's own conversion.

Every element is therefore modelled as pandapower does: switches, taps, three-winding transformers,
wards, equivalents. What pandapower solves with further unknowns of its own (FACTS, HVDC
converters, lines whose resistance follows their temperature) is refused by name.
"""

import warnings
from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from typing import Any

import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.model.branches import Branches
from tvilling.sciml.systems.power_grid.model.file_options import chosen_options
from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.model.tables import (
    buses_of,
    elements_of,
    groups_of,
    slack_weight,
)
from tvilling.sciml.systems.power_grid.model.unserved import idle_note, unserved_of
from tvilling.sciml.systems.power_grid.model.unsupported import refused_elements, unsound

# pypower's columns (pandapower/pypower/idx_bus.py, idx_brch.py, idx_gen.py)
BUS_TYPE, PD, QD, GS, BS, VM, VA, BASE_KV = 1, 2, 3, 4, 5, 7, 8, 9
CID_P, CZD_P, CID_Q, CZD_Q = 13, 14, 16, 17
F_BUS, T_BUS, BR_R, BR_X, BR_B, TAP, SHIFT, STATUS = 0, 1, 2, 3, 4, 8, 9, 10
R_ASYM, X_ASYM, BR_G, G_ASYM, B_ASYM = 21, 22, 23, 24, 25
GEN_BUS, PG, QMAX, QMIN, VG, GEN_STATUS = 0, 1, 3, 4, 5, 7


def from_pandapower(
    net: Any, source: str = "pandapower network", notes: tuple[str, ...] = (), **options: Any
) -> PowerGrid:
    """The grid of a pandapower network; `net` is left as it is.

    Parameters
    ----------
    source, notes
        Where the network came from, and what its reader repaired.
    **options
        As `pandapower.runpp` takes them, where they say what is computed (`trafo_model`,
        `calculate_voltage_angles`, `trafo3w_losses`, `enforce_q_lims` …), in place of those that
        the network carries (`user_pf_options`).

    Raises
    ------
    InputError
        With every element that cannot be modelled, option that is not known, and bus or branch
        without a number that it needs.
    """
    chosen = chosen_options(net.get("user_pf_options", {}), options)
    faults = chosen.faults + refused_elements(net, chosen.options)
    if faults:
        raise InputError(source, faults)
    given, net = net, deepcopy(net)
    ppci = _convert(net, chosen.options, source)
    lookup = net["_pd2ppc_lookups"]
    bus, gen, branch = ppci["bus"].real, ppci["gen"].real, ppci["branch"]
    n = len(bus)
    bus_of = _bus_of(net, lookup, n)
    base = float(ppci["baseMVA"])
    on = gen[:, GEN_STATUS] > 0
    gen_bus = gen[on, GEN_BUS].astype(int)
    slack, held = _kinds(ppci)
    vm = np.ones(n)
    vm[gen_bus] = gen[on, VG]
    p_gen = np.zeros(n)
    np.add.at(p_gen, gen_bus, gen[on, PG])
    q_min, q_max = np.zeros(n), np.zeros(n)
    np.add.at(q_min, gen_bus, gen[on, QMIN])
    np.add.at(q_max, gen_bus, gen[on, QMAX])
    depends = np.flatnonzero((bus[:, [CID_P, CZD_P, CID_Q, CZD_Q]] != 0).any(axis=1))
    elements = elements_of(net, bus_of)
    unserved = unserved_of(given, bus_of(given.bus.index))
    idle = idle_note(given, bus_of(given.bus.index), unserved)
    flat = np.where(vm == 1.0, bus[:, VM], vm) * np.exp(1j * np.radians(bus[:, VA]))
    grid = PowerGrid(
        source=source,
        base_mva=base,
        vn_kv=bus[:, BASE_KV],
        from_bus=branch[:, F_BUS].real.astype(int),
        to_bus=branch[:, T_BUS].real.astype(int),
        branches=_branches(branch),
        shunt_g=bus[:, GS] / base,
        shunt_b=bus[:, BS] / base,
        p_pu=(p_gen - bus[:, PD]) / base,
        q_pu=-bus[:, QD] / base,
        slack=slack,
        slack_va_rad=np.radians(bus[slack, VA]),
        held=held,
        vm_pu=vm,
        q_min_pu=q_min[held] / base,
        q_max_pu=q_max[held] / base,
        slack_weight=slack_weight(elements, n),
        depends=depends,
        depends_share=bus[depends][:, [CID_P, CZD_P, CID_Q, CZD_Q]],
        depends_p_pu=-bus[depends, PD] / base,
        depends_q_pu=-bus[depends, QD] / base,
        elements=elements,
        groups=groups_of(net, ppci["internal"]["branch_is"], lookup["branch"]),
        buses=buses_of(net, bus_of),
        start=flat,
        notes=(*notes, *chosen.notes, *idle),
        options=chosen.options,
        unserved=unserved,
        stored=_stored(given, bus_of, flat),
    )
    faults = unsound(grid)
    if faults:
        raise InputError(source, faults)
    return grid


def _stored(net: Any, bus_of: Any, start: np.ndarray) -> np.ndarray | None:
    """Voltages that the file keeps, from an earlier power flow or a case's own columns [p.u.].

    Where it has none for a bus, that of `start`; None where it has none at all.
    """
    kept = net.get("res_bus")
    if kept is None or not {"vm_pu", "va_degree"} <= {*kept.columns}:
        return None
    kept = kept.loc[kept.index.intersection(net.bus.index), ["vm_pu", "va_degree"]]
    size, angle = (kept[name].to_numpy(float) for name in kept.columns)
    bus = bus_of(kept.index)
    good = (bus >= 0) & np.isfinite(size) & np.isfinite(angle) & (size > 0.0)
    if not good.any():
        return None
    found = start.copy()
    found[bus[good]] = size[good] * np.exp(1j * np.radians(angle[good]))
    return found


def _convert(net: Any, options: Mapping[str, Any], source: str) -> Any:
    """Pandapower's matrices of all elements and of those in service, before any power flow."""
    from pandapower.auxiliary import _add_auxiliary_elements, _init_runpp_options
    from pandapower.pd2ppc import _pd2ppc
    from pandapower.pf.run_dc_pf import _run_dc_pf
    from pandapower.results import init_results

    chosen: dict[str, Any] = {
        "algorithm": "nr",
        "calculate_voltage_angles": True,
        "init": "dc",
        "max_iteration": 10,
        "tolerance_mva": 1e-8,
        "trafo_model": "t",
        "trafo_loading": "current",
        "enforce_q_lims": False,
        "check_connectivity": True,
        "voltage_depend_loads": True,
        "numba": False,  # compiling for one conversion takes longer than it saves
    }
    chosen |= {**options, "distributed_slack": False, "enforce_q_lims": False}  # done in `solve`
    passed = {**net.get("user_pf_options", {}), **chosen}  # so that nothing overrules it
    _init_runpp_options(net, **chosen, passed_parameters=passed)
    _add_auxiliary_elements(net)
    init_results(net)
    empty = np.array([], dtype=np.int64)
    net["_pd2ppc_lookups"] = {
        key: empty for key in ("bus", "bus_dc", "ext_grid", "gen", "branch", "branch_dc")
    }
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "tap_dependency_table is missing in net")
            _, ppci = _pd2ppc(net)
    except (UserWarning, ValueError, NotImplementedError) as error:  # such as without a slack
        raise InputError(source, [str(error)]) from None
    except (AttributeError, IndexError, KeyError, TypeError) as error:  # tables it does not expect
        reason = f"{type(error).__name__}: {error}"
        raise InputError(source, [f"pandapower cannot convert it ({reason})"]) from error
    power = ppci["bus"][:, [PD, QD]].copy(), ppci["gen"][:, PG].copy()
    angle = ppci["bus"][:, VA].copy()
    with suppress(FloatingPointError):  # branches without reactance, of which it knows nothing
        ppci = _run_dc_pf(ppci, None)  # for the angles to start with
    if not np.isfinite(ppci["bus"][:, VA]).all():
        ppci["bus"][:, VA] = angle
    ppci["bus"][:, [PD, QD]], ppci["gen"][:, PG] = power
    return ppci


def _kinds(ppci: Any) -> tuple[np.ndarray, np.ndarray]:
    from pandapower.pypower.bustypes import bustypes

    slack, held, _ = bustypes(ppci["bus"], ppci["gen"])
    return np.sort(slack).astype(int), np.sort(held).astype(int)


def _bus_of(net: Any, lookup: Any, n: int) -> Any:
    """Bus of the grid for rows of the bus table; -1 where it is out of service."""
    table = lookup["bus"]

    def find(rows: Any) -> np.ndarray:
        found = table[np.asarray(rows, int)]
        return np.where((found >= 0) & (found < n), found, -1)

    return find


def _branches(branch: Any) -> Branches:
    real: Any = branch.real
    tap = real[:, TAP]
    r, x, g, b = (real[:, column] for column in (BR_R, BR_X, BR_G, BR_B))
    return Branches(
        r=r,
        x=x,
        g=g,
        b=b,
        r_asym=real[:, R_ASYM],
        x_asym=real[:, X_ASYM],
        g_asym=real[:, G_ASYM],
        b_asym=real[:, B_ASYM],
        ratio=tap + (tap == 0),
        shift_rad=np.radians(real[:, SHIFT]),
    )
