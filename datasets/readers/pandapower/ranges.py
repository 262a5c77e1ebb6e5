"""Ranges of the quantities of a power grid.

Every range holds what
published cases have, with room: their lines and transformers have negative resistances and
reactances (equivalents of parts that were reduced away), and impedances of 10 000 p.u. or ratings
of 99999 where nothing is meant to flow or to be limited. What is beyond is a slip of the unit or of
the pen, and would make a power flow overflow. Checks of the net use these ranges, whatever kind of
file it came from.
"""

import re
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Needed:
    """A column of numbers: its unit, its range, and whether a table may do without it."""

    name: str
    unit: str
    low: float
    high: float
    optional: bool = False
    blank: bool = False  # a row may go without a value
    endless: bool = False  # infinity is no limit

    def expected(self) -> str:
        """The range in words."""
        unit = f" {self.unit}" if self.unit else ""
        return f"expected {_brief(self.low)} to {_brief(self.high)}{unit}"

    def outside(self, value: np.ndarray) -> np.ndarray:
        """Which values are out of range; what is no number is."""
        inside = (value >= self.low) & (value <= self.high)
        if self.endless:
            inside |= np.isinf(value) & ((value < 0) == self.name.startswith("min_"))
        return ~inside


def _brief(number: float) -> str:
    return re.sub(r"e([-+])0*", lambda found: f"e{found[1]}".replace("+", ""), f"{number:g}")


QUANTITIES: dict[str, tuple[str, float, float]] = {
    "angle": ("degree", -3600.0, 3600.0),
    "capacitance": ("nF/km", -1e12, 1e12),  # of a line of 1 km between buses of 0.2 kV, too
    "conductance": ("µS/km", -1e12, 1e12),
    "count": ("", 1.0, 1e4),
    "current limit": ("kA", 0.0, 1e9),
    "derating": ("", 1e-3, 1.0),
    "efficiency": ("%", 0.1, 100.0),
    "frequency": ("Hz", 1.0, 1000.0),
    "impedance": ("p.u.", -1e6, 1e6),
    "length": ("km", 1e-6, 1e5),
    "loss share": ("%", -100.0, 100.0),
    "losses": ("kW", -1e6, 1e6),
    "loading": ("%", -1e4, 1e4),
    "loading limit": ("%", 1e-3, 1e9),
    "power": ("MW", -1e6, 1e6),
    "power factor": ("", 1e-3, 1.0),
    "power limit": ("MW", -1e12, 1e12),
    "rated power": ("MVA", 1e-6, 1e6),
    "ratio": ("", 0.0, 1.0),
    "rating that is not used": ("MVA", 0.0, 1e6),
    "reactive limit": ("Mvar", -1e12, 1e12),
    "reactive power": ("Mvar", -1e6, 1e6),
    "resistance": ("ohm", -1e9, 1e9),
    "resistance per km": ("ohm/km", -1e9, 1e9),
    "scaling": ("", -1e6, 1e6),
    "share": ("%", 0.0, 100.0),
    "short circuit": ("%", -1e8, 1e8),  # of the rating, which is 99999 MVA where there is no limit
    "step": ("", -1e4, 1e4),
    "switch": ("ohm", 0.0, 1e9),
    "tap": ("%", -1e4, 1e4),
    "temperature": ("degC", -273.15, 2000.0),
    "temperature coefficient": ("1/K", -1.0, 1.0),
    "tap ratio": ("", 1e-3, 1e3),
    "voltage": ("kV", 1e-3, 2000.0),
    "voltage set-point": ("p.u.", 0.1, 2.0),
    "voltage limit": ("p.u.", 0.0, 1e3),
    "weight": ("", -1e9, 1e9),
}
"""Unit, least and greatest value of each quantity."""
