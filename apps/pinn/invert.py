"""`tvilling pinn invert`: parameters of a library problem, found from readings."""

import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvilling.apps.pinn.library import Tell, entry_of, settings_of
from tvilling.apps.pinn.measurements import read_measurements
from tvilling.apps.pinn.train import GREATEST_SEED
from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from tvilling.pinns.inverse.inversion import Inverted
    from tvilling.pinns.problem.parameters import Fixed, Free
    from tvilling.pinns.problem.statement import Problem

TIMES = 2.0  # a parameter that is set free lies between half and twice the library's
COVERAGE = 0.9


def run_invert(
    name: str,
    file: Path,
    free: str | None = None,
    noise: float | None = None,
    seed: int = 0,
    short: bool = False,
    tell: Tell = lambda stage: None,
) -> "Inverted":
    """Find parameters of the problem `name` from the readings in `file`.

    Parameters
    ----------
    free
        Names with commas, each alone or as `name=low:high` [its unit]. None: what the library
        leaves free.
    noise
        Standard deviation of the readings [unit of the unknown]; None: estimated from them.

    Raises
    ------
    InputError
        With every fault; or if the readings leave a parameter open, with its name.
    """
    entry, settings = entry_of(name), settings_of(name, short)
    tell(f"{name}: setting up")
    problem = entry.example()
    faults = []
    if noise is not None and not 0 < noise < math.inf:
        faults.append(f"--noise is {noise:g}, expected above 0")
    if not 0 <= seed <= GREATEST_SEED:
        faults.append(f"--seed is {seed}, expected 0 to {GREATEST_SEED}")
    parameters, more = set_free(problem, free)
    faults += more
    try:
        measured = read_measurements(file, problem)
    except InputError as error:
        raise InputError(
            "pinn invert", [f"{file}: {one}" for one in error.faults] + faults
        ) from None
    if faults:
        raise InputError("pinn invert", faults)
    from tvilling.pinns.inverse.inversion import invert

    asked = replace(problem, parameters=parameters, measured=measured, reference=None)
    return invert(asked, settings, seed, noise, COVERAGE, tell=tell)


def set_free(problem: "Problem", text: str | None) -> tuple[tuple[Any, ...], list[str]]:
    """Parameters of the problem, those that `text` names free, and every fault."""
    if text is None:
        free = problem.free
        known = ", ".join(item.name for item in problem.fixed) or "none"
        told = f"nothing is free; name parameters with --free, there are {known}"
        return problem.parameters, [] if free else [told]
    items: dict[str, Fixed | Free] = {item.name: item for item in problem.fixed}
    items |= {item.name: item for item in problem.free}
    found: dict[str, Free] = {}
    faults = []
    for part in text.split(","):
        name, _, span = part.strip().partition("=")
        item = items.get(name)
        if item is None:
            known = ", ".join(items) or "none"
            faults.append(f"--free {name!r} is no parameter; there are {known}")
            continue
        if name in found:
            faults.append(f"--free names {name} twice")
        try:
            found[name] = _freed(item, span)
        except InputError as error:
            faults += [f"--free {one}" for one in error.faults]
    return tuple(_held(item, found, faults) for item in problem.parameters), faults


def _freed(item: "Fixed | Free", span: str) -> "Free":
    """The parameter between the ends that were asked for, else around the library's number."""
    from tvilling.pinns.problem.parameters import Free

    if span:
        try:
            low, high = (float(part) for part in span.split(":"))
        except ValueError:
            told = f"{item.name} is {span!r}, expected LOW:HIGH"
            raise InputError("range", [told]) from None
        made = Free(item.name, item.unit, low, high)
    elif isinstance(item, Free):
        return item
    elif item.value == 0:
        told = f"{item.name} is 0 in the library; give its range as {item.name}=LOW:HIGH"
        raise InputError("range", [told])
    else:
        ends = sorted((item.value / TIMES, item.value * TIMES))
        made = Free(item.name, item.unit, *ends)
    if faults := made.faults():
        raise InputError("range", faults)
    return made


def _held(item: Any, found: "dict[str, Free]", faults: list[str]) -> Any:
    """A parameter as it is, or free; one that the library leaves free must be named."""
    from tvilling.pinns.problem.parameters import Free

    if item.name in found:
        return found[item.name]
    if isinstance(item, Free):
        faults.append(f"--free leaves out {item.name}, whose number nobody knows")
    return item


def estimates_table(found: "Inverted") -> "Table":
    """What was found, for the terminal."""
    from tvilling.apps.shared.terminal import plain_table

    table = plain_table("parameter", "estimate", "", "90 % from", "to", "standard error")
    table.columns[2].justify = "left"
    for one in found.estimates.values():
        numbers = [f"{value:.5g}" for value in (one.value, one.low, one.high)]
        unit = "" if one.unit == "1" else one.unit
        table.add_row(one.name, numbers[0], unit, *numbers[1:], f"{one.standard_error:.2g}")
    return table


def noise_lines(found: "Inverted", given: bool) -> list[str]:
    """The noise of each unknown that was measured."""
    problem = found.solution.problem
    how = "as given" if given else "estimated"
    return [
        f"noise of {item.unknown}: {sd:.3g} {problem.unknown(item.unknown).unit}, {how}, "
        f"{len(item.values)} readings"
        for item, sd in zip(problem.measured, found.noise, strict=True)
    ]


def as_json(found: "Inverted") -> dict[str, Any]:
    """What was found, as JSON has it."""
    return {
        "problem": found.solution.problem.name,
        "coverage": found.coverage,
        "estimates": {name: asdict(one) for name, one in found.estimates.items()},
        "noise": dict(
            zip(
                (item.unknown for item in found.solution.problem.measured), found.noise, strict=True
            )
        ),
        "recommend": found.recommend,
        "wall_s": round(found.wall_s, 3),
    }
