"""Flags for values that are not finite, out of range or off balance."""

import jax
import jax.numpy as jnp
import pytest

from tvilling.sciml.core.physical import (
    balance_status,
    channel_status,
    finite_status,
    flag_where,
    join_status,
    range_status,
)
from tvilling.sciml.core.system import Channel, Status

WATER = Channel("water_degc", "°C", 0.0, 100.0)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"a": [1.0, 2.0], "b": 3}, Status.OK),
        ({"a": [1.0, jnp.nan]}, Status.NOT_FINITE),
        ({"a": [1.0], "b": -jnp.inf}, Status.NOT_FINITE),
        ({}, Status.OK),
    ],
)
def test_what_is_not_finite_is_flagged(values: dict, expected: Status) -> None:
    assert Status(int(finite_status(values))) == expected


@pytest.mark.parametrize(
    ("degc", "expected"),
    [
        ([0.0, 100.0], Status.OK),
        ([-5e-5, 50.0], Status.OK),  # round-off
        ([-0.1, 50.0], Status.UNPHYSICAL),
        ([20.0, 100.1], Status.UNPHYSICAL),
        ([jnp.nan, 50.0], Status.OK),  # said by `finite_status`
    ],
)
def test_values_outside_their_channel_are_flagged(degc: list, expected: Status) -> None:
    values = {"water_degc": jnp.array(degc), "other": jnp.array(-1e9)}
    assert Status(int(channel_status(values, (WATER,)))) == expected
    assert channel_status({}, (WATER,)) == 0


def test_a_limit_may_differ_by_element() -> None:
    values, high = jnp.array([90.0, 110.0]), jnp.array([100.0, 120.0])
    assert range_status(values, 0.0, high) == 0
    assert range_status(values, 0.0, high - 15.0) == Status.UNPHYSICAL
    assert range_status(values, 0.0, high - 15.0, margin=6.0) == 0


def test_a_balance_is_measured_against_what_passes() -> None:
    assert balance_status(1.0, 1.0 + 1e-8, 1.0) == 0
    assert balance_status(1.0, 1.0 + 1e-5, 1.0) == Status.UNBALANCED
    assert balance_status(jnp.zeros(2), jnp.array([0.0, 1e-5]), 1e3) == 0


def test_flags_are_joined_not_added_and_run_compiled() -> None:
    @jax.jit
    @jax.vmap
    def status(value: jax.Array) -> jax.Array:
        low = flag_where(Status.PRESSURE, value < 0)
        return join_status(low, low, range_status(value, -1.0, 1.0), finite_status(value))

    got = [Status(int(one)) for one in status(jnp.array([0.5, -0.5, -2.0, jnp.inf]))]
    assert got == [
        Status.OK,
        Status.PRESSURE,
        Status.PRESSURE | Status.UNPHYSICAL,
        Status.UNPHYSICAL | Status.NOT_FINITE,
    ]
