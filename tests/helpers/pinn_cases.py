"""Problems that default settings solve, and problems that they do not, for the verdict."""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np

from tvilling.pinns import (
    Axis,
    Box,
    Broyden,
    Condition,
    Equation,
    NetworkSettings,
    Problem,
    Ranged,
    TrainSettings,
    Unknown,
    d,
    laplacian,
    of,
)
from tvilling.pinns.fields import exp, sin
from tvilling.pinns.problem import Layers, flux_equations

Case = tuple[Problem, TrainSettings | None]


def in_time(name: str, until: float, ranges: dict, start: dict, slopes: Callable) -> Problem:
    """A system y' = f(t, y); `slopes` gives f of the fields by name."""
    return Problem(
        name,
        Box((Axis("t", "s", 0.0, until),)),
        tuple(Unknown(key, "1", *span) for key, span in ranges.items()),
        tuple(
            Equation(key, "1/s", lambda at, key=key: d(getattr(at, key), "t") - slopes(at)[key])
            for key in ranges
        ),
        tuple(Condition(key, "t", 0.0, value) for key, value in start.items()),
    )


def oscillator(turns_per_s: float, until: float, cubic: float = 0.0) -> Problem:
    omega = 2 * np.pi * turns_per_s
    return Problem(
        "oscillator",
        Box((Axis("t", "s", 0.0, until),)),
        (Unknown("u", "m", -1.0, 1.0),),
        (
            Equation(
                "e", "m/s2", lambda at: d(at.u, "t", "t") + omega**2 * (at.u + cubic * at.u**3)
            ),
        ),
        (Condition("u", "t", 0.0, 1.0, slope=0.0),),
    )


def square(name: str, residual: Callable, conditions: tuple, ends=((0.0, 1.0), (0.0, 1.0))):
    """One unknown of -1 to 1 over x and y."""
    axes = tuple(Axis(key, "m", *span) for key, span in zip("xy", ends, strict=True))
    return Problem(
        name,
        Box(axes),
        (Unknown("u", "K", -1.0, 1.0),),
        (Equation("e", "K", residual),),
        conditions,
    )


def all_around(value) -> tuple:
    return tuple(Condition("u", axis, end, value) for axis in "xy" for end in (0.0, 1.0))


def epidemic() -> Problem:
    return in_time(
        "epidemic",
        60.0,
        {"s": (0.0, 1.0), "i": (0.0, 0.4)},
        {"s": 0.995, "i": 0.005},
        lambda at: {"s": -0.8 * at.i * at.s, "i": 0.8 * at.i * at.s - 0.25 * at.i},
    )


def lorenz() -> Problem:
    return in_time(
        "lorenz",
        4.0,
        {"x": (-20.0, 20.0), "y": (-25.0, 25.0), "z": (0.0, 50.0)},
        {"x": 1.0, "y": 1.0, "z": 1.0},
        lambda at: {
            "x": 10.0 * (at.y - at.x),
            "y": at.x * (28.0 - at.z) - at.y,
            "z": at.x * at.y - 8.0 / 3.0 * at.z,
        },
    )


def prey(until: float = 60.0) -> Problem:
    return in_time(
        "prey",
        until,
        {"r": (0.0, 3.0), "p": (0.0, 3.0)},
        {"r": 2.0, "p": 1.0},
        lambda at: {"r": at.r * (1.0 - at.p), "p": at.p * (at.r - 1.0)},
    )


def robertson() -> Problem:
    return in_time(
        "robertson",
        40.0,
        {"a": (0.0, 1.0), "b": (0.0, 4e-5), "c": (0.0, 1.0)},
        {"a": 1.0, "b": 0.0, "c": 0.0},
        lambda at: {
            "a": -0.04 * at.a + 1e4 * at.b * at.c,
            "b": 0.04 * at.a - 1e4 * at.b * at.c - 3e7 * at.b**2,
            "c": 3e7 * at.b**2,
        },
    )


def van_der_pol() -> Problem:
    return in_time(
        "van_der_pol",
        30.0,
        {"u": (-2.0, 2.0), "v": (-8.0, 8.0)},
        {"u": 2.0, "v": 0.0},
        lambda at: {"u": at.v, "v": 5.0 * (1.0 - at.u**2) * at.v - at.u},
    )


def brusselator() -> Problem:
    return in_time(
        "brusselator",
        30.0,
        {"u": (0.0, 4.0), "v": (0.0, 5.0)},
        {"u": 1.0, "v": 1.0},
        lambda at: {
            "u": 1.0 + at.u**2 * at.v - 4.0 * at.u,
            "v": 3.0 * at.u - at.u**2 * at.v,
        },
    )


def nerve() -> Problem:
    return in_time(
        "nerve",
        120.0,
        {"v": (-2.0, 2.0), "w": (-1.0, 1.5)},
        {"v": -1.0, "w": 1.0},
        lambda at: {
            "v": at.v - at.v**3 / 3.0 - at.w + 0.5,
            "w": 0.08 * (at.v + 0.7 - 0.8 * at.w),
        },
    )


def advection(speed: float) -> Problem:
    return Problem(
        "advection",
        Box((Axis("x", "m", 0.0, 2 * np.pi, periodic=True), Axis("t", "s", 0.0, 1.0))),
        (Unknown("u", "K", -1.0, 1.0),),
        (Equation("e", "K/s", lambda at: d(at.u, "t") + speed * d(at.u, "x")),),
        (Condition("u", "t", 0.0, lambda at: jnp.sin(at.x)),),
    )


def helmholtz(waves: float) -> Problem:
    k2 = (waves * np.pi) ** 2

    def residual(at):
        wave = sin(waves * np.pi * at.x) * sin(waves * np.pi * at.y)
        return laplacian(at.u, "x", "y") + k2 * at.u + k2 * wave

    return square("helmholtz", residual, all_around(0.0))


def wall() -> Problem:
    axis = Axis("x_m", "m", 0.0, 1.0)
    temp, flux = Unknown("temp_degc", "°C", 0.0, 1.0), Unknown("flux_w_per_m2", "W/m2", 0.0, 0.4)
    equations = flux_equations(
        temp, flux, axis, lambda at: of(lambda x: jnp.where(x < 0.5, 1.0, 0.1), at.x_m)
    )
    ends = tuple(Condition("temp_degc", "x_m", at, value) for at, value in ((0.0, 1.0), (1.0, 0.0)))
    return Problem("wall", Box((axis,)), (temp, flux), equations, ends)


def wall_in_layers() -> tuple[Layers, Problem]:
    axis = Axis("x_m", "m", 0.0, 1.0)
    layers = Layers(Unknown("temp_degc", "°C", 0.0, 1.0), axis, (0.5,), (1.0, 0.1))
    return layers, Problem(
        "wall_in_layers",
        layers.domain(),
        layers.unknowns,
        layers.equations("W/m2"),
        layers.conditions(1.0, 0.0),
    )


def swing() -> Problem:
    return Problem(
        "family",
        Box((Axis("t", "s", 0.0, 2.0),)),
        (Unknown("u", "K", 0.0, 1.0),),
        (Equation("e", "K/s", lambda at: d(at.u, "t") + at.rate * at.u),),
        (Condition("u", "t", 0.0, 1.0),),
        (Ranged("rate", "1/s", 0.5, 2.0),),
    )


def bratu() -> Problem:
    return Problem(
        "bratu",
        Box((Axis("x", "m", 0.0, 1.0),)),
        (Unknown("u", "1", 0.0, 0.2),),
        (Equation("e", "1/m2", lambda at: d(at.u, "x", "x") + exp(at.u)),),
        (Condition("u", "x", 0.0, 0.0), Condition("u", "x", 1.0, 0.0)),
    )


def blasius() -> Problem:
    return Problem(
        "blasius",
        Box((Axis("x", "1", 0.0, 6.0),)),
        (Unknown("f", "1", 0.0, 5.0),),
        (
            Equation("e", "1", lambda at: d(at.f, "x", "x", "x") + 0.5 * at.f * d(at.f, "x", "x")),
            Equation("far", "1", lambda at: d(at.f, "x") - 1.0, face=("x", 6.0)),
        ),
        (Condition("f", "x", 0.0, 0.0, slope=0.0),),
    )


def diffusion(decay: float = 1.0) -> Problem:
    return Problem(
        "diffusion",
        Box((Axis("x", "m", 0.0, 1.0), Axis("t", "s", 0.0, 1.0))),
        (Unknown("u", "K", 0.0, 1.0),),
        (Equation("e", "K/s", lambda at: d(at.u, "t") - 0.1 * d(at.u, "x", "x") + decay * at.u),),
        (
            Condition("u", "t", 0.0, lambda at: jnp.sin(jnp.pi * at.x)),
            Condition("u", "x", 0.0, 0.0),
            Condition("u", "x", 1.0, 0.0),
        ),
    )


def burgers() -> Problem:
    return Problem(
        "burgers",
        Box((Axis("x", "m", -1.0, 1.0), Axis("t", "s", 0.0, 1.0))),
        (Unknown("u", "m/s", -1.0, 1.0),),
        (Equation("e", "m/s2", lambda at: d(at.u, "t") + at.u * d(at.u, "x")
                  - 0.1 * d(at.u, "x", "x")),),
        (
            Condition("u", "t", 0.0, lambda at: -jnp.sin(jnp.pi * at.x)),
            Condition("u", "x", -1.0, 0.0),
            Condition("u", "x", 1.0, 0.0),
        ),
    )  # fmt: skip


FOURIER = TrainSettings(
    NetworkSettings(kind="fourier", frequency=8.0), points=400, stages=(Broyden(800),)
)
UNSOLVED: dict[str, Callable[[], Case]] = {
    "epidemic": lambda: (epidemic(), None),
    "lorenz": lambda: (lorenz(), None),
    "prey": lambda: (prey(), None),
    "robertson": lambda: (robertson(), None),
    "helmholtz, random features": lambda: (helmholtz(2.0), FOURIER),
    "van der pol": lambda: (van_der_pol(), None),
    "brusselator": lambda: (brusselator(), None),
    "nerve": lambda: (nerve(), None),
    "fast advection": lambda: (advection(40.0), None),
    "many turns": lambda: (oscillator(1.0, 12.0, 0.3), None),
}
SOLVED: dict[str, Callable[[], Case]] = {
    "one turn": lambda: (oscillator(0.5, 2.0), None),
    "short prey": lambda: (prey(6.0), None),
    "laplace": lambda: (
        square("laplace", lambda at: laplacian(at.u, "x", "y"),
               all_around(lambda at: jnp.exp(at.x) * jnp.sin(at.y))), None),
    "helmholtz": lambda: (helmholtz(1.0), None),
    "wall by its flux": lambda: (wall(), None),
    "wall in layers": lambda: (wall_in_layers()[1], None),
    "family of decays": lambda: (swing(), None),
    "bratu": lambda: (bratu(), None),
    "blasius": lambda: (blasius(), None),
    "diffusion": lambda: (diffusion(), None),
    "burgers": lambda: (burgers(), None),
}  # fmt: skip
