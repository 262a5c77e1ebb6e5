"""The search: against scipy's own optimisers on problems small enough for them."""

import numpy as np
import pytest
from scipy.optimize import minimize

from tvilling.rl_control.supply_temperature.search import SearchSettings, Tangent, nearest, search

NUMBERS = 4
PRICE = np.array([1.0, 3.0, 2.0, 5.0])
FINE = SearchSettings(tolerance=1e-9, least_radius_k=1e-7, rounds=400)
BOX = np.concatenate([np.eye(NUMBERS), -np.eye(NUMBERS)]), np.full(2 * NUMBERS, 10.0)


def cost(x):
    """Curved, and coupled from number to number."""
    return 100.0 + PRICE @ x + 0.5 * np.sum((x[1:] - 0.6 * x[:-1]) ** 2) + 0.1 * np.sum(x**2)


def rows(x):
    """One curved row and one straight row in each step: at most zero where they are kept."""
    return np.stack([x[:-1] ** 2 / 8 - x[1:] - 2.0, -3.0 - x[1:]], axis=1)


def tangent(x):
    """By central differences, every number in a direction of its own."""
    step = 1e-6
    eye = np.eye(len(x))
    slope = [(rows(x + step * one) - rows(x - step * one)) / (2 * step) for one in eye]
    gradient = [(cost(x + step * one) - cost(x - step * one)) / (2 * step) for one in eye]
    owner = np.tile(np.arange(len(x))[:, None], (1, len(x) - 1))
    return Tangent(cost(x), np.array(gradient), rows(x), np.array(slope), owner)


def test_the_optimum_is_that_of_a_general_solver():
    found = search(tangent, np.full(NUMBERS, 4.0), BOX, FINE)
    peer = minimize(
        cost,
        np.zeros(NUMBERS),
        method="SLSQP",
        bounds=[(-10, 10)] * NUMBERS,
        constraints={"type": "ineq", "fun": lambda x: -rows(x).ravel()},
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert peer.success
    assert rows(peer.x).max() > -1e-6  # a row binds
    assert rows(peer.x).min() < -0.1  # and not all of them
    assert found.cost == pytest.approx(peer.fun, rel=1e-6)
    np.testing.assert_allclose(found.numbers, peer.x, atol=0.02)
    assert found.excess.max() < 1e-6


def test_limits_that_contradict_each_other_leave_the_least_miss():
    def torn(x):
        there = tangent(x)
        return Tangent(
            there.cost,
            there.gradient,
            np.stack([x[1:] - 1.0, 2.0 - x[1:]], axis=1),  # at most 1 and at least 2
            np.stack([np.eye(NUMBERS)[:, 1:], -np.eye(NUMBERS)[:, 1:]], axis=2),
            there.owner,
        )

    found = search(torn, np.full(NUMBERS, 8.0), BOX, FINE)
    assert found.excess.max(axis=1) == pytest.approx(0.5, abs=1e-3)


def test_rows_that_nothing_can_be_done_about_do_not_stand_in_the_way():
    def stuck(x):
        there = tangent(x)
        excess = np.column_stack([there.excess, np.full(NUMBERS - 1, 3.0)])
        shown = np.concatenate([there.shown, np.zeros((NUMBERS, NUMBERS - 1, 1))], axis=2)
        return Tangent(there.cost, there.gradient, excess, shown, there.owner)

    found = search(stuck, np.full(NUMBERS, 4.0), BOX, FINE)
    free = search(tangent, np.full(NUMBERS, 4.0), BOX, FINE)
    np.testing.assert_allclose(found.numbers, free.numbers, atol=1e-6)
    assert found.excess.max() == 3.0


def test_a_start_outside_is_moved_as_little_as_it_takes():
    moved = nearest(np.array([14.0, 9.0, 0.0, -12.0]), BOX)
    assert np.abs(moved).max() <= 10.0 + 1e-9
    assert np.abs(moved - [14.0, 9.0, 0.0, -12.0]).max() == pytest.approx(4.0)


def test_a_course_that_is_impossible_is_told():
    left, right = BOX
    none = np.concatenate([left, left[:1]]), np.append(right, -11.0)
    assert search(tangent, np.zeros(NUMBERS), none, FINE) is None
