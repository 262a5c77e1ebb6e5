"""Random loads and generation: what scenarios are drawn from, said in full.

Load i is its power in the file times level · F_i. The factors F have mean 1, standard deviation
`load_spread` and follow one of

- lognormal: F = exp(σ Z - σ²/2), σ² = ln(1 + spread²),
- normal: F = max(0, 1 + spread · Z), which cuts what lies below no load.

Z are standard normal with the same correlation between any two loads,
Z_i = √ρ Z_0 + √(1 - ρ) E_i: what all have in common (weather, hour), and what each has alone.
Reactive power keeps its ratio to the active one.

Static generator j gives its power in the file times A_j between 0 and 1, of Kumaraswamy's
distribution P(A <= a) = 1 - (1 - a^c)^d, J. Hydrol. 46, 1980, doi:10.1016/0022-1694(80)90036-0:
like a beta distribution, with an inverse in closed form; c = d = 1 is the uniform one. The A have
the normal copula with correlation `generation_correlation`. Generators that hold a voltage, and
storages, stay as in the file.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.model.grid import PowerGrid

DRAWN = 1024  # scenarios of one stream of random numbers


@dataclass(frozen=True)
class Draws:
    """How loads and generation are drawn.

    Attributes
    ----------
    load_level
        Mean of every load, of its power in the file.
    load_spread
        Standard deviation of a load, of its mean.
    load_correlation, generation_correlation
        Correlation between any two loads, and between any two generators.
    load_shape
        `lognormal` or `normal`.
    generation_shape
        c and d of the distribution of generation.

    Raises
    ------
    InputError
        With every value that is out of its range.
    """

    load_level: float = 0.6
    load_spread: float = 0.3
    load_correlation: float = 0.5
    load_shape: Literal["lognormal", "normal"] = "lognormal"
    generation_shape: tuple[float, float] = (1.0, 1.0)
    generation_correlation: float = 0.9

    def __post_init__(self) -> None:
        ranges = {
            "load_level": (self.load_level, 0.0, 10.0),
            "load_spread": (self.load_spread, 0.0, 3.0),
            "load_correlation": (self.load_correlation, 0.0, 1.0),
            "generation_correlation": (self.generation_correlation, 0.0, 1.0),
            "generation_shape c": (self.generation_shape[0], 0.01, 100.0),
            "generation_shape d": (self.generation_shape[1], 0.01, 100.0),
        }
        faults = [
            f"{name} is {value:g}, expected {low:g} to {high:g}"
            for name, (value, low, high) in ranges.items()
            if not low <= value <= high
        ]
        if self.load_shape not in ("lognormal", "normal"):
            faults.append(f"load_shape is {self.load_shape}, expected lognormal or normal")
        if faults:
            raise InputError("random scenarios", faults)


def draw(grid: PowerGrid, draws: Draws, count: int, seed: int) -> dict[str, np.ndarray]:
    """`count` scenarios as `solve` takes them; the same for the same `seed`, whatever `count`."""
    parts = [
        draw_block(grid, draws, number, seed) for number in range((count + DRAWN - 1) // DRAWN)
    ]
    return {name: np.concatenate([part[name] for part in parts])[:count] for name in parts[0]}


def draw_block(grid: PowerGrid, draws: Draws, number: int, seed: int) -> dict[str, np.ndarray]:
    """Scenarios `number · DRAWN` to `(number + 1) · DRAWN`."""
    rng = np.random.default_rng([seed, number])
    load, sgen = grid.elements["load"], grid.elements["sgen"]
    found = {}
    if len(load.index):
        factor = _load_factors(rng, draws, len(load.index))
        found["load_p_mw"] = factor * load.p_mw
        found["load_q_mvar"] = factor * load.q_mvar
    if len(sgen.index):
        share = _generation_shares(rng, draws, len(sgen.index))
        found["sgen_p_mw"] = share * sgen.p_mw
        found["sgen_q_mvar"] = share * sgen.q_mvar
    return found


def _normal(rng: np.random.Generator, count: int, correlation: float) -> np.ndarray:
    """Standard normal numbers `[DRAWN, count]` with the same correlation between all columns."""
    common = rng.standard_normal((DRAWN, 1))
    own = rng.standard_normal((DRAWN, count))
    own *= np.sqrt(1.0 - correlation)
    own += np.sqrt(correlation) * common
    return own


def _load_factors(rng: np.random.Generator, draws: Draws, count: int) -> np.ndarray:
    z = _normal(rng, count, draws.load_correlation)
    if draws.load_shape == "normal":
        return np.maximum(draws.load_level * (1.0 + draws.load_spread * z), 0.0)
    square = np.log1p(draws.load_spread**2)
    z *= np.sqrt(square)
    z -= square / 2.0
    return draws.load_level * np.exp(z, out=z)


def _generation_shares(rng: np.random.Generator, draws: Draws, count: int) -> np.ndarray:
    from scipy.special import ndtr

    c, d = draws.generation_shape
    above = ndtr(-_normal(rng, count, draws.generation_correlation))
    return (1.0 - above ** (1.0 / d)) ** (1.0 / c)
