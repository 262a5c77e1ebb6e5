"""A reference for a grid whose file has none, at the bus that the user names."""

from typing import TYPE_CHECKING

import numpy as np

from tvilling.datasets.readers.power_grid.checks import in_service, slack_faults
from tvilling.datasets.readers.power_grid.labels import element
from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    from pandapower import pandapowerNet

HELD_PU = 1.0  # where neither a generator nor an earlier power flow gives a voltage


def add_slack(net: "pandapowerNet", bus: str) -> list[str]:
    """Make the bus called `bus`, or of that index, the reference, in place.

    Generators in service there become slack machines; where there are none, an external grid
    holds the voltage that the file keeps of the bus, else 1 p.u.

    Returns
    -------
    list[str]
        A note that says so.

    Raises
    ------
    InputError
        The grid has a reference, or there is no such bus in service.
    """
    if not slack_faults(net):
        raise InputError(
            "options", [f"--slack is {bus!r}, and the file has a reference of its own"]
        )
    rows = np.flatnonzero(net.bus["name"].astype(str).to_numpy() == bus)
    if not len(rows) and bus.isdecimal():
        rows = np.flatnonzero(net.bus.index == int(bus))
    if len(rows) != 1:
        count = "no bus of that name or index" if not len(rows) else f"{len(rows)} buses of it"
        raise InputError("options", [f"--slack is {bus!r}, and there is {count}"])
    row, index = int(rows[0]), net.bus.index[int(rows[0])]
    called = element(net.bus, "bus", row)
    if not in_service(net.bus)[row]:
        raise InputError("options", [f"--slack is {bus!r}, and {called} is out of service"])
    there = in_service(net.gen) & (net.gen["bus"] == index).to_numpy(bool)
    if there.any():
        at = int(np.flatnonzero(there)[0])
        net.gen["slack"] = net.gen["slack"].eq(True).to_numpy(bool) | there
        by = f"{element(net.gen, 'gen', at)} at {net.gen['vm_pu'].iloc[at]:g} p.u."
        return [f"{called} is the reference, as --slack asks, held by {by}"]
    from pandapower.create import create_ext_grid

    kept = net["res_bus"].get("vm_pu", {})
    vm_pu = float(kept.get(index, HELD_PU))
    vm_pu = vm_pu if np.isfinite(vm_pu) and vm_pu > 0 else HELD_PU
    create_ext_grid(net, index, vm_pu=vm_pu, name="--slack")
    return [f"{called} is the reference, as --slack asks, held at {vm_pu:g} p.u."]
