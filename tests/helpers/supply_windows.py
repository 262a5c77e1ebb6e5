"""One consumer behind one pipe, for plans of its supply temperature that a formula can follow."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
from heat_networks import PLAIN_WATER, line, source
from jaxtyping import Array

from tvilling.rl_control.control.controllers import HeatingCurve
from tvilling.rl_control.supply_temperature.cost import HeatCost
from tvilling.rl_control.supply_temperature.window import SupplyWindow
from tvilling.sciml.systems.heat_network import HeatNetwork, Options, build

HEAT_W, RETURN_DEGC, GROUND_DEGC, OUTDOOR_DEGC = 60e3, 40.0, 8.0, 0.0
LENGTH_M, LOSS_W_PER_MK = 120.0, 0.3
HOURS, RUN_OUT_H, STEPS_PER_HOUR = 16, 4, 2
SENT_DEGC = 75.0
FLAT = HeatingCurve(
    jnp.array(-12.0), jnp.array(15.0), jnp.array([SENT_DEGC]), jnp.array([SENT_DEGC])
)


@dataclass(frozen=True)
class Pipe:
    """Size of the supply and of the return pipe."""

    length_m: float = LENGTH_M
    inner_diameter_m: float = 0.07


def network(pipe: Pipe = Pipe(), supply_bar: float = 40.0) -> HeatNetwork:
    """Every size is the same program to JAX, compiled once; the pump keeps 0.5 bar."""
    plant = pd.DataFrame([source("plant", "s0", "r0", lift_bar=2.0, supply_bar=supply_bar)])
    consumer = {"heat_w": HEAT_W, "return_degc": RETURN_DEGC, "min_dp_bar": 0.5}
    tables = line([consumer], sources=plant)
    pipes = tables.pipes.assign(**vars(pipe), loss_w_per_mk=LOSS_W_PER_MK)
    tables = type(tables)(**{**vars(tables), "pipes": pipes})
    return build(tables, Options(water=PLAIN_WATER, cells=1, pump_control="worst_consumer"))


def window(
    price: Array | float = 0.5, built: HeatNetwork | None = None, **changed: Any
) -> SupplyWindow:
    """Sixteen hours of an even load and weather, the last four of them run-out."""
    steps = HOURS * STEPS_PER_HOUR
    drive = {
        "heat_w": jnp.full((steps, 1), HEAT_W),
        "ground_degc": jnp.full(steps, GROUND_DEGC),
    }
    prices = np.broadcast_to(np.asarray(price, float), steps)
    settled = SupplyWindow.settled(
        built or network(),
        drive,
        HeatCost.air_heat_pump(prices, np.full(steps, OUTDOOR_DEGC)),
        (FLAT, np.full(steps, OUTDOOR_DEGC)),
        "2021-02-08T00",
        3600.0 / STEPS_PER_HOUR,
        RUN_OUT_H,
    )
    return type(settled)(**{**vars(settled), **changed})


def sent_for_degc(inlet_degc: float, length_m: float = LENGTH_M) -> float:
    """Supply temperature that arrives as `inlet_degc` behind one mixed volume of pipe.

    m (T_sent - T) = U L / cp (T - T_ground), with m = Q / (cp (T - T_return)).
    """
    flow_w_per_k = HEAT_W / (inlet_degc - RETURN_DEGC)
    return inlet_degc + LOSS_W_PER_MK * length_m / flow_w_per_k * (inlet_degc - GROUND_DEGC)
