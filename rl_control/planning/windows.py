"""A long schedule with starts and minimum loads: window by window, and a bound over all of it.

A year of hours with whole numbers is too large to be searched at once. It is planned in windows
that look some days beyond what they decide; each begins where the one before ended. The bound is
that of the whole year with the whole numbers relaxed to fractions, one linear programme in the
tight form of `programme.py`; so the gap that is reported is proven, whatever the windows were.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from tvilling.rl_control.control.highs import OPTIMAL
from tvilling.rl_control.planning.programme import Settings, best_schedule, lowest_cost_dkk
from tvilling.rl_control.planning.schedule import InitialState, Schedule, bill, joined
from tvilling.sciml.systems.heat_plant.linear import LinearPlant

WINDOW_H, AHEAD_H = 168.0, 72.0


def long_schedule(
    plant: LinearPlant,
    demand_mw: Float[np.ndarray, " time"],
    before: InitialState,
    settings: Settings,
    window_h: float = WINDOW_H,
    ahead_h: float = AHEAD_H,
    tell: Callable[[str], None] = lambda stage: None,
) -> Schedule:
    """A schedule over as many steps as there are, with the gap that was proven.

    Each window decides `window_h` hours and looks `ahead_h` hours further. `settings.gap` is that
    of each window.

    Raises
    ------
    InputError
        The demand does not fit the plant.
    """
    tell("bound of the whole time")
    bound = lowest_cost_dkk(plant, demand_mw, before, settings)
    window, ahead = (round(hours / plant.dt_h) for hours in (window_h, ahead_h))
    parts, now, solved = [], before, True
    for begin in range(0, plant.steps, window):
        tell(f"window {begin // window + 1} of {-(-plant.steps // window)}")
        steps = slice(begin, min(begin + window + ahead, plant.steps))
        last = steps.stop == plant.steps
        part = plant.part(steps)
        within = settings if last else replace(settings, end_mwh=None)
        found = best_schedule(part, demand_mw[steps], now, within)
        solved &= found.status == OPTIMAL
        kept = found.part(slice(0, min(window, plant.steps - begin)))
        parts.append(kept)
        now = kept.after(part.part(slice(0, kept.load.shape[1])), now)
    whole = joined(parts)
    cost = bill(plant, whole, before).total_dkk
    gap = (cost - bound) / max(abs(cost), 1e-9)
    status = OPTIMAL if solved else "time limit"
    return replace(whole, status=status, bound_dkk=bound, gap=gap)
