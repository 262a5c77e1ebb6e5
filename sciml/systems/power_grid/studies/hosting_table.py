"""What hosting capacities over many scenarios come to: a size for an accepted risk, and its limits.

A size x breaks a limit in the scenarios whose capacity is below x. The share of these is the
probability of a violation, which can only grow with x. The hosting capacity at risk α is the
greatest size at which that share is no more than α: of the S capacities in order, the one with
⌊α S⌋ others below it. S scenarios tell it only so well: its interval lies between the order
statistics whose ranks enclose α S with the confidence asked for (binomial distribution, free of
any assumption on the capacities), that of a probability is `risk.exact_interval`.
"""

from typing import TYPE_CHECKING

import numpy as np

from tvilling.sciml.systems.power_grid.studies.nearest_limit import LOADING, WORDS
from tvilling.sciml.systems.power_grid.studies.risk import CONFIDENCE, exact_interval

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


def capacities(data: "xr.Dataset", alpha: float = 0.05) -> "pd.DataFrame":
    """A row for each place, in the order of `data`.

    Parameters
    ----------
    data
        As `hosting.hosting` gives it.
    alpha
        Probability of a violation that is accepted.

    Returns
    -------
    Columns `bus`, `capacity_mw` at risk `alpha`, `low_mw` and `high_mw` (its interval of
    confidence; infinite where the scenarios are too few to bound it), `median_mw`, `limit` and
    `limit_at` (what binds in most of the scenarios at or below the capacity at risk `alpha`),
    `share` (of those scenarios), and `violated` (share of scenarios that break a limit with
    nothing added).
    """
    import pandas as pd

    size_mw = data["size_mw"].values
    ordered = np.sort(size_mw, axis=1)
    count = size_mw.shape[1]
    rank, low, high = ranks(count, alpha)
    bounded = np.concatenate([ordered, np.full((len(ordered), 1), np.inf)], axis=1)
    capacity = ordered[:, rank]
    limit, at, share = _binding(data, size_mw <= capacity[:, None])
    return pd.DataFrame(
        {
            "bus": data["place"].values,
            "capacity_mw": capacity,
            "low_mw": ordered[:, low] if low >= 0 else 0.0,
            "high_mw": bounded[:, high],
            "median_mw": np.median(size_mw, axis=1),
            "limit": limit,
            "limit_at": at,
            "share": share,
            "violated": (size_mw == 0.0).mean(axis=1),
        }
    )


def ranks(count: int, alpha: float) -> tuple[int, int, int]:
    """Positions in `count` values in order: of the capacity at risk α, and of its interval.

    The lower position is -1, the upper `count`, where so few values do not bound it.
    """
    from scipy.stats import binom

    tail = (1.0 - CONFIDENCE) / 2.0
    low = int(binom.ppf(tail, count, alpha)) - 1
    high = int(binom.ppf(1.0 - tail, count, alpha))
    return min(int(alpha * count + 1e-9), count - 1), low, high


def probability(
    data: "xr.Dataset", sizes_mw: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share of scenarios that sizes break a limit in `[place, size]`, and its interval."""
    capacity = np.sort(data["size_mw"].values, axis=1)
    below = np.array([np.searchsorted(row, sizes_mw, side="left") for row in capacity])
    count = capacity.shape[1]
    return below / count, *exact_interval(below, count)


def _binding(data: "xr.Dataset", chosen: np.ndarray) -> tuple[list[str], list[str], np.ndarray]:
    """The limit that binds most often in the `chosen` scenarios of each place, and how often."""
    bus, branch = data["bus"].values, data["branch_name"].values
    words, names, shares = [], [], []
    for kind, at, some in zip(data["limit"].values, data["limit_at"].values, chosen, strict=True):
        pairs, counts = np.unique(np.stack([kind[some], at[some]]), axis=1, return_counts=True)
        first = int(counts.argmax())
        number, place = pairs[:, first]
        words.append(WORDS[number])
        names.append("" if place < 0 else str((branch if number == LOADING else bus)[place]))
        shares.append(counts[first] / counts.sum())
    return words, names, np.array(shares)
