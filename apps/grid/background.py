"""Scenarios of all that a study leaves as it is: steps of courses of power, or random ones."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tvilling.apps.grid.grid_input import GridInput
from tvilling.apps.grid.summary_stats import told

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Background:
    """What else there is while something is tried.

    Attributes
    ----------
    scenarios
        How many; none takes the powers of the file alone.
    seed
        Of the random numbers by which they are chosen.
    profiles
        A file of courses; None takes those of the network, and random powers where it has none.
    """

    scenarios: int = 0
    seed: int = 1
    profiles: Path | None = None

    def faults(self, most: int) -> list[str]:
        """What is wrong with it, one line each."""
        if 0 <= self.scenarios <= most:
            return []
        return [f"--scenarios is {self.scenarios}, expected 0 to {most}"]


@dataclass(frozen=True)
class Powers:
    """Scenarios of loads and generation.

    Attributes
    ----------
    varying
        As `solve` takes them; empty for the powers of the file.
    names
        What to call each: the time of a step, or its number.
    told
        What they are, in a sentence.
    """

    varying: "Mapping[str, np.ndarray]"
    names: list[str]
    told: str


def powers(opened: GridInput, background: Background) -> Powers:
    """The scenarios that are asked for.

    Raises
    ------
    InputError
        With every fault of the courses.
    """
    if not background.scenarios:
        return Powers({}, ["0"], "Loads and generators have the powers of the file.")
    own = opened.power_net.net.get("profiles")
    if background.profiles is None and not own:
        return _drawn(opened, background)
    from tvilling.datasets.power_profiles import read_profiles
    from tvilling.sciml.systems.power_grid.studies.year import scenarios_of

    courses = read_profiles(opened.power_net, background.profiles)
    steps, rng = courses.sizes["time"], np.random.default_rng(background.seed)
    count = min(background.scenarios, steps)
    chosen = courses.isel(time=np.sort(rng.choice(steps, count, replace=False)))
    return Powers(
        scenarios_of(opened.grid, chosen),
        [f"{moment} UTC" for moment in map(told, chosen["time"].values)],
        f"Loads and generators have the powers of {count} steps drawn from the {steps} of their "
        f"courses (seed {background.seed}). {courses.attrs.get('constant', '')}".strip(),
    )


def _drawn(opened: GridInput, background: Background) -> Powers:
    from tvilling.sciml.systems.power_grid.studies.draws import Draws, draw

    draws, count = Draws(), background.scenarios
    return Powers(
        draw(opened.grid, draws, count, background.seed),
        [str(number) for number in range(count)],
        f"Powers are {count} random ones (seed {background.seed}): loads {draws.load_shape} around "
        f"{draws.load_level:g} of those in the file, with a standard deviation of "
        f"{draws.load_spread:g} of that and a correlation of {draws.load_correlation:g}; static "
        "generators even between 0 and their power, with a correlation of "
        f"{draws.generation_correlation:g}.",
    )
