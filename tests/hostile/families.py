"""All attempts, and some of them that stand for all."""

import grid_inputs
import mesh_inputs
import special_files
import store_inputs
import table_inputs
import yaml_inputs
from attempt import Attempt

EVERY = 40  # as many as make test has time for
FAMILIES = (yaml_inputs, table_inputs, grid_inputs, store_inputs, mesh_inputs, special_files)


def all_attempts() -> list[Attempt]:
    """Every attempt; no name stands twice."""
    found = [attempt for family in FAMILIES for attempt in family.attempts()]
    names = [attempt.name for attempt in found]
    assert len(set(names)) == len(names), "a name stands twice"
    return found


def some_attempts() -> list[Attempt]:
    """The first and then one of every few, for each command of each family."""
    found: dict[tuple[str, ...], list[Attempt]] = {}
    for attempt in all_attempts():
        found.setdefault((attempt.name.split("/")[0], *_command(attempt)), []).append(attempt)
    return [attempt for alike in found.values() for attempt in alike[::EVERY]]


def _command(attempt: Attempt) -> list[str]:
    """The words that name a command, such as `job pause`; none for a function."""
    words = () if callable(attempt.command) else attempt.command
    return [word for word in words[:2] if word.isalpha()]
