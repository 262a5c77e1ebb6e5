"""MATPOWER cases (`.m`, `.mat`) as pandapower nets with exactly MATPOWER's admittances.

Buses, loads, generators, costs and lines go through pandapower's `from_ppc`. Transformers do not:
of pandapower 3.3 they lose whether they are in service, the sign of their charging, and the side
of their tap where the first bus has the lower voltage. They are made here, after MATPOWER's model
of a branch (User's Manual, section 3.2): an ideal transformer of ratio tau and shift at the first
bus, then the series impedance between halves of the charging. pandapower's transformers draw a
magnetising current only, so the charging becomes shunts at both ends. Buses keep their numbers.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.datasets.readers.json.table import MAX_INDEX
from tvilling.datasets.readers.matpower.m_file import Tables, read_case
from tvilling.datasets.readers.power_grid.labels import MAX_NAMED, listening
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.escape import printable

if TYPE_CHECKING:
    from pandapower import pandapowerNet

BUS_I, TYPE, PD, QD, BS, VM, VA, BASE_KV = 0, 1, 2, 3, 5, 7, 8, 9
GEN_BUS, PG, VG, GEN_STATUS = 0, 1, 5, 7
F_BUS, T_BUS, BR_R, BR_X, BR_B, RATE_A, TAP, SHIFT, STATUS = 0, 1, 2, 3, 4, 5, 8, 9, 10
LOAD, HELD, REFERENCE, ISOLATED = 1, 2, 3, 4
WIDTHS = {"bus": 13, "gen": 10, "branch": 11}
NEEDED = {
    "bus": {"Pd": PD, "Qd": QD, "Gs": 4, "Bs": BS, "Va": 8, "baseKV": BASE_KV},
    "gen": {"Pg": PG, "Qg": 2, "Vg": VG, "status": GEN_STATUS},
    "branch": {"r": BR_R, "x": BR_X, "b": BR_B, "ratio": TAP, "angle": SHIFT, "status": STATUS},
}  # columns of which a power flow needs every value
UNLIMITED_MVA = 99999.0  # what pandapower takes for a branch without a rating
USED = {"version", "baseMVA", "bus", "gen", "branch", "gencost", "bus_name"}
LATER = {"areas", "genfuel", "gentype"}  # without meaning for a power flow
MAX_FAULTS = 100
PADDING = {"gen": 21, "branch": 13}


def load_matpower(path: Path, with_reference: bool = True) -> tuple["pandapowerNet", list[str]]:
    """The case in a file, and notes on what was assumed or left out.

    Parameters
    ----------
    with_reference
        Whether it has to have a reference itself.

    Raises
    ------
    InputError
        With every fault: the file cannot be read, computes something, or holds values that a
        power flow cannot use.
    """
    case, notes = read_case(path)
    faults = _faults(case)
    if faults:
        more = len(faults) - MAX_FAULTS
        raise InputError(
            str(path), faults[:MAX_FAULTS] + ([f"{more} more faults"] if more > 0 else [])
        )
    case = {name: np.copy(value) if name in WIDTHS else value for name, value in case.items()}
    notes += _isolate(case)
    notes += [
        *_voltages(case),
        *_order_generators(case),
        *_references(str(path), case, with_reference),
    ]
    notes += [
        f"{name} is not used"
        for name, value in sorted(case.items())
        if name not in USED | LATER and _says_something(value)
    ]
    if not case["branch"][:, RATE_A].all():
        notes.append("branches with rateA 0 have no limit; their loading_percent says nothing")
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # checks of the net find what is endless
            return _build(case), notes
    except Exception as fault:  # whatever values that no power flow needs make pandapower raise
        reason = f"{type(fault).__name__}: {' '.join(str(fault).split())}"
        raise InputError(str(path), [f"pandapower cannot convert it ({reason})"]) from fault


def _says_something(value: Any) -> bool:
    return bool(np.any(value)) if isinstance(value, np.ndarray) else bool(value)


def _faults(case: Tables) -> list[str]:
    faults = []
    if str(case.get("version", "2")).strip() not in ("2", "2.0"):
        faults.append(f"version is {printable(str(case['version']), 40)}, expected 2")
    base = case.get("baseMVA")
    if not isinstance(base, float) or not 0 < base < np.inf:
        faults.append(f"baseMVA is {printable(str(base), 40)}, expected more than 0 MVA")
    for name, width in WIDTHS.items():
        table = case.get(name)
        if not isinstance(table, np.ndarray) or table.ndim != 2 or not len(table):
            faults.append(f"{name} is missing or empty, expected a matrix")
        elif table.shape[1] < width:
            faults.append(f"{name} has {table.shape[1]} columns, expected at least {width}")
    return faults or [*_value_faults(case), *_number_faults(case)]


def _value_faults(case: Tables) -> list[str]:
    return [
        f"{name} row {row + 1}: {column} is {case[name][row, at]:g}, expected a finite number"
        for name, columns in NEEDED.items()
        for column, at in columns.items()
        for row in np.flatnonzero(~np.isfinite(case[name][:, at]))[:20]
    ]


def _number_faults(case: Tables) -> list[str]:
    """Bus numbers that are none, stand twice or do not exist, types out of range, zero branches."""
    bus, branch = case["bus"], case["branch"]
    number = bus[:, BUS_I]
    whole = (number == np.round(number)) & (number >= 0) & (number <= MAX_INDEX)
    faults = [
        f"bus row {row + 1}: number is {number[row]:g}, expected a whole number up to {MAX_INDEX}"
        for row in np.flatnonzero(~whole)
    ]
    values, counts = np.unique(number, return_counts=True)
    faults += [
        f"bus {value:g} stands {count} times"
        for value, count in zip(values, counts, strict=True)
        if count > 1
    ]
    faults += [
        f"bus {number[row]:g}: type is {bus[row, TYPE]:g}, expected 1, 2, 3 or 4"
        for row in np.flatnonzero(~np.isin(bus[:, TYPE], (1, 2, 3, 4)))
    ]
    for name, columns in (("gen", (GEN_BUS,)), ("branch", (F_BUS, T_BUS))):
        faults += [
            f"{name} row {row + 1}: bus {case[name][row, column]:g} does not exist"
            for column in columns
            for row in np.flatnonzero(~np.isin(case[name][:, column], number))
        ]
    zero = (branch[:, BR_R] == 0) & (branch[:, BR_X] == 0)
    return faults + [
        f"branch row {row + 1} ({branch[row, F_BUS]:g} to {branch[row, T_BUS]:g}): r and x are "
        "both 0, expected an impedance"
        for row in np.flatnonzero(zero)
    ]


def _isolate(case: Tables) -> list[str]:
    """What stands at isolated buses goes out of service, as MATPOWER leaves it out."""
    bus, gen, branch = case["bus"], case["gen"], case["branch"]
    isolated = bus[bus[:, TYPE] == ISOLATED, BUS_I]
    if not len(isolated):
        return []
    gen[np.isin(gen[:, GEN_BUS], isolated), GEN_STATUS] = 0
    branch[np.isin(branch[:, [F_BUS, T_BUS]], isolated).any(axis=1), STATUS] = 0
    bus[bus[:, TYPE] == ISOLATED, PD : BS + 1] = 0
    named = ", ".join(f"{number:g}" for number in isolated[:MAX_NAMED])
    more = f" and {len(isolated) - MAX_NAMED} more" if len(isolated) > MAX_NAMED else ""
    return [f"isolated buses are out of service with all that stands at them: {named}{more}"]


def _voltages(case: Tables) -> list[str]:
    """Base voltages, which MATPOWER can do without: 1 kV where none is given at all."""
    given = case["bus"][:, BASE_KV]
    if (given > 0).all():
        return []
    if (given == 0).all():
        given[:] = 1.0
        return ["baseKV is 0 at every bus; 1 kV is assumed, so currents in kA say nothing"]
    missing = case["bus"][given <= 0]
    raise InputError(
        "bus",
        [
            f"bus {row[BUS_I]:g}: baseKV is {row[BASE_KV]:g} kV, expected more than 0 kV"
            for row in missing
        ],
    )


def _order_generators(case: Tables) -> list[str]:
    """Generators in service first, since `from_ppc` lets the first at a bus hold the voltage.

    MATPOWER takes the set-point of the last one in service; all of a bus get it, and the notes
    name those that had another.
    """
    gen = case["gen"]
    notes: list[str] = []
    on = gen[:, GEN_STATUS] > 0
    for bus in np.unique(gen[on, GEN_BUS]):
        rows = np.flatnonzero(on & (gen[:, GEN_BUS] == bus))
        last = gen[rows[-1], VG]
        other = rows[~np.isclose(gen[rows, VG], last, rtol=1e-5)]
        if len(other) and len(notes) < MAX_NAMED:
            held = ", ".join(f"row {row + 1} {gen[row, VG]:g} p.u." for row in other[:MAX_NAMED])
            notes.append(
                f"gen row {rows[-1] + 1} holds bus {bus:g} at {last:g} p.u., and {held}; as in "
                "MATPOWER the last row counts"
            )
        gen[rows, VG] = last
    order = np.argsort(~on, kind="stable")
    case["gen"] = gen[order]
    cost = case.get("gencost")
    if isinstance(cost, np.ndarray) and cost.ndim == 2 and len(cost) % len(gen) == 0:
        halves = [half[order] for half in np.split(cost, len(cost) // len(gen))]
        case["gencost"] = np.concatenate(halves)
    return notes


def _references(source: str, case: Tables, needed: bool) -> list[str]:
    """References that have a generator in service, as MATPOWER's `bustypes` chooses them.

    One without becomes a load bus; where none is left, the first bus of type 2 with a generator
    in service is the reference.

    Raises
    ------
    InputError
        One is needed, and no bus of type 2 or 3 has a generator.
    """
    bus, gen = case["bus"], case["gen"]
    fed = np.isin(bus[:, BUS_I], gen[gen[:, GEN_STATUS] > 0, GEN_BUS])
    bare = (bus[:, TYPE] == REFERENCE) & ~fed
    named = ", ".join(f"{number:g}" for number in bus[bare, BUS_I][:MAX_NAMED])
    lost = f"reference bus {named} has no generator in service" if bare.any() else ""
    bus[bare, TYPE] = LOAD
    if (bus[:, TYPE] == REFERENCE).any():
        return [f"{lost} and is a load bus, as in MATPOWER"] if lost else []
    held = np.flatnonzero((bus[:, TYPE] == HELD) & fed)
    lost = lost or "no bus is of type 3 (reference)"
    if not len(held):
        lost = f"{lost}, and no bus of type 2 has one"
        if not needed:
            return [lost]
        expected = "expected a generator in service at either, or --slack BUS"
        raise InputError(source, [f"{lost}; {expected}"])
    bus[held[0], TYPE] = REFERENCE
    return [f"{lost}: bus {bus[held[0], BUS_I]:g}, the first of type 2, is it, as in MATPOWER"]


def _build(case: Tables) -> "pandapowerNet":
    bus, branch = case["bus"], case["branch"]
    row = {number: at for at, number in enumerate(bus[:, BUS_I])}
    ends = np.array([[row[number] for number in pair] for pair in branch[:, [F_BUS, T_BUS]]])
    kv = bus[ends, BASE_KV]
    is_line = (kv[:, 0] == kv[:, 1]) & np.isin(branch[:, TAP], (0, 1)) & (branch[:, SHIFT] == 0)
    ratio = np.where(branch[:, TAP] == 0, 1.0, branch[:, TAP])
    charging = np.where(is_line | (branch[:, STATUS] == 0), 0.0, branch[:, BR_B])
    mvar = charging / 2 * case["baseMVA"]
    np.add.at(bus[:, BS], ends[:, 0], mvar / ratio**2)
    np.add.at(bus[:, BS], ends[:, 1], mvar)
    ppc: dict[str, Any] = {
        "baseMVA": case["baseMVA"],
        "bus": bus,
        "gen": _padded(case["gen"], PADDING["gen"]),
        "branch": _padded(branch[is_line], PADDING["branch"]),
        "bus_name": _names(case),
    }
    if isinstance(case.get("gencost"), np.ndarray):
        ppc["gencost"] = case["gencost"]
    ppc["branch"][:, TAP] = 1.0
    with listening():
        from pandapower.converter.pypower import from_ppc

        net = from_ppc(ppc, f_hz=50)
        if not is_line.all():
            _add_transformers(net, case, ~is_line, kv, ratio)
    _keep_voltages(net, bus)
    return net


def _keep_voltages(net: "pandapowerNet", bus: np.ndarray) -> None:
    """The file's own voltages as those of an earlier power flow, which one may begin with."""
    from pandas import DataFrame

    kept = DataFrame({"vm_pu": bus[:, VM], "va_degree": bus[:, VA]}, bus[:, BUS_I].astype(int))
    net["res_bus"] = kept.reindex(net.bus.index)


def _padded(table: np.ndarray, width: int) -> np.ndarray:
    return np.pad(table, ((0, 0), (0, max(width - table.shape[1], 0))))


def _names(case: Tables) -> np.ndarray:
    """Names of the buses, their numbers where the file has none."""
    numbers = [f"{number:g}" for number in case["bus"][:, BUS_I]]
    names = case.get("bus_name")
    if not isinstance(names, list) or len(names) != len(numbers):
        return np.array(numbers, dtype=object)
    return np.array([name or number for name, number in zip(names, numbers, strict=True)], object)


def _add_transformers(
    net: "pandapowerNet",
    case: Tables,
    rows: np.ndarray,
    kv: np.ndarray,
    ratio: np.ndarray,
) -> None:
    """Branches with a ratio, a shift or two voltages, with the tap at their first bus."""
    from pandapower.create import create_transformers_from_parameters

    branch, kv, ratio = case["branch"][rows], kv[rows], ratio[rows]
    first_is_high = kv[:, 0] >= kv[:, 1]
    sn_mva = np.where(branch[:, RATE_A] == 0, UNLIMITED_MVA, branch[:, RATE_A])
    percent = 100 * sn_mva / case["baseMVA"]
    r, x = branch[:, BR_R] * percent, branch[:, BR_X] * percent
    high = np.where(first_is_high, branch[:, F_BUS], branch[:, T_BUS]).astype(np.int64)
    low = np.where(first_is_high, branch[:, T_BUS], branch[:, F_BUS]).astype(np.int64)
    create_transformers_from_parameters(
        net, high, low, sn_mva=sn_mva, vn_hv_kv=kv.max(axis=1), vn_lv_kv=kv.min(axis=1),
        vk_percent=np.where(x < 0, -1.0, 1.0) * np.hypot(r, x), vkr_percent=r,
        pfe_kw=0.0, i0_percent=0.0, max_loading_percent=100.0,
        shift_degree=np.where(first_is_high, 1, -1) * branch[:, SHIFT],
        tap_side=np.where(first_is_high, "hv", "lv"), tap_neutral=0, tap_pos=1.0,
        tap_step_percent=(ratio - 1) * 100, tap_changer_type=np.full(len(branch), "Ratio"),
        in_service=branch[:, STATUS] != 0,
    )  # fmt: skip
