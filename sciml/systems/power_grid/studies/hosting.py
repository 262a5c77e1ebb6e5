"""Hosting capacity: how much more generation or load each bus takes before a limit is broken.

For a bus and a scenario of everything else, the capacity is the size x at which the first limit is
met: a band of voltage, a loading, or the existence of a solution. The full power flow is solved at
x; the tangent dV/dx = J⁻¹ ds/dx there (`adjoint.solve_linear`) tells where each limit would be met
(`nearest_limit`), which is the next x: Newton's method on whichever limit binds. Each size tried is
known to keep all limits or to break one by its own power flow, so the capacity lies between two
sizes that differ by `CLOSE`; where the tangent does not help, the interval is halved.

Capacities of buses do not add up: each bus is looked at with nothing new at the others.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.kernel.adjoint import solve_linear
from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.results.labels import attributes, near, unique
from tvilling.sciml.systems.power_grid.results.violations import Limits, limits_of
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve
from tvilling.sciml.systems.power_grid.solver.flow import DEFAULT, Flow, Options
from tvilling.sciml.systems.power_grid.solver.scenarios import check
from tvilling.sciml.systems.power_grid.studies.monitored import Monitored
from tvilling.sciml.systems.power_grid.studies.nearest_limit import (
    NO_SOLUTION,
    NONE,
    WORDS,
    Nearest,
    nearest,
)

if TYPE_CHECKING:
    import xarray as xr

CLOSE = 1e-3  # of the size: the interval that a capacity is enclosed in
SMALLEST_MW = 1e-6
TANGENTS, ROUNDS = 10, 80  # rounds in which the tangent leads, and rounds in all
AT_ONCE = 1_000_000  # voltages held at once by a thread


@dataclass(frozen=True)
class Technology:
    """What is added at a bus.

    Attributes
    ----------
    name
        In words.
    sign
        +1 where its active power enters the grid, -1 where it leaves.
    cos_phi
        Power factor; reactive power is drawn from the grid, in either case.
    most_mw
        Where no limit is met up to this size, it is the answer.
    """

    name: str
    sign: float
    cos_phi: float
    most_mw: float = 1000.0

    @property
    def mvar_per_mw(self) -> float:
        """Reactive power that enters the grid with 1 MW of size."""
        return -float(np.tan(np.arccos(self.cos_phi)))


TECHNOLOGIES = {
    "pv": Technology("solar power", 1.0, 1.0),
    "heat_pump": Technology("heat pumps", -1.0, 0.95),
    "ev": Technology("charging of electric vehicles", -1.0, 0.98),
}


def places_of(grid: PowerGrid, names: Sequence[str] | None = None) -> np.ndarray:
    """Rows of the file's buses where something can be added.

    Parameters
    ----------
    names
        Names of buses as results print them, with the row behind a name that several have, or
        rows' indices in the file; by default every bus with a load in service, of buses that
        closed switches join the first.

    Raises
    ------
    InputError
        With every name that is unknown, doubled, or of a bus without supply, and where there is
        no bus with a load.
    """
    buses, slack = grid.buses, set(grid.slack.tolist())
    if names is None:
        loaded = np.setdiff1d(grid.elements["load"].bus, [-1, *slack])
        if not len(loaded):
            raise InputError(grid.source, ["no bus has a load: name the buses to look at"])
        first = [int(np.flatnonzero(buses.bus == bus)[0]) for bus in loaded]
        return np.sort(first)
    found, faults = list[int](), list[str]()
    printed = unique(buses.name, buses.index)
    for name in dict.fromkeys(names):
        called = np.flatnonzero(printed == name)
        if not len(called):
            called = np.flatnonzero(buses.name == name)
        if not len(called):
            called = np.flatnonzero(buses.index.astype(str) == name)
        if not len(called):
            faults.append(f"{name} is no bus{near(name, printed.tolist())}")
        elif len(called) > 1:
            rows = " or ".join(printed[called])
            faults.append(f"{name}: {len(called)} buses are called so; name one of them, {rows}")
        elif buses.bus[called[0]] < 0:
            faults.append(f"{name} has no supply")
        elif buses.bus[called[0]] in slack:
            faults.append(f"{name} is a bus whose voltage is given: it takes any power")
        else:
            found.append(int(called[0]))
    if faults:
        raise InputError(grid.source, faults)
    return np.array(list(dict.fromkeys(found)))


def hosting(
    grid: PowerGrid,
    technology: Technology,
    places: np.ndarray,
    *,
    varying: Mapping[str, np.ndarray] | None = None,
    limits: Limits | None = None,
    options: Options = DEFAULT,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> "xr.Dataset":
    """The greatest size at every place in every scenario of the rest.

    Parameters
    ----------
    places
        Rows of the file's buses, as `places_of` gives them.
    varying
        Scenarios as `solve` takes them; the base case where nothing varies.
    limits
        Those of the file, with the defaults of `limits_of` where it has none.
    tell
        Told how many capacities are found, and of how many.

    Returns
    -------
    xarray.Dataset
        Over (`place`, `scenario`): `size_mw`, which keeps all limits; `limit`, a number in
        `nearest_limit.WORDS`; `limit_at`, the position along `bus` or `branch` where it binds.
        Where a limit is broken with nothing added, the size is 0 and `limit` is that one; where
        none is met up to `technology.most_mw`, it says none.

    Raises
    ------
    InputError
        If `varying` does not fit the grid.
    """
    found = check(grid, varying or {})
    wide = _with_places(grid, grid.buses.bus[places])
    one = replace(options, threads=1)
    run = _Run(wide, Monitored(wide, limits or limits_of(grid)), technology, found, one)
    total = len(places) * run.scenarios
    size_mw, kind, element = np.zeros(total), np.zeros(total, np.int8), np.zeros(total, np.int32)
    length = int(np.clip(AT_ONCE // grid.n_bus, 256, 8192))
    spans = [np.arange(first, min(first + length, total)) for first in range(0, total, length)]

    def search(numbers: np.ndarray) -> int:
        size_mw[numbers], kind[numbers], element[numbers] = run.search(numbers)
        return int(numbers[-1]) + 1

    tell(0, total)
    with ThreadPoolExecutor(options.workers) as pool:
        for done in pool.map(search, spans):
            tell(done, total)
    shape = (len(places), run.scenarios)
    return _labelled(run, places, [part.reshape(shape) for part in (size_mw, kind, element)])


def _with_places(grid: PowerGrid, bus: np.ndarray) -> PowerGrid:
    """The grid with a static generator of no power at each of `bus`, after those of the file."""
    _ = grid.plan, grid.kinds, grid.admittance  # so that the copy has them
    own, more = grid.elements["sgen"], np.zeros(len(bus))
    new = {
        "bus": bus,
        "sign": more + 1.0,
        "index": np.full(len(bus), -1),
        "name": np.full(len(bus), "", object),
    }
    columns: dict[str, Any] = {
        name: np.concatenate([values, new.get(name, more)])
        for name, values in vars(own).items()
        if isinstance(values, np.ndarray)
    }
    wide = copy(grid)
    vars(wide)["elements"] = {**grid.elements, "sgen": replace(own, **columns)}
    return wide


@dataclass(frozen=True)
class _Run:
    grid: PowerGrid
    watched: Monitored
    technology: Technology
    varying: Mapping[str, np.ndarray]
    options: Options

    @property
    def scenarios(self) -> int:
        return len(next(iter(self.varying.values()), [()]))

    def search(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Size [MW] and the limit that binds, for pairs counted through place by place."""
        place, scenario = np.divmod(numbers, self.scenarios)
        low, high = np.zeros(len(numbers)), np.full(len(numbers), np.inf)
        kind, element = np.full(len(numbers), NONE), np.full(len(numbers), -1)
        size, open_ = np.zeros(len(numbers)), np.arange(len(numbers))
        for turn in range(ROUNDS):
            near = self.look(place[open_], scenario[open_], size[open_], first=turn == 0)
            bad, tried = near.broken, size[open_]
            low[open_[~bad]], high[open_[bad]] = tried[~bad], tried[bad]
            kind[open_[bad]], element[open_[bad]] = near.kind[bad], near.element[bad]
            size[open_] = self._next(near, tried, low[open_], high[open_], turn)
            wide = high - low > np.maximum(CLOSE * high, SMALLEST_MW)
            open_ = open_[(wide | np.isinf(high))[open_] & (low[open_] < self.technology.most_mw)]
            if not len(open_):
                break
        return low, kind, element

    def _next(
        self, near: Nearest, size: np.ndarray, low: np.ndarray, high: np.ndarray, turn: int
    ) -> np.ndarray:
        """Just beyond, or just before, where the tangent meets the limit; else halfway."""
        aim = (size + near.step) * (1.0 + np.where(near.broken, -CLOSE, CLOSE) / 3.0)
        grown = np.maximum(4.0 * low, 1e-4 * self.technology.most_mw)
        halfway = np.where(
            np.isinf(high), grown, 0.5 * (low + np.minimum(high, self.technology.most_mw))
        )
        led = (aim > low) & (aim < high) & (turn < TANGENTS)
        return np.minimum(np.where(led, aim, halfway), self.technology.most_mw)

    def look(
        self, place: np.ndarray, scenario: np.ndarray, size_mw: np.ndarray, first: bool
    ) -> Nearest:
        """Whether limits are kept with `size_mw` at the places, and how far it is to the next."""
        if first:  # nothing is added yet: one power flow serves all places
            scenarios, back = np.unique(scenario, return_inverse=True)
            none = np.zeros(len(scenarios), int), np.zeros(len(scenarios))
            alone = solve(self.grid, self._added(none[0], scenarios, none[1]), None, self.options)
            flow = replace(alone, e=alone.e[back], f=alone.f[back], outcome=alone.outcome[back])
        else:
            added = self._added(place, scenario, size_mw)
            flow = solve(self.grid, added, None, self.options)
        near = nearest(flow, self.watched, self._tangent(flow, place, scenario, size_mw))
        lost = ~flow.solved
        near.broken[lost], near.step[lost] = True, -np.inf
        near.kind[lost], near.element[lost] = NO_SOLUTION, -1
        return near

    def _added(
        self, place: np.ndarray, scenario: np.ndarray, size_mw: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Scenarios with what is added at one place each."""
        found = {name: values[scenario] for name, values in self.varying.items()}
        elements = self.grid.elements["sgen"]
        per_mw = (self.technology.sign, self.technology.mvar_per_mw)
        nominal = (elements.p_mw, elements.q_mvar)
        own = len(elements.index) - self.places
        for name, factor, base in zip(("sgen_p_mw", "sgen_q_mvar"), per_mw, nominal, strict=True):
            values = np.zeros((len(place), len(elements.index)))
            values[:, :own] = found.get(name, base[None, :own])
            values[np.arange(len(place)), own + place] = factor * size_mw
            found[name] = values
        return found

    @property
    def places(self) -> int:
        return int((self.grid.elements["sgen"].index < 0).sum())

    def _tangent(
        self, flow: Flow, place: np.ndarray, scenario: np.ndarray, size_mw: np.ndarray
    ) -> np.ndarray:
        """Derivative of the voltages by the size `[scenario, 2, bus]` [p.u./MW]."""
        grid, rows = self.grid, np.arange(len(place))
        bus = grid.elements["sgen"].bus[-self.places :][place]
        right = np.zeros((len(place), 2, grid.n_bus))
        right[rows, 0, bus] = self.technology.sign / grid.base_mva
        free = ~np.isin(bus, grid.held)  # a machine that holds the voltage takes reactive power
        right[rows, 1, bus] = np.where(free, self.technology.mvar_per_mw / grid.base_mva, 0.0)
        varying = self._added(place, scenario, size_mw)
        return solve_linear(grid, varying, None, (flow.e, flow.f), right, options=self.options)


def _labelled(run: _Run, places: np.ndarray, parts: list[np.ndarray]) -> "xr.Dataset":
    import xarray as xr

    size_mw, kind, element = parts
    dims = ("place", "scenario")
    variables: dict[str, Any] = {
        "size_mw": (dims, size_mw, {"units": "MW", "long_name": "greatest size that fits"}),
        "limit": (
            dims,
            kind,
            {
                "long_name": "limit that binds",
                "flag_values": np.arange(len(WORDS), dtype=np.int8),
                "flag_meanings": " ".join(word.replace(" ", "_") for word in WORDS),
            },
        ),
        "limit_at": (dims, element, {"long_name": "position of it along bus or branch"}),
    }
    coordinates = {
        **run.watched.coordinates(),
        "scenario": np.arange(run.scenarios),
        "place_row": ("place", places),
    }
    coordinates["place"] = np.array(coordinates["bus"])[places]
    told = {
        "notes": "\n".join((*run.grid.notes, *run.watched.limits.notes)),
        "technology": run.technology.name,
        "sign": run.technology.sign,
        "cos_phi": run.technology.cos_phi,
        "most_mw": run.technology.most_mw,
    }
    return xr.Dataset(variables, coordinates, attributes(run.grid) | told)
