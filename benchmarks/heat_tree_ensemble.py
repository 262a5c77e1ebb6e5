"""A tree of 100 consumers, a day of quarter-hours, 100 scenarios."""

from tvilling.benchmarks.measurement import Measurement


def measure() -> Measurement:
    """Seconds for the ensemble, against pandapipes' transient mode on the same network."""
    from tvilling.benchmarks.heat_ensemble import measure_ensemble
    from tvilling.benchmarks.networks import random_tree

    return measure_ensemble("heat_tree_ensemble", random_tree(100), cells=4)
