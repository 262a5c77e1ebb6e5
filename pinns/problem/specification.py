"""What a problem and settings say, as plain JSON, to be kept and compared."""

import math
from dataclasses import asdict, is_dataclass
from typing import Any

from tvilling.pinns.problem.statement import Problem
from tvilling.pinns.training.settings import TrainSettings


def declared(problem: Problem) -> dict[str, Any]:
    """What a problem declares, as JSON has it: all but its formulas and measured values."""
    return {
        "coordinates": [asdict(axis) for axis in problem.domain.axes],
        "unknowns": [asdict(item) for item in problem.unknowns],
        "parameters": [
            {"kind": type(item).__name__, **asdict(item)} for item in problem.parameters
        ],
        "equations": [{"name": item.name, "unit": item.unit} for item in problem.equations],
        "conditions": [item.describe() for item in problem.conditions],
        "symmetries": [f"{item.axis} {', '.join(item.odd)}" for item in problem.symmetries],
    }


def described(settings: TrainSettings) -> dict[str, Any]:
    """Settings as JSON has them; a limit that is infinite is None."""
    found = {name: plain(value) for name, value in vars(settings).items()}
    stages = [{"optimiser": type(one).__name__, **plain(one)} for one in settings.stages]
    return found | {"stages": stages}


def plain(value: Any) -> Any:
    """A dataclass as a dictionary; None for a number that is not finite."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def differing(kept: dict[str, Any], given: dict[str, Any]) -> list[str]:
    """In which parts what was kept and what is given differ."""
    return [name for name in given if _rounded(kept.get(name)) != _rounded(given[name])]


def _rounded(value: Any) -> Any:
    """Numbers to twelve digits: another machine may compute the last ones otherwise."""
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.11e}") if isinstance(value, int | float) else value
