"""What a user of a twin should know of it, in sentences."""

import jax
import numpy as np

from tvilling.twins.assimilation.belief import Belief, spread
from tvilling.twins.assimilation.vector import Model, entries
from tvilling.twins.naming import is_float, leaf_name

UNSEEN = 0.95  # of the spread that an unknown would have without readings
MIN_UPDATES = 12  # before it is said of an unknown that no reading sees it


class TooFewMembersWarning(UserWarning):
    """An ensemble is too small for what is uncertain: its spread is right by chance only."""


def few_members_note(model: Model, members: int) -> str:
    """Whether there are too few members, and how many would do; empty where there are enough."""
    sources = int(model.sources)
    if members > 2 * sources:
        return ""
    unknowns = int(model.estimated.sum())
    return (
        f"members is {members} for {sources} numbers that are uncertain on their own "
        f"({unknowns} unknowns, {sources - unknowns} of the state): correlations of less than "
        f"2.5 standard errors correct nothing; {2 * sources + 1} members would do"
    )


def twin_notes(model: Model, belief: Belief) -> tuple[str, ...]:
    """One sentence for each thing that is not as the numbers alone would suggest."""
    notes = [few_members_note(model, belief.members), *_left_out(model), *_whole_numbers(belief)]
    return tuple(note for note in [*notes, *_unseen(model, belief)] if note)


def _left_out(model: Model) -> list[str]:
    estimated, notes = np.asarray(model.estimated), []
    for name, part in _parts(model):
        zeros = np.flatnonzero(~estimated[part])
        if zeros.size:
            notes.append(
                f"{zeros.size} of {estimated[part].size} elements of {name} are 0 and are left as "
                f"they are, as a lognormal is above 0: {_listed(zeros)}"
            )
    return notes


def _whole_numbers(belief: Belief) -> list[str]:
    leaves = jax.tree_util.tree_flatten_with_path(belief.state)[0]
    return [
        f"state {leaf_name(path)} is no float ({leaf.dtype}): each member keeps its own, "
        "and no reading corrects it"
        for path, leaf in leaves
        if not is_float(leaf)
    ]


def _unseen(model: Model, belief: Belief) -> list[str]:
    """Unknowns about which the readings said nothing so far."""
    if int((np.asarray(belief.readings) > 0).sum()) < min(MIN_UPDATES, belief.readings.size):
        return []
    logs = belief.log_unknown
    sd = np.asarray(spread(logs - logs.mean(axis=0)))
    walked = np.asarray(model.unknown_walk) * (int(belief.steps) * model.dt_s / 86400.0) ** 0.5
    without = np.hypot(np.asarray(model.start_log_sd), walked)
    unseen, notes = np.asarray(model.estimated) & (sd > UNSEEN * without), []
    for name, part in _parts(model):
        those = np.flatnonzero(unseen[part])
        if those.size:
            count = unseen[part].size
            which = f" in {those.size} of {count} elements ({_listed(those)})" if count > 1 else ""
            notes.append(
                f"{name} is not observable so far{which}: it is as uncertain as without readings"
            )
    return notes


def _parts(model: Model) -> list[tuple[str, slice]]:
    parts, start = [], 0
    for name, shape in entries(model.system, model.unknown):
        size = int(np.prod(shape, dtype=int))
        parts.append((name, slice(start, start + size)))
        start += size
    return parts


def _listed(numbers: np.ndarray, most: int = 8) -> str:
    shown = ", ".join(str(number) for number in numbers[:most])
    return shown if numbers.size <= most else f"{shown} and {numbers.size - most} more"
