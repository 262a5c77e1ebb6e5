"""A small pandapower net that can be solved, and its file."""

import functools
import warnings
from copy import deepcopy
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pandapower


def small() -> Any:
    """110/20 kV, a cable, a load and a generator; it can be solved."""
    return deepcopy(_small())


@functools.cache
def _small() -> Any:
    net = pandapower.create_empty_network()
    for name, kv in (("high", 110.0), ("low", 20.0), ("end", 20.0)):
        pandapower.create_bus(net, kv, name=name)
    pandapower.create_ext_grid(net, 0, vm_pu=1.0)
    pandapower.create_transformer(net, 0, 1, "25 MVA 110/20 kV", name="T1", tap_pos=-2)
    pandapower.create_line(net, 1, 2, 3.0, "NA2XS2Y 1x240 RM/25 12/20 kV", name="cable")
    pandapower.create_load(net, 2, 4.0, 1.0, name="mill")
    pandapower.create_sgen(net, 2, 1.0, name="sun")
    pandapower.create_switch(net, 1, 0, et="l", name="breaker")
    return net


def written(net: Any, path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pandapower.to_json(net, str(path))
    return path
