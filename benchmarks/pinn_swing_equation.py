"""A generator's swing over a range of powers: error of a network after training, five seeds."""

from tvilling.benchmarks.measurement import Measurement
from tvilling.benchmarks.pinn_accuracy import accuracy


def measure() -> Measurement:
    """Median relative L2 of five seeds; asked is 1e-5 in 30 s."""
    return accuracy("swing_equation", asked=1e-5, within_s=30)
