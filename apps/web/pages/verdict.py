"""Whether figures are fine: up to date, converged, physically possible and within limits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tvilling.apps.web.text import Labels
from tvilling.sciml.core.limits import Limit, Miss, misses
from tvilling.sciml.core.results import FLAGS
from tvilling.sciml.core.system import Status

if TYPE_CHECKING:
    import xarray as xr

NAMES_SHOWN = 3
# The figures of a step with one of these are those of no state that the plant can have.
UNTRUE = (
    Status.NOT_CONVERGED
    | Status.INFEASIBLE
    | Status.UNPHYSICAL
    | Status.UNBALANCED
    | Status.NOT_FINITE
    | Status.UNDETERMINED
)


@dataclass(frozen=True)
class Finding:
    """Elements outside a limit.

    Attributes
    ----------
    what
        The variable in the reader's words, or what it means to leave the limit.
    unit
        Of the values.
    elements
        The worst first.
    """

    what: str
    unit: str
    elements: tuple[Miss, ...]


@dataclass(frozen=True)
class Checks:
    """What decides whether a run is fine.

    Attributes
    ----------
    status
        Flags of every step [time].
    not_numbers
        How many values of a variable are not finite, by its name.
    findings
        Elements outside the limits that the status has no flag for.
    by_flag
        Elements that a flag is about, where they are known.
    """

    status: np.ndarray
    not_numbers: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    by_flag: Mapping[Status, tuple[Finding, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """How figures are to be taken.

    Attributes
    ----------
    kind
        `fine`, or `warn` where something is outside its limits, `bad` where the figures are those
        of no possible state, `busy` while they are not those of the settings.
    lines
        Why, a sentence each.
    """

    kind: str
    lines: tuple[str, ...]


def verdict(words: Labels, checks: Checks | None, fine: str) -> Verdict:
    """The one place that calls figures fine.

    Parameters
    ----------
    checks
        Of the run that the figures come from; None while that is not the run of the settings.
    fine
        What is said where nothing is wrong.
    """
    if checks is None:
        return Verdict("busy", (words("calculating"),))
    status = np.atleast_1d(checks.status)
    lines = [
        _in_steps(words, words("not_numbers", name=name, count=count), 0, len(status))
        for name, count in checks.not_numbers.items()
    ]
    for flag in FLAGS:
        if count := int(((status & flag) != 0).sum()):
            named = "; ".join(_named(words, one) for one in checks.by_flag.get(flag, ()))
            what = words(f"flag_{str(flag.name).lower()}") + (f": {named}" if named else "")
            lines.append(_in_steps(words, what, count, len(status)))
    lines += [_outside(words, one, len(status)) for one in checks.findings]
    if not lines:
        return Verdict("fine", (fine,))
    untrue = bool(checks.not_numbers) or bool((status & UNTRUE).any())
    return Verdict("bad" if untrue else "warn", tuple(lines))


def limit_findings(
    words: Labels, data: "xr.Dataset", limits: Iterable[Limit], at: np.ndarray | None = None
) -> tuple[Finding, ...]:
    """The elements of a labelled run that leave `limits`, in the steps `at` or in any."""
    found = []
    for limit in limits:
        if elements := misses(data, limit, at):
            attrs = data[limit.name].attrs
            what = words.term(limit.says or attrs.get("long_name", limit.name))
            found.append(Finding(what, attrs.get("units", ""), tuple(elements)))
    return tuple(found)


def _outside(words: Labels, found: Finding, total: int) -> str:
    """A sentence on elements outside a limit, with the limit of the worst."""
    worst = found.elements[0]
    side = "above_limit" if worst.value > worst.bound else "below_limit"
    what = words(side, name=found.what, limit=words.quantity(worst.bound, found.unit))
    steps = max(one.steps for one in found.elements)
    return _in_steps(words, f"{what}: {_elements(words, found)}", steps, total)


def _named(words: Labels, found: Finding) -> str:
    return f"{found.what} {_elements(words, found)}"


def _elements(words: Labels, found: Finding) -> str:
    """The worst elements with their values, and how many more there are."""
    shown: Sequence[Miss] = found.elements[:NAMES_SHOWN]
    parts = [f"{one.element} {words.quantity(one.value, found.unit)}".strip() for one in shown]
    more = len(found.elements) - len(shown)
    return ", ".join(parts) + (words("and_more", count=more) if more else "")


def _in_steps(words: Labels, what: str, count: int, total: int) -> str:
    if count and total > 1:
        what = words("in_steps", what=what, count=count, total=total)
    return f"{what[:1].upper()}{what[1:]}."
