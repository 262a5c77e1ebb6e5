"""Keep a surrogate: its arrays in an Orbax folder, what is known about it as JSON beside them."""

from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from tvilling.sciml.errors import InputError
from tvilling.sciml.fit_checkpoint import fingerprint
from tvilling.sciml.store import home_folder, load_arrays, save_arrays, whole_folder
from tvilling.sciml.surrogates.model import Calibration, Surrogate
from tvilling.sciml.surrogates.network import ACTIVATIONS, Ensemble
from tvilling.sciml.surrogates.training import SurrogateReport
from tvilling.sciml.surrogates.vectors import Scaling
from tvilling.sciml.system import System

ABOUT, ARRAYS = "surrogate.json", "arrays"
SCALING = ("middle", "half", "slope", "offset", "rest")
CALIBRATION = ("scores", "least_spread", "usual_spread")


class About(BaseModel):
    """What stands in the JSON of a surrogate that was kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    system: str
    system_sha256: str
    dt_s: float
    flags: tuple[int, ...]
    always: int
    layers: int
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
        If there is no surrogate, or it is one of another system.
    """
    try:
        about = About.model_validate_json((folder / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise InputError(str(folder), [f"holds no surrogate that can be read: {error}"]) from error
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
    arrays = {name: jnp.asarray(array) for name, array in load_arrays(folder / ARRAYS).items()}
    try:
        return Kept(_surrogate(about, arrays, system), about)
    except KeyError as error:
        raise InputError(str(folder), [f"array {error} is missing"]) from error


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
