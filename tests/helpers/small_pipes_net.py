"""A small pandapipes net that can be read, with a pump, a controller and results."""

import functools
import warnings
from copy import deepcopy
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pandapipes


def small_pipes() -> Any:
    """A source, two pipes, a booster pump and a consumer; solved, so that it holds results."""
    return deepcopy(_small_pipes())


@functools.cache
def _small_pipes() -> Any:
    net = pandapipes.create_empty_network("small", fluid="water")
    for name in ("s0", "s1", "s2", "r0", "r1"):
        pandapipes.create_junction(net, pn_bar=5, tfluid_k=350, height_m=3, name=name)
    for start, end in ((0, 1), (4, 3)):
        pandapipes.create_pipe_from_parameters(
            net, start, end, length_km=0.1, inner_diameter_mm=100, k_mm=0.1, u_w_per_m2k=0.9,
            outer_diameter_mm=114.3, loss_coefficient=1.5, text_k=281.15,
        )  # fmt: skip
    pandapipes.create_pump(net, 1, 2, std_type="P1")
    pandapipes.create_circ_pump_const_pressure(
        net, 3, 0, p_flow_bar=6, plift_bar=2, t_flow_k=353.15
    )
    pandapipes.create_heat_consumer(net, 2, 4, qext_w=1e4, treturn_k=313.15)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pandapipes.pipeflow(net, mode="bidirectional", use_numba=False, iter=50)
    return net
