"""From one problem to a family: numbers that were known become inputs of the network."""

from dataclasses import replace

from tvilling.pinns.problem.parameters import Parameter, Ranged
from tvilling.pinns.problem.statement import Problem, Reference
from tvilling.sciml.core.errors import InputError


def over_ranges(
    problem: Problem, reference: Reference | None = None, **ranges: tuple[float, float]
) -> Problem:
    """`problem` for whole ranges of parameters that it has as `Fixed`.

    Only what the formulas take from `at` varies: a number that a function of the problem has
    taken from elsewhere stays what it was.

    Parameters
    ----------
    reference
        A solution to compare with that takes the new inputs; that of `problem` does not and is
        left out.
    ranges
        Low and high end of each [its unit], by name.

    Raises
    ------
    InputError
        With every name that is no fixed parameter, and every range that is none.
    """
    known = {item.name: item for item in problem.fixed}
    faults = [
        f"{name} is no fixed parameter, expected one of {', '.join(known)}"
        for name in ranges
        if name not in known
    ]
    if faults:
        raise InputError(f"family of {problem.name}", faults)

    def ranged(item: Parameter) -> Parameter:
        return Ranged(item.name, item.unit, *ranges[item.name]) if item.name in ranges else item

    return replace(problem, parameters=tuple(map(ranged, problem.parameters)), reference=reference)
