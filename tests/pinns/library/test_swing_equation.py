"""Rotor swings: balance of power in the textbook's network, small swings, energy, tolerance."""

import numpy as np
import pytest

from tvilling.pinns.library.swing_equation import (
    ADMITTANCE_BEFORE,
    Machines,
    OneMachine,
    example,
    example_network,
)
from tvilling.sciml.core.errors import InputError

ONE = OneMachine()


def test_without_the_change_the_machines_of_the_textbook_rest():
    """Anderson and Fouad: 71.6, 163 and 85 MW at 2.27, 19.73 and 13.18 degrees."""
    network = Machines(admittance_pu=ADMITTANCE_BEFORE)
    angles = np.asarray(network.start_rad)
    found = [float(network.electrical_pu(angles, i)) for i in range(3)]
    np.testing.assert_allclose(found, [0.716, 1.630, 0.850], atol=2e-3)


def test_when_the_line_opens_the_second_machine_runs_ahead():
    angles = Machines().solved(np.array([0.0, 0.3]))
    assert angles[1, 1] - angles[0, 1] > 0.5 + angles[1, 0] - angles[0, 0]


def test_a_small_swing_is_the_damped_oscillator_of_the_textbook():
    """About rest: δ = δ0 e^(-d t / 2 m) (cos w t + d / (2 m w) sin w t), w² = B/m - (d/2m)²."""
    small = OneMachine(start_rad=1e-5, start_rad_per_s=0.0)
    time = np.linspace(0.0, 20.0, 60)
    fall = 0.15 / 0.8
    w = np.sqrt(0.2 / 0.4 - fall**2)
    expected = 1e-5 * np.exp(-fall * time) * (np.cos(w * time) + fall / w * np.sin(w * time))
    np.testing.assert_allclose(small.solved(time, np.zeros(60)), expected, atol=2e-12)


def test_after_long_it_rests_where_power_is_balanced():
    late = OneMachine(horizon_s=200.0).solved(np.full(3, 200.0), np.array([0.08, 0.13, 0.18]))
    np.testing.assert_allclose(0.2 * np.sin(late), [0.08, 0.13, 0.18], rtol=1e-9)


def test_without_damping_energy_is_kept():
    free = OneMachine(damping_s=0.0)
    time = np.linspace(0.0, 20.0, 4001)
    angle = free.solved(time, np.full(4001, 0.1))
    speed = np.gradient(angle, time, edge_order=2)[1:-1]
    energy = 0.2 * speed**2 - 0.2 * np.cos(angle[1:-1]) - 0.1 * angle[1:-1]
    np.testing.assert_allclose(energy, 0.2 * 0.01 - 0.2 * np.cos(0.1) - 0.01, atol=1e-5)


@pytest.mark.parametrize("make", [example, example_network])
def test_the_problem_and_its_stated_error(make):
    problem = make()
    grid = {axis.name: np.linspace(axis.low, axis.high, 150) for axis in problem.inputs.axes}
    found = problem.reference.function(grid)
    assert set(found) == {item.name for item in problem.unknowns}
    if make is example:
        looser = {"angle_rad": ONE.solved(grid["time_s"], grid["power_pu"], 1e-10)}
    else:
        names = [item.name for item in problem.unknowns]
        looser = dict(zip(names, Machines().solved(grid["time_s"], 1e-10), strict=True))
    for name, values in found.items():
        size = np.max(np.abs(values))
        assert np.max(np.abs(values - looser[name])) < 100 * problem.reference.relative_error * size


def test_impossible_machines_are_refused():
    with pytest.raises(InputError, match="2 fault"):
        OneMachine(inertia_s2=0.0, stiffness_pu=-1.0)
