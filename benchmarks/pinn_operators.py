"""Operators on functions they have not seen, beside linear regression and the solvers."""

import time
from typing import TYPE_CHECKING, Any

from tvilling.benchmarks.measurement import Measurement

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

    from tvilling.pinns.operators import OperatorProblem, OperatorSolution

SAMPLES, FRESH, ALONE = 500, 100, 10
STEPS, BATCH = 2000, 20
RESOLUTIONS = (64, 128, 256, 512)


def measure() -> Measurement:
    """Median relative L2 error of the Fourier operator of Burgers' equation, beside ridge.

    The ratio is the error of ridge regression over ours. `extra` has the same for DeepONets and for
    the pipe, errors over resolutions, and the time of a solution beside that of the solver.
    """
    import sklearn

    from tvilling.pinns.operators import DeepONet, FourierOperator, burgers_end, pipe_outlet

    burgers = _family(
        burgers_end(),
        {"fourier": FourierOperator(24, 16, 3), "deeponet": DeepONet(width=100)},
    )
    pipe = _family(pipe_outlet(), {"fourier": FourierOperator(24, 16, 3), "deeponet": DeepONet()})
    ours, peer = burgers["relative_l2"]["fourier"], burgers["relative_l2"]["ridge"]
    burgers["coarse_solver"] = _coarse_solver(ours)
    return Measurement(
        name="pinn_operators",
        ours=ours,
        peer=peer,
        unit="relative L2, median of samples not seen",
        ratio=peer / ours,
        peer_name="ridge regression (scikit-learn)",
        peer_version=sklearn.__version__,
        extra={
            "burgers_end": burgers,
            "pipe_outlet": pipe,
            "samples": SAMPLES,
            "steps": STEPS,
            "compilation": "in the times of training, not in those of solutions",
        },
    )


def _family(problem: "OperatorProblem", networks: dict[str, Any]) -> dict[str, Any]:
    """Errors, training times and times a solution for one family."""
    import numpy as np

    from tvilling.pinns.operators import LinearOperator, ensemble, train_operator
    from tvilling.pinns.operators.trained import errors_of
    from tvilling.sciml.learning.fit import FitSettings

    settings = FitSettings(steps=STEPS, batch=BATCH, learning_rate=3e-3, check_every=100)
    start = time.process_time()
    known, fresh = ensemble(problem, SAMPLES, seed=1), ensemble(problem, FRESH, seed=2)
    ensembles_cpu_s = time.process_time() - start
    true = fresh[problem.unknown.name].values
    errors: dict[str, dict[str, np.ndarray]] = {
        "mean": _arrays(LinearOperator.mean_of(problem, known).error(fresh)),
        "ridge": errors_of(_ridge(problem, known, fresh), true),
    }
    training_cpu_s, trained = {}, {}
    for name, network in networks.items():
        start = time.process_time()
        trained[name] = train_operator(problem, known, network, settings)
        training_cpu_s[name] = time.process_time() - start
        errors[name] = _arrays(trained[name].error(fresh))
    resolutions = trained["fourier"].error_by_resolution(_counts(problem)).values
    return {
        kind: {name: float(np.median(found[kind])) for name, found in errors.items()}
        for kind in ("relative_l2", "relative_to_spread")
    } | {
        "fourier_relative_l2_by_resolution": dict(
            zip(map(str, _counts(problem)), resolutions.tolist(), strict=True)
        ),
        "ensembles_cpu_s": ensembles_cpu_s,
        "training_cpu_s": training_cpu_s,
        "us_per_solution": _times_us(problem, trained),
    }


def _counts(problem: "OperatorProblem") -> tuple[int, ...]:
    """Places along the function; a grid with both ends has one more."""
    return RESOLUTIONS if problem.along.periodic else tuple(n + 1 for n in RESOLUTIONS)


def _arrays(errors: "xr.Dataset") -> "dict[str, np.ndarray]":
    return {str(name): values.values for name, values in errors.items()}


def _ridge(problem: "OperatorProblem", known: "xr.Dataset", fresh: "xr.Dataset") -> "np.ndarray":
    """Predictions of scikit-learn's ridge regression, its strength cross-validated."""
    import numpy as np
    from sklearn.linear_model import RidgeCV

    function, unknown = problem.varied.name, problem.unknown.name
    inputs = known[function].values
    middle, spread = inputs.mean(), inputs.std()
    regression = RidgeCV(alphas=np.logspace(-9, 4, 40))
    regression.fit((inputs - middle) / spread, known[unknown].values)
    return np.asarray(regression.predict((fresh[function].values - middle) / spread))


def _coarse_solver(error: float) -> dict[str, float]:
    """The quickest setting of the solver of Burgers' equation that errs no more than `error`."""
    import numpy as np

    from tvilling.benchmarks.timing import take_turns
    from tvilling.pinns.operators import burgers_end, ensemble
    from tvilling.pinns.operators.operator_ensemble import values_of
    from tvilling.pinns.operators.periodic_burgers import by_modes
    from tvilling.pinns.operators.trained import errors_of
    from tvilling.sciml.core.errors import InputError

    problem = burgers_end()
    drawn = problem.varied.draws.draw(FRESH, seed=2)
    true = ensemble(problem, FRESH, seed=2)["u"].values
    x = problem.grid()["x"]
    found: list[dict[str, float]] = []
    for modes in (8, 12, 16, 24, 32, 48, 64):
        places = np.linspace(-1.0, 1.0, 2 * modes, endpoint=False)
        tables = [(lambda x, row=row: row) for row in values_of(drawn, places)]  # as operators read
        for steps in (10, 20, 40):

            def solve(tables: Any = tables, modes: int = modes, steps: int = steps) -> "np.ndarray":
                courses = by_modes(tables, 0.02, modes, steps)
                return np.stack([course(x, np.full(x.shape, 1.0)) for course in courses])

            try:
                miss = float(np.median(errors_of(solve(), true)["relative_l2"]))
            except InputError:  # it ran away
                continue
            if miss <= error:
                us = take_turns({"solver": solve}, 3)["solver"].min_cpu_s / FRESH * 1e6
                line = {"modes": modes, "steps": steps, "relative_l2": miss}
                found.append(line | {"us_per_solution_100_together": us})
    return min(found, key=lambda line: line["us_per_solution_100_together"])


def _times_us(
    problem: "OperatorProblem", trained: "dict[str, OperatorSolution]"
) -> dict[str, dict[str, float]]:
    """Least CPU time a solution, one alone and a hundred together [µs]."""
    from tvilling.benchmarks.timing import take_turns
    from tvilling.pinns.operators import ensemble

    functions = ensemble(problem, FRESH, seed=3)[problem.varied.name]
    drawn, grid = problem.varied.draws.draw(FRESH, seed=3), problem.grid()
    found: dict[str, dict[str, float]] = {}
    for count in (1, FRESH):
        calls: dict[str, Any] = {
            name: (lambda one=one, count=count: one.evaluate(functions[:count])["distance"].values)
            for name, one in trained.items()
        }
        calls["solver"] = lambda count=count: problem.solve(drawn[:count], grid)
        timings = take_turns(calls, ALONE)
        found[f"{count} together"] = {
            name: timing.min_cpu_s / count * 1e6 for name, timing in timings.items()
        }
    return found
