"""Random small heat networks against pandapipes: no silent disagreement."""

import os
from collections import Counter
from typing import Any

import numpy as np
import pytest
from pandapipes.pf.pipeflow_setup import PipeflowNotConverged
from pandapipes_compare import FLOW_SHARE, JUNCTION_K, PRESSURE_BAR, ours
from pandapipes_peer import KELVIN, our_gravity, solve
from random_heat_nets import random_net

from tvilling.sciml.core.errors import InputError

STILL_KG_PER_S = 1e-6
SMALL_FLOW_KG_PER_S = 1e-6
FAST_SHAPES = (2, 3, 5, 9)  # open and closed, several sources, water that runs in a circle
FAST = [(shape, draw) for shape in FAST_SHAPES for draw in range(7)]
SLOW = [(shape, draw) for shape in (0, 1, *range(10, 60)) for draw in range(40)]
BRANCHES = ("pipe", "valve", "heat_exchanger", "pump", "heat_consumer", "flow_control",
            "circ_pump_pressure", "circ_pump_mass")  # fmt: skip


def solved_by_peer(net: Any) -> bool:
    """Whether pandapipes solves `net`; external grids that take water in hold no temperature."""
    options = {"friction_model": "nikuradse", "use_numba": False}
    try:
        with our_gravity():
            solve(net, mode="hydraulics", **options)
            if len(net.ext_grid):
                takes_in = net.res_ext_grid["mdot_kg_per_s"].to_numpy() > -STILL_KG_PER_S
                net.ext_grid.loc[takes_in, "type"] = "p"
            solve(net, mode="bidirectional" if follows_inlet(net) else "sequential", **options)
    except (PipeflowNotConverged, UserWarning, np.linalg.LinAlgError, ValueError):
        return False
    return bool(np.isfinite(net.res_junction["p_bar"]).all())


def follows_inlet(net: Any) -> bool:
    """Whether a consumer's flow depends on the temperature of its inlet."""
    return "heat_consumer" in net and bool(net.heat_consumer["treturn_k"].notna().any())


def inflows(net: Any) -> np.ndarray:
    """What flows into each junction through branches [kg/s]."""
    total = np.zeros(len(net.junction))
    for table in BRANCHES:
        if table not in net or not len(net[table]) or table == "valve":
            continue
        start, end = (
            ("return_junction", "flow_junction")
            if table.startswith("circ")
            else ("from_junction", "to_junction")
        )
        flow = net[f"res_{table}"]["mdot_from_kg_per_s"].to_numpy()
        arrives = np.where(flow > 0, net[table][end], net[table][start]).astype(int)
        np.add.at(total, arrives, np.abs(np.nan_to_num(flow)))
    return total


def held_while_mixing(net: Any) -> bool:
    """Whether water flows into a junction that feeds: the peer holds its temperature, we mix."""
    if not len(net.ext_grid):
        return False
    feeds = net.res_ext_grid["mdot_kg_per_s"].to_numpy() < -STILL_KG_PER_S
    at = net.ext_grid["junction"].to_numpy(int)[feeds]
    return bool((inflows(net)[at] > STILL_KG_PER_S).any())


def booster_beyond_its_curve(net: Any) -> bool:
    """Whether a booster runs backwards or past its greatest flow: the peer has no lift there."""
    if "pump" not in net or not len(net.pump):
        return False
    return bool((net.res_pump["deltap_bar"] <= 0).any())


EXPLAINED = (held_while_mixing, booster_beyond_its_curve)


def verdict(net: Any) -> str:
    """What comes of one net: it agrees, or why not."""
    if not solved_by_peer(net):
        return "peer failed"
    try:
        _, output = ours(net)
    except InputError as error:
        return f"refused: {str(error).splitlines()[1].split(':')[-1].strip()}"
    if int(output["status"]):
        return f"flagged {int(output['status'])}"
    if not differs(net, output):
        return "agrees"
    for reason in EXPLAINED:
        if reason(net):
            return f"explained: {reason.__name__}"
    return "disagrees: " + differs(net, output)


def differs(net: Any, output: dict[str, np.ndarray]) -> str:
    """What is apart by more than the tolerances; the temperature of still water does not count."""
    count = len(net.junction)
    degc = net.res_junction["t_k"].to_numpy() - KELVIN - output["junction_degc"][:count]
    bar = net.res_junction["p_bar"].to_numpy() - output["junction_bar"][:count]
    flow = net.res_pipe["mdot_from_kg_per_s"].to_numpy()
    moves = inflows(net) > STILL_KG_PER_S
    apart = np.abs(flow - output["pipe_kg_per_s"])
    parts = []
    if (np.abs(degc[moves]) > JUNCTION_K).any():
        parts.append(f"{np.abs(degc[moves]).max():.3g} K")
    if (np.abs(bar) > PRESSURE_BAR).any():
        parts.append(f"{np.abs(bar).max():.3g} bar")
    if (apart > FLOW_SHARE * np.abs(flow) + SMALL_FLOW_KG_PER_S).any():
        parts.append(f"{apart.max():.3g} kg/s")
    return ", ".join(parts)


def counted(which: list[tuple[int, int]]) -> Counter[str]:
    """How many nets came out how; disagreements are named one by one."""
    total: Counter[str] = Counter()
    for shape, draw in which:
        found = verdict(random_net(shape, draw))
        if found.startswith("disagrees"):
            print(f"shape {shape}, draw {draw} {found}", flush=True)
        total[found.split(": ")[0] if found.startswith("disagrees") else found] += 1
    print(f"{len(which)} random networks: {dict(total)}")
    return total


def test_random_networks_agree_or_say_why_not() -> None:
    total = counted(FAST)
    assert not any(found.startswith(("disagrees", "refused")) for found in total)
    assert total["agrees"] > len(FAST) / 2


@pytest.mark.slow
def test_two_thousand_random_networks_agree_or_say_why_not() -> None:
    total = counted(SLOW[: int(os.environ.get("TVILLING_RANDOM_NETWORKS", len(SLOW)))])
    assert not total["disagrees"]
    assert total["agrees"] > 1000
