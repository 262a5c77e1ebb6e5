"""lightsim2grid on a grid of ours: batches of injections, outages, and its torch form."""

import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.sciml.io.extras import needs_extra

if TYPE_CHECKING:
    from tvilling.benchmarks.power_reduced import Reduced

NAME = "lightsim2grid"
STEPS = 100  # it may take; the fast decoupled ones need tens
NEWTON = "NRSing_KLU"
TOLERANCE = 1e-8
TOLERANCES = (1e-8, 1e-7, 1e-6)  # those at which it loses too much are not exact
POLICIES = {"new at each step": 0, "new at some steps": 1, "kept": 2}  # of the factors


def version() -> str:
    """Version that is installed.

    Raises
    ------
    MissingExtraError
        None is.
    """
    with needs_extra("peers"):
        import lightsim2grid
    return str(lightsim2grid.__version__)


def network(small: "Reduced") -> dict[str, Any]:
    """The grid in the form of PowerModels.jl, which lightsim2grid reads.

    Static generators are loads of the other sign, after the loads, since that form has none.
    """
    grid = small.grid
    slack = np.isin(small.bus, grid.slack)
    loads = zip(*_loads(small), strict=True)
    return {
        "baseMVA": grid.base_mva,
        "bus": {
            str(k): {"bus_i": k, "bus_type": 3 if slack[k] else 1, "base_kv": grid.vn_kv[i]}
            for k, i in enumerate(small.bus)
        },
        "branch": _branches(small),
        "shunt": {
            str(k): {"shunt_bus": k, "gs": small.shunt[k].real, "bs": small.shunt[k].imag}
            for k in np.flatnonzero(small.shunt)
        },
        "load": {str(k): {"load_bus": a, "pd": p, "qd": q} for k, (a, p, q) in enumerate(loads)},
        "gen": {
            str(k): {
                "gen_bus": i,
                "pg": small.fixed_mw[i],
                "vg": grid.vm_pu[small.bus[i]],
                "qmin": -1e9,
                "qmax": 1e9,
            }
            for k, i in enumerate(np.flatnonzero(_held(small)))
        },
    }


def _branches(small: "Reduced") -> dict[str, dict[str, Any]]:
    b = small.grid.branches
    ends = zip(small.branch, small.from_bus, small.to_bus, strict=True)
    return {
        str(k): {
            "f_bus": one,
            "t_bus": other,
            "br_r": b.r[i],
            "br_x": b.x[i],
            "g_fr": b.g[i] / 2,
            "g_to": b.g[i] / 2,
            "b_fr": b.b[i] / 2,
            "b_to": b.b[i] / 2,
            "tap": b.ratio[i],
            "shift": b.shift_rad[i],
        }
        for k, (i, one, other) in enumerate(ends)
    }


def _held(small: "Reduced") -> np.ndarray:
    """Whether the voltage of each bus is given."""
    return np.isin(small.bus, np.r_[small.grid.slack, small.grid.held])


def _loads(small: "Reduced") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bus, P and Q of its loads: loads, static generators, and what else is fixed at a bus."""
    load, sgen = small.grid.elements["load"], small.grid.elements["sgen"]
    fixed = np.flatnonzero(~_held(small) & ((small.fixed_mw != 0) | (small.fixed_mvar != 0)))
    p = -(load.sign * load.p_mw)[small.load], -(sgen.sign * sgen.p_mw)[small.sgen]
    q = -(load.sign * load.q_mvar)[small.load], -(sgen.sign * sgen.q_mvar)[small.sgen]
    return (
        np.r_[small.load_bus, small.sgen_bus, fixed],
        np.r_[*p, -small.fixed_mw[fixed]],
        np.r_[*q, -small.fixed_mvar[fixed]],
    )


def model(small: "Reduced", start: np.ndarray, algorithm: str = NEWTON) -> Any:
    """Its grid, solved once by `algorithm` from the voltages `start` `[bus]`."""
    with needs_extra("peers"):
        from lightsim2grid.network import init_from_powermodels
    grid = init_from_powermodels(network(small))
    grid.change_algorithm(algorithm)
    if not len(grid.ac_pf(start.copy(), STEPS, TOLERANCE)):
        raise RuntimeError(f"{small.grid.source}: {NAME} finds no base case")
    return grid


def branch_number(small: "Reduced") -> np.ndarray:
    """Its number of each branch in `small.branch`: lines come first, then transformers."""
    b = small.grid.branches
    trafo = (b.ratio[small.branch] != 1) | (b.shift_rad[small.branch] != 0)
    number = np.empty(len(small.branch), int)
    number[np.argsort(trafo, kind="stable")] = np.arange(len(number))
    return number


def loads(small: "Reduced", varying: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """P and Q of its loads `[scenario, load]` [MW, Mvar]."""
    count = len(next(iter(varying.values())))
    found = []
    for base, kind in zip(_loads(small)[1:], ("p_mw", "q_mvar"), strict=True):
        full = np.repeat(base[None], count, axis=0)
        middle = len(small.load)
        if f"load_{kind}" in varying:
            full[:, :middle] = small.power(f"load_{kind}", varying[f"load_{kind}"])
        if f"sgen_{kind}" in varying:
            end = middle + len(small.sgen)
            full[:, middle:end] = -small.power(f"sgen_{kind}", varying[f"sgen_{kind}"])
        found.append(full)
    return found[0], found[1]


def batch(
    grid: Any,
    injections: tuple[np.ndarray, np.ndarray],
    start: np.ndarray,
    settings: Mapping[str, Any],
) -> Callable[[], np.ndarray]:
    """A function that solves all `injections` and returns complex voltages `[scenario, bus]`.

    The algorithm is that of `grid`. `settings` are `chained` (each scenario starts from the one
    before), `policy` (of Newton's method, else None), `tolerance` and `threads`.
    """
    with needs_extra("peers"):
        from lightsim2grid.lightsim2grid_cpp import InjectionSweepCPP, TimeSeriesCPP
    computer = (TimeSeriesCPP if settings["chained"] else InjectionSweepCPP)(grid)
    if settings["policy"] is not None:
        set_policy(computer, settings["policy"])
    if settings["threads"] > 1:
        computer.nb_thread = settings["threads"]
    p, q = injections

    def run() -> np.ndarray:
        computer.modify_load_p(p)
        computer.modify_load_q(q)
        computer.compute(start.copy(), STEPS, settings["tolerance"])
        found: np.ndarray = computer.get_voltages()
        return found

    return run


def contingencies(
    grid: Any,
    opened: list[list[int]],
    start: np.ndarray,
    settings: Mapping[str, Any],
) -> tuple[Callable[[], np.ndarray], np.ndarray]:
    """A function that solves every set of `opened` branches (its numbers), and their order.

    Row k of what the function returns is set `order[k]`. Buses without supply are 0, and so is all
    of a row that was not solved. `settings` are `policy`, `tolerance` and `threads`.
    """
    with needs_extra("peers"):
        from lightsim2grid.lightsim2grid_cpp import ContingencyAnalysisCPP
    computer = ContingencyAnalysisCPP(grid)
    set_policy(computer, settings["policy"])
    computer.handle_disconnected_grid = True
    computer.nb_thread = settings["threads"]
    for one in opened:
        computer.add_nk(one)
    place = {tuple(sorted(one)): k for k, one in enumerate(opened)}
    order = np.array([place[tuple(sorted(one))] for one in computer.my_defaults()])

    def run() -> np.ndarray:
        computer.compute(start.copy(), STEPS, settings["tolerance"])
        found: np.ndarray = computer.get_voltages()
        return found

    return run, order


def differentiable(
    grid: Any, start: np.ndarray, policy: int, tolerance: float, threads: int
) -> Any:
    """Its batch as a torch operation, `batch(load_p=…, load_q=…)`."""
    with needs_extra("peers"):
        from lightsim2grid.differentiable import BatchCPUPowerFlow
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")  # of its own
        batch = BatchCPUPowerFlow.init_from_grid(
            grid, nb_thread=threads, tol=tolerance, v_init=start
        )
    set_policy(batch.sweep, policy)
    return batch


def zero_is_none(v: np.ndarray) -> np.ndarray:
    """Its voltages, where 0 stands for none."""
    return np.where(v == 0, np.nan, v)


def set_policy(computer: Any, policy: int) -> None:
    """When the batch `computer` factorises Jacobians anew, of `POLICIES`."""
    config = computer.get_algo_config()
    numbers = list(config.int_params)
    numbers[1] = policy
    config.int_params = numbers
    computer.set_algo_config(config)
