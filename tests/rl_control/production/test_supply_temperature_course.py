"""Courses of a supply temperature, and the directions in which a run is differentiated."""

import jax.numpy as jnp
import numpy as np
import pytest

from tvilling.rl_control.control.controllers import HeatingCurve
from tvilling.rl_control.supply_temperature.profile import (
    between,
    constant,
    curve_setpoints,
    hourly,
    pulses,
    tuned_curve,
)

CURVE = HeatingCurve(
    *(jnp.asarray(end) for end in (-12.0, 15.0)), jnp.array([80.0]), jnp.array([68.0])
)
OUTDOOR = np.array([-12.0, -3.0, 6.0, 15.0, 20.0, -20.0, 0.0])
RUN_OUT_H = 2


def test_the_middle_of_a_step_lies_on_the_line_between_two_hours():
    nodes = np.array([70.0, 74.0, 66.0])
    hours = (np.arange(8) + 0.5) / 4
    np.testing.assert_allclose(between(4, 3) @ nodes, np.interp(hours, [0, 1, 2], nodes))


@pytest.mark.parametrize("kind", ["hourly", "tuned_curve", "constant"])
def test_a_course_begins_as_sent_and_ends_on_the_curve(kind):
    sent = curve_setpoints(CURVE, OUTDOOR)
    courses = {
        "hourly": hourly(sent, RUN_OUT_H),
        "tuned_curve": tuned_curve(CURVE, OUTDOOR, RUN_OUT_H),
        "constant": constant(sent, RUN_OUT_H),
    }
    course = courses[kind]
    moved = course.setpoints_degc(course.start - 5.0)
    np.testing.assert_allclose(moved[[0, 5, 6]], sent[[0, 5, 6]])
    if kind == "constant":
        np.testing.assert_allclose(moved[1:5], sent[1:5].mean() - 5.0)
    else:
        np.testing.assert_allclose(moved[1:5], sent[1:5] - 5.0)
    np.testing.assert_array_equal(course.free, [False, True, True, True, True, False, False])


def test_a_tuned_curve_turns_about_its_ends():
    course = tuned_curve(CURVE, OUTDOOR, RUN_OUT_H)
    turned = course.setpoints_degc(np.array([90.0, 60.0]))
    np.testing.assert_allclose(turned[1:5], [80.0, 70.0, 60.0, 60.0])


@pytest.mark.parametrize(("numbers", "directions"), [(3, 3), (20, 6)])
def test_numbers_far_apart_share_a_direction_and_are_told_apart(numbers, directions):
    """A linear plant that forgets after four steps: exact, in few directions for many numbers."""
    steps = numbers + 6
    slope = np.zeros((steps, numbers))
    for number in range(numbers):
        slope[number : number + 2, number] = 0.5
    memory = np.array([0.1, 0.4, 0.3, 0.2])
    plant = sum(np.diag(np.full(steps - lag, memory[lag]), -lag) for lag in range(4))
    along = pulses(slope, memory_steps=4, groups=3)
    assert len(along.direction) == directions
    shown = along.direction @ plant.T
    full = np.zeros((steps, numbers))
    for direction, owner in zip(shown, along.owner, strict=True):
        for step in range(steps):
            if owner[step] >= 0:
                full[step, owner[step]] += direction[step]
    np.testing.assert_allclose(full, plant @ slope, atol=1e-15)
    weight = np.linspace(1, 2, steps)
    gradient = along.gradient(shown * weight, numbers)
    np.testing.assert_allclose(gradient, weight @ plant @ slope)


def test_directions_are_filled_up_to_a_number():
    along = pulses(np.ones((5, 1)), memory_steps=2, groups=4)
    assert along.direction.shape == (4, 5)
    np.testing.assert_array_equal(along.owner[0], 0)
    np.testing.assert_array_equal(along.owner[1:], -1)
