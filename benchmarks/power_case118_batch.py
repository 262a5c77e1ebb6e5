"""5 000 scenarios of loads on the IEEE grid of 118 buses, whose generators hold voltages."""

from tvilling.benchmarks.measurement import Measurement


def measure() -> Measurement:
    """CPU time per scenario, beside lightsim2grid's fastest; power-grid-model holds no voltages."""
    from tvilling.benchmarks import power_lightsim
    from tvilling.benchmarks.power_grids import CASE118
    from tvilling.benchmarks.power_injections import measure_batch

    return measure_batch("power_case118_batch", CASE118, (power_lightsim.NAME,))
