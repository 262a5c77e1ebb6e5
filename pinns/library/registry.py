"""The problems that ship, by name; listing them imports none of them."""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tvilling.pinns.problem.statement import Problem
    from tvilling.pinns.training.settings import TrainSettings


HERE = "tvilling.pinns.library."


@dataclass(frozen=True)
class ProblemEntry:
    """One line of the registry.

    Attributes
    ----------
    description
        What it is, in one line.
    example_at
        `module:function` that makes the problem with usual numbers, and with its reference.
    full_error, short_error
        Greatest relative L2 of an unknown that the full and the short training stay below; None
        where none is stated, as where parameters are found (`tvilling.pinns.invert` gives
        intervals).
    """

    description: str
    example_at: str
    full_error: float | None = None
    short_error: float | None = None

    def example(self) -> "Problem":
        """The problem with usual numbers; imports its module."""
        module, function = self.example_at.split(":")
        problem: Problem = getattr(import_module(module), function)()
        return problem

    @property
    def full(self) -> "TrainSettings":
        """Settings of the training that reaches `full_error`."""
        from tvilling.pinns.library.recipes import recipe_of

        return recipe_of(self.example_at).full

    @property
    def short(self) -> "TrainSettings":
        """Settings of a first look."""
        from tvilling.pinns.library.recipes import recipe_of

        return recipe_of(self.example_at).short


PROBLEMS: dict[str, ProblemEntry] = {
    "poisson": ProblemEntry("Poisson's equation on a square", f"{HERE}poisson:example", 1e-9, 1e-4),
    "helmholtz": ProblemEntry(
        "Helmholtz' equation with four waves across a square", f"{HERE}helmholtz:example", 1e-4, 0.5
    ),
    "heat": ProblemEntry("Conduction along a rod", f"{HERE}heat:example", 1e-9, 1e-4),
    "burgers": ProblemEntry(
        "Burgers' equation, a sine that steepens to a front", f"{HERE}burgers:example", 1e-6, 3e-3
    ),
    "advection": ProblemEntry(
        "A sine carried five times around a circle", f"{HERE}advection:example", 1e-3, 0.02
    ),
    "wave": ProblemEntry("A string plucked in two modes", f"{HERE}wave:example", 1e-3, 0.3),
    "allen_cahn": ProblemEntry(
        "Allen and Cahn's equation, phases that part", f"{HERE}allen_cahn:example", 1e-4, 0.15
    ),
    "kdv": ProblemEntry(
        "Korteweg and de Vries' equation, a cosine that falls into solitons",
        f"{HERE}kdv:example",
        1e-4,
        5e-1,
    ),
    "lid_cavity": ProblemEntry(
        "Flow in a cavity driven by its lid, Re 400", f"{HERE}lid_cavity:example", 5e-3, 3e-1
    ),
    "heating_pipe": ProblemEntry(
        "Water that cools on its way through a buried pipe, as the inlet temperature varies",
        f"{HERE}heating_pipe:example",
        1e-4,
        0.001,
    ),
    "heating_pipe_wall": ProblemEntry(
        "The same with heat stored in the pipe's wall",
        f"{HERE}heating_pipe_wall:example",
        1e-4,
        5e-3,
    ),
    "stratified_tank": ProblemEntry(
        "Layers of a hot-water tank while it is charged",
        f"{HERE}stratified_tank:example",
        1e-3,
        1e-2,
    ),
    "buried_cable": ProblemEntry(
        "Conductor of a buried cable and the soil around it",
        f"{HERE}buried_cable:example",
        1e-3,
        1e-2,
    ),
    "transformer_hot_spot": ProblemEntry(
        "Oil and hot spot of a transformer over a range of loads",
        f"{HERE}transformer_hot_spot:example",
        1e-4,
        1e-2,
    ),
    "swing_equation": ProblemEntry(
        "Swing of a generator over a range of powers", f"{HERE}swing_equation:example", 1e-5, 2e-2
    ),
    "swing_network": ProblemEntry(
        "Swing of three generators after a line opens",
        f"{HERE}swing_equation:example_network",
        1e-4,
        1e-2,
    ),
    "heat_exchanger": ProblemEntry(
        "Counterflow heat exchanger over a range of fouling",
        f"{HERE}heat_exchanger:example",
        1e-5,
        1e-4,
    ),
    "water_hammer": ProblemEntry(
        "Pressure waves after a valve closes", f"{HERE}water_hammer:example", 5e-3, 2e-1
    ),
    "battery_particle": ProblemEntry(
        "Lithium in a particle of a battery's electrode",
        f"{HERE}battery_particle:example",
        1e-3,
        1e-2,
    ),
    "pipe_graph": ProblemEntry(
        "Temperatures in six pipes joined exactly at junctions",
        f"{HERE}pipe_graph:example",
        5e-3,
        2e-1,
    ),
    "transformer_step": ProblemEntry(
        "One step of a transformer from any state, for a system that goes on from there",
        f"{HERE}transformer_step:example",
    ),
    "heating_pipe_inverse": ProblemEntry(
        "Speed and loss of a pipe from four sensors", f"{HERE}heating_pipe_inverse:example"
    ),
    "fin_inverse": ProblemEntry(
        "Heat transfer at the tip of a fin, in its boundary condition", f"{HERE}fin_inverse:example"
    ),
    "heat_inverse": ProblemEntry(
        "Diffusivity of a rod from sensors", f"{HERE}heat_inverse:example"
    ),
    "swing_inverse": ProblemEntry(
        "Inertia and damping of a generator from its swing", f"{HERE}swing_inverse:example"
    ),
    "source_inverse": ProblemEntry(
        "Where a bar is heated, an unknown field", f"{HERE}source_inverse:example"
    ),
}
