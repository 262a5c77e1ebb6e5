"""Examples of DeepXDE in their documented form, with the recipes documented for them.

Equations, points, networks and steps are those of its repository's `examples`, version 1.15. They
are written for whichever backend is loaded; `deepxde` is imported when a problem is built.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from tvilling.benchmarks import reaction

Field = Callable[[np.ndarray], np.ndarray]
GRID = 101  # points along each coordinate at which errors are taken
HERMITE = 120  # nodes of the quadrature behind the solution of Burgers' equation


@dataclass(frozen=True)
class Documented:
    """An example and its recipe.

    Attributes
    ----------
    sizes, activation, initialiser
        Of the documented network.
    adam_steps, lbfgs
        Adam of rate 1e-3, and whether L-BFGS with DeepXDE's settings follows.
    truth
        The solution at points [point, coordinate], as [point, output].
    bounds
        Lowest and highest coordinates [2, coordinate].
    transform
        Of the outputs; None: none.
    variables, found
        What is to be found, as `deepxde.Variable`s, and its true values.
    """

    data: Any
    sizes: tuple[int, ...]
    initialiser: str
    adam_steps: int
    lbfgs: bool
    truth: Field
    bounds: tuple[tuple[float, ...], tuple[float, ...]]
    activation: str = "tanh"
    transform: Callable[[Any, Any], Any] | None = None
    variables: tuple[Any, ...] = ()
    found: tuple[float, ...] = field(default=())

    def net(self, sizes: tuple[int, ...] | None = None) -> Any:
        """The documented network, or one of other sizes."""
        import deepxde as dde

        net = dde.nn.FNN(list(sizes or self.sizes), self.activation, self.initialiser)
        if self.transform is not None:
            net.apply_output_transform(self.transform)
        return net

    @cached_property
    def grid(self) -> np.ndarray:
        """Points of an even grid that reaches every edge [point, coordinate]."""
        axes = [np.linspace(low, high, GRID) for low, high in zip(*self.bounds, strict=True)]
        return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)

    @cached_property
    def true(self) -> np.ndarray:
        """The solution there [point, output]."""
        return self.truth(self.grid)

    def error(self, predict: Callable[[np.ndarray], Any]) -> float:
        """Relative L2 of `predict` over the grid."""
        return self.error_of(np.asarray(predict(self.grid)))

    def error_of(self, values: np.ndarray) -> float:
        """Relative L2 of values on the grid."""
        return float(np.linalg.norm(values - self.true) / np.linalg.norm(self.true))

    def error_found(self, values: Sequence[float]) -> float:
        """Greatest relative error of what was to be found; 0 where nothing was."""
        pairs = zip(values, self.found, strict=True)
        return max((abs(value / true - 1) for value, true in pairs), default=0.0)


def _functions() -> Any:
    """`sin` and `exp` of the backend that is loaded."""
    import importlib

    import deepxde as dde

    return importlib.import_module({"jax": "jax.numpy"}.get(dde.backend.backend_name, "torch"))


def _array(value: Any) -> Any:
    """The values of a pair of values and function, which the JAX backend passes."""
    return value[0] if isinstance(value, tuple) else value


def _first(y: Any, x: Any, j: int, output: int = 0) -> Any:
    import deepxde as dde

    return _array(dde.grad.jacobian(y, x, i=output, j=j))


def _second(y: Any, x: Any, i: int, j: int) -> Any:
    import deepxde as dde

    return _array(dde.grad.hessian(y, x, i=i, j=j))


def burgers() -> Documented:
    """Burgers' equation of viscosity 0.01/π, which forms a steep front."""
    import deepxde as dde

    def pde(x: Any, y: Any) -> Any:
        dy_x, dy_t, dy_xx = _first(y, x, 0), _first(y, x, 1), _second(y, x, 0, 0)
        return dy_t + _array(y) * dy_x - 0.01 / np.pi * dy_xx

    geometry = dde.geometry.GeometryXTime(
        dde.geometry.Interval(-1, 1), dde.geometry.TimeDomain(0, 0.99)
    )
    conditions = [
        dde.icbc.DirichletBC(geometry, lambda x: 0, lambda _, on_boundary: on_boundary),
        dde.icbc.IC(
            geometry, lambda x: -np.sin(np.pi * x[:, 0:1]), lambda _, on_initial: on_initial
        ),
    ]
    data = dde.data.TimePDE(
        geometry, pde, conditions, num_domain=2540, num_boundary=80, num_initial=160
    )
    bounds = ((-1.0, 0.0), (1.0, 0.99))
    return Documented(data, (2, 20, 20, 20, 1), "Glorot normal", 15000, True, burgers_exact, bounds)


def burgers_exact(points: np.ndarray) -> np.ndarray:
    """The solution by the Cole-Hopf transform and Gauss-Hermite quadrature.

    Basdevant et al., Comput. Fluids 14 (1986) 23-41, DOI 10.1016/0045-7930(86)90036-8.
    """
    viscosity = 0.01 / np.pi
    nodes, weights = np.polynomial.hermite.hermgauss(HERMITE)
    x, t = points[:, 0:1], points[:, 1:2]
    feet = x - 2 * np.sqrt(viscosity * t) * nodes
    exponent = -np.cos(np.pi * feet) / (2 * np.pi * viscosity)
    share = weights * np.exp(exponent - exponent.max(axis=1, keepdims=True))
    mean = (share * np.sin(np.pi * feet)).sum(axis=1, keepdims=True)
    return -mean / share.sum(axis=1, keepdims=True)


def heat() -> Documented:
    """Diffusion of 0.4 in a bar whose ends are kept at zero."""
    import deepxde as dde

    def pde(x: Any, y: Any) -> Any:
        return _first(y, x, 1) - 0.4 * _second(y, x, 0, 0)

    geometry = dde.geometry.GeometryXTime(
        dde.geometry.Interval(0, 1), dde.geometry.TimeDomain(0, 1)
    )
    conditions = [
        dde.icbc.DirichletBC(geometry, lambda x: 0, lambda _, on_boundary: on_boundary),
        dde.icbc.IC(
            geometry, lambda x: np.sin(np.pi * x[:, 0:1]), lambda _, on_initial: on_initial
        ),
    ]
    data = dde.data.TimePDE(
        geometry,
        pde,
        conditions,
        num_domain=2540,
        num_boundary=80,
        num_initial=160,
        num_test=2540,
    )
    bounds = ((0.0, 0.0), (1.0, 1.0))
    return Documented(data, (2, 20, 20, 20, 1), "Glorot normal", 20000, True, _heat_exact, bounds)


def _heat_exact(points: np.ndarray) -> np.ndarray:
    return np.exp(-0.4 * np.pi**2 * points[:, 1:2]) * np.sin(np.pi * points[:, 0:1])


def _diffusing(points: np.ndarray) -> np.ndarray:
    return np.sin(np.pi * points[:, 0:1]) * np.exp(-points[:, 1:])


def diffusion() -> Documented:
    """Diffusion with a source, made for a known solution."""
    return _diffusion(inverse=False)


def diffusion_inverse() -> Documented:
    """The same where the diffusivity, 1, is found from ten values at the end."""
    return _diffusion(inverse=True)


def _diffusion(inverse: bool) -> Documented:
    import deepxde as dde

    lib = _functions()
    diffusivity = dde.Variable(2.0)

    def residual(x: Any, y: Any, factor: Any) -> Any:
        sine = lib.sin(np.pi * x[:, 0:1])
        source = lib.exp(-x[:, 1:]) * (sine - np.pi**2 * sine)
        return _first(y, x, 1) - factor * _second(y, x, 0, 0) + source

    def known(x: Any, y: Any) -> Any:
        return residual(x, y, 1.0)

    def by_name(x: Any, y: Any) -> Any:
        return residual(x, y, diffusivity)

    def by_argument(x: Any, y: Any, unknowns: Any = (2.0,)) -> Any:
        return residual(x, y, unknowns[0])

    geometry = dde.geometry.GeometryXTime(
        dde.geometry.Interval(-1, 1), dde.geometry.TimeDomain(0, 1)
    )
    conditions = [
        dde.icbc.DirichletBC(geometry, _diffusing, lambda _, on_boundary: on_boundary),
        dde.icbc.IC(geometry, _diffusing, lambda _, on_initial: on_initial),
    ]
    observed = np.vstack((np.linspace(-1, 1, num=10), np.full((10), 1))).T
    if inverse:
        conditions.append(dde.icbc.PointSetBC(observed, _diffusing(observed), component=0))
    named = by_argument if dde.backend.backend_name == "jax" else by_name
    data = dde.data.TimePDE(
        geometry,
        named if inverse else known,
        conditions,
        num_domain=40,
        num_boundary=20,
        num_initial=10,
        anchors=observed if inverse else None,
        solution=_diffusing,
        num_test=10000,
    )
    return Documented(
        data,
        (2, 32, 32, 32, 1),
        "Glorot uniform",
        50000 if inverse else 10000,
        False,
        _diffusing,
        ((-1.0, 0.0), (1.0, 1.0)),
        variables=(diffusivity,) if inverse else (),
        found=(1.0,) if inverse else (),
    )


def reaction_inverse() -> Documented:
    """Two species that diffuse and react: diffusivity and rate are found from their values."""
    import deepxde as dde

    rate, diffusivity = (dde.Variable(value) for value in reaction.GUESS)

    def residuals(x: Any, y: Any, rate: Any, diffusivity: Any) -> list[Any]:
        species = _array(y)
        react = rate * species[:, 0:1] * species[:, 1:2] ** 2
        spread = [
            reaction.SLOWNESS * diffusivity * _array(dde.grad.hessian(y, x, component=i))
            for i in range(2)
        ]
        return [
            _first(y, x, 1, 0) - spread[0] + react,
            _first(y, x, 1, 1) - spread[1] + 2 * react,
        ]

    def by_name(x: Any, y: Any) -> list[Any]:
        return residuals(x, y, rate, diffusivity)

    def by_argument(x: Any, y: Any, unknowns: Any = reaction.GUESS) -> list[Any]:
        return residuals(x, y, *unknowns)

    def edges(x: np.ndarray) -> np.ndarray:
        return 1 - x[:, 0:1]

    def start(x: np.ndarray) -> np.ndarray:
        return np.exp(-20 * x[:, 0:1])

    def exact(points: np.ndarray) -> np.ndarray:
        return reaction.exact(points, GRID)

    geometry = dde.geometry.GeometryXTime(
        dde.geometry.Interval(0, 1), dde.geometry.TimeDomain(0, reaction.UNTIL)
    )
    points, values = reaction.observed(GRID)
    conditions = [
        *(dde.icbc.DirichletBC(geometry, edges, lambda _, on: on, component=i) for i in range(2)),
        *(dde.icbc.IC(geometry, start, lambda _, on: on, component=i) for i in range(2)),
        *(dde.icbc.PointSetBC(points, values[:, i : i + 1], component=i) for i in range(2)),
    ]
    data = dde.data.TimePDE(
        geometry,
        by_argument if dde.backend.backend_name == "jax" else by_name,
        conditions,
        num_domain=2000,
        num_boundary=100,
        num_initial=100,
        anchors=points,
        num_test=50000,
    )
    return Documented(
        data,
        (2, 20, 20, 20, 2),
        "Glorot uniform",
        80000,
        False,
        exact,
        ((0.0, 0.0), (1.0, reaction.UNTIL)),
        variables=(rate, diffusivity),
        found=(reaction.RATE, reaction.DIFFUSIVITY),
    )


def euler_beam() -> Documented:
    """A cantilever under its own weight: four conditions, derivatives up to the fourth."""
    import deepxde as dde

    def bent(x: Any, y: Any) -> Any:
        return dde.grad.hessian(y, x)

    def pde(x: Any, y: Any) -> Any:
        return _second(bent(x, y), x, 0, 0) + 1

    def left(x: Any, on_boundary: Any) -> Any:
        return on_boundary and np.isclose(x[0], 0)

    def right(x: Any, on_boundary: Any) -> Any:
        return on_boundary and np.isclose(x[0], 1)

    geometry = dde.geometry.Interval(0, 1)
    conditions = [
        dde.icbc.DirichletBC(geometry, lambda x: 0, left),
        dde.icbc.NeumannBC(geometry, lambda x: 0, left),
        dde.icbc.OperatorBC(geometry, lambda x, y, _: bent(x, y), right),
        dde.icbc.OperatorBC(geometry, lambda x, y, _: dde.grad.jacobian(bent(x, y), x), right),
    ]
    data = dde.data.PDE(
        geometry,
        pde,
        conditions,
        num_domain=10,
        num_boundary=2,
        solution=_beam_exact,
        num_test=100,
    )
    sizes = (1, 20, 20, 20, 1)
    return Documented(data, sizes, "Glorot uniform", 10000, False, _beam_exact, ((0.0,), (1.0,)))


def _beam_exact(x: np.ndarray) -> np.ndarray:
    return -(x**4) / 24 + x**3 / 6 - x**2 / 4


def poisson_neumann() -> Documented:
    """Poisson's equation on a line, with a value on the left and a slope on the right."""
    import deepxde as dde

    def pde(x: Any, y: Any) -> Any:
        return _second(y, x, 0, 0) - 2

    def left(x: Any, on_boundary: Any) -> Any:
        return on_boundary and np.isclose(x[0], -1)

    def right(x: Any, on_boundary: Any) -> Any:
        return on_boundary and np.isclose(x[0], 1)

    def exact(x: np.ndarray) -> np.ndarray:
        return (x + 1) ** 2

    geometry = dde.geometry.Interval(-1, 1)
    conditions = [
        dde.icbc.DirichletBC(geometry, exact, left),
        dde.icbc.NeumannBC(geometry, lambda x: 2 * (x + 1), right),
    ]
    data = dde.data.PDE(geometry, pde, conditions, 16, 2, solution=exact, num_test=100)
    sizes = (1, 50, 50, 50, 1)
    return Documented(data, sizes, "Glorot uniform", 10000, False, exact, ((-1.0,), (1.0,)))


def helmholtz() -> Documented:
    """Helmholtz' equation of two waves on the unit square, the edges met exactly."""
    import deepxde as dde

    lib = _functions()
    number = 4 * np.pi

    def pde(x: Any, y: Any) -> Any:
        dy_xx, dy_yy = _second(y, x, 0, 0), _second(y, x, 1, 1)
        source = number**2 * lib.sin(number * x[:, 0:1]) * lib.sin(number * x[:, 1:2])
        return -dy_xx - dy_yy - number**2 * _array(y) - source

    def transform(x: Any, y: Any) -> Any:
        return x[:, 0:1] * (1 - x[:, 0:1]) * x[:, 1:2] * (1 - x[:, 1:2]) * y

    def exact(points: np.ndarray) -> np.ndarray:
        return np.sin(number * points[:, 0:1]) * np.sin(number * points[:, 1:2])

    data = dde.data.PDE(
        dde.geometry.Rectangle([0, 0], [1, 1]),
        pde,
        [],
        num_domain=20**2,
        num_boundary=4 * 20,
        solution=exact,
        num_test=60**2,
    )
    return Documented(
        data,
        (2, 150, 150, 150, 1),
        "Glorot uniform",
        5000,
        False,
        exact,
        ((0.0, 0.0), (1.0, 1.0)),
        activation="sin",
        transform=transform,
    )


PROBLEMS: dict[str, Callable[[], Documented]] = {
    "burgers": burgers,
    "heat": heat,
    "diffusion": diffusion,
    "diffusion_inverse": diffusion_inverse,
    "reaction_inverse": reaction_inverse,
    "euler_beam": euler_beam,
    "helmholtz": helmholtz,
    "poisson_neumann": poisson_neumann,
}
