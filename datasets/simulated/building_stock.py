"""A stated building stock, from which the consumers of a network are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tvilling.sciml.core.errors import InputError

BASE_DEGC = 17.0  # outdoor temperature above which no space heat is needed
NORMAL_DEGREE_HOURS = 77_600.0  # K h a year below 17 °C: hourly Danish record, mean of 2020-2022
DESIGN_DEGC = -12.0  # outdoor temperature at which a heating plant in Denmark is dimensioned
HOURS_A_YEAR = 8766.0
AREA_SPREAD = 0.30  # standard deviation of the logarithm of the floor area


@dataclass(frozen=True)
class BuildingType:
    """One kind of building.

    The figures are round planning values for existing northern European buildings, not
    measurements: they put a stock of plausible size behind a network whose own demands are
    placeholders.

    Attributes
    ----------
    name
        What it is called in the stock.
    share
        Part of the consumers that are of this kind [-].
    area_m2
        Median heated floor area [m2].
    space_kwh_per_m2
        Least and greatest space heat a year [kWh/m2]; drawn evenly between them.
    water_kwh_per_m2
        Domestic hot water a year [kWh/m2].
    water_peak
        Greatest hour of hot water over its yearly mean [-], for the design load.
    """

    name: str
    share: float
    area_m2: float
    space_kwh_per_m2: tuple[float, float]
    water_kwh_per_m2: float
    water_peak: float


TYPES = (
    BuildingType("detached house", 0.52, 150.0, (60.0, 140.0), 16.0, 6.0),
    BuildingType("terraced house", 0.16, 110.0, (50.0, 120.0), 18.0, 6.0),
    BuildingType("block of flats", 0.20, 1500.0, (50.0, 110.0), 22.0, 3.5),
    BuildingType("shop or office", 0.08, 1200.0, (40.0, 110.0), 5.0, 3.0),
    BuildingType("school or hall", 0.04, 2500.0, (50.0, 110.0), 8.0, 4.0),
)


def draw_stock(
    names: int | Sequence[str],
    seed: int,
    types: Sequence[BuildingType] = TYPES,
    total_mwh: float | None = None,
) -> pd.DataFrame:
    """Consumers drawn from a building stock; the same seed gives the same stock.

    Kinds are dealt out by their shares (largest remainder) and shuffled, so that a small stock
    keeps the shares too. Floor areas are log-normal about the median.

    Parameters
    ----------
    names
        Names of the consumers, or their number.
    seed
        Start of the random numbers.
    types
        Kinds of building; their shares have to add up to one.
    total_mwh
        Sum of the yearly demands [MWh]. None: as the areas have it. Otherwise areas are scaled,
        for instance to a linear heat density times the length of the trench.

    Returns
    -------
    pandas.DataFrame
        `name`, `type`, `area_m2`, `space_mwh` and `water_mwh` of a normal year, `annual_mwh`,
        `water_share` (hot water in `annual_mwh`) and `design_w`: space heat at -12 °C outdoors
        plus the peak of hot water [W].

    Raises
    ------
    InputError
        No consumer, shares that do not add up to one, or a total that is not positive.
    """
    labels = [f"C{at}" for at in range(names)] if isinstance(names, int) else list(names)
    _check(len(labels), types, total_mwh)
    random = np.random.default_rng(seed)
    kind = random.permutation(_deal(len(labels), [one.share for one in types]))
    area_m2 = np.array([one.area_m2 for one in types])[kind]
    area_m2 = area_m2 * np.exp(AREA_SPREAD * random.standard_normal(len(labels)))
    low, high = np.array([one.space_kwh_per_m2 for one in types])[kind].T
    space_kwh = area_m2 * random.uniform(low, high)
    water_kwh = area_m2 * np.array([one.water_kwh_per_m2 for one in types])[kind]
    scale = 1.0 if total_mwh is None else total_mwh * 1000 / (space_kwh + water_kwh).sum()
    space_kwh, water_kwh, area_m2 = scale * space_kwh, scale * water_kwh, scale * area_m2
    peak = np.array([one.water_peak for one in types])[kind]
    design_kw = (
        space_kwh / NORMAL_DEGREE_HOURS * (BASE_DEGC - DESIGN_DEGC)
        + peak * water_kwh / HOURS_A_YEAR
    )
    return pd.DataFrame(
        {
            "name": labels,
            "type": [types[at].name for at in kind],
            "area_m2": area_m2,
            "space_mwh": space_kwh / 1000,
            "water_mwh": water_kwh / 1000,
            "annual_mwh": (space_kwh + water_kwh) / 1000,
            "water_share": water_kwh / (space_kwh + water_kwh),
            "design_w": design_kw * 1000,
        }
    )


def _check(count: int, types: Sequence[BuildingType], total_mwh: float | None) -> None:
    faults = []
    if count < 1:
        faults.append(f"{count} consumers, expected at least 1")
    total = sum(one.share for one in types)
    if not np.isclose(total, 1.0):
        faults.append(f"the shares of the building types add up to {total:g}, expected 1")
    if total_mwh is not None and not 0 < total_mwh < 1e7:
        faults.append(f"total_mwh is {total_mwh:g} MWh, expected 0 to 1e+07 MWh")
    if faults:
        raise InputError("building stock", faults)


def _deal(count: int, shares: Sequence[float]) -> np.ndarray:
    """Which kind each of `count` consumers is of, in order, by largest remainder."""
    wanted = count * np.asarray(shares)
    dealt = np.floor(wanted).astype(int)
    rest = np.argsort(dealt - wanted, kind="stable")[: count - dealt.sum()]
    dealt[rest] += 1
    return np.repeat(np.arange(len(shares)), dealt)
