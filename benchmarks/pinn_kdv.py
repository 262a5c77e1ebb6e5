"""Solitons of Korteweg and de Vries' equation: error of a network after training, five seeds."""

from tvilling.benchmarks.measurement import Measurement
from tvilling.benchmarks.pinn_accuracy import accuracy


def measure() -> Measurement:
    """Median relative L2 of five seeds; asked is 1e-4 in 600 s."""
    return accuracy("kdv", asked=1e-4, within_s=600)
