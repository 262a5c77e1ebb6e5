"""Problems in DeepXDE's documented form, against DeepXDE itself and exact solutions."""

from importlib.util import find_spec

import jax
import jax.numpy as jnp
import numpy as np
import pytest

if find_spec("deepxde") is None:  # the adapter imports it, once it has chosen its backend
    pytest.skip("DeepXDE is not installed", allow_module_level=True)

import tvilling.pinns.deepxde.adapter as adapter
from tvilling.benchmarks import reaction
from tvilling.benchmarks.deepxde_peer import peer
from tvilling.benchmarks.deepxde_problems import PROBLEMS
from tvilling.pinns import Adam, Broyden, TrainSettings
from tvilling.pinns.deepxde.adapter import dde, from_deepxde, shape_of, solve_deepxde
from tvilling.pinns.deepxde.points import Sampler
from tvilling.sciml.core.errors import InputError


def own_losses(guest, theta, inside, edge):
    """DeepXDE's own losses of a network, one for each equation and condition."""
    params, values = guest.unravel(theta)
    data = guest.data
    data.train_x = np.vstack([edge, inside])
    data.num_bcs = list(data.num_bcs)
    x = jnp.asarray(data.train_x)

    def function(points):
        return guest.net.apply(params, points)

    dde.grad.clear()
    mean_square = dde.losses.get("MSE")

    @jax.jit
    def losses(values, x):
        aux = [function, values] if values else [function]
        return data.losses(None, function(x), mean_square, x, None, aux=aux)

    return losses(values, x)


@pytest.mark.parametrize("name", ["burgers", "diffusion_inverse", "reaction_inverse", "helmholtz"])
def test_the_loss_is_deepxdes_own(name):
    """On the same points and network; DeepXDE differentiates backwards, point by point."""
    example = PROBLEMS[name]()
    net = example.net((2, 7, 7, example.sizes[-1]))
    guest, theta = adapter._guest(example.data, net, example.variables, None, 128, seed=1)
    batch = Sampler(guest.data, tuple(type(bc).__name__ for bc in guest.data.bcs)).draw(3)
    own = own_losses(guest, theta, batch["inside"], batch["edge"])
    ours = jax.jit(guest.rows)(theta, {key: jnp.asarray(array) for key, array in batch.items()})
    assert float(jnp.sum(ours**2)) == pytest.approx(float(sum(own)), rel=1e-12)


def test_high_derivatives_are_deepxdes_own():
    """The fourth derivative of the beam, which DeepXDE takes by four backward passes."""
    example = PROBLEMS["euler_beam"]()
    net = example.net((1, 6, 6, 1))
    guest, theta = adapter._guest(example.data, net, (), None, 128, seed=2)
    x = jnp.linspace(0.0, 1.0, 5)[:, None]
    params, _ = guest.unravel(theta)

    def function(point):
        return net.apply(params, point)

    @jax.jit
    def own(x):
        dde.grad.clear()
        second = dde.grad.hessian((function(x), function), x)
        return dde.grad.hessian(second, x)[0] + 1

    ours = jax.jit(guest.equations)(theta, x)[0]
    np.testing.assert_allclose(ours, own(x), rtol=1e-11, atol=1e-11)


def wave_like(x, y):
    """The tensor backends' form: arithmetic with y itself, a slice of it, a mixed derivative."""
    u = y[:, 0:1]
    mixed = dde.grad.hessian(y, x, i=0, j=1)
    return [
        jnp.sin(u) * mixed - 2 * u**2 + x[:, 0:1] * dde.grad.jacobian(y, x, i=0, j=1),
        dde.grad.jacobian(y, x)[:, 1:2] / (1 + abs(y)),
    ]


def wave_like_pairs(x, y):
    """The same in the form of DeepXDE's JAX backend."""
    u, function = y
    mixed, _ = dde.grad.hessian(y, x, i=0, j=1)
    slope, _ = dde.grad.jacobian((u, function), x, i=0, j=1)
    return [
        jnp.sin(u) * mixed - 2 * u**2 + x[:, 0:1] * slope,
        dde.grad.jacobian(y, x)[0][:, 1:2] / (1 + jnp.abs(u)),
    ]


def test_both_ways_of_writing_an_equation_say_the_same():
    square = dde.geometry.Rectangle([0, 0], [1, 2])
    found = []
    for equation in (wave_like, wave_like_pairs):
        data = dde.data.PDE(square, equation, [], num_domain=20, num_boundary=4)
        net = dde.nn.FNN([2, 5, 1], "silu", "He normal")
        net.apply_feature_transform(lambda x: x**2)
        task = from_deepxde(data, net, seed=4)
        found.append(np.asarray(jax.jit(task.rows)(task.theta, task.held_out)))
    np.testing.assert_allclose(*found, rtol=1e-12)
    assert np.ptp(found[0]) > 0


def conditions_everywhere():
    """A problem with every kind of condition that the adapter treats in its own way."""
    bar = dde.geometry.GeometryXTime(dde.geometry.Interval(0, 1), dde.geometry.TimeDomain(0, 2))
    left = lambda x, on: on and np.isclose(x[0], 0)  # noqa: E731
    right = lambda x, on: on and np.isclose(x[0], 1)  # noqa: E731
    conditions = [
        dde.icbc.DirichletBC(bar, lambda x: x[:, 1:2] ** 2, left),
        dde.icbc.NeumannBC(bar, lambda x: 3 * x[:, 1:2], left),
        dde.icbc.RobinBC(bar, lambda x, y: 2 * y + np.cos(x[:, 1:2]), right),
        dde.icbc.IC(bar, lambda x: np.sin(x[:, 0:1]), lambda _, on: on),
        dde.icbc.PeriodicBC(bar, 0, left, derivative_order=1),
        dde.icbc.PointSetBC(np.array([[0.5, 1.0], [0.2, 0.3]]), np.array([[1.0], [2.0]])),
    ]
    return dde.data.TimePDE(
        bar,
        lambda x, y: dde.grad.jacobian(y, x, i=0, j=1),
        conditions,
        num_domain=30,
        num_boundary=12,
        num_initial=8,
    )


def test_every_condition_counts_as_its_definition_says():
    """The network is u = x² t + x by an output transform, so that all errors are known."""
    data = conditions_everywhere()
    net = dde.nn.FNN([2, 3, 1], "tanh", "Glorot normal")
    net.apply_output_transform(lambda x, y: 0 * y + x[:, 0:1] ** 2 * x[:, 1:2] + x[:, 0:1])
    guest, theta = adapter._guest(data, net, (), None, 128, seed=0)
    task = adapter._task(guest, theta, 0.0, seed=0)
    batch = {key: np.asarray(array) for key, array in task.held_out.items()}
    rows = np.asarray(jax.jit(task.rows)(task.theta, task.held_out))
    x, t = batch["edge"].T
    counts = [int(count) for count in np.cumsum(guest.data.num_bcs)]
    parts = np.split(np.arange(len(x)), counts[:-1])
    value, slope = x**2 * t + x, 2 * x * t + 1
    half = len(parts[4]) // 2
    expected = [
        (value - t**2)[parts[0]],
        (-slope - 3 * t)[parts[1]],
        (slope - 2 * value - np.cos(t))[parts[2]],
        (value - np.sin(x))[parts[3]],
        slope[parts[4][:half]] - slope[parts[4][half:]],
        value[parts[5]] - [1.0, 2.0],
    ]
    inside = batch["inside"][:, 0] ** 2
    wanted = [inside, *expected]
    scaled = np.concatenate([part / np.sqrt(len(part)) for part in wanted])
    np.testing.assert_allclose(rows, scaled, rtol=1e-10, atol=1e-13)


def test_points_are_new_as_many_and_where_their_conditions_hold():
    data = conditions_everywhere()
    sampler = Sampler(data, tuple(type(bc).__name__ for bc in data.bcs))
    before = np.random.get_state()[1].copy()
    first, second = sampler.draw(0), sampler.draw(1)
    assert (np.random.get_state()[1] == before).all()
    ends = np.cumsum([0, *data.num_bcs])
    assert not np.isin(first["inside"][:, 0], second["inside"][:, 0]).all()
    for drawn in (first, second):
        assert drawn["edge"].shape == (ends[-1], 2)
        assert (drawn["edge"][ends[0] : ends[2], 0] == 0).all()
        assert (drawn["edge"][ends[3] : ends[4], 1] == 0).all()
        half = (ends[5] - ends[4]) // 2
        assert (drawn["edge"][ends[4] + half : ends[5], 0] == 1).all()
        np.testing.assert_array_equal(drawn["edge"][ends[5] :], data.bcs[5].points)


def test_gradient_and_jacobian_are_those_of_the_rows():
    example = PROBLEMS["heat"]()
    task = from_deepxde(example.data, example.net((2, 4, 1)), points=900)
    value, slope = jax.jit(task.value_and_slope)(task.theta, task.held_out)
    rows = jax.jit(task.rows)(task.theta, task.held_out)
    jacobian = jax.jit(task.jacobian_of)(task.theta, task.held_out)
    assert float(value) == pytest.approx(float(rows @ rows), rel=1e-12)
    np.testing.assert_allclose(slope, 2 * rows @ jacobian, rtol=1e-9, atol=1e-12)


def test_the_diffusivity_is_found():
    """Documented with 50000 steps of Adam from 2; it is 1."""
    example = PROBLEMS["diffusion_inverse"]()
    settings = TrainSettings(points=120, stages=(Broyden(500),), check_every=100)
    net = example.net((2, 16, 16, 1))
    solution = solve_deepxde(example.data, net, example.variables, settings, seed=0)
    assert solution.variables[0] == pytest.approx(1.0, abs=2e-3)
    assert float(example.variables[0].value) == solution.variables[0]
    assert example.error(solution.predict) < 5e-3
    assert example.error(lambda x: net.apply(net.params, x)) < 5e-3
    assert solution.stopped == "steps"


def test_both_numbers_of_a_reaction_are_found():
    """Documented with 80000 steps of Adam."""
    example = PROBLEMS["reaction_inverse"]()
    settings = TrainSettings(points=400, stages=(Broyden(700),), check_every=50)
    net = example.net((2, 16, 16, 2))
    solution = solve_deepxde(example.data, net, example.variables, settings, seed=0)
    assert example.error_found(solution.variables) < 5e-3
    assert example.error(solution.predict) < 5e-3


def test_what_does_not_react_diffuses():
    """2a - b of the reaction against its Fourier series."""
    x, t, order = np.linspace(0, 1, 41), np.linspace(0, reaction.UNTIL, 41), np.arange(1, 801)
    n = np.pi * order
    first = 2 * (n * (1 - (-1.0) ** order * np.exp(-20)) / (400 + n**2) - 1 / n)
    decay = np.exp(-np.outer(n**2, t) * reaction.SLOWNESS * reaction.DIFFUSIVITY)
    series = 1 - x[:, None] + np.sin(np.outer(x, n)) @ (first[:, None] * decay)
    fine = reaction.fine(41)
    np.testing.assert_allclose((2 * fine[..., 0] - fine[..., 1])[:, 1:], series[:, 1:], atol=3e-6)


def test_a_variable_may_be_used_by_its_name():
    """As in DeepXDE's tensor backends; u = t² and so u' = c t with c = 2."""
    factor = dde.Variable(0.5)
    line = dde.geometry.TimeDomain(0, 1)
    conditions = [
        dde.icbc.IC(line, lambda x: 0, lambda _, on: on),
        dde.icbc.PointSetBC(np.array([[1.0]]), np.array([[1.0]])),
    ]
    data = dde.data.PDE(
        line, lambda x, y: dde.grad.jacobian(y, x) - 1.0 * factor * x, conditions, 20, 2
    )
    settings = TrainSettings(points=64, stages=(Broyden(150),), check_every=150)
    solution = solve_deepxde(data, dde.nn.FNN([1, 8, 1], "tanh", "Glorot normal"), factor, settings)
    assert solution.variables[0] == pytest.approx(2.0, abs=1e-3)


@pytest.mark.filterwarnings("ignore:Arrays of 2-dimensional vectors:DeprecationWarning")
def test_shapes_hold_what_the_geometries_hold():
    plate = dde.geometry.Rectangle([0, 0], [2, 1])
    corners = [[0, 0], [1, 0], [1, -1], [-1, -1], [-1, 1], [0, 1]]
    geometries = [
        dde.geometry.Interval(-1, 3),
        dde.geometry.Disk([1, 2], 0.5),
        dde.geometry.Polygon(corners),
        dde.geometry.Triangle([0, 0], [1, 0], [0.3, 0.8]),
        plate - dde.geometry.Disk([1, 0.5], 0.3),
        plate | dde.geometry.Disk([2, 1], 0.4),
        plate & dde.geometry.Disk([0.5, 0.5], 0.8),
    ]
    random = np.random.default_rng(0)
    for geometry in geometries:
        shape = shape_of(geometry)
        low, high = shape.bounds
        points = random.uniform(low - 0.1, high + 0.1, (400, shape.dims))
        np.testing.assert_array_equal(shape.inside(points), geometry.inside(points))
        assert geometry.inside(shape.draw(random, 50)).all()


def with_an_integral():
    line = dde.geometry.TimeDomain(0, 5)
    start = dde.icbc.IC(line, lambda x: 1, lambda _, on: on)
    return dde.data.IDE(
        line, lambda x, y, integral: y, start, 10, kernel=lambda x, s: np.exp(s - x),
        num_domain=10, num_boundary=2, train_distribution="uniform",
    )  # fmt: skip


def with_a_fraction():
    line = dde.geometry.Interval(0, 1)
    ends = dde.icbc.DirichletBC(line, lambda x: 0, lambda _, on: on)
    return dde.data.FPDE(
        line, lambda x, y, integral: y, 1.5, ends, [101], num_domain=20, num_boundary=2
    )


@pytest.mark.parametrize(("data", "kind"), [(with_an_integral, "IDE"), (with_a_fraction, "FPDE")])
def test_integral_and_fractional_terms_are_refused_by_name(data, kind):
    with pytest.raises(InputError, match=f"data is an {kind}, expected a deepxde.data.PDE"):
        solve_deepxde(data(), dde.nn.FNN([1, 20, 1], "tanh", "Glorot uniform"))


def test_what_cannot_be_taken_over_is_told_at_once():
    with pytest.raises(InputError) as told:
        from_deepxde("no data", "no net", (1.0,))
    for word in ("data is a str", "net is a str", "a variable is a float"):
        assert word in str(told.value)
    with pytest.raises(InputError, match="Sphere"):
        shape_of(dde.geometry.Sphere([0, 0, 0], 1))


EXAMPLES = {
    "poisson_neumann": ((1, 20, 20, 1), 128),
    "diffusion": ((2, 20, 20, 1), 400),
    "diffusion_inverse": ((2, 20, 20, 1), 400),
    "euler_beam": ((1, 20, 20, 1), 128),
    "helmholtz": ((2, 20, 20, 1), 800),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_a_tenth_of_deepxdes_error_in_its_time(name):
    """DeepXDE runs its documented recipe to the end, here and now; ours gets no more time."""
    theirs = peer(name, "pytorch")
    example = PROBLEMS[name]()
    sizes, points = EXAMPLES[name]
    settings = TrainSettings(
        points=points,
        stages=(Adam(300), Broyden(20_000)),
        check_every=250,
        time_s=min(0.9 * theirs.wall_s, 60.0),
    )
    solution = solve_deepxde(example.data, example.net(sizes), example.variables, settings, seed=0)
    assert solution.checks[-1].wall_s < theirs.wall_s
    assert example.error(solution.predict) < theirs.relative_l2 / 10
