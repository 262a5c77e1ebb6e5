"""What is known when a supply temperature is planned: network, forecast, prices, and the curve."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from tvilling.rl_control.control.controllers import HeatingCurve
from tvilling.rl_control.supply_temperature.cost import HeatCost
from tvilling.rl_control.supply_temperature.profile import curve_setpoints
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.system import Values
from tvilling.sciml.systems.heat_network import HeatNetwork, HeatState

HOUR_S = 3600.0


@dataclass(frozen=True)
class SupplyWindow:
    """What is known when a plan is made.

    Attributes
    ----------
    network
        With one source.
    state
        Of the network at the start.
    drive
        Forecast of `heat_w` `[time, consumer]` and `ground_degc` `[time]`.
    cost
        Prices and sources of heat, by the same steps.
    curve_degc
        What the heating curve sends at every full hour, the end of the window included: what is
        done today, what the plan starts from and returns to, and what is done where there is no
        plan.
    start
        UTC time of the first hour.
    dt_s
        Length of a step [s], a whole part of an hour.
    run_out_h
        Hours at the end that follow the curve whatever the plan. So consumers are looked after
        beyond the last set-point, and runs that are compared end with the same water.
    """

    network: HeatNetwork
    state: HeatState
    drive: Values
    cost: HeatCost
    curve_degc: Float[np.ndarray, " node"]
    start: str
    dt_s: float = 900.0
    run_out_h: int = 12

    @classmethod
    def settled(
        cls,
        network: HeatNetwork,
        drive: Values,
        cost: HeatCost,
        curve: tuple[HeatingCurve, Float[np.ndarray, " time"]],
        start: str,
        dt_s: float = 900.0,
        run_out_h: int = 12,
    ) -> "SupplyWindow":
        """A window from the steady state of its first step; `curve` and the outdoor °C it sees."""
        law, outdoor_degc = curve
        at_hours = np.asarray(outdoor_degc, float)[:: round(HOUR_S / dt_s)]
        sent = curve_setpoints(law, np.append(at_hours, outdoor_degc[-1]))
        first = {name: drive[name][0] for name in ("heat_w", "ground_degc")}
        state, _ = jax.jit(HeatNetwork.steady)(network, {"supply_degc": jnp.array(sent[:1])}, first)
        return cls(network, state, drive, cost, sent, start, dt_s, run_out_h)

    @property
    def hours(self) -> int:
        """Length, run-out included."""
        return len(self.curve_degc) - 1

    @property
    def steps_per_hour(self) -> int:
        """Steps in an hour."""
        return round(HOUR_S / self.dt_s)

    def check(self) -> None:
        """Refuse what no plan can be made for.

        Raises
        ------
        InputError
            With every fault: several sources, lengths that do not fit, steps that do not divide an
            hour, values that are missing.
        """
        steps = self.hours * self.steps_per_hour
        timed = {**self.drive, **vars(self.cost), "curve_degc": self.curve_degc}
        lengths = {name: steps for name in (*self.drive, *vars(self.cost))}
        lengths["curve_degc"] = self.hours + 1
        faults = []
        if len(self.network.layout.source_names) != 1:
            faults.append(f"{len(self.network.layout.source_names)} sources, expected 1")
        if not np.isclose(self.steps_per_hour * self.dt_s, HOUR_S):
            faults.append(f"dt_s is {self.dt_s:g} s, expected a whole part of 3600 s")
        if not 1 <= self.run_out_h <= self.hours - 2:
            faults.append(f"run_out_h is {self.run_out_h} h, expected 1 to {self.hours - 2} h")
        for name, values in timed.items():
            shape = np.shape(values)
            if shape[:1] != (lengths[name],):
                faults.append(f"{name} has {shape[:1]} values in time, expected {lengths[name]}")
            elif not np.all(np.isfinite(values)):
                at = np.argwhere(~np.isfinite(np.asarray(values)))[0][0]
                faults.append(f"{name} is not a finite number, first at place {at} in time")
        missing = {"heat_w", "ground_degc"} - set(self.drive)
        faults += [f"drive {name} is not given" for name in sorted(missing)]
        if faults:
            raise InputError("supply window", faults)


def load_by_consumer(
    total_w: Float[np.ndarray, " time"], weight: Float[np.ndarray, " consumer"]
) -> Float[np.ndarray, "time consumer"]:
    """A forecast of the total load as one a consumer, in fixed shares; it has no coincidence."""
    return np.asarray(total_w)[:, None] * (np.asarray(weight) / np.sum(weight))
