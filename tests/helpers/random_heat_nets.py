"""Random small heat networks of pandapipes: a shape from one seed, its numbers from another.

Nets of one shape differ in numbers alone, so that ours is compiled once for all of them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandapipes as pp
from pandapipes_peer import quiet, with_constant_water

CONSUMERS = (
    ("controlled_mdot_kg_per_s", "deltat_k"),
    ("controlled_mdot_kg_per_s", "treturn_k"),
    ("qext_w", "controlled_mdot_kg_per_s"),
    ("qext_w", "deltat_k"),
    ("qext_w", "treturn_k"),
)
RANGES = {
    "controlled_mdot_kg_per_s": (0.2, 0.9),
    "deltat_k": (10.0, 30.0),
    "treturn_k": (298.0, 312.0),
    "qext_w": (3e3, 40e3),
    "length_km": (0.02, 0.3),
    "inner_diameter_mm": (40.0, 110.0),
    "k_mm": (0.01, 0.4),
    "loss_coefficient": (0.5, 15.0),
    "u_w_per_m2k": (0.0, 3.0),
    "text_k": (275.0, 292.0),
    "height_m": (-5.0, 5.0),
    "bar": (5.0, 9.0),
    "supply_k": (338.0, 368.0),
    "sink_kg_per_s": (0.2, 1.2),
}


@dataclass
class Draft:
    """A net while it is made: structure from `shape`, numbers from `value`."""

    net: Any
    shape: np.random.Generator
    value: np.random.Generator

    def draw(self, name: str) -> float:
        """A number of this kind."""
        return float(self.value.uniform(*RANGES[name]))

    def chance(self, share: float) -> bool:
        """Whether this shape has something."""
        return bool(self.shape.random() < share)

    def junction(self) -> int:
        """A new junction."""
        return pp.create_junction(self.net, 5.0, 330.0, height_m=self.draw("height_m"))

    def pipe(self, start: int, end: int) -> int:
        """A pipe between two junctions, in either direction.

        One of several sections has no loss coefficient: the peer counts it once a section.
        """
        ends = (start, end) if self.chance(0.7) else (end, start)
        names = ["length_km", "inner_diameter_mm", "k_mm", "u_w_per_m2k", "text_k"]
        outer = {"outer_diameter_mm": 150.0} if self.chance(0.5) else {}
        sections = int(self.shape.integers(1, 4))
        names += ["loss_coefficient"] if sections == 1 else []
        return pp.create_pipe_from_parameters(
            self.net,
            *ends,
            sections=sections,
            **{name: self.draw(name) for name in names},
            **outer,
        )

    def line(self, start: int, end: int) -> None:
        """A pipe, now and then with something in its line: a valve, an exchanger, a booster."""
        extra = self.shape.choice(["none", "valve", "at pipe", "exchanger", "pump"],
                                  p=[0.7, 0.1, 0.08, 0.07, 0.05])  # fmt: skip
        if extra == "at pipe":
            pipe = self.pipe(start, end)
            self.valve(start, pipe, "pi")
            return
        middle = start
        if extra != "none":
            middle = self.junction()
        if extra == "valve":
            self.valve(start, middle, "ju")
        elif extra == "exchanger":
            pp.create_heat_exchanger(self.net, start, middle, self.value.uniform(0, 2e3), 60.0,
                                     loss_coefficient=self.draw("loss_coefficient"))  # fmt: skip
        elif extra == "pump":
            flow_m3_per_h = [0.0, 10.0, 20.0]
            lift = self.value.uniform(0.1, 0.4) * np.array([1.0, 0.9, 0.6])
            pp.create_pump_from_parameters(
                self.net, start, middle, f"type {len(self.net.pump)}", lift, flow_m3_per_h, 2
            )
        self.pipe(middle, end)

    def valve(self, start: int, end: int, kind: str) -> None:
        """An open valve."""
        pp.create_valve(self.net, start, end, kind, 60.0, opened=True,
                        loss_coefficient=self.draw("loss_coefficient"))  # fmt: skip

    def edges(self, count: int, loops: int) -> list[tuple[int, int]]:
        """A random tree of `count` places and a few more edges."""
        edges = [(int(self.shape.integers(0, k)), k) for k in range(1, count)]
        for _ in range(loops):
            start, end = sorted(int(k) for k in self.shape.choice(count, 2, replace=False))
            if (start, end) not in edges:
                edges.append((start, end))
        return edges


def random_net(shape: int, draw: int) -> Any:
    """Net number `draw` of a shape; every third shape is an open network."""
    net = pp.create_empty_network(fluid="water")
    with_constant_water(net)
    with quiet():  # the density for which both take a booster's curve
        pp.create_constant_property(net, "density", 1000.0, warn_on_duplicates=False)
    draft = Draft(net, np.random.default_rng(shape), np.random.default_rng([shape, draw]))
    with quiet():
        (_open if shape % 3 == 2 else _closed)(draft)
    return net


def _closed(draft: Draft) -> None:
    """Supply and return, consumers between them, circulation pumps or an open end."""
    count = int(draft.shape.integers(3, 7))
    sides = [[draft.junction() for _ in range(count)] for _ in "sr"]
    supply, back = sides
    for start, end in draft.edges(count, int(draft.shape.integers(0, 2))):
        draft.line(supply[start], supply[end])
        draft.line(back[end], back[start])
    places = draft.shape.permutation(np.arange(1, count))
    taken = 0.0
    for place in places[: max(1, len(places) - 1)]:
        taken += _consumer(draft, supply[place], back[place])
    cross = draft.chance(0.2)
    if cross:
        pp.create_heat_exchanger(
            draft.net, supply[places[-1]], back[places[-1]], draft.value.uniform(5e3, 2e4), 30.0,
            loss_coefficient=draft.value.uniform(50, 300),
        )  # fmt: skip
    ends = int(places[0]), int(places[-1])
    if cross and draft.chance(0.5):
        flow = taken + draft.value.uniform(0.5, 1.5)
        bar, supply_k = draft.draw("bar"), draft.draw("supply_k")
        pp.create_circ_pump_const_mass_flow(draft.net, back[0], supply[0], bar, flow, supply_k)
    else:
        _plants(draft, supply, back, ends)


def _consumer(draft: Draft, start: int, end: int) -> float:
    """A consumer in any mode, or a flow control; its flow, where it is given."""
    mode = int(draft.shape.integers(0, len(CONSUMERS) + 1))
    if mode == len(CONSUMERS):
        flow = draft.draw("controlled_mdot_kg_per_s")
        pp.create_flow_control(draft.net, start, end, flow)
        return flow
    set_by = {name: draft.draw(name) for name in CONSUMERS[mode]}
    pp.create_heat_consumer(draft.net, start, end, **set_by)
    return set_by.get("controlled_mdot_kg_per_s", 0.0)


def _plants(draft: Draft, supply: list[int], back: list[int], ends: tuple[int, int]) -> None:
    """A pump with a lift, and one with a flow or an open source at the far one of the `ends`."""
    near, far = ends
    net, supply_k, bar = draft.net, draft.draw("supply_k"), draft.draw("bar")
    lift, second = draft.value.uniform(1.0, 2.0), draft.shape.random()
    opened = 0.35 <= second < 0.6  # then the open source holds the pressure, and the pump none
    pp.create_circ_pump_const_pressure(
        net, back[0], supply[0], None if opened else bar, lift, supply_k
    )
    if second < 0.35:
        flow = draft.value.uniform(0.02, 0.15)
        pp.create_circ_pump_const_mass_flow(
            net, back[far], supply[far], None, flow, draft.draw("supply_k")
        )
    elif opened:
        pp.create_ext_grid(net, supply[far], bar, draft.draw("supply_k"))
    if opened or draft.chance(0.25):
        pp.create_sink(net, back[near], draft.value.uniform(0.01, 0.1))
        if not opened:
            pp.create_source(net, supply[near], float(net.sink["mdot_kg_per_s"].iloc[0]))


def _open(draft: Draft) -> None:
    """External grids, sinks and injections on one connected network."""
    net, count = draft.net, int(draft.shape.integers(4, 9))
    at = [draft.junction() for _ in range(count)]
    for start, end in draft.edges(count, int(draft.shape.integers(0, 3))):
        draft.line(at[start], at[end])
    places = [int(k) for k in draft.shape.permutation(count)]
    bar = draft.draw("bar")
    height_m = net.junction["height_m"].to_numpy()
    for k in places[: int(draft.shape.integers(1, 4))]:
        level = bar - 983.0 * 9.80665 / 1e5 * (height_m[at[k]] - height_m[at[places[0]]])
        pp.create_ext_grid(
            net, at[k], level + draft.value.uniform(-0.05, 0.05), draft.draw("supply_k")
        )
    for k in places[3 : 3 + int(draft.shape.integers(1, 4))]:
        pp.create_sink(net, at[k], draft.draw("sink_kg_per_s"), scaling=draft.value.uniform(0.5, 2))
    if draft.chance(0.4):
        pp.create_source(net, at[places[-1]], draft.value.uniform(0.05, 0.3))
