"""Keep a surrogate: its arrays in an Orbax folder, what is known about it as JSON beside them."""

from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from pydantic import Field

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.system import System
from tvilling.sciml.io.array_store import home_folder, load_arrays, save_arrays, whole_folder
from tvilling.sciml.io.checksums import check_sums
from tvilling.sciml.io.strict_json import read_model
from tvilling.sciml.io.strict_model import StrictModel
from tvilling.sciml.learning.fit_checkpoint import fingerprint
from tvilling.sciml.surrogates.model import Calibration, Surrogate
from tvilling.sciml.surrogates.network import ACTIVATIONS, Ensemble
from tvilling.sciml.surrogates.training import SurrogateReport
from tvilling.sciml.surrogates.vectors import Scaling, size

ABOUT, ARRAYS = "surrogate.json", "arrays"
SCALING = ("middle", "half", "slope", "offset", "rest")
CALIBRATION = ("scores", "least_spread", "usual_spread")


class About(StrictModel):
    """What stands in the JSON of a surrogate that was kept."""

    format: Literal[1] = 1
    system: str
    system_sha256: str
    dt_s: float = Field(gt=0.0, le=1e9, allow_inf_nan=False)
    flags: tuple[Annotated[int, Field(ge=1, lt=2**31)], ...] = Field(max_length=31)
    always: int = Field(ge=0, lt=2**31)
    layers: int = Field(ge=1, le=100)
    activation: str
    seed: int
    data_sha256: str
    metrics: dict[str, Any]
    tvilling_version: str


@dataclass(frozen=True)
class Kept:
    """A surrogate from the store, and what is known about it."""

    surrogate: Surrogate
    about: About


def surrogates_folder() -> Path:
    """Where surrogates are kept when nothing else is said: `surrogates` in the data folder."""
    return home_folder() / "surrogates"


def system_sha256(system: System) -> str:
    """SHA-256 of the kind of a system, its channels and the numbers it holds."""
    channels = (system.actions, system.drives, system.outputs)
    return fingerprint(type(system).__qualname__, repr(channels), system)


def save_surrogate(surrogate: Surrogate, report: SurrogateReport, folder: Path) -> Path:
    """Write `surrogate` to `folder`, which appears whole or not at all.

    Raises
    ------
    InputError
        If `folder` is there already; nothing is overwritten.
    """
    with whole_folder(folder) as beside:
        save_arrays(beside / ARRAYS, _arrays(surrogate))
        text = _about(surrogate, report).model_dump_json(indent=2)
        (beside / ABOUT).write_text(text + "\n", encoding="utf-8")
    return folder


def load_surrogate(folder: Path, system: System) -> Kept:
    """Read a surrogate of `system` that was kept in `folder`; nothing is unpickled.

    Parameters
    ----------
    system
        The physics it was trained on, with the same parameters: it gives channels, first states
        and energies.

    Raises
    ------
    InputError
        If there is no surrogate, it is one of another system, or a file of it is damaged.
    """
    check_sums(folder)
    about = read_model(folder / ABOUT, About, "surrogate")
    if about.system_sha256 != system_sha256(system):
        raise InputError(
            str(folder),
            [
                f"was trained on a {about.system} with other parameters or channels than this "
                f"{type(system).__qualname__}; train one anew"
            ],
        )
    if about.activation not in ACTIVATIONS:
        raise InputError(str(folder), [f"activation is {about.activation!r}, which is not known"])
    arrays = load_arrays(folder / ARRAYS)
    faults = _array_faults(about, arrays, system)
    if faults:
        raise InputError(str(folder), faults)
    numbers = {name: jnp.asarray(array) for name, array in arrays.items()}
    return Kept(_surrogate(about, numbers, system), about)


def _array_faults(about: About, arrays: dict[str, np.ndarray], system: System) -> list[str]:
    """Arrays that are missing, not finite, of other shapes than `system` needs, or no scales."""
    layers = [f"{kind}_{i}" for i in range(about.layers) for kind in ("weight", "bias")]
    wanted = (*SCALING, *CALIBRATION, *layers)
    faults = [f"array {name} is missing" for name in wanted if name not in arrays]
    faults += [f"array {name} is not finite" for name, array in arrays.items()
               if array.dtype.kind not in "fiu" or not np.isfinite(array).all()]  # fmt: skip
    if faults:
        return faults
    shapes = {name: arrays[name].shape for name in wanted}
    state = jax.eval_shape(lambda: ravel_pytree(system.init(jax.random.key(0)))[0])
    targets = state.size + size(system.outputs)
    inputs = state.size + size(system.actions) + size(system.drives)
    right: dict[str, tuple[int, ...]]
    right = dict.fromkeys(("offset", "rest", "least_spread"), (targets,))
    right |= {"middle": (inputs,), "half": (inputs,), "slope": (inputs, targets)}
    right |= {"usual_spread": (), "scores": (*shapes["scores"][:1], targets)}
    members, width = shapes["weight_0"][:1], inputs
    for i in range(about.layers):
        last = i == about.layers - 1
        out = targets + len(about.flags) if last else shapes[f"bias_{i}"][-1]
        right |= {f"weight_{i}": (*members, width, out), f"bias_{i}": (*members, out)}
        width = out
    faults = [
        f"array {name} has shape {shapes[name]}, expected {shape}"
        for name, shape in right.items()
        if shapes[name] != shape
    ]
    return faults + [f"array {name} is not above 0" for name in ("half", "rest", "usual_spread")
                     if (arrays[name] <= 0).any()]  # fmt: skip


def _about(surrogate: Surrogate, report: SurrogateReport) -> About:
    try:
        code = version("tvilling")
    except PackageNotFoundError:
        code = "not installed"
    return About(
        system=type(surrogate.physics).__qualname__,
        system_sha256=system_sha256(surrogate.physics),
        dt_s=surrogate.dt_s,
        flags=surrogate.flags,
        always=surrogate.always,
        layers=len(surrogate.network.weights),
        activation=surrogate.network.activation,
        seed=report.seed,
        data_sha256=report.data_sha256,
        metrics={
            "steps": report.steps,
            "dropped": report.dropped,
            "left_out": report.left_out,
            "one_step": {name: asdict(miss) for name, miss in report.one_step.items()},
            "rollout": {name: asdict(miss) for name, miss in report.rollout.items()},
            "coverage_of_90_percent": report.coverage,
            "status_share": report.status_share,
            "stopped": report.stopped,
            "cpu_s": report.cpu_s,
        },
        tvilling_version=code,
    )


def _arrays(surrogate: Surrogate) -> dict[str, np.ndarray]:
    arrays = {name: np.asarray(getattr(surrogate.scaling, name)) for name in SCALING}
    arrays |= {name: np.asarray(getattr(surrogate.calibration, name)) for name in CALIBRATION}
    layers = zip(surrogate.network.weights, surrogate.network.biases, strict=True)
    for i, (weight, bias) in enumerate(layers):
        arrays |= {f"weight_{i}": np.asarray(weight), f"bias_{i}": np.asarray(bias)}
    return arrays


def _surrogate(about: About, arrays: dict[str, Any], system: System) -> Surrogate:
    return Surrogate(
        physics=system,
        network=Ensemble(
            tuple(arrays[f"weight_{i}"] for i in range(about.layers)),
            tuple(arrays[f"bias_{i}"] for i in range(about.layers)),
            about.activation,
        ),
        scaling=Scaling(**{name: arrays[name] for name in SCALING}),
        calibration=Calibration(**{name: arrays[name] for name in CALIBRATION}),
        dt_s=about.dt_s,
        flags=about.flags,
        always=about.always,
    )
