"""Powers and energies in the unit that fits their size: kW in low voltage, GW in transmission."""

from dataclasses import dataclass

import numpy as np

KILO_BELOW, GIGA_FROM = 1.0, 10_000.0  # MW or MWh
SMALL = 10.0  # kW or kWh below which digits are added


@dataclass(frozen=True)
class Unit:
    """A unit of power or energy, and how many of it are one MW or MWh."""

    prefix: str
    per_mega: float


KILO, MEGA, GIGA = Unit("k", 1e3), Unit("M", 1.0), Unit("G", 1e-3)


def number(value: float, digits: int = 0) -> str:
    """A number with its thousands apart by thin spaces."""
    return f"{value:,.{digits}f}".replace(",", "\u2009").replace("-", "\u2212")


def unit_for(values: np.ndarray | float) -> Unit:
    """The unit in which the greatest of `values` [MW or MWh] is best read."""
    size = np.abs(np.atleast_1d(np.asarray(values, float)))
    size = size[np.isfinite(size)]
    most = float(size.max()) if len(size) else 0.0
    if most < KILO_BELOW:
        return KILO
    return GIGA if most >= GIGA_FROM else MEGA


def power_text(mw: float, digits: int = 2, unit: str = "W") -> str:
    """A power with its unit; `digits` are those of MW and Mvar."""
    scale = unit_for(mw)
    value = mw * scale.per_mega
    if scale is KILO:
        digits = 1 if abs(value) >= SMALL or value == 0.0 else 3
    return f"{number(value, 3 if scale is GIGA else digits)} {scale.prefix}{unit}"


def energy_text(mwh: float) -> str:
    """An energy with its unit."""
    return power_text(mwh, 1, "Wh")
