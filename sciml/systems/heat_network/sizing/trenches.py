"""Which supply pipe and which return pipe lie in one trench."""

from collections import defaultdict

import numpy as np
from jaxtyping import Int

from tvilling.sciml.systems.heat_network.tables import HeatNetworkTables

Neighbours = dict[str, list[tuple[int, str, float]]]  # pipe, junction at its other end, length


def trenches(tables: HeatNetworkTables) -> Int[np.ndarray, " pipe"]:
    """Number of the trench of each pipe; a supply and a return pipe that run alike share one.

    The junctions of a source, and those of a consumer, lie side by side. From there on two pipes
    are laid together if they are equally long and each is the only one of its length that leads
    on from its junction, so that the junctions behind them lie side by side as well.
    """
    neighbours: Neighbours = defaultdict(list)
    for at, row in enumerate(tables.pipes.to_dict("records")):
        start, end, length = row["from_junction"], row["to_junction"], float(row["length_m"])
        neighbours[start].append((at, end, length))
        neighbours[end].append((at, start, length))
    rows = [
        *tables.consumers[["from_junction", "to_junction"]].itertuples(index=False),
        *tables.sources[["supply_junction", "return_junction"]].itertuples(index=False),
    ]
    waiting = [(str(one), str(other)) for one, other in rows if one and other]
    beside = dict(waiting) | {other: one for one, other in waiting}
    number = np.arange(len(tables.pipes))
    while waiting:
        one, other = waiting.pop()
        for first, second in _laid_together(neighbours, beside, one, other):
            number[second[0]] = number[first[0]] = min(number[first[0]], number[second[0]])
            if first[1] not in beside and second[1] not in beside:
                beside[first[1]], beside[second[1]] = second[1], first[1]
                waiting.append((first[1], second[1]))
    return number


def _laid_together(
    neighbours: Neighbours, beside: dict[str, str], one: str, other: str
) -> list[tuple[tuple[int, str, float], tuple[int, str, float]]]:
    """Pairs of pipes that lead on from two junctions side by side."""
    pairs = []
    for first in neighbours[one]:
        fits = [
            second
            for second in neighbours[other]
            if np.isclose(first[2], second[2], rtol=1e-3, atol=0.01)
            and beside.get(first[1], second[1]) == second[1]
            and beside.get(second[1], first[1]) == first[1]
        ]
        alike = [
            third
            for third in neighbours[one]
            if np.isclose(first[2], third[2], rtol=1e-3, atol=0.01) and third[1] not in beside
        ]
        known = first[1] in beside
        if len(fits) == 1 and (known or len(alike) == 1):
            pairs.append((first, fits[0]))
    return pairs
