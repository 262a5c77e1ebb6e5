"""A tree of 100 consumers, a day of quarter-hours, 100 scenarios."""

from tvilling.benchmarks.measurement import Measurement


def measure() -> Measurement:
    """Seconds for the ensemble, against pandapipes' transient mode on the same network."""
    from tvilling.benchmarks.heat_ensemble import time_ensemble
    from tvilling.benchmarks.networks import random_tree

    timing, peer = time_ensemble(random_tree(100))
    return Measurement(
        name="heat_tree_ensemble",
        ours=timing.ours_s,
        peer=timing.peer_s,
        unit="s",
        ratio=timing.peer_s / timing.ours_s,
        peer_name=peer.name,
        peer_version=peer.version,
        extra=timing.extra,
    )
