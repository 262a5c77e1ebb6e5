"""Random small grids with elements of every kind, switches, islands and options.

Each is valid: pandapower accepts it. The same seed gives the same grid.
"""

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any

import numpy as np
import pandapower as pp
import pandas as pd

TAP_KINDS = ("Ratio", "Symmetrical", "Ideal")
LEVELS = (110.0, 20.0, 10.0, 0.4)


@cache
def _empty() -> Any:
    return pp.create_empty_network(sn_mva=1.0)


class Draw:
    """One random grid while it is made."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.net = deepcopy(_empty())  # to make an empty net takes pandapower 0.2 s
        self.net.sn_mva = float(self.rng.choice([1.0, 10.0, 100.0]))
        self.levels: dict[float, list[int]] = {kv: [] for kv in LEVELS}
        self.shifts = bool(self.rng.random() < 0.4)  # transformers that turn the angle
        self.options: dict[str, Any] = {}

    def chance(self, share: float) -> bool:
        """True with this probability."""
        return bool(self.rng.random() < share)

    def between(self, low: float, high: float) -> float:
        """A number of a range."""
        return float(self.rng.uniform(low, high))

    def number(self, most: int) -> int:
        """A whole number from 0."""
        return int(self.rng.integers(0, most + 1))

    def pick(self, values: Any) -> Any:
        """One of some values."""
        return values[int(self.rng.integers(len(values)))]

    def on(self) -> bool:
        """Whether an element is in service: most are."""
        return self.chance(0.93)

    def bus(self, *levels: float) -> int:
        """A bus of one of the levels, of any where none is named."""
        return int(self.pick([at for kv in (levels or LEVELS) for at in self.levels[kv]]))

    def kv(self, bus: int) -> float:
        """Its rated voltage."""
        return float(self.net.bus.at[bus, "vn_kv"])

    def size_mw(self, bus: int) -> float:
        """A power that suits the level of a bus."""
        most = {110.0: 12.0, 20.0: 2.5, 10.0: 1.2, 0.4: 0.04}[self.kv(bus)]
        return most * self.between(0.1, 1.0)


def random_grid(seed: int) -> tuple[Any, dict[str, Any]]:
    """A grid, and options of `runpp` to solve it with."""
    draw = Draw(seed)
    _levels(draw)
    _sources(draw)
    for add in ADDED:
        for _ in range(draw.number(2)):
            add(draw)
    _shunt_table(draw)
    _switches(draw)
    _out_of_service(draw)
    _options(draw)
    return draw.net, draw.options


def _levels(draw: Draw) -> None:
    for kv, least, most in ((110.0, 1, 3), (20.0, 1, 4), (10.0, 0, 2), (0.4, 0, 2)):
        for _ in range(least + draw.number(most - least)):
            draw.levels[kv].append(int(pp.create_bus(draw.net, kv)))
        _mesh(draw, kv)
    _transformer(draw, 110.0, 20.0)
    if draw.chance(0.4):
        _transformer(draw, 110.0, 20.0)
    if draw.levels[10.0]:
        if draw.chance(0.6):
            _three_windings(draw)
        else:
            _transformer(draw, 20.0, 10.0)
    if draw.levels[0.4]:
        _transformer(draw, 20.0, 0.4)


def _mesh(draw: Draw, kv: float) -> None:
    """Lines as a random tree, and now and then one more."""
    buses = draw.levels[kv]
    for at in range(1, len(buses)):
        _line(draw, buses[at], int(draw.pick(buses[:at])))
    if len(buses) > 2 and draw.chance(0.4):
        _line(draw, buses[0], buses[-1])


def _line(draw: Draw, start: int, end: int) -> None:
    kv = draw.kv(start)
    km = {110.0: 20.0, 20.0: 4.0, 10.0: 2.0, 0.4: 0.2}[kv] * draw.between(0.2, 1.0)
    r = {110.0: 0.12, 20.0: 0.2, 10.0: 0.2, 0.4: 0.25}[kv] * draw.between(0.5, 1.5)
    pp.create_line_from_parameters(
        draw.net, start, end, km, r, draw.between(0.5, 3.0) * r, draw.between(5.0, 300.0),
        draw.between(0.1, 0.6), df=draw.between(0.7, 1.0), parallel=1 + draw.number(1),
        g_us_per_km=draw.between(0.0, 2.0) if draw.chance(0.3) else 0.0, in_service=draw.on(),
        alpha=0.004, temperature_degree_celsius=draw.between(0.0, 80.0),
    )  # fmt: skip


def _tap(draw: Draw, sides: tuple[str, ...], prefix: str = "tap") -> dict[str, Any]:
    kind = draw.pick(TAP_KINDS)
    degree = {"Ratio": draw.pick((0.0, 0.0, 60.0)), "Symmetrical": 90.0, "Ideal": 1.5}[kind]
    percent = 0.0 if kind == "Ideal" else draw.between(0.5, 2.0)
    return {
        f"{prefix}_side": draw.pick(sides),
        f"{prefix}_neutral": draw.number(1),
        f"{prefix}_min": -5,
        f"{prefix}_max": 5,
        f"{prefix}_pos": draw.number(6) - 3,
        f"{prefix}_step_percent": percent,
        f"{prefix}_step_degree": degree,
        f"{prefix}_changer_type": kind,
    }


def _transformer(draw: Draw, high: float, low: float) -> None:
    mva = {20.0: 40.0, 10.0: 10.0, 0.4: 0.63}[low]
    tap: dict[str, Any] = {}
    if draw.chance(0.7):
        tap = _tap(draw, ("hv", "lv"))
        if draw.chance(0.2):
            tap |= _tap(draw, ("hv", "lv"), "tap2")
    made = pp.create_transformer_from_parameters(
        draw.net, draw.bus(high), draw.bus(low), mva * draw.between(0.6, 1.2),
        high * draw.between(0.97, 1.05), low * draw.between(1.0, 1.05),
        draw.between(0.3, 1.5), draw.between(4.0, 12.0), mva * draw.between(0.3, 1.2),
        draw.between(0.05, 0.5), shift_degree=draw.pick((0.0, 30.0, 150.0)) if draw.shifts else 0.0,
        parallel=1 + draw.number(1), df=draw.between(0.8, 1.0), in_service=draw.on(), **tap,
    )  # fmt: skip
    if draw.chance(0.2):
        for name in ("leakage_resistance_ratio_hv", "leakage_reactance_ratio_hv"):
            if name not in draw.net.trafo:
                draw.net.trafo[name] = 0.5
            draw.net.trafo.loc[made, name] = draw.between(0.2, 0.8)
    for name in ("leakage_resistance_ratio_hv", "leakage_reactance_ratio_hv"):
        if name in draw.net.trafo:
            draw.net.trafo[name] = draw.net.trafo[name].fillna(0.5)


def _three_windings(draw: Draw) -> None:
    tap: dict[str, Any] = {}
    if draw.chance(0.7):
        tap = _tap(draw, ("hv", "mv", "lv")) | {"tap_at_star_point": draw.chance(0.3)}
    turn = {"shift_mv_degree": 30.0, "shift_lv_degree": 150.0} if draw.shifts else {}
    pp.create_transformer3w_from_parameters(
        draw.net, draw.bus(110.0), draw.bus(20.0), draw.bus(10.0), 110.0 * draw.between(0.97, 1.03),
        20.0 * draw.between(1.0, 1.04), 10.0 * draw.between(1.0, 1.04), 40.0, 25.0, 15.0,
        draw.between(9.0, 12.0), draw.between(9.0, 12.0), draw.between(9.0, 12.0),
        draw.between(0.2, 0.4), draw.between(0.2, 0.4), draw.between(0.2, 0.4),
        draw.between(10.0, 60.0), draw.between(0.05, 0.3), in_service=draw.on(), **turn, **tap,
    )  # fmt: skip


def _sources(draw: Draw) -> None:
    for number in range(1 + (draw.number(2) if draw.chance(0.4) else 0)):
        bus = draw.levels[110.0][0] if number == 0 else draw.bus(110.0, 20.0)
        pp.create_ext_grid(
            draw.net, bus, vm_pu=draw.between(0.99, 1.03),
            va_degree=draw.between(-5.0, 5.0) if draw.chance(0.3) else 0.0,
            slack_weight=draw.between(0.5, 3.0),
        )  # fmt: skip
    buses, made = draw.net.ext_grid["bus"], draw.net.ext_grid
    for name in ("vm_pu", "va_degree"):  # at one bus they have to agree
        made[name] = made.groupby(buses)[name].transform("first")


def _load(draw: Draw) -> None:
    bus = draw.bus()
    p = draw.size_mw(bus)
    parts: dict[str, Any] = {}
    if draw.chance(0.5):
        for power in "pq":
            z = draw.between(0.0, 100.0)
            i = draw.between(0.0, 100.0 - z)
            parts |= {f"const_z_{power}_percent": z, f"const_i_{power}_percent": i}
    scaling = draw.between(0.5, 1.3) if draw.chance(0.3) else 1.0
    pp.create_load(
        draw.net, bus, p, p * draw.between(-0.2, 0.5), scaling=scaling, in_service=draw.on(),
        type=draw.pick(("wye", "delta")), **parts,
    )  # fmt: skip


def _sgen(draw: Draw) -> None:
    bus = draw.bus()
    p = draw.size_mw(bus)
    pp.create_sgen(
        draw.net, bus, p, p * draw.between(-0.4, 0.4), scaling=draw.between(0.5, 1.2),
        in_service=draw.on(),
    )  # fmt: skip


def _storage(draw: Draw) -> None:
    bus = draw.bus()
    p = draw.size_mw(bus) * draw.pick((-1.0, 1.0))
    pp.create_storage(
        draw.net, bus, p, 10.0, q_mvar=0.2 * p, scaling=draw.between(0.5, 1.2), in_service=draw.on()
    )


def _motor(draw: Draw) -> None:
    bus = draw.bus()
    pp.create_motor(
        draw.net, bus, draw.size_mw(bus), draw.between(0.7, 0.98), draw.between(70.0, 98.0),
        draw.between(20.0, 110.0), scaling=draw.between(0.5, 1.2), in_service=draw.on(),
    )  # fmt: skip


def _one_phase(draw: Draw) -> None:
    bus = draw.bus()
    build = draw.pick((pp.create_asymmetric_load, pp.create_asymmetric_sgen))
    p, q = draw.rng.uniform(0.1, 0.4, (2, 3)) * draw.size_mw(bus)
    names = [f"{power}_{phase}_{unit}" for power, unit in (("p", "mw"), ("q", "mvar"))
             for phase in "abc"]  # fmt: skip
    given = dict(zip(names, [*p, *q], strict=True))
    build(draw.net, bus, **given, scaling=draw.between(0.6, 1.2), in_service=draw.on())


def _shunt(draw: Draw) -> None:
    bus = draw.bus()
    p = draw.size_mw(bus)
    step = draw.number(3)
    pp.create_shunt(
        draw.net, bus, p * draw.between(-0.5, 0.5), 0.05 * p, draw.kv(bus) * draw.between(0.9, 1.1),
        step=step, max_step=3, in_service=draw.on(),
    )  # fmt: skip


def _shunt_table(draw: Draw) -> None:
    """One shunt, the only one, whose steps are those of a table."""
    shunt = draw.net.shunt
    if len(shunt) != 1 or draw.chance(0.6):
        return
    shunt["id_characteristic_table"] = 0
    shunt["step_dependency_table"] = True
    q = float(shunt["q_mvar"].iloc[0]) * draw.rng.uniform(0.5, 2.0, 4)
    table = {"id_characteristic": 0, "step": [0, 1, 2, 3], "q_mvar": q, "p_mw": 0.05 * abs(q)}
    draw.net["shunt_characteristic_table"] = pd.DataFrame(table)


def _ward(draw: Draw) -> None:
    bus = draw.bus()
    p = draw.size_mw(bus)
    ps, qs, pz, qz = p * draw.rng.uniform(-0.3, 0.6, 4)
    if draw.chance(0.5):
        pp.create_ward(draw.net, bus, ps, qs, pz, qz, in_service=draw.on())
        return
    ohm = draw.kv(bus) ** 2 / (10.0 * p)
    pp.create_xward(
        draw.net, bus, ps, qs, pz, qz, ohm * draw.between(0.05, 0.3), ohm * draw.between(0.3, 1.0),
        draw.between(0.98, 1.03), in_service=draw.on(),
        slack_weight=draw.between(0.1, 1.0) if draw.chance(0.5) else 0.0,
    )  # fmt: skip


def _impedance(draw: Draw) -> None:
    kv = draw.pick([kv for kv in LEVELS if len(draw.levels[kv]) > 1] or [None])
    if kv is None:
        return
    start, end = draw.rng.choice(draw.levels[kv], 2, replace=False)
    r, x = draw.between(0.005, 0.05), draw.between(0.02, 0.2)
    more: dict[str, float] = {}
    if draw.chance(0.5):
        more = {"rtf_pu": r * draw.between(0.7, 1.4), "xtf_pu": x * draw.between(0.7, 1.4)}
    if draw.chance(0.5):
        more |= {name: draw.between(-0.02, 0.02) for name in ("gf_pu", "bf_pu", "gt_pu", "bt_pu")}
    mva = {110.0: 50.0, 20.0: 10.0, 10.0: 5.0, 0.4: 0.4}[kv]
    pp.create_impedance(draw.net, int(start), int(end), r, x, mva, in_service=draw.on(), **more)


def _gen(draw: Draw) -> None:
    bus = draw.bus(110.0, 20.0, 10.0)
    p = draw.size_mw(bus)
    same = draw.net.gen.index[draw.net.gen["bus"] == bus]
    vm = draw.net.gen.at[same[0], "vm_pu"] if len(same) else draw.between(0.99, 1.03)
    at_source = draw.net.ext_grid["vm_pu"][draw.net.ext_grid["bus"] == bus]
    if len(at_source):
        vm = at_source.iloc[0]
    limits: dict[str, float] = {}
    if draw.chance(0.7):
        limits = {"min_q_mvar": -p * draw.between(0.1, 0.8), "max_q_mvar": p * draw.between(0.1, 1)}
    pp.create_gen(
        draw.net, bus, p, vm_pu=vm, scaling=draw.between(0.6, 1.1), slack=draw.chance(0.07),
        slack_weight=draw.between(0.2, 2.0) if draw.chance(0.5) else 0.0, in_service=draw.on(),
        **limits,
    )  # fmt: skip


def _dcline(draw: Draw) -> None:
    if draw.chance(0.5):
        return
    buses = [at for kv in (110.0, 20.0) for at in draw.levels[kv]]
    start, end = (int(at) for at in draw.rng.choice(buses, 2, replace=False))
    held = set(draw.net.gen["bus"]) | set(draw.net.ext_grid["bus"]) | set(
        draw.net.dcline[["from_bus", "to_bus"]].to_numpy().ravel()
    )  # fmt: skip
    if {start, end} & held:
        return
    names = [f"{side}_q_{end}_mvar" for end in ("from", "to") for side in ("min", "max")]
    limits = dict(zip(names, (-3.0, 3.0, -3.0, 3.0), strict=True)) if draw.chance(0.7) else {}
    p = draw.between(-2.0, 3.0)
    pp.create_dcline(
        draw.net, start, end, p, draw.between(0.0, 3.0), draw.between(0.0, 0.1),
        draw.between(0.99, 1.02), draw.between(0.99, 1.02), in_service=draw.on(), **limits,
    )  # fmt: skip


ADDED: tuple[Callable[[Draw], None], ...] = (
    _load, _load, _sgen, _storage, _motor, _one_phase, _shunt, _ward, _impedance, _gen, _dcline,
)  # fmt: skip


def _switches(draw: Draw) -> None:
    net = draw.net
    for _ in range(draw.number(2)):  # buses beside others, behind switches
        at = draw.bus()
        extra = int(pp.create_bus(net, draw.kv(at)))
        z_ohm = draw.between(0.001, 0.05) * draw.kv(at) if draw.chance(0.5) else 0.0
        pp.create_switch(net, at, extra, "b", closed=draw.chance(0.8), z_ohm=z_ohm)
        draw.levels[draw.kv(at)].append(extra)
        pp.create_load(net, extra, 0.3 * draw.size_mw(extra), 0.02)
    for kind, et, ends in (
        ("line", "l", ("from_bus", "to_bus")),
        ("trafo", "t", ("hv_bus", "lv_bus")),
        ("trafo3w", "t3", ("hv_bus", "mv_bus", "lv_bus")),
    ):
        for at in net[kind].index:
            for end in ends:
                if draw.chance(0.12):
                    closed = draw.chance(0.4)
                    pp.create_switch(net, int(net[kind].at[at, end]), int(at), et, closed=closed)


def _out_of_service(draw: Draw) -> None:
    """Now and then a bus, with all that is at it, so that nothing is in service at a dead bus."""
    net = draw.net
    if not draw.chance(0.15):
        return
    bus = draw.bus()
    if bus in set(net.ext_grid["bus"]) or bus in set(net.gen["bus"]):
        return
    net.bus.loc[bus, "in_service"] = False
    for kind in ("load", "sgen", "storage", "motor", "asymmetric_load", "asymmetric_sgen", "shunt",
                 "ward", "xward"):  # fmt: skip
        net[kind].loc[net[kind]["bus"] == bus, "in_service"] = False
    for kind, ends in (
        ("line", ("from_bus", "to_bus")), ("impedance", ("from_bus", "to_bus")),
        ("dcline", ("from_bus", "to_bus")), ("trafo", ("hv_bus", "lv_bus")),
        ("trafo3w", ("hv_bus", "mv_bus", "lv_bus")),
    ):  # fmt: skip
        for end in ends:
            net[kind].loc[net[kind][end] == bus, "in_service"] = False


def _options(draw: Draw) -> None:
    asked = {
        "trafo_model": ("t", "t", "pi"),
        "trafo3w_losses": ("hv", "mv", "lv", "star"),
        "calculate_voltage_angles": (True, True, True, False, "auto"),
        "trafo_loading": ("current", "power"),
        "voltage_depend_loads": (True, True, False),
        "enforce_q_lims": (False, False, True),
        "distributed_slack": (False, False, False, True),
        "switch_rx_ratio": (2, 0.7),
        "neglect_open_switch_branches": (False, False, True),
        "consider_line_temperature": (False, False, True),
    }
    draw.options = {name: draw.pick(values) for name, values in asked.items() if draw.chance(0.6)}
