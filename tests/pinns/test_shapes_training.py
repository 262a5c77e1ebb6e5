"""Equations solved in shapes that are no boxes, against closed forms, differences and elements."""

from pathlib import Path

import jax.numpy as jnp
import meshio
import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve

from tvilling.pinns import (
    Axis,
    Broyden,
    Condition,
    EdgeCondition,
    Equation,
    NetworkSettings,
    Problem,
    Reference,
    TrainSettings,
    Unknown,
    d,
    laplacian,
    of,
    train,
)
from tvilling.pinns.fields import sin
from tvilling.pinns.fields.region import Region
from tvilling.pinns.shapes import Disk, Polygon, Rectangle, difference, read_mesh, read_stl

FILES = Path(__file__).parent / "shapes" / "data"
ELL = Region(Polygon([(-1, -1), (0, -1), (0, 0), (1, 0), (1, 1), (-1, 1)]), ("x_m", "y_m"), "m")


def trained(problem, steps, points=400, edge_points=100):
    network = NetworkSettings(width=16, depth=2)
    stages = (Broyden(steps),)
    every = max(steps // 5, 1)
    settings = TrainSettings(network, points, edge_points, stages, check_every=every)
    return train(problem, settings)


def to_corner(at):
    """Distance to the corner of 270°, by which the residual is weighed there."""
    return of(lambda x, y: jnp.sqrt(x**2 + y**2), at.x_m, at.y_m)


def ell(source, reference=None, scale=1.0):
    """-Δu = source in an L, with u = 0 on its boundary."""
    return Problem(
        "ell",
        ELL,
        (Unknown("u_k", "K", -scale, scale),),
        (
            Equation(
                "poisson",
                "K/m",
                lambda at: to_corner(at) * (laplacian(at.u_k, "x_m", "y_m") + source(at)),
            ),
        ),
        (EdgeCondition("u_k", "boundary", 0.0),),
        reference=reference,
    )


def test_a_smooth_solution_in_an_ell():
    """u = sin πx sin πy vanishes on every side of the L."""
    exact = Reference(
        lambda at: {"u_k": np.sin(np.pi * at["x_m"]) * np.sin(np.pi * at["y_m"])}, 1e-15, "closed"
    )
    waves = ell(lambda at: 2 * np.pi**2 * sin(np.pi * at.x_m) * sin(np.pi * at.y_m), exact)
    solution = trained(waves, 500, 600)
    assert solution.error()["u_k"].relative_l2 < 6e-3
    edge, _ = ELL.draw_edge("boundary", np.random.default_rng(0), 200)
    np.testing.assert_allclose(solution.values_at(edge, ["u_k"])["u_k"], 0.0, atol=1e-12)


def differences(cells):
    """-Δu = 1 in the L by differences, `cells` to a metre: coordinates and values inside."""
    grid = np.linspace(-1, 1, 2 * cells + 1)
    x, y = np.meshgrid(grid, grid, indexing="ij")
    inside = (abs(x) < 1) & (abs(y) < 1) & ~((x > -1e-9) & (y < 1e-9))
    number = np.full(x.shape, -1)
    number[inside] = np.arange(inside.sum())
    here = np.argwhere(inside)
    matrix = sp.identity(len(here), format="lil") * 4.0
    for step in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        beside = number[tuple((here + step).T)]
        known = np.flatnonzero(beside >= 0)
        matrix[known, beside[known]] = -1.0
    values = spsolve(matrix.tocsr(), np.full(len(here), cells**-2.0))
    return {"x_m": x[inside], "y_m": y[inside]}, values


@pytest.mark.slow
def test_a_solution_that_is_singular_at_a_corner():
    """Near the corner u goes as r^(2/3), which no smooth network follows: the error stays large."""
    places, wanted = differences(96)
    rough = differences(48)[1]
    own_error = abs(rough.max() - wanted.max()) / wanted.max()
    assert own_error < 2e-3
    found = trained(ell(lambda at: 1.0, scale=0.15), 500, 1000).values_at(places, ["u_k"])["u_k"]
    off = np.abs(found - wanted)
    assert np.sqrt(np.mean(off**2) / np.mean(wanted**2)) < 4e-2
    far = np.hypot(places["x_m"], places["y_m"]) > 0.2
    assert off[~far].max() > off[far].max()  # the corner is where it fails


DEPTH, RADIUS = 1.0, 0.3
POLE = np.sqrt(DEPTH**2 - RADIUS**2)


def buried_degc(x, y, xp):
    """A pipe of 70 °C in ground whose surface, y = 0, has 0 °C: two poles of opposite strength."""
    shape = 2 * np.log((DEPTH - RADIUS + POLE) / abs(DEPTH - RADIUS - POLE))
    return 70.0 / shape * xp.log((x**2 + (y + POLE) ** 2) / (x**2 + (y - POLE) ** 2))


def outflow(field, at):
    return at.normal_x_m * d(field, "x_m") + at.normal_y_m * d(field, "y_m")


def test_a_hole_with_values_and_sides_with_fluxes():
    """Heat from a buried pipe: hard on pipe and surface, fluxes through cut ground in the loss."""
    ground = difference(ground=Rectangle((-1.5, 0.0), (1.5, 2.0)), pipe=Disk((0.0, DEPTH), RADIUS))

    def side(at):
        exact = of(lambda x, y: buried_degc(x, y, jnp), at.x_m, at.y_m)
        return outflow(at.ground_degc, at) - outflow(exact, at)

    problem = Problem(
        "buried",
        Region(ground, ("x_m", "y_m"), "m"),
        (Unknown("ground_degc", "°C", 0.0, 70.0),),
        (
            Equation("heat", "K/m²", lambda at: laplacian(at.ground_degc, "x_m", "y_m")),
            *(
                Equation(name, "K/m", side, face=f"ground {name}")
                for name in ("left", "right", "top")
            ),
        ),
        (
            EdgeCondition("ground_degc", "ground bottom", 0.0),
            EdgeCondition("ground_degc", "pipe", 70.0),
        ),
        reference=Reference(
            lambda at: {"ground_degc": buried_degc(at["x_m"], at["y_m"], np)}, 1e-14, "closed form"
        ),
    )
    solution = trained(problem, 1000)
    assert solution.error()["ground_degc"].relative_l2 < 1.2e-2
    pipe, _ = problem.domain.draw_edge("pipe", np.random.default_rng(0), 100)
    values = solution.values_at(pipe, ["ground_degc"])["ground_degc"]
    np.testing.assert_allclose(values, 70.0, rtol=1e-12)


def elements(path, halvings):
    """Laplace's equation by linear elements on a mesh: 1 on the left, 0 on the right, no flux."""
    mesh = meshio.read(path)
    places, cells = mesh.points[:, :2], mesh.cells_dict["triangle"]
    for _ in range(halvings):
        lines = np.sort(np.concatenate([cells[:, [0, 1]], cells[:, [1, 2]], cells[:, [2, 0]]]), 1)
        unique, index = np.unique(lines, axis=0, return_inverse=True)
        a, b, c = cells.T
        ab, bc, ca = (len(places) + index.reshape(-1)).reshape(3, -1)
        places = np.concatenate([places, places[unique].mean(axis=1)])
        corners = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        cells = np.concatenate([np.stack(three, axis=1) for three in corners])
    at = places[cells]
    across = np.roll(at, -1, axis=1) - np.roll(at, -2, axis=1)
    twice = np.abs(across[:, 0, 0] * across[:, 1, 1] - across[:, 0, 1] * across[:, 1, 0])
    stiff = np.einsum("tid,tjd->tij", across, across) / (2 * twice)[:, None, None]
    rows, columns = np.repeat(cells, 3, axis=1), np.tile(cells, 3)
    matrix = sp.csr_array((stiff.ravel(), (rows.ravel(), columns.ravel())))
    values = np.where(places[:, 0] < -1 + 1e-9, 1.0, 0.0)
    free = np.abs(places[:, 0]) < 1 - 1e-9
    values[free] = spsolve(matrix[free][:, free], -(matrix @ values)[free])
    return {"x_m": places[:, 0], "y_m": places[:, 1]}, values


def test_a_mesh_from_a_file_against_finite_elements():
    """It is worst at a corner of the hole, where the normal jumps and a network's flux cannot."""
    path = FILES / "plate.msh"
    problem = Problem(
        "plate",
        Region(read_mesh(path), ("x_m", "y_m"), "m"),
        (Unknown("u_k", "K", 0.0, 1.0),),
        (
            Equation("heat", "K/m²", lambda at: laplacian(at.u_k, "x_m", "y_m")),
            Equation("walls", "K/m", lambda at: outflow(at.u_k, at), face="walls"),
            Equation("hole", "K/m", lambda at: outflow(at.u_k, at), face="hole"),
        ),
        (EdgeCondition("u_k", "left", 1.0), EdgeCondition("u_k", "right", 0.0)),
    )
    places, wanted = elements(path, 5)
    rough = elements(path, 4)[1]
    assert np.abs(rough - wanted[: len(rough)]).max() < 2e-3  # nodes of both meshes
    found = trained(problem, 1200, 600, 400).values_at(places, ["u_k"])["u_k"]
    off = np.abs(found - wanted)
    assert np.sqrt(np.mean(off**2) / np.mean(wanted**2)) < 2e-2
    worst = int(np.argmax(off))
    assert np.hypot(places["x_m"][worst], places["y_m"][worst]) < 0.251  # on the hole


@pytest.mark.slow
def test_a_body_from_a_file():
    """u = x y z (1 - z) (1 - x/3 - y/2) vanishes on all faces of the wedge."""

    def minus_laplacian(at):
        x, y, z = at.x_m, at.y_m, at.z_m
        low = z * (1 - z)
        return (2 / 3) * y * low + x * low + 2 * x * y * (1 - x / 3 - y / 2)

    def exact(at):
        x, y, z = at["x_m"], at["y_m"], at["z_m"]
        return {"u_k": x * y * z * (1 - z) * (1 - x / 3 - y / 2)}

    problem = Problem(
        "wedge",
        Region(read_stl(FILES / "wedge.stl"), ("x_m", "y_m", "z_m"), "m"),
        (Unknown("u_k", "K", 0.0, 0.06),),
        (
            Equation(
                "poisson",
                "K/m²",
                lambda at: laplacian(at.u_k, "x_m", "y_m", "z_m") + minus_laplacian(at),
            ),
        ),
        (EdgeCondition("u_k", "boundary", 0.0),),
        reference=Reference(exact, 1e-15, "closed form"),
    )
    assert trained(problem, 200).error()["u_k"].relative_l2 < 2e-3


@pytest.mark.slow
def test_heat_that_leaves_a_triangle_in_time():
    """An eigenfunction of the triangle decays as exp(-5 π² a t)."""
    diffusivity = 0.05

    def shape(x, y, xp):
        one, two = np.pi, 2 * np.pi
        return xp.sin(two * x) * xp.sin(one * y) - xp.sin(one * x) * xp.sin(two * y)

    def exact(at):
        decay = np.exp(-5 * np.pi**2 * diffusivity * at["time_s"])
        return {"u_k": shape(at["x_m"], at["y_m"], np) * decay}

    corners = Polygon([(0, 0), (1, 0), (1, 1)])
    problem = Problem(
        "triangle",
        Region(corners, ("x_m", "y_m"), "m", (Axis("time_s", "s", 0.0, 1.0),)),
        (Unknown("u_k", "K", -1.5, 1.5),),
        (
            Equation(
                "heat",
                "K/s",
                lambda at: d(at.u_k, "time_s") - diffusivity * laplacian(at.u_k, "x_m", "y_m"),
            ),
        ),
        (
            EdgeCondition("u_k", "boundary", 0.0),
            Condition("u_k", "time_s", 0.0, lambda at: shape(at.x_m, at.y_m, jnp)),
        ),
        reference=Reference(exact, 1e-15, "closed form"),
    )
    solution = trained(problem, 250)
    assert solution.error()["u_k"].relative_l2 < 1e-3
    first = problem.domain.draw(np.random.default_rng(0), 100) | {"time_s": np.zeros(100)}
    start = solution.values_at(first, ["u_k"])["u_k"]
    np.testing.assert_allclose(start, exact(first)["u_k"], atol=1e-12)


@pytest.mark.parametrize("edge", ["boundary", "outer 1"])
def test_a_mask_has_bounded_second_derivatives_at_a_corner(edge):
    """At 1e-6 from a corner of 90° the Laplacian of a normalised distance is about 1e6."""
    import jax

    near = ELL.nearness

    def mask(x, y):
        return near(edge, {"x_m": x, "y_m": y})

    bend = jax.grad(jax.grad(mask))(-1 + 1e-6, -1 + 1e-6)
    assert abs(float(bend)) < 10
    assert float(mask(-1 + 1e-6, -1 + 1e-6)) > 0
