"""Power flow over time: every step of the courses of power, reduced as it is solved."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.results.generators import machines
from tvilling.sciml.systems.power_grid.results.labels import (
    Variables,
    attributes,
    coordinates,
    loading_attrs,
    outcome_variables,
)
from tvilling.sciml.systems.power_grid.results.planner_units import is_rated, loads, sides, vm_pu
from tvilling.sciml.systems.power_grid.solver.batch_solver import base_case, solve
from tvilling.sciml.systems.power_grid.solver.flow import DEFAULT, Flow, Options
from tvilling.sciml.systems.power_grid.solver.scenarios import POWERS

if TYPE_CHECKING:
    import xarray as xr

LONGEST, SHORTEST = 4096, 256  # steps that are solved at once
AT_ONCE = 1_000_000  # voltages held at once by a thread
TOTALS = {
    "load_mw": ("MW", "active power that loads ask for at 1 p.u."),
    "generation_mw": (
        "MW",
        "active power of static generators and of generators that are no slack",
    ),
    "losses_mw": ("MW", "active power lost in all branches"),
    "slack_p_mw": ("MW", "active power from external grids and slack generators"),
    "slack_q_mvar": ("Mvar", "reactive power from external grids and slack generators"),
}


def year(
    grid: PowerGrid, profiles: "xr.Dataset", options: Options = DEFAULT, **attrs: str
) -> "xr.Dataset":
    """Power flow of every step of `profiles`.

    Steps do not depend on each other: nothing is stored and no tap moves between them. Voltages
    and loadings are kept in single precision, about 1e-7 of their size, totals in double.

    Parameters
    ----------
    profiles
        As `datasets.power_profiles.read_profiles` gives them: variables such as `load_p_mw` over
        `time` and the rows of the table. Elements that are not named keep the power of the file.
    options
        How to solve; its threads share the steps.
    **attrs
        Further attributes of the result.

    Returns
    -------
    `vm_pu` over `time` and `bus`; `line_loading_percent`, `trafo_loading_percent` and
    `trafo3w_loading_percent`; over `time`, `load_mw`, `generation_mw`, `losses_mw`, `slack_p_mw`,
    `slack_q_mvar`, `outcome`, `reached`, `weakest_bus` and `mismatch_pu`. Steps without a
    solution are NaN.

    Raises
    ------
    InputError
        With every variable that is not known and every element that the grid does not have.
    """
    import xarray as xr

    given = _given(grid, profiles)
    steps = profiles.sizes["time"]
    base_case(grid)
    kept = _room(grid, steps)
    length = int(np.clip(AT_ONCE // grid.n_bus, SHORTEST, LONGEST))
    spans = [slice(first, min(first + length, steps)) for first in range(0, steps, length)]
    alone = replace(options, threads=1)

    def run(rows: slice) -> Variables:
        part = {name: one.values(rows) for name, one in given.items()}
        flow = solve(grid, part, options=alone)
        _keep(flow, part, rows, kept)
        return outcome_variables(flow, "time")

    with ThreadPoolExecutor(options.workers) as pool:
        outcomes = list(pool.map(run, spans))
    for name, (dims, _, about) in outcomes[0].items():
        kept[name] = (dims, np.concatenate([one[name][1] for one in outcomes]), about)
    along = {"time": profiles["time"], **coordinates(grid)}
    told = {
        "profiles": str(profiles.attrs.get("profiles", "")),
        "clock": str(profiles.attrs.get("clock", "")),
        **{name: str(profiles.attrs[name]) for name in ("constant",) if name in profiles.attrs},
    }
    return xr.Dataset(kept, along, attributes(grid) | told | attrs)


def scenarios_of(grid: PowerGrid, profiles: "xr.Dataset") -> dict[str, np.ndarray]:
    """Every step of `profiles`, read as `year` reads them, as a scenario for `solve`.

    Raises
    ------
    InputError
        As `year`.
    """
    return {name: one.values(slice(None)) for name, one in _given(grid, profiles).items()}


class _Course:
    """One variable of the profiles, brought to the rows of the grid's table."""

    def __init__(self, values: Any, column: np.ndarray, nominal: np.ndarray) -> None:
        self._values, self._column, self._nominal = values, column, nominal
        self._whole = np.array_equal(column, np.arange(values.shape[1]))

    def values(self, rows: slice) -> np.ndarray:
        """Steps `rows` `[step, element]`; elements without a course keep their power."""
        part = np.asarray(self._values[rows])
        if self._whole:
            return part
        return np.where(self._column >= 0, part[:, self._column], self._nominal)


def _given(grid: PowerGrid, profiles: "xr.Dataset") -> dict[str, _Course]:
    faults, found = [], {}
    for name, values in profiles.data_vars.items():
        if name not in POWERS:
            faults.append(f"{name} is not known; known are {', '.join(POWERS)}")
            continue
        kind, reactive = POWERS[str(name)]
        one = grid.elements[kind]
        place = {index: at for at, index in enumerate(profiles[kind].values.tolist())}
        unknown = [str(index) for index in place if index not in set(one.index.tolist())]
        if unknown:
            faults.append(f"{name}: the grid has no {kind} {', '.join(unknown[:5])}")
        elif place:
            column = np.array([place.get(index, -1) for index in one.index.tolist()], int)
            ordered = values.transpose("time", kind).data
            found[str(name)] = _Course(ordered, column, one.q_mvar if reactive else one.p_mw)
    if not found and not faults:
        faults.append(f"no variable of {', '.join(POWERS)} with elements")
    if faults:
        raise InputError(f"{grid.source}, profiles", faults)
    return found


def _room(grid: PowerGrid, steps: int) -> Variables:
    """Variables of the result, to be filled block by block."""
    voltage = {"units": "1", "long_name": "voltage, of the rated one"}
    shape = (steps, len(grid.buses.bus))
    kept: Variables = {"vm_pu": (("time", "bus"), np.empty(shape, np.float32), voltage)}
    for kind, group in grid.groups.items():
        if is_rated(group):
            values = np.empty((steps, len(group.name) // sides(group)), np.float32)
            kept[f"{kind}_loading_percent"] = (("time", kind), values, loading_attrs(kind))
    for name, (unit, text) in TOTALS.items():
        kept[name] = (("time",), np.empty(steps), {"units": unit, "long_name": text})
    return kept


def _keep(flow: Flow, varying: Mapping[str, np.ndarray], rows: slice, kept: Variables) -> None:
    """Put voltages, loadings and totals of `flow` into their place."""
    kept["vm_pu"][1][rows] = vm_pu(flow)
    found = loads(flow, dtype=np.float32)
    for kind, percent in found.percent.items():
        kept[f"{kind}_loading_percent"][1][rows] = percent
    kept["losses_mw"][1][rows] = found.losses_mw
    kept["load_mw"][1][rows] = -_total(flow, "load", varying)
    given = machines(flow, varying)
    slack = {
        kind: (one.slack_share > 0) & np.isin(one.bus, flow.grid.slack)
        for kind, one in flow.grid.elements.items()
        if kind in given
    }
    for name in ("p_mw", "q_mvar"):
        each = [getattr(one, name)[:, slack[kind]] for kind, one in given.items()]
        kept[f"slack_{name}"][1][rows] = np.concatenate(each, axis=1).sum(axis=1)
    own = given["gen"].p_mw[:, ~slack["gen"]].sum(axis=1)
    if "xward" in given:
        own = own + given["xward"].p_mw.sum(axis=1)
    kept["generation_mw"][1][rows] = _total(flow, "sgen", varying) + own


def _total(flow: Flow, kind: str, varying: Mapping[str, np.ndarray]) -> np.ndarray:
    """Active power that all of a table bring in."""
    one = flow.grid.elements[kind]
    values = varying.get(f"{kind}_p_mw", one.p_mw[None])
    return np.broadcast_to(values @ np.where(one.bus >= 0, one.sign, 0.0), len(flow.e))
