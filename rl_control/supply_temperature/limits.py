"""What a supply temperature must keep: at every consumer, at the plant, and in its own course."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.system import Values
from tvilling.sciml.core.units import PA_PER_BAR
from tvilling.sciml.systems.heat_network import HeatNetwork

UNSERVED_SHARE = 1e-3  # of a demand, as the network's status has it
ROUNDING_BAR = 1e-5  # as the network's status has it
NO_ROW = -1e6  # of a consumer that draws nothing: kept whatever happens
KINDS: dict[str, tuple[float, str]] = {  # what a row counts in, and how it is called
    "temperature": (1.0, "K"),
    "pressure": (0.1, "bar"),
    "unserved": (0.01, "of the demand"),
    "lift": (0.1, "bar"),
    "source": (0.01, "of the greatest heat"),
}


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class SupplyLimits:
    """Limits of a plan.

    The differential pressure each consumer needs, `min_dp_bar`, stands in the network; and no
    demand may be missed.

    Attributes
    ----------
    consumer_degc
        Least temperature at the inlet of each consumer that draws heat, one number or one each;
        60 °C lets a substation make hot water of 55 °C.
    low_degc, high_degc
        Range of the supply temperature.
    ramp_k_per_h
        Greatest change of the supply temperature, up and down.
    max_lift_bar
        Greatest lift of the plant's pump.
    max_source_w
        Greatest heat that the plant can put in.
    """

    consumer_degc: float | Float[Array, " consumer"] = 60.0
    low_degc: float = 55.0
    high_degc: float = 95.0
    ramp_k_per_h: float = 10.0
    max_lift_bar: float = np.inf
    max_source_w: float = np.inf

    BOUNDS: ClassVar[dict[str, tuple[float, float, str]]] = {
        "consumer_degc": (20.0, 140.0, "°C"),
        "low_degc": (20.0, 140.0, "°C"),
        "high_degc": (20.0, 140.0, "°C"),
        "ramp_k_per_h": (0.1, 200.0, "K/h"),
        "max_lift_bar": (0.01, np.inf, "bar"),
        "max_source_w": (1.0, np.inf, "W"),
    }

    def check(self, consumers: int) -> None:
        """Refuse limits that are none.

        Raises
        ------
        InputError
            With every one that is out of range, or not one a consumer.
        """
        faults = []
        for name, (low, high, unit) in self.BOUNDS.items():
            values = np.asarray(getattr(self, name), float)
            if not np.all((values >= low) & (values <= high)):
                faults.append(f"{name} is {values} {unit}, expected {low:g} to {high:g} {unit}")
        if not faults and self.low_degc >= self.high_degc:
            faults.append(
                f"low_degc is {self.low_degc:g} °C, expected below high_degc, {self.high_degc:g} °C"
            )
        if np.shape(self.consumer_degc) not in ((), (consumers,)):
            faults.append(
                f"consumer_degc has {np.size(self.consumer_degc)} values, expected 1 or {consumers}"
            )
        if faults:
            raise InputError("limits of the supply temperature", faults)

    def excess(
        self, network: HeatNetwork, output: Values, heat_w: Float[Array, " consumer"]
    ) -> Float[Array, " row"]:
        """By how much a step misses each limit; negative: what is left.

        Counted in the units of `KINDS`, so that one stands for about as much in each: three rows a
        consumer, then lift and heat of the plant.
        """
        draws = (heat_w > 0) & jnp.asarray(network.layout.consumer_served)
        missed = (heat_w - output["delivered_w"]) / jnp.where(draws, heat_w, 1.0)
        needed_bar = network.consumer.min_dp_pa / PA_PER_BAR - ROUNDING_BAR
        by_consumer = (
            self.consumer_degc - output["consumer_supply_degc"],
            needed_bar - output["consumer_dp_bar"],
            missed - UNSERVED_SHARE,
        )
        plant = (
            output["source_lift_bar"] - self.max_lift_bar,
            output["source_w"] / self.max_source_w - 1.0,
        )
        scales = [scale for scale, _ in KINDS.values()]
        rows = [
            jnp.where(draws, row / scale, NO_ROW)
            for row, scale in zip(by_consumer, scales[:3], strict=True)
        ]
        rows += [row / scale for row, scale in zip(plant, scales[3:], strict=True)]
        return jnp.concatenate(rows)


def row_kinds(consumers: int) -> np.ndarray:
    """Number of the kind of each row of `SupplyLimits.excess`."""
    return np.repeat(np.arange(len(KINDS)), [consumers] * 3 + [1, 1])


def margins(excess: Float[Array | np.ndarray, "step row"]) -> dict[str, float]:
    """What is left of each kind of limit at its worst step, in its own unit; negative: missed."""
    kinds = row_kinds((excess.shape[1] - 2) // 3)
    return {
        name: float(-excess[:, kinds == at].max() * scale)
        for at, (name, (scale, _)) in enumerate(KINDS.items())
    }


def course_rows(
    limits: SupplyLimits, basis: np.ndarray, offset_degc: np.ndarray
) -> tuple[Float[np.ndarray, "row number"], Float[np.ndarray, " row"]]:
    """Range and ramp of the set-points as A numbers <= b, where the numbers have a say."""
    slope = np.diff(basis, axis=0)
    change = np.diff(offset_degc)
    left = np.concatenate([basis, -basis, slope, -slope])
    right = np.concatenate(
        [
            limits.high_degc - offset_degc,
            offset_degc - limits.low_degc,
            limits.ramp_k_per_h - change,
            limits.ramp_k_per_h + change,
        ]
    )
    matters = np.any(left != 0, axis=1)
    return left[matters], right[matters]
