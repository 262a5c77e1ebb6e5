"""Every branch of a European transmission grid of 1 354 buses switched off in turn."""

from dataclasses import asdict, replace

from tvilling.benchmarks.measurement import Measurement

CASE1354 = "pandapower:case1354pegase"
REPEATS = 3
WITHOUT_HOLDING = "1-HVMV-urban-all-0-no_sw"  # 1 567 buses; no generator holds a voltage


def measure() -> Measurement:
    """CPU time per outage, beside lightsim2grid's fastest.

    power-grid-model knows no generators that hold a voltage: all three race on a SimBench grid of
    like size as well.
    """
    from tvilling.benchmarks import power_lightsim, power_pgm
    from tvilling.benchmarks.power_n1 import measure_outages

    own = measure_outages("power_n1_1000bus", CASE1354, (power_lightsim.NAME,), REPEATS)
    both = (power_pgm.NAME, power_lightsim.NAME)
    other = measure_outages("without generators that hold voltages", WITHOUT_HOLDING, both, REPEATS)
    return replace(own, extra=own.extra | {"without_holding": asdict(other)})
