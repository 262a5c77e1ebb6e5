"""Every kind of network, stage and choice of points does what it says, on tiny problems."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import small_pinns
from jax.flatten_util import ravel_pytree

from tvilling.pinns import (
    Adam,
    Axis,
    Box,
    Broyden,
    Condition,
    Equation,
    NetworkSettings,
    Problem,
    TrainSettings,
    Unknown,
    d,
    train,
)
from tvilling.pinns.fields import sin
from tvilling.pinns.fields.evaluation import evaluate
from tvilling.pinns.network.ansatz import start, terms
from tvilling.pinns.network.network import KINDS
from tvilling.pinns.optimisers import GaussNewton, Soap
from tvilling.pinns.solution.store import load_solution, save_solution
from tvilling.pinns.training import Causal, Windows
from tvilling.pinns.training.objective import of_problem

X, CIRCLE = Axis("x", "m", -1.0, 3.0), Axis("s", "rad", 0.5, 4.5, periodic=True)
NETWORKS = [*((kind, "tanh") for kind in KINDS), ("perceptron", "sin")]


def plain(axes, conditions=()):
    """A problem whose equation does not matter."""
    unknown = Unknown("u", "K", -1.0, 2.0)
    return Problem(
        "plain", Box(axes), (unknown,), (Equation("e", "K", lambda at: at.u),), conditions
    )


def untrained(problem, seed=0, **settings):
    network = NetworkSettings(**({"width": 6, "depth": 2} | settings))
    graph, params = start(problem, network, jax.random.key(seed))
    flat, back = ravel_pytree(params)
    noise = 0.3 * np.random.default_rng(seed).normal(size=flat.size)  # shares of pirate begin at 0
    return terms(problem, graph, back(flat + noise))


@pytest.mark.parametrize(("kind", "activation"), NETWORKS)
def test_derivatives_are_those_of_nested_differentiation_and_close_on_a_circle(kind, activation):
    u = untrained(plain((X, CIRCLE)), kind=kind, activation=activation, modes=2, depth=1).u
    x, s = jnp.array([-0.7, 0.3, 2.9]), jnp.array([0.6, 2.0, 4.4])

    def value(x, s):
        return u({"x": x, "s": s})

    def slope(function, argument):
        return lambda *at: jax.jvp(
            lambda y: function(*at[:argument], y, *at[argument + 1 :]),
            (at[argument],),
            (jnp.ones_like(at[argument]),),
        )[1]

    orders = [("s",), ("s", "x"), ("x", "x")]
    if kind == "perceptron":
        orders += [("s", "s", "x"), ("x", "x", "x")]

    def nested_along(along):
        function = value
        for name in along:
            function = slope(function, "xs".index(name))
        return function

    nested = jax.jit(lambda x, s: jnp.stack([nested_along(along)(x, s) for along in orders]))
    taken = jax.jit(
        lambda x, s: jnp.stack(evaluate([d(u, *along) for along in orders], {"x": x, "s": s}))
    )
    wanted = nested(x, s)
    np.testing.assert_allclose(taken(x, s), wanted, rtol=1e-10, atol=1e-10)
    assert np.abs(wanted).min() > 1e-8
    low, high = (taken(x, jnp.full(3, end)) for end in (CIRCLE.low, CIRCLE.high))
    np.testing.assert_allclose(low, high, rtol=1e-12, atol=1e-12)
    assert np.abs(low - taken(x, jnp.full(3, 2.5))).max() > 1e-2


FACES = {
    "value and slope": (True, None),
    "value and slope at the end": (None, True),
    "slope, value": (True, False),
    "value, slope": (False, True),
    "slopes": (True, True),
}


@pytest.mark.parametrize("sloped", FACES.values(), ids=FACES.keys())
def test_values_and_slopes_on_faces_are_met_whatever_the_weights(sloped):
    """Of e^x sin s at both ends of x, where asked for, by a network that has learnt nothing."""
    conditions = tuple(
        Condition(
            "u",
            "x",
            end,
            lambda at, end=end: jnp.exp(end) * jnp.sin(at.s),
            (lambda at, end=end: jnp.exp(end) * jnp.sin(at.s)) if slope else None,
        )
        for end, slope in zip((X.low, X.high), sloped, strict=True)
        if slope is not None
    )
    u = untrained(plain((X, replace(CIRCLE, periodic=False)), conditions)).u
    s = jnp.linspace(0.5, 4.5, 7)
    taken = jax.jit(lambda p: evaluate([u, d(u, "x")], p))
    for end, slope in zip((X.low, X.high), sloped, strict=True):
        value, rise = taken({"x": jnp.full(7, end), "s": s})
        wanted = np.exp(end) * np.sin(s)
        assert (np.abs(value - wanted).max() < 1e-12) == (slope is not None)
        assert (np.abs(rise - wanted).max() < 1e-12) == bool(slope)


DECAY = small_pinns.example()
SMALL = TrainSettings(NetworkSettings(width=6, depth=1), points=40, check_every=50)
STAGES = {
    "adam": ((Adam(600, 2e-2),), 3e-2),
    "soap": ((Soap(400, 2e-2),), 2e-3),
    "broyden": ((Broyden(200),), 1e-5),
    "scaled bfgs": ((Broyden(200, rule="scaled bfgs"),), 1e-4),
    "bfgs": ((Broyden(200, rule="bfgs"),), 1e-4),
    "limited memory": ((Broyden(200, most_dense=1, pairs=20),), 1e-4),
    "gauss newton": ((GaussNewton(60),), 1e-5),
    "one after the other": ((Adam(50), GaussNewton(10), Broyden(50)), 1e-4),
}


@pytest.mark.parametrize(("stages", "limit"), STAGES.values(), ids=STAGES.keys())
def test_every_optimiser_solves(stages, limit):
    solution = train(DECAY, replace(SMALL, stages=stages), seed=1)
    assert solution.worst_error() < limit
    assert solution.checks[-1].step <= sum(stage.steps for stage in stages)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_every_other_kind_of_network_solves(kind):
    network = NetworkSettings(kind, width=6, depth=1, frequency=0.5)
    solution = train(DECAY, replace(SMALL, network=network, stages=(Broyden(200),)), seed=1)
    assert solution.worst_error() < 1e-4


def wave():
    """u_t = 0 and u = 1 on a face: one equation inside, one on an edge, of quite other sizes."""
    return Problem(
        "wave",
        Box((Axis("t", "s", 0.0, 4.0), Axis("x", "m", 0.0, 1.0))),
        (Unknown("u", "K", 0.0, 2.0),),
        (
            Equation("inside", "K/s", lambda at: d(at.u, "t") - sin(at.x) * at.u, scale=1.0),
            Equation("face", "K", lambda at: at.u - 1.0, scale=0.1, face=("x", 0.0)),
        ),
    )


def physics(**settings):
    problem, choices = wave(), TrainSettings(NetworkSettings(width=6), points=200, **settings)
    graph, params = start(problem, choices.network, jax.random.key(0))
    made = of_problem(problem, graph, params, None, choices)
    return made, made.task(0)


def test_early_times_come_first():
    """Weights by hand: exp(-ε times the mean squares of all slices before)."""
    made, task = physics(causal=Causal("t", strength=2.0, slices=4))
    placed = task.draw(np.random.default_rng(1), task.theta)["inside"]
    plain_factor = np.full(200, 200**-0.5)
    rows = np.asarray(made.loss.group_rows(made.loss.groups[0], made.params, placed))[0]
    squares = (rows / np.asarray(placed.factor)[0]) ** 2
    place = (np.asarray(placed.points["t"]) // 1.0).astype(int)
    means = np.array([squares[place == slot].mean() for slot in range(4)])
    wanted = np.exp(-2.0 * np.array([0.0, *np.cumsum(means)[:3]]))[place]
    np.testing.assert_allclose(
        (np.asarray(placed.factor)[0] / plain_factor) ** 2, wanted, rtol=1e-9
    )
    assert wanted.min() < 0.9


def test_edges_pull_as_strongly_as_equations():
    made, task = physics(balance=True)
    balanced = task.draw(np.random.default_rng(1), task.theta)
    lengths = {name: float(size) for name, size in made._slopes(task.theta, balanced).items()}
    assert lengths["edge ('x', 0.0)"] == pytest.approx(lengths["inside"], rel=1e-9)
    _, unweighed = physics()
    plain_lengths = made._slopes(task.theta, unweighed.draw(np.random.default_rng(1), task.theta))
    assert plain_lengths["edge ('x', 0.0)"] > 5 * plain_lengths["inside"]


def test_points_gather_where_the_residual_is_large():
    sizes = {}
    for focus in (0.0, 4.0):
        made, task = physics(focus=focus)
        placed = task.draw(np.random.default_rng(1), task.theta)
        rows = np.asarray(made.loss.group_rows(made.loss.groups[0], made.params, placed["inside"]))
        sizes[focus] = np.mean(rows**2)
        assert len(np.unique(placed["inside"].points["t"])) == 200
    assert sizes[4.0] > 1.3 * sizes[0.0]


@pytest.mark.slow
def test_windows_join_with_value_and_slope():
    """y'' = -y, y(0) = 0, y'(0) = 1, in two windows: sin t."""
    problem = Problem(
        "swing",
        Box((Axis("t", "s", 0.0, 6.0),)),
        (Unknown("y", "rad", -1.0, 1.0),),
        (Equation("swing", "rad/s²", lambda at: d(at.y, "t", "t") + at.y),),
        (Condition("y", "t", 0.0, 0.0, slope=1.0),),
    )
    settings = replace(SMALL, stages=(Broyden(150),), windows=Windows("t", 2))
    solution = train(problem, settings)
    t = np.linspace(0, 6, 61)
    error = np.abs(solution.evaluate(t=t)["y"].values - np.sin(t)).max()
    assert error < 1e-3
    y = solution.fields.y
    before, after = (
        np.array(evaluate([y, d(y, "t")], {"t": jnp.asarray(place)})) for place in (3 - 1e-9, 3.0)
    )
    np.testing.assert_allclose(before, after, atol=1e-7)


RESUMED = TrainSettings(
    NetworkSettings(width=6, depth=1),
    points=40,
    stages=(Adam(100), Broyden(300)),
    check_every=100,
    focus=1.0,
)


def _newest(folder):
    """Number of the last checkpoint, about the steps taken; 0 where there is none."""
    names = [path.name for path in folder.iterdir()] if folder.exists() else []
    return max((int(name) for name in names if name.isdigit()), default=0)


def test_a_lost_checkpoint_is_told_and_noted(tmp_path):
    problem = small_pinns.example()
    settings = TrainSettings(small_pinns.SMALL, points=10, stages=(Adam(3),))
    assert train(problem, settings, 1, folder=tmp_path).note == ""
    (step,) = (path for path in tmp_path.iterdir() if path.name.isdigit())
    shutil.rmtree(step)
    told = []
    again = train(problem, settings, 1, told.append, tmp_path)
    assert "is gone: training begins anew" in again.note
    assert f"{problem.name}: {again.note}" in told
    assert "training begins anew" in " ".join(repr(again).split())
    save_solution(again, tmp_path / "solution")
    assert load_solution(tmp_path / "solution", problem).note == again.note


def test_a_killed_training_ends_with_the_very_same_bits(tmp_path):
    """Killed by SIGKILL in its second stage, wherever it then is."""
    child = (
        "import sys, pathlib, time; sys.path[:0] = sys.argv[2:]\n"
        "import small_pinns, test_features as t\n"
        "t.train(small_pinns.example(), t.RESUMED, 5, folder=pathlib.Path(sys.argv[1]),\n"
        "        watch=True)\n"
    )
    folder = tmp_path / "kept"
    paths = [os.path.dirname(__file__), os.path.dirname(small_pinns.__file__)]
    process = subprocess.Popen([sys.executable, "-c", child, str(folder), *paths])
    began = time.monotonic()
    while process.poll() is None and time.monotonic() - began < 60:
        if _newest(folder) > 150:
            process.send_signal(signal.SIGKILL)
            process.wait()
            break
        time.sleep(0.002)
    assert process.returncode == -signal.SIGKILL
    told = []
    resumed = train(DECAY, RESUMED, 5, told.append, folder, watch=True)
    whole = train(DECAY, RESUMED, 5, watch=True)
    assert any("taken up at step" in line for line in told)
    for one, two in zip(
        jax.tree.leaves(resumed.params), jax.tree.leaves(whole.params), strict=True
    ):
        np.testing.assert_array_equal(one, two)
    assert [c.held_out for c in resumed.checks] == [c.held_out for c in whole.checks]
    assert [c.error for c in resumed.checks] == [c.error for c in whole.checks]
