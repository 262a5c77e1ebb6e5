"""The Liège rig, seven tests: a hot front through 39 m of steel pipe."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from tvilling.datasets.benches.bench import Bench, difference_k, rms, run
from tvilling.datasets.benches.pipes import liege_pipe
from tvilling.datasets.readers.measured.liege import TESTS

pytestmark = pytest.mark.data
SHORT_STEPS = 900  # six of the tests end before; equal lengths share one compilation


def lengthened(bench: Bench) -> Bench:
    """`bench` with its last drives held, so that tests of different length compile once."""
    more = max(SHORT_STEPS - len(bench.time_s), 0)
    drive = {
        name: jnp.pad(values, ((0, more),) + ((0, 0),) * (values.ndim - 1), mode="edge")
        for name, values in bench.drive.items()
    }
    return replace(bench, drive=drive)


@pytest.fixture(scope="module")
def errors_k() -> dict[str, float]:
    """Root mean square error of the outlet temperature in each test [K]."""
    found = {}
    for test in TESTS:
        bench = lengthened(liege_pipe(test))
        trajectory = run(bench)
        assert not np.asarray(trajectory.status).any()
        error = difference_k(bench, trajectory, "outlet", bench.seen["water_outlet_degc"])
        found[test] = rms(error)
    return found


def test_outlet_temperature_in_all_seven_tests(errors_k: dict[str, float]) -> None:
    assert len(errors_k) == 7
    assert np.mean(list(errors_k.values())) <= 0.43, errors_k
    assert max(errors_k.values()) <= 0.75, errors_k


def test_the_wall_must_hold_heat() -> None:
    """Without its wall the pipe passes the front too early."""
    bench = lengthened(liege_pipe("150801"))
    pipes = bench.tables.pipes.assign(wall_j_per_mk=0.0)
    bare = replace(bench, tables=replace(bench.tables, pipes=pipes))
    error = difference_k(bare, run(bare), "outlet", bench.seen["water_outlet_degc"])
    assert rms(error) > 1.5
    assert float(error.max()) > 5.0
