"""pandapipes as the other program: the same network and the same water, solved by it."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import pandapipes as pp

from tvilling.sciml.core.water import Water, fit_water
from tvilling.sciml.systems.heat_network.hydraulics.loop_flows import GRAVITY_M_PER_S2

KELVIN = 273.15


def water_of(net: Any) -> Water:
    """The peer's water as polynomials, so that only the method is compared."""
    kelvin = np.linspace(278.0, 398.0, 121)
    fluid = net.fluid
    return fit_water(
        kelvin - KELVIN,
        _values(fluid.get_density, kelvin),
        _values(fluid.get_heat_capacity, kelvin),
        np.array([float(fluid.get_viscosity(k, p_bar=5.0)) for k in kelvin]),
    )


def solve(net: Any, **options: Any) -> Any:
    """Solve `net` to tight tolerances and give it back."""
    settings = {"mode": "bidirectional", "iter": 300, "tol_p": 1e-8, "tol_m": 1e-9, "tol_T": 1e-8}
    with quiet():
        pp.pipeflow(net, **{**settings, **options})
    return net


def with_constant_water(net: Any) -> Any:
    """`net` with water of one heat capacity, viscosity and density.

    For a consumer with a return temperature pandapipes takes the mean of the heat capacities at
    its two ends where we integrate between them; with one heat capacity the choice is the same.
    Its viscosity and density are tables of straight lines, from which any smooth curve departs
    by up to 1e-3; what drives the flow in a ring is small enough to show that.
    """
    constant = {"heat_capacity": 4186.0, "viscosity": 4.5e-4, "density": 983.0}
    for name, value in constant.items():
        pp.create_constant_property(net, name, value, warn_on_duplicates=False)
    return net


@contextmanager
def our_gravity() -> Iterator[None]:
    """The peer with our two choices: standard gravity, and pressures above that of one place.

    It has 9.81 m/s², and its gauge pressures are above that of the air at the height of each
    junction, 1.2 mbar in 10 m. Of its two implementations only the one in numpy can be changed.
    """
    from pandapipes.component_models import (
        circulation_pump_pressure_component,
        junction_component,
        pipe_component,
        valve_component,
    )
    from pandapipes.pf import derivative_toolbox

    with ExitStack() as changes:
        for module in (derivative_toolbox, circulation_pump_pressure_component):
            changes.enter_context(patch.object(module, "GRAVITATION_CONSTANT", GRAVITY_M_PER_S2))
        for module in (junction_component, pipe_component, valve_component):
            changes.enter_context(
                patch.object(module, "p_correction_height_air", lambda height: 0 * height + 1.01325)
            )
        yield


@contextmanager
def quiet() -> Iterator[None]:
    """Without the peer's warnings, which concern its own code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


def _values(get: Any, kelvin: np.ndarray) -> np.ndarray:
    return np.broadcast_to(np.asarray(get(kelvin), float), kelvin.shape)
