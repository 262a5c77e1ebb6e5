"""5 000 scenarios of loads and generation on a medium-voltage grid of SimBench."""

from tvilling.benchmarks.measurement import Measurement


def measure() -> Measurement:
    """CPU time per scenario, beside power-grid-model's and lightsim2grid's fastest."""
    from tvilling.benchmarks import power_lightsim, power_pgm
    from tvilling.benchmarks.power_grids import MV_URBAN
    from tvilling.benchmarks.power_injections import measure_batch

    return measure_batch("power_mv_batch", MV_URBAN, (power_pgm.NAME, power_lightsim.NAME))
