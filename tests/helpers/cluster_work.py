"""Work for the processes of a cluster, which import it by its name."""

import os

import numpy as np

from tvilling.sciml.core.errors import InputError


def sine_and_process(number: int) -> tuple[float, int]:
    """What no two ways of computing would give alike, and where it was computed."""
    return float(np.sin(np.arange(1000.0) * number).sum()), os.getpid()


def refuse_five(number: int) -> int:
    """Gives any other number back."""
    if number == 5:
        raise InputError("day 5", ["the price is missing", "the meter is NaN"])
    return number
