"""Every branch of case118 switched off in turn, and every pair of them."""

from dataclasses import asdict, replace

from tvilling.benchmarks.measurement import Measurement

WITHOUT_HOLDING = "1-HVMV-urban-2.203-0-no_sw"  # no generator there holds a voltage


def measure() -> Measurement:
    """CPU time per outage, beside lightsim2grid's fastest.

    power-grid-model knows no generators that hold a voltage: all three race on a SimBench grid of
    like size as well.
    """
    from tvilling.benchmarks import power_lightsim, power_pgm
    from tvilling.benchmarks.power_grids import CASE118
    from tvilling.benchmarks.power_n1 import measure_outages, pairs

    own = measure_outages("power_n1_case118", CASE118, (power_lightsim.NAME,))
    both = (power_pgm.NAME, power_lightsim.NAME)
    other = measure_outages("without generators that hold voltages", WITHOUT_HOLDING, both)
    more = {"n2": pairs(CASE118), "without_holding": asdict(other)}
    return replace(own, extra=own.extra | more)
