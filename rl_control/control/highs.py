"""HiGHS on a linopy model: silent, with a gap and a time limit, and the bound that it proves."""

from dataclasses import dataclass
from typing import Any

import numpy as np

TOLERANCE = 1e-9  # of linear programmes, primal and dual
# A plant's week with starts was found in 0.7 s without these and presolve, in 1.1 s with them.
SLOW_HEURISTICS = (
    "mip_heuristic_run_rins",
    "mip_heuristic_run_rens",
    "mip_heuristic_run_feasibility_jump",
)
OPTIMAL, LIMIT = "optimal", "time limit"


@dataclass
class Matrices:
    """A programme as arrays: minimise c x, with rows of `table` x against `side` by `sense`.

    Attributes
    ----------
    labels, row_labels
        Of variables and constraints in the linopy model, by column and by row.
    low, high, cost
        Limits of the variables, and the objective.
    table, sense, side
        The rows; `sense` is one of `<`, `>`, `=` each.
    whole
        Columns that take whole numbers.
    """

    labels: np.ndarray
    row_labels: np.ndarray
    low: np.ndarray
    high: np.ndarray
    cost: np.ndarray
    table: Any
    sense: np.ndarray
    side: np.ndarray
    whole: np.ndarray

    @classmethod
    def of(cls, model: Any) -> "Matrices":
        """The arrays of a `linopy.Model`, which may be changed afterwards."""
        found = model.matrices
        whole = np.flatnonzero(np.isin(found.vtypes, ("B", "I"))).astype(np.int32)
        low, high, cost, side = (
            np.array(part, float) for part in (found.lb, found.ub, found.c, found.b)
        )
        table, sense = found.A.tocsr(), np.asarray(found.sense)
        return cls(found.vlabels, found.clabels, low, high, cost, table, sense, side, whole)

    def columns(self, variable: Any) -> np.ndarray:
        """Columns of a variable of the model, in its shape."""
        return _positions(self.labels)[variable.labels.to_numpy()]

    def rows(self, constraint: Any) -> np.ndarray:
        """Rows of a constraint of the model, in its shape."""
        return _positions(self.row_labels)[constraint.labels.to_numpy()]


def _positions(labels: np.ndarray) -> np.ndarray:
    found = np.full(labels.max() + 1, -1, dtype=np.int32)
    found[labels] = np.arange(len(labels), dtype=np.int32)
    return found


@dataclass(frozen=True)
class Solved:
    """What the solver found.

    Attributes
    ----------
    values
        Value of each variable by its label in the model; None where there is none.
    status
        `optimal` (within the gap that was asked for), `time limit` (with or without values), or
        what else the solver says, in lower case.
    objective, bound
        Of the minimisation: what was reached, and what nothing can be below.
    gap
        Relative distance of the two; infinite where there are no values.
    reduced
        Of a linear programme, what the objective gains by each unit that the limit of a variable
        moves, by its label; 0 where no limit binds.
    """

    values: np.ndarray | None
    status: str
    objective: float
    bound: float
    gap: float
    reduced: np.ndarray | None = None


def solve(
    programme: Matrices,
    gap: float = 0.0,
    limit_s: float = np.inf,
) -> Solved:
    """Minimise a programme, linear or with whole numbers.

    HiGHS is handed the matrices here and not through `linopy.Model.solve`: it prints a banner to
    standard output while it is being made, before an option can tell it not to.

    Parameters
    ----------
    gap
        Relative gap at which a programme with whole numbers may stop.
    limit_s
        Time after which the best found so far is taken [s].
    """
    import highspy

    solver, whole = _silent(), programme.whole
    if whole.size:
        solver.setOptionValue("mip_rel_gap", gap)
        solver.setOptionValue("presolve", "off")
        for heuristic in SLOW_HEURISTICS:
            solver.setOptionValue(heuristic, False)
    else:
        solver.setOptionValue("primal_feasibility_tolerance", TOLERANCE)
        solver.setOptionValue("dual_feasibility_tolerance", TOLERANCE)
    solver.setOptionValue("threads", 1)
    if np.isfinite(limit_s):
        solver.setOptionValue("time_limit", float(limit_s))
    columns = np.arange(len(programme.labels), dtype=np.int32)
    solver.addVars(len(columns), programme.low, programme.high)
    solver.changeColsCost(len(columns), columns, programme.cost)
    table, sense, side = programme.table, programme.sense, programme.side
    low, high = np.where(sense == "<", -np.inf, side), np.where(sense == ">", np.inf, side)
    solver.addRows(len(side), low, high, table.nnz, table.indptr, table.indices, table.data)
    if whole.size:
        kinds = np.full(len(whole), highspy.HighsVarType.kInteger)
        solver.changeColsIntegrality(len(whole), whole, kinds)
    solver.run()
    return _read(solver, programme.labels, bool(whole.size))


def _silent() -> Any:
    import highspy

    class Quiet(highspy.Highs):
        def enableCallbacks(self) -> None:  # noqa: N802 - the first thing its constructor calls
            self.silent()
            super().enableCallbacks()

    return Quiet()


def _read(solver: Any, labels: np.ndarray, whole: bool) -> Solved:
    import highspy

    states, info = highspy.HighsModelStatus, solver.getInfo()
    status = solver.getModelStatus()
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    if status not in (states.kOptimal, states.kTimeLimit) or not found:
        word = LIMIT if status == states.kTimeLimit else solver.modelStatusToString(status).lower()
        return Solved(None, word, np.nan, -np.inf, np.inf)
    solution, size = solver.getSolution(), labels.max() + 1
    values, reduced = np.zeros(size), np.zeros(size)
    values[labels] = solution.col_value
    objective = float(info.objective_function_value)
    if whole:
        bound = float(info.mip_dual_bound)
        gap = abs(objective - bound) / max(abs(objective), 1e-9)
    else:
        reduced[labels] = solution.col_dual
        gap = float(info.primal_dual_objective_error) if status == states.kOptimal else np.inf
        bound = objective - gap * abs(objective)
    word = OPTIMAL if status == states.kOptimal else LIMIT
    return Solved(values, word, objective, bound, gap, None if whole else reduced)
