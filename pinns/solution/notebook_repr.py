"""Problems and solutions in a notebook: what they are of, with units, in some lines."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tvilling.sciml.core.short_repr import described

if TYPE_CHECKING:
    from tvilling.pinns.inverse.inversion import Inverted
    from tvilling.pinns.problem.statement import Problem
    from tvilling.pinns.solution.solution import Solution
    from tvilling.pinns.solution.uncertainty import Ensemble, Laplace
    from tvilling.pinns.training.windows import WindowedSolution

Parts = list[tuple[str, Any]]


def show_problem(problem: "Problem") -> str:
    """Name, coordinates, unknowns, and how much of the rest there is."""
    return described(f"Problem {problem.name}", iter(_declared(problem)))


def show_solution(solution: "Solution | WindowedSolution") -> str:
    """The unknowns, how training ended, and the verdict where it was asked for."""
    from tvilling.pinns.training.windows import WindowedSolution

    problem = solution.problem
    parts = _axes(problem)
    with suppress(TypeError):  # while JAX follows its weights there are no numbers
        parts += _parameters(problem, solution.parameters)
    if isinstance(solution, WindowedSolution):
        parts.append(("windows", f"{len(solution.windows)} of {solution.axis}"))
    ended = f"{solution.stopped}, held-out loss {solution.held_out:.2g}, seed {solution.seed}"
    parts.append(("stopped", ended))
    parts += [("note", solution.note)] if solution.note else []
    if "verdict" in vars(solution):
        parts += [("status", solution.status), ("recommend", solution.recommend)]
    else:
        parts.append(("status", "not checked yet: ask for .status or .verdict"))
    return described(f"{type(solution).__name__} of {problem.name}", iter(parts))


def show_inverted(found: "Inverted") -> str:
    """Estimates with their intervals, noise and what to make of them."""
    parts = _estimates(tuple(found.estimates.values()))
    parts += _noise(found.solution.problem, found.noise)
    parts += [("took", f"{found.wall_s:.1f} s"), ("recommend", found.recommend)]
    return described(f"Inverted {found.solution.problem.name}", iter(parts))


def show_laplace(posterior: "Laplace") -> str:
    """Estimates with their intervals, noise, and how far the fit is from its minimum."""
    problem = posterior.solution.problem
    parts = _estimates(posterior.estimates()) + _noise(problem, posterior.noise)
    parts.append(("unsettled", f"{posterior.unsettled:.2g} standard errors"))
    return described(f"Laplace posterior of {problem.name}", iter(parts))


def show_ensemble(ensemble: "Ensemble") -> str:
    """How many members, and what they found."""
    problem = ensemble.members[0].problem
    units = {item.name: item.unit for item in problem.free}
    parts: Parts = [("members", f"{len(ensemble.members)}")]
    parts += [
        (name, f"{values.min():.5g} to {values.max():.5g} {units[name]}")
        for name, values in ensemble.parameters.items()
    ]
    return described(f"Ensemble of {problem.name}", iter(parts))


def _declared(problem: "Problem") -> Parts:
    parts = _axes(problem)
    parts += [(item.name, f"{type(item).__name__.lower()} [{item.unit}]")
              for item in problem.parameters]  # fmt: skip
    parts.append(("equations", ", ".join(f"{e.name} [{e.unit}]" for e in problem.equations)))
    if problem.conditions:
        parts.append(("conditions", f"{len(problem.conditions)}, met exactly"))
    if problem.measured:
        count = sum(len(item.values) for item in problem.measured)
        parts.append(("measured", f"{count} values"))
    if problem.reference is not None:
        parts.append(("reference", problem.reference.source))
    return parts


def _axes(problem: "Problem") -> Parts:
    parts: Parts = [
        (axis.name, f"coordinate, {axis.low:g} to {axis.high:g} {axis.unit}")
        for axis in problem.domain.axes
    ]
    parts += [
        (item.name, f"unknown, about {item.low:g} to {item.high:g} {item.unit}")
        for item in problem.unknowns
    ]
    return parts + [(item.name, f"derived [{item.unit}]") for item in problem.derived]


def _parameters(problem: "Problem", values: dict[str, float]) -> Parts:
    units = {item.name: item.unit for item in problem.parameters}
    return [(name, f"{value:.6g} {units[name]}") for name, value in values.items()]


def _estimates(found: Any) -> Parts:
    return [
        (item.name, f"{item.value:.5g} {item.unit}, {item.low:.5g} to {item.high:.5g}")
        for item in found
    ]


def _noise(problem: "Problem", noise: tuple[float, ...]) -> Parts:
    return [
        (f"noise of {item.unknown}", f"{sd:.3g} {problem.unknown(item.unknown).unit}")
        for item, sd in zip(problem.measured, noise, strict=True)
    ]
