"""How each problem of the library is trained: to the accuracy stated, and in a short form.

`STEPS` of self-scaled Broyden on one small network solve what is smooth. Fronts take a third layer
and points chosen by the residual; what runs through many periods takes windows of time, or sines
instead of tanh.
"""

from dataclasses import dataclass, replace
from importlib import import_module

from tvilling.pinns.network.network import NetworkSettings
from tvilling.pinns.optimisers.stages import Broyden
from tvilling.pinns.training.settings import TrainSettings, Windows

SHORT_STEPS, SHORT_POINTS = 300, 400


@dataclass(frozen=True)
class Recipe:
    """Settings that reach what the registry states, and shorter ones for a first look."""

    full: TrainSettings
    short: TrainSettings


def recipe_of(example_at: str) -> Recipe:
    """How a problem of the registry is trained, by the place of its example.

    A problem without a recipe here may have settings `FULL` and `SHORT` in its module.
    """
    place = example_at.removeprefix("tvilling.pinns.library.")
    if place in RECIPES:
        return RECIPES[place]
    module = import_module(example_at.split(":")[0])
    return Recipe(getattr(module, "FULL", USUAL.full), getattr(module, "SHORT", USUAL.short))


def _recipe(
    full: TrainSettings,
    short_steps: int = SHORT_STEPS,
    short_points: int = SHORT_POINTS,
    **changes: object,
) -> Recipe:
    """The short form has fewer steps and points."""
    short = replace(
        full,
        stages=(Broyden(short_steps),),
        points=min(full.points, short_points),
        check_every=100,
        **changes,  # type: ignore[arg-type]
    )
    return Recipe(full, short)


def _plain(
    steps: int,
    points: int = 1000,
    width: int = 20,
    activation: str = "tanh",
    short_steps: int = SHORT_STEPS,
) -> Recipe:
    """One network throughout, its points drawn evenly."""
    network = NetworkSettings(width=width, activation=activation)
    return _recipe(TrainSettings(network, points=points, stages=(Broyden(steps),)), short_steps)


def _deep(
    steps: int,
    points: int,
    check_every: int = 250,
    windows: Windows | None = None,
    width: int = 20,
    modes: int = 1,
) -> TrainSettings:
    """Three layers, points where the residual is large."""
    return TrainSettings(
        NetworkSettings(width=width, depth=3, modes=modes),
        points=points,
        stages=(Broyden(steps),),
        check_every=check_every,
        focus=1.0,
        windows=windows,
    )


USUAL = _plain(2500)
WAVES = TrainSettings(
    NetworkSettings(width=24, activation="sin"), stages=(Broyden(3500),), windows=Windows("t", 2)
)
RECIPES: dict[str, Recipe] = {
    "poisson:example": _plain(3000),
    "helmholtz:example": _plain(3000, width=24, activation="sin"),
    "heat:example": _plain(3500),
    "burgers:example": Recipe(_deep(10_000, 2000, 1000, width=24), _deep(700, 600, 100, width=16)),
    "advection:example": Recipe(
        TrainSettings(stages=(Broyden(1000),), windows=Windows("t", 5)),
        TrainSettings(
            NetworkSettings(activation="sin"),
            points=400,
            stages=(Broyden(400),),
            check_every=100,
            windows=Windows("t", 2),
        ),
    ),
    "wave:example": _recipe(WAVES, 900, 500, windows=None),
    "allen_cahn:example": Recipe(
        _deep(2500, 2000, windows=Windows("t", 4), modes=3),
        _deep(900, 600, 100, width=16, modes=3),
    ),
    "kdv:example": Recipe(
        _deep(2500, 2000, windows=Windows("t", 8), modes=8),
        _deep(300, 600, 100, windows=Windows("t", 4), width=16, modes=6),
    ),
    "lid_cavity:example": Recipe(
        _deep(20_000, 4000, 100, width=24), _deep(3500, 3000, 100, width=24)
    ),
    "heating_pipe:example": _plain(2500, short_steps=600),
    "heating_pipe_wall:example": _plain(3000),
    "stratified_tank:example": _plain(2500, short_steps=600),
    "buried_cable:example": _plain(2000),
    "transformer_hot_spot:example": _plain(2000),
    "swing_equation:example": _plain(5000),
    "swing_equation:example_network": _plain(1500, 500),
    "heat_exchanger:example": _plain(1000, 300),
    "water_hammer:example": _plain(3000, width=24, activation="sin"),
    "battery_particle:example": _plain(2500),
    "pipe_graph:example": _plain(1500, 500),
}
