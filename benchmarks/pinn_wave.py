"""A string plucked in two modes: error of a network after training, five seeds."""

from tvilling.benchmarks.measurement import Measurement
from tvilling.benchmarks.pinn_accuracy import accuracy


def measure() -> Measurement:
    """Median relative L2 of five seeds; asked is 1e-3 in 300 s."""
    return accuracy("wave", asked=1e-3, within_s=300)
