"""What a plant meets over a horizon: weather, water temperatures, prices and outages."""

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_plant.charges import Charges
from tvilling.sciml.systems.heat_plant.units import Surroundings

Hourly = Float[np.ndarray, " time"]
LIMITS = {  # of what is measured or forecast
    "price_dkk_per_kwh": (-10.0, 100.0, "DKK/kWh"),
    "outdoor_degc": (-40.0, 45.0, "°C"),
    "forward_degc": (30.0, 130.0, "°C"),
    "return_degc": (5.0, 90.0, "°C"),
    "irradiance_w_per_m2": (0.0, 1500.0, "W/m²"),
}


@dataclass(frozen=True)
class Conditions:
    """Everything that a plant does not choose, by step; only the heat demand is given apart.

    Attributes
    ----------
    time
        Start of each step, UTC, `datetime64`.
    price_dkk_per_kwh
        Spot price of power [DKK/kWh].
    outdoor_degc, forward_degc, return_degc
        Outdoors, water that leaves the plant, water that comes back [°C].
    charges
        What power and fuel cost beyond it, as long as `time`.
    irradiance_w_per_m2
        Sun on the collectors [W/m²]; without it none.
    source_degc
        Sources of heat pumps other than the air, by name [°C].
    available
        Share of a unit that can be had, by unit, 0 where it is out of service [1]; a unit that is
        not named is there.
    """

    time: np.ndarray
    price_dkk_per_kwh: Hourly
    outdoor_degc: Hourly
    forward_degc: Hourly
    return_degc: Hourly
    charges: Charges
    irradiance_w_per_m2: Hourly | None = None
    source_degc: dict[str, Hourly] = field(default_factory=dict)
    available: dict[str, Hourly] = field(default_factory=dict)

    @property
    def surroundings(self) -> Surroundings:
        """The part that decides what units can do."""
        sun = self.irradiance_w_per_m2
        return Surroundings(
            self.outdoor_degc,
            self.forward_degc,
            self.return_degc,
            np.zeros(len(self.time)) if sun is None else sun,
            dict(self.source_degc),
        )

    def part(self, steps: slice) -> "Conditions":
        """The conditions of some of the steps."""
        charges = replace(self.charges, **_parts(vars(self.charges), steps))
        kept = {name: value for name, value in vars(self).items() if name != "charges"}
        return replace(self, charges=charges, **_parts(kept, steps))

    def check(self) -> None:
        """Refuse what has the wrong length, is not a number or cannot be.

        Raises
        ------
        InputError
            With every such series.
        """
        series = {name: getattr(self, name) for name in LIMITS}
        faults = [
            fault
            for name, values in series.items()
            if values is not None
            for fault in _faults(name, values, len(self.time), LIMITS[name])
        ]
        for name, values in self.source_degc.items():
            label = f"source_degc {name}"
            faults += _faults(label, values, len(self.time), (-40.0, 100.0, "°C"))
        for name, values in self.available.items():
            faults += _faults(f"available {name}", values, len(self.time), (0.0, 1.0, ""))
        if not faults and np.any(self.forward_degc <= self.return_degc):
            faults.append("forward_degc is not above return_degc everywhere")
        if faults:
            raise InputError("conditions", faults)


def _parts(values: dict, steps: slice) -> dict:
    """`values` with every array, also those in dictionaries, cut to `steps`."""
    out: dict = {}
    for name, value in values.items():
        if isinstance(value, dict):
            out[name] = _parts(value, steps)
        else:
            out[name] = value[steps] if isinstance(value, np.ndarray) else value
    return out


def _faults(
    name: str, values: np.ndarray, steps: int, limits: tuple[float, float, str]
) -> list[str]:
    low, high, unit = limits
    if np.shape(values) != (steps,):
        return [f"{name} has shape {np.shape(values)}, expected one value a step, ({steps},)"]
    bad = np.flatnonzero(~((values >= low) & (values <= high)))
    if not len(bad):
        return []
    return [
        f"{name} is {values[bad[0]]:g} {unit} at step {bad[0]} and outside at {len(bad) - 1} "
        f"others, expected {low:g} to {high:g} {unit}"
    ]
