"""Small problems for networks beside those of the library; a test kills a training of one."""

import sys

import numpy as np

from tvilling.pinns import (
    PROBLEMS,
    Adam,
    Axis,
    Box,
    Condition,
    Equation,
    Fixed,
    NetworkSettings,
    Problem,
    Reference,
    TrainSettings,
    Unknown,
    d,
)
from tvilling.pinns.library import ProblemEntry

SMALL = NetworkSettings(width=6, depth=1)
FULL = TrainSettings(SMALL, points=40, stages=(Adam(1000),), check_every=50)
SHORT = TrainSettings(SMALL, points=40, stages=(Adam(300, 2e-2),), check_every=100)
SHORT_ERROR = 2e-2


def example() -> Problem:
    """Water of 70 °C that cools towards ground of 8 °C."""

    def exact(points):
        return {"water_degc": 8 + 62 * np.exp(-0.15 * np.asarray(points["time_h"]))}

    return Problem(
        name="standing_water",
        domain=Box((Axis("time_h", "h", 0.0, 12.0),)),
        unknowns=(Unknown("water_degc", "°C", 10.0, 70.0),),
        parameters=(Fixed("ground_degc", "°C", 8.0), Fixed("decay_per_h", "1/h", 0.15)),
        equations=(
            Equation(
                "heat",
                "K/h",
                lambda at: (
                    d(at.water_degc, "time_h") + at.decay_per_h * (at.water_degc - at.ground_degc)
                ),
            ),
        ),
        conditions=(Condition("water_degc", "time_h", 0.0, 70.0),),
        reference=Reference(exact, 1e-15, "closed form"),
    )


ENTRY = ProblemEntry(
    "Water that cools in a still pipe", "small_pinns:example", short_error=SHORT_ERROR
)

if __name__ == "__main__":
    from tvilling.apps.cli.main import main

    PROBLEMS["standing_water"] = ENTRY
    sys.argv[0] = "tvilling"
    main()
