"""Results in a notebook: some lines, whatever they hold."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tvilling.sciml.core.short_repr import MAX_LINES, short_repr
from tvilling.sciml.core.simulate import Trajectory


@dataclass(frozen=True)
class Holding:
    heat_w: Any
    name: Any = "x" * 500

    __repr__ = short_repr


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.arange(2000.0).reshape(1000, 2), "0 to 1999 [1,000 × 2]"),
        (jnp.asarray(2.5), "2.5"),
        (np.array([1.0, np.nan]), "1 to 1 [2], 1 not finite"),
        (np.array([np.nan]), "not finite [1]"),
        (np.array(["a"]), "<U1 [1]"),
        (np.zeros((0, 3)), "float64 [0 × 3]"),
        ({f"pump_{k}": np.zeros(3) for k in range(50)}, "50: pump_0, pump_1"),
        ((1, 2.0), "1, 2"),
        (tuple(range(100)), "100 × int"),
        (None, "None"),
        (short_repr, "a function"),
    ],
)
def test_a_field_is_a_line(value, text):
    told = repr(Holding(value))
    assert text in told
    assert "heat_w" in told
    assert len(told.splitlines()) < 10


def test_arrays_that_are_followed_have_no_numbers():
    seen = []

    @jax.jit
    def looked(x):
        seen.append(repr(Holding(x)))
        return x

    looked(jnp.ones(3))
    assert "float64 [3]" in seen[0]


def test_a_run_is_some_lines():
    run = Trajectory(jnp.ones((8760, 3)), {"heat_w": jnp.ones(8760)}, {}, jnp.zeros(8760, int))
    lines = repr(run).splitlines()
    assert lines[0] == "Trajectory"
    assert len(lines) <= MAX_LINES
    assert "heat_w 1 to 1 [8,760]" in lines[2]
