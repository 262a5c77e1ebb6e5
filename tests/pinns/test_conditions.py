"""Conditions hold for a network that has learnt nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tvilling.pinns import (
    PROBLEMS,
    Axis,
    Box,
    Condition,
    Derived,
    Equation,
    Problem,
    Unknown,
    d,
    laplacian,
)
from tvilling.pinns.network.ansatz import start, terms
from tvilling.pinns.network.network import NetworkSettings
from tvilling.pinns.problem.conditions import mask

ROUNDING = 1e-12


def edge(at):
    """A harmonic function, as values on the boundary."""
    return jnp.exp(at.x) * jnp.cos(at.y)


def plate(faces):
    return Problem(
        "plate",
        Box((Axis("x", "m", -1.0, 2.0), Axis("y", "m", 0.5, 3.0))),
        (Unknown("u", "K", 0.0, 10.0),),
        (Equation("laplace", "K/m²", lambda at: laplacian(at.u, "x", "y")),),
        tuple(Condition("u", axis, at, edge) for axis, at in faces),
    )


ALL = [("x", -1.0), ("x", 2.0), ("y", 0.5), ("y", 3.0)]


def trained_by_nobody(problem, seed=0):
    graph, params = start(problem, NetworkSettings(width=8), jax.random.key(seed))
    return terms(problem, graph, params)


@pytest.mark.parametrize("faces", [ALL[:1], ALL[:2], ALL[::2], ALL[:3], ALL, ALL[::-1]])
def test_every_face_has_its_value(faces):
    problem = plate(faces)
    u = trained_by_nobody(problem).u
    for axis, at in faces:
        points = problem.inputs.draw(np.random.default_rng(1), 50)
        points[axis] = np.full(50, at)
        expected = np.exp(points["x"]) * np.cos(points["y"])
        np.testing.assert_allclose(u(points), expected, rtol=ROUNDING, atol=ROUNDING)


def test_the_network_is_free_everywhere_else():
    problem = plate(ALL)
    points = problem.inputs.draw(np.random.default_rng(1), 200)
    free = jax.vmap(lambda point: mask(problem.conditions, problem.domain, point))(points)
    assert (np.asarray(free) > 0).all()
    one, other = (trained_by_nobody(problem, seed).u(points) for seed in (0, 1))
    assert (np.asarray(one) != np.asarray(other)).all()


def test_the_pipe_starts_and_is_fed_as_told():
    problem = PROBLEMS["heating_pipe"].example()
    water_degc = trained_by_nobody(problem).water_degc
    course = np.linspace(0, 3600, 37)
    inlet = water_degc({"x_m": jnp.zeros(37), "time_s": jnp.asarray(course)})
    expected = 80 + 8 * np.sin(2 * np.pi * course / 1200)
    np.testing.assert_allclose(inlet, expected, rtol=ROUNDING)
    along = {"x_m": jnp.linspace(0, 1500, 31), "time_s": jnp.zeros(31)}
    exact = problem.reference.function(along)["water_degc"]
    np.testing.assert_allclose(water_degc(along), exact, rtol=ROUNDING)


def test_without_conditions_the_network_stands_in_the_middle_of_the_range():
    problem = plate([])
    u = trained_by_nobody(problem).u
    values = np.asarray(u(problem.inputs.draw(np.random.default_rng(2), 100)))
    assert abs(values.mean() - 5.0) < 5.0
    assert values.std() > 0


def test_a_course_carries_the_start_and_is_exact_on_its_face():
    """u(x, 0) = |x| would keep its kink; the course rounds it as time goes on."""
    start = Condition(
        "u", "t", 0.0, lambda at: jnp.abs(at.x), course=lambda at: jnp.sqrt(at.x**2 + at.t)
    )
    problem = Problem(
        "kink",
        Box((Axis("x", "m", -1.0, 1.0), Axis("t", "s", 0.0, 1.0))),
        (Unknown("u", "K", -1.0, 1.0),),
        (Equation("heat", "K/s", lambda at: d(at.u, "t") - d(at.u, "x", "x")),),
        (start,),
    )
    x = np.linspace(-1.0, 1.0, 9)
    u = trained_by_nobody(problem).u
    np.testing.assert_allclose(u({"x": x, "t": np.zeros(9)}), np.abs(x), atol=ROUNDING)
    slope = d(u, "x")({"x": np.zeros(1), "t": np.full(1, 1e-4)})
    share = 1e-4  # of the network, which the mask lets in
    assert abs(float(slope[0])) < 10 * share  # the course's slope there is zero


def test_what_is_derived_is_told_in_its_unit():
    problem = Problem(
        "flow",
        Box((Axis("x", "m", 0.0, 1.0), Axis("y", "m", 0.0, 1.0))),
        (Unknown("psi", "m²/s", -1.0, 1.0),),
        (Equation("laplace", "1/s", lambda at: laplacian(at.psi, "x", "y")),),
        tuple(Condition("psi", "y", end, end) for end in (0.0, 1.0)),
        derived=(
            Derived("u", "m/s", lambda at: d(at.psi, "y")),
            Derived("double", "m/s", lambda at: 2.0 * at.u),
        ),
    )
    at = trained_by_nobody(problem)
    points = problem.inputs.draw(np.random.default_rng(3), 20)
    step = 1e-5
    above, below = ({**points, "y": points["y"] + sign * step} for sign in (1, -1))
    slope = (np.asarray(at.psi(above)) - np.asarray(at.psi(below))) / (2 * step)
    np.testing.assert_allclose(at.u(points), slope, atol=1e-7)
    np.testing.assert_allclose(at.double(points), 2 * slope, atol=1e-7)
