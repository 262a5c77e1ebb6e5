"""Keep a trained operator: its arrays in an Orbax folder, what is known about it as JSON beside.

Nothing is pickled. As with a single solution, whoever loads an operator hands over its problem,
whose functions no file can keep, and it is compared with what was kept of it.
"""

from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from tvilling.pinns.operators.deeponet import DeepONet
from tvilling.pinns.operators.fno import FourierOperator
from tvilling.pinns.operators.layers import Weights
from tvilling.pinns.operators.model import Layout, OperatorNetwork
from tvilling.pinns.operators.problem import OperatorProblem
from tvilling.pinns.operators.trained import OperatorSolution, Scaling
from tvilling.pinns.operators.trust import Familiarity
from tvilling.pinns.problem.specification import declared, differing
from tvilling.pinns.solution.store import check_weights, path_name
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.array_store import load_arrays, save_arrays, whole_folder
from tvilling.sciml.io.checksums import check_sums
from tvilling.sciml.io.strict_json import read_model
from tvilling.sciml.io.strict_model import StrictModel

if TYPE_CHECKING:
    import xarray as xr

ABOUT, ARRAYS = "operator.json", "arrays"
WEIGHTS, TRUST, HISTORY = "weights", "trust", "history"
KINDS: dict[str, type[FourierOperator] | type[DeepONet]] = {
    kind.__name__: kind for kind in (FourierOperator, DeepONet)
}


class AboutOperator(StrictModel):
    """What stands in the JSON of an operator that was kept."""

    format: Literal[1] = 1
    problem: str
    declared: dict[str, Any]
    kind: str
    network: dict[str, int]
    scaling: dict[str, float]
    usual: float
    history: dict[str, dict[str, Any]]
    stopped: str
    note: str = ""
    seed: int
    tvilling_version: str


def save_operator(solution: OperatorSolution, folder: Path) -> Path:
    """Write `solution` to `folder`, which appears whole or not at all.

    Raises
    ------
    InputError
        If `folder` is there already, or the network is of a kind that is not known here.
    """
    kind = type(solution.network).__name__
    if kind not in KINDS:
        raise InputError(str(folder), [f"{kind} cannot be kept; known are {', '.join(KINDS)}"])
    trust, history = solution.familiarity, solution.history
    about = AboutOperator(
        problem=solution.problem.name,
        declared=_declared(solution.problem),
        kind=kind,
        network=asdict(solution.network),  # type: ignore[call-overload]
        scaling=asdict(solution.scaling),
        usual=trust.usual,
        history={
            str(name): {"dims": list(map(str, item.dims)), "attrs": dict(item.attrs)}
            for name, item in history.variables.items()
        },
        stopped=solution.stopped,
        note=history.attrs.get("note", ""),
        seed=solution.seed,
        tvilling_version=version("tvilling"),
    )
    arrays = {f"{WEIGHTS}{name}": leaf for name, leaf in _leaves(solution.weights).items()}
    arrays |= {f"{HISTORY}.{name}": item.values for name, item in history.variables.items()}
    parts = {"mean": trust.mean, "directions": trust.directions, "deviation": trust.deviation}
    arrays |= {f"{TRUST}.{name}": values for name, values in parts.items()}
    with whole_folder(folder) as beside:
        save_arrays(beside / ARRAYS, arrays | {"sensors": solution.sensors})
        (beside / ABOUT).write_text(about.model_dump_json(indent=2), encoding="utf-8")
    return folder


def load_operator(folder: Path, problem: OperatorProblem) -> OperatorSolution:
    """Read the operator for `problem` that was kept in `folder`, equal to the bit.

    Raises
    ------
    InputError
        If there is none, or it is one for another problem: other coordinates, unknowns,
        parameters or conditions, another function that varies, or other places of the solution; or
        a file of it is missing or damaged.
    """
    check_sums(folder)
    about = read_model(folder / ABOUT, AboutOperator, "operator")
    if about.problem != problem.name:
        told = f"holds an operator for {about.problem}, not for {problem.name}"
        raise InputError(str(folder), [told])
    if parts := differing(about.declared, _declared(problem)):
        told = f"holds an operator for {about.problem} with other {', '.join(parts)}"
        raise InputError(str(folder), [told])
    if about.kind not in KINDS:
        raise InputError(str(folder), [f"is a {about.kind}, known are {', '.join(KINDS)}"])
    arrays = load_arrays(folder / ARRAYS)
    network = KINDS[about.kind](**about.network)
    layout = Layout(problem.axes, problem.along.name, len(arrays["sensors"]))
    return OperatorSolution(
        problem=problem,
        network=network,
        layout=layout,
        weights=_weights(folder, network, layout, arrays),
        scaling=Scaling(**about.scaling),
        sensors=arrays["sensors"],
        familiarity=Familiarity(
            arrays[f"{TRUST}.mean"],
            arrays[f"{TRUST}.directions"],
            arrays[f"{TRUST}.deviation"],
            about.usual,
        ),
        history=_history(about, arrays),
        stopped=about.stopped,
        seed=about.seed,
    )


def _declared(problem: OperatorProblem) -> dict[str, Any]:
    """What the problems of the family share, and what is asked of them."""
    varied = problem.varied
    return declared(problem.template) | {
        "function": [varied.name, varied.unit, varied.along],
        "places": [dict(problem.at), [axis.name for axis in problem.axes]],
    }


def _leaves(weights: Weights) -> dict[str, np.ndarray]:
    pairs = jax.tree_util.tree_flatten_with_path(weights)[0]
    return {path_name(path): np.asarray(leaf) for path, leaf in pairs}


def _weights(
    folder: Path, network: OperatorNetwork, layout: Layout, arrays: dict[str, np.ndarray]
) -> Weights:
    """The arrays as the weights of `network`."""
    like = jax.eval_shape(lambda: network.begin(layout, jax.random.key(0)))
    pairs, tree = jax.tree_util.tree_flatten_with_path(like)
    wanted = {f"{WEIGHTS}{path_name(path)}": leaf.shape for path, leaf in pairs}
    kept = {name: a for name, a in arrays.items() if name.startswith(f"{WEIGHTS}.")}
    check_weights(folder, wanted, kept)
    found: Weights = jax.tree.unflatten(tree, [jnp.asarray(arrays[name]) for name in wanted])
    return found


def _history(about: AboutOperator, arrays: dict[str, np.ndarray]) -> "xr.Dataset":
    import xarray as xr

    variables = {
        name: (tuple(item["dims"]), arrays[f"{HISTORY}.{name}"], item["attrs"])
        for name, item in about.history.items()
    }
    return xr.Dataset(variables, attrs={"note": about.note} if about.note else {})
