"""DeepXDE alone on one of its examples, in a process of its own: a backend lasts for a process.

Run as `python -m tvilling.benchmarks.deepxde_peer NAME BACKEND STEPS PRECISION` with DDE_BACKEND
set; the last line it prints is a JSON object. With STEPS above 0 it takes that many steps of Adam
and no L-BFGS, to time a step.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

LIMIT_S = 3600


@dataclass(frozen=True)
class PeerRun:
    """One run of DeepXDE.

    Attributes
    ----------
    wall_s
        Of building and training the model; neither of imports nor of the evaluation.
    relative_l2, found_error
        Of the network that it ends with, and of what was found with it.
    steps
        Of both optimisers, as DeepXDE counts them.
    variables
        What was found.
    """

    name: str
    backend: str
    wall_s: float
    relative_l2: float
    found_error: float
    steps: int
    variables: tuple[float, ...]
    precision: str

    @property
    def error(self) -> float:
        """The greater of both."""
        return max(self.relative_l2, self.found_error)


def peer(name: str, backend: str, steps: int = 0, precision: str = "float32") -> PeerRun:
    """DeepXDE's run of the example `name`, in a new process.

    `precision` is that of its numbers. The recipes leave it at float32, with which L-BFGS stops
    after a few steps; DeepXDE's pages on its options then advise float64.
    """
    here = "tvilling.benchmarks.deepxde_peer"
    command = [sys.executable, "-m", here, name, backend, str(steps), precision]
    done = subprocess.run(
        command,
        env={**os.environ, "DDE_BACKEND": backend},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"DeepXDE failed on {name} with {backend}:\n{done.stderr[-2000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return PeerRun(**{**found, "variables": tuple(found["variables"])})


def faster(name: str, steps: int = 300) -> str:
    """Which backend is quicker at a step of Adam on `name`, jax or pytorch."""
    return min(("jax", "pytorch"), key=lambda backend: _step_s(name, backend, steps))


def _step_s(name: str, backend: str, steps: int) -> float:
    """Seconds of a step, without what is done once."""
    short, long = (peer(name, backend, count).wall_s for count in (steps, 3 * steps))
    return (long - short) / (2 * steps)


def trained(name: str, steps: int, precision: str) -> dict[str, Any]:
    """Train with the recipe of the example, with the backend that is loaded."""
    import deepxde as dde

    from tvilling.benchmarks.deepxde_problems import PROBLEMS

    dde.config.set_default_float(precision)
    dde.config.set_random_seed(0)
    PROBLEMS[name]()  # computes what its data are made of
    began = time.perf_counter()
    example = PROBLEMS[name]()
    model = dde.Model(example.data, example.net())
    more = {"external_trainable_variables": list(example.variables)} if example.variables else {}
    model.compile("adam", lr=1e-3, **more)
    model.train(iterations=steps or example.adam_steps, display_every=10**6)
    if example.lbfgs and not steps and dde.backend.backend_name != "jax":
        model.compile("L-BFGS", **more)  # the JAX backend has none
        model.train(display_every=10**6)
    wall_s = time.perf_counter() - began
    found = [_number(variable) for variable in example.variables]
    return {
        "name": name,
        "backend": dde.backend.backend_name,
        "wall_s": wall_s,
        "relative_l2": example.error(model.predict),
        "found_error": example.error_found(found),
        "steps": model.train_state.step,
        "variables": found,
        "precision": precision,
    }


def _number(variable: Any) -> float:
    """The value of a variable of either backend."""
    return float(variable.value) if hasattr(variable, "value") else float(variable.detach())


def main() -> None:
    """Train as the command line says and print the result."""
    name, _, steps, precision = sys.argv[1:]
    with contextlib.redirect_stdout(io.StringIO()):
        found = trained(name, int(steps), precision)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
