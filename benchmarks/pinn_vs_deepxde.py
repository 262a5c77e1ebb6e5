"""Our training against DeepXDE, to equal error on four of its examples, beside solvers.

DeepXDE runs its documented recipe to its end, which gives an error. Ours then trains the same
problem, through the adapter, until its error is no larger; two conditions of all but the reaction
are met by an output transform. A solver of finite differences refines until its error is no larger
either. Errors are relative L2 over one grid for all three; where parameters are found, the greater
of that and of their relative errors.

L-BFGS, with which two of the recipes end, stops after a few steps in the single precision that
DeepXDE begins with. Its pages advise double precision then: those two run both ways.
"""

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from tvilling.benchmarks.measurement import Measurement

if TYPE_CHECKING:
    from tvilling.benchmarks.deepxde_peer import PeerRun

Rowwise = Callable[[Any], Any]
LIMIT_S = 300.0  # after which ours has failed
CELLS = tuple(10 * 2**k for k in range(10))  # with which a solver tries
STRICTER = 0.01  # of that error is the tolerance of a solver in time
REPEATS = 5  # of timings that take less than a second
SINGLE, DOUBLE = "float32", "float64"
COMPARED = (("burgers", DOUBLE), ("heat", DOUBLE), ("reaction_inverse", SINGLE))
BESIDE = (("burgers", SINGLE), ("heat", SINGLE), ("diffusion_inverse", SINGLE))


@dataclass(frozen=True)
class Recipe:
    """How we train one example: hidden layers, points, steps.

    Attributes
    ----------
    exact
        Lift and mask that meet the first two conditions exactly; None: the loss has them all.
    """

    hidden: tuple[int, ...]
    points: int
    check_every: int
    focus: float
    exact: tuple[Rowwise, Rowwise] | None = None
    steps: int = 20_000


@dataclass(frozen=True)
class Comparison:
    """One example: errors, times [s], and when a network pays.

    Attributes
    ----------
    peer_s, ours_s, solver_s
        DeepXDE's training, ours until its error, the solver's run.
    network_s
        An evaluation of the network over the grid.
    break_even
        Evaluations after which training and evaluating cost less than solving each time.
    peer_steps
        Of Adam and, where it is documented, L-BFGS.
    """

    name: str
    backend: str
    precision: str
    peer_s: float
    peer_error: float
    peer_steps: int
    peer_found: tuple[float, ...]
    ours_s: float
    ours_error: float
    ours_found: tuple[float, ...]
    ratio: float
    solver_s: float
    solver_error: float
    network_s: float
    break_even: str


def measure() -> Measurement:
    """The smallest ratio of times of the three examples; `ours` and `peer` are their sums."""
    os.environ["DDE_BACKEND"] = "jax"  # that of the adapter, before anything imports DeepXDE
    import deepxde

    found = [compared(name, precision) for name, precision in COMPARED]
    beside = [compared(name, precision) for name, precision in BESIDE]
    return Measurement(
        name="pinn_vs_deepxde",
        ours=sum(item.ours_s for item in found),
        peer=sum(item.peer_s for item in found),
        unit="s to equal error, three examples; ratio: the smallest of the three",
        ratio=min(item.ratio for item in found),
        peer_name="DeepXDE",
        peer_version=deepxde.__version__,
        extra={
            "aim": "100 times faster",
            "compilation": "included, without a cache",
            **{f"{item.name} {item.precision}": asdict(item) for item in found + beside},
        },
    )


def compared(name: str, precision: str) -> Comparison:
    """DeepXDE, ours and a solver on one example."""
    peer = _peer(name, precision)
    ours = _ours(name, peer.error)
    solver_s, solver_error = _solver(name, peer.error)
    gain_s = solver_s - ours.network_s
    return Comparison(
        name=name,
        backend=peer.backend,
        precision=precision,
        peer_s=peer.wall_s,
        peer_error=peer.error,
        peer_steps=peer.steps,
        peer_found=peer.variables,
        ours_s=ours.wall_s,
        ours_error=ours.error,
        ours_found=ours.found,
        ratio=peer.wall_s / ours.wall_s,
        solver_s=solver_s,
        solver_error=solver_error,
        network_s=ours.network_s,
        break_even=f"{ours.wall_s / gain_s:.3g}" if gain_s > 0 else "inf",
    )


def _peer(name: str, precision: str) -> "PeerRun":
    """The documented run, with the quicker backend of those that have its optimisers."""
    from tvilling.benchmarks.deepxde_peer import faster, peer

    needs_lbfgs = name in ("burgers", "heat")  # which the JAX backend has not
    return peer(name, "pytorch" if needs_lbfgs else faster(name), precision=precision)


def _recipes() -> dict[str, Recipe]:
    import jax.numpy as jnp

    def wide(x: Any) -> Any:
        return x[:, 1:2] * (1 - x[:, 0:1] ** 2)

    def unit(x: Any) -> Any:
        return x[:, 1:2] * x[:, 0:1] * (1 - x[:, 0:1])

    def sine(x: Any) -> Any:
        return jnp.sin(jnp.pi * x[:, 0:1])

    return {
        "burgers": Recipe((12, 12, 12), 800, 50, 1.0, (lambda x: -sine(x), wide)),
        "heat": Recipe((16, 16), 400, 50, 0.0, (sine, unit)),
        "diffusion_inverse": Recipe((16, 16), 200, 50, 0.0, (sine, wide)),
        "reaction_inverse": Recipe((16, 16), 400, 50, 0.0),
    }


@dataclass(frozen=True)
class Reached:
    """Our state when its error was first small enough.

    Attributes
    ----------
    wall_s
        From the problem's construction, compilation included, without the looks at the error.
    network_s
        Of one evaluation over the grid.
    """

    wall_s: float
    error: float
    found: tuple[float, ...]
    network_s: float


class _EnoughError(Exception):
    """Ends a training that has reached its error."""


def _ours(name: str, error: float) -> Reached:
    """Our training of the example until its error is at most `error`."""
    import jax

    from tvilling.benchmarks.deepxde_problems import PROBLEMS
    from tvilling.benchmarks.timing import without_compile_cache
    from tvilling.pinns import Broyden, TrainSettings
    from tvilling.pinns.deepxde.adapter import DeepxdeSolution, solve_deepxde

    recipe = _recipes()[name]
    reached: list[Reached] = []
    looked_s = 0.0

    def watch(state: DeepxdeSolution) -> float:
        nonlocal looked_s
        start = time.perf_counter()
        now = max(example.error(state.predict), example.error_found(state.variables))
        if now <= error:
            network_s = _best_s(lambda: state.predict(example.grid))
            reached.append(Reached(start - began - looked_s, now, state.variables, network_s))
            raise _EnoughError
        looked_s += time.perf_counter() - start
        return now

    settings = TrainSettings(
        points=recipe.points,
        stages=(Broyden(recipe.steps),),
        check_every=recipe.check_every,
        focus=recipe.focus,
        time_s=LIMIT_S,
    )
    PROBLEMS[name]()  # computes what its data are made of
    jax.clear_caches()
    with without_compile_cache(), contextlib.suppress(_EnoughError):
        began = time.perf_counter()
        example = PROBLEMS[name]()
        net = example.net((2, *recipe.hidden, example.sizes[-1]))
        if recipe.exact is not None:
            lift, mask = recipe.exact
            example.data.bcs = example.data.bcs[2:]
            net.apply_output_transform(lambda x, y: lift(x) + mask(x) * y)
        solve_deepxde(example.data, net, example.variables, settings, seed=0, watch=watch)
    if not reached:
        raise RuntimeError(f"{name}: ours did not reach an error of {error:g}")
    return reached[0]


def _best_s(call: Callable[[], Any]) -> float:
    """The shortest of some calls [s], after a first one."""
    call()
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return min(times)


def _solver(name: str, error: float) -> tuple[float, float]:
    """Seconds and error of finite differences with the fewest cells that err no more."""
    from tvilling.benchmarks.deepxde_problems import PROBLEMS
    from tvilling.benchmarks.deepxde_solvers import SOLVERS

    example, solve = PROBLEMS[name](), SOLVERS[name]
    for cells in CELLS:
        values, found = solve(cells, STRICTER * error)
        wrong = max(
            example.error_of(values.reshape(example.true.shape)), example.error_found(found)
        )
        if wrong <= error:
            return _best_s(partial(solve, cells, STRICTER * error)), wrong
    raise RuntimeError(f"{name}: the solver did not reach an error of {error:g}")
