"""All attempts, and some of them that stand for all."""

import grid_inputs
import mesh_inputs
import special_files
import store_inputs
import table_inputs
import yaml_inputs
from attempt import Attempt

EVERY = 16  # as many as make test has time for
FAMILIES = (yaml_inputs, table_inputs, grid_inputs, store_inputs, mesh_inputs, special_files)


def all_attempts() -> list[Attempt]:
    """Every attempt; no name stands twice."""
    found = [attempt for family in FAMILIES for attempt in family.attempts()]
    names = [attempt.name for attempt in found]
    assert len(set(names)) == len(names), "a name stands twice"
    return found


def some_attempts() -> list[Attempt]:
    """One of every few, which stand for all: each family and each command is among them."""
    return all_attempts()[::EVERY]
