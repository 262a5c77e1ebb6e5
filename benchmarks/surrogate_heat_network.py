"""A surrogate of the looped heat network beside its solver: error, and time of a step."""

from tvilling.benchmarks.measurement import Measurement

REACH = 0.12  # of the way from 78 °C to the limits: 71 to 85 °C


def measure() -> Measurement:
    """Time of a step of the surrogate over that of the solver's, in a batch of 128 runs."""
    from tvilling.benchmarks.surrogate_tank import beside_physics
    from tvilling.sciml.learning.fit import FitSettings
    from tvilling.sciml.surrogates import SurrogateSettings
    from tvilling.sciml.systems import SYSTEMS

    settings = SurrogateSettings(
        width=96,
        layers=2,
        activation="silu",
        passes=1,
        action_reach=REACH,
        fit=FitSettings(steps=12_000, batch=256, learning_rate=3e-3),
    )
    return beside_physics("surrogate_heat_network", SYSTEMS["heat_network"].example(), settings)
