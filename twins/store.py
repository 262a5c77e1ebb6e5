"""Twins on disk: one folder a twin under `TVILLING_HOME/twins`, with arrays and a description.

`NAME/current` holds the name of the version to load, a folder beside it. A new version is written
whole before `current` names it, so that a kill at any moment leaves one that loads. Nothing is
unpickled: arrays are read by Orbax into the structure that the description and the registry of
systems give.
"""

import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.system import System
from tvilling.sciml.io.array_store import home_folder, load_arrays, save_arrays, whole_folder
from tvilling.sciml.io.checksums import check_sums
from tvilling.sciml.io.files import read_text
from tvilling.sciml.io.strict_json import read_json
from tvilling.sciml.learning.fit_checkpoint import fingerprint
from tvilling.sciml.systems import SYSTEMS
from tvilling.twins.assimilation.belief import Belief
from tvilling.twins.assimilation.vector import Model
from tvilling.twins.ledger_record import code_version, model_hash, structure_hash
from tvilling.twins.lock import locked
from tvilling.twins.naming import leaf_name
from tvilling.twins.twin import Twin

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
VERSION = re.compile(r"[0-9]{9,}-[0-9]{8}T[0-9]{12}")
MAX_POINTER_BYTES = 1000
FORMAT = 2
CURRENT, ARRAYS, ABOUT = "current", "arrays", "twin.json"


def twins_folder() -> Path:
    """Where twins are kept."""
    return home_folder() / "twins"


def ledger_path(name: str) -> Path:
    """Where the ledger of the twin `name` is kept."""
    return _folder(name) / "ledger.jsonl"


def save(twin: Twin, system: str) -> Path:
    """Keep `twin` under its name, in place of what was kept before, and give its folder.

    Parameters
    ----------
    system
        Name of the system in the registry, whose example tells how the plant is built.

    Raises
    ------
    InputError
        If the name cannot be a folder's, or the system is not in the registry.
    """
    folder = _folder(twin.name)
    if system not in SYSTEMS:
        raise InputError(
            f"twin {twin.name}", [f"system {system} is not known; known are {', '.join(SYSTEMS)}"]
        )
    folder.mkdir(parents=True, exist_ok=True)
    arrays = _arrays(twin)
    about = json.dumps(_about(twin, system, arrays), indent=1, ensure_ascii=False)
    with (folder / ".lock").open("ab") as lock, locked(lock):
        version = _write_version(folder, int(twin.belief.steps), arrays, about)
        pointer = folder / f".{CURRENT}"
        _write(pointer, version.name)
        pointer.replace(folder / CURRENT)
        for path in folder.iterdir():  # older ones, and what a kill left half written
            if path.is_dir() and path != version:
                shutil.rmtree(path)
    return version


def _write_version(folder: Path, steps: int, arrays: dict[str, np.ndarray], about: str) -> Path:
    """Write one version, under its name when all of it is there."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    version = folder / f"{steps:09d}-{stamp}"
    with whole_folder(version) as part:
        save_arrays(part / ARRAYS, arrays)
        _write(part / ABOUT, about)
    return version


def load(name: str, system: System | None = None) -> Twin:
    """The twin kept under `name`; it goes on with the numbers it had, bit by bit.

    `last` is not kept: it is None until the next update.

    Parameters
    ----------
    system
        A plant built as that of the twin was, needed where it is not built as the example of its
        registry entry is (other limits, another network). Its arrays are replaced by those kept.

    Raises
    ------
    InputError
        If there is no such twin, if what is kept is damaged, or if `system` differs in structure.
    """
    folder = _folder(name)
    version, about = _read_about(name, folder)
    plant = system if system is not None else SYSTEMS[about["system"]].example().system
    plant = jax.tree.map(jnp.asarray, plant)
    if structure_hash(plant) != about["structure_sha256"]:
        raise InputError(
            f"twin {name}",
            [
                f"its plant is a {about['system']} built in another way than the one given "
                "(limits, names or options differ); hand over system=, built as it was at the start"
            ],
        )
    arrays = load_arrays(version / ARRAYS)
    empty = _template(plant, about)
    model, belief = _filled((empty.model, empty.belief), arrays, about["shapes"], version)
    if fingerprint(_arrays(replace(empty, model=model, belief=belief))) != about["arrays_sha256"]:
        raise InputError(str(version), ["the arrays have changed since they were written"])
    return Twin(model, belief, name=name, model_version=model_hash(model.system))


def _filled(
    empty: tuple[Model, Belief],
    arrays: dict[str, np.ndarray],
    shapes: dict[str, list[int]],
    version: Path,
) -> tuple[Model, Belief]:
    """`empty` with the arrays that were kept; those without elements were not."""
    leaves, structure = jax.tree_util.tree_flatten_with_path(empty)
    found, faults = [], []
    for path, leaf in leaves:
        name = leaf_name(path)
        shape = tuple(shapes.get(name, (-1,)))
        array = arrays.get(name, np.zeros(shape) if 0 in shape else None)
        if array is None or array.shape != shape:
            faults.append(f"{name} is missing or has another shape")
        else:
            found.append(jnp.asarray(array, leaf.dtype))
    if faults:
        raise InputError(str(version), faults)
    model, belief = jax.tree.unflatten(structure, found)
    return model, belief


def saved_twins() -> tuple[str, ...]:
    """Names of the twins that are kept."""
    folder = twins_folder()
    if not folder.is_dir():
        return ()
    return tuple(sorted(path.parent.name for path in folder.glob(f"*/{CURRENT}")))


def _folder(name: str) -> Path:
    if not NAME.fullmatch(name):
        raise InputError(
            "twin", [f"name is {name!r}, expected up to 100 letters, digits, dots, _ and -"]
        )
    return twins_folder() / name


def _arrays(twin: Twin) -> dict[str, np.ndarray]:
    """Every array of model and belief, by name."""
    leaves = jax.tree_util.tree_flatten_with_path((twin.model, twin.belief))[0]
    found = {}
    for path, leaf in leaves:
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            raise InputError(f"twin {twin.name}", [f"{leaf_name(path)} is a random key, not kept"])
        found[leaf_name(path)] = np.asarray(leaf)
    return found


def _about(twin: Twin, system: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": twin.name,
        "system": system,
        "time": f"{twin.time}Z",
        "steps": int(twin.belief.steps),
        "dt_s": twin.model.dt_s,
        "members": twin.belief.members,
        "seed": int(twin.belief.seed),
        "unknown": list(twin.model.unknown),
        "code_version": code_version(),
        "jax_version": jax.__version__,
        "model_version": twin.model_version,
        "structure_sha256": structure_hash(twin.system),
        "arrays_sha256": fingerprint(arrays),
        "shapes": {name: list(array.shape) for name, array in arrays.items()},
    }


def _read_about(name: str, folder: Path) -> tuple[Path, dict[str, Any]]:
    """Folder and description of the version to load."""
    if not (folder / CURRENT).exists():
        versions = [path.name for path in folder.glob("*") if VERSION.fullmatch(path.name)]
        if versions:
            missing = f"{folder / CURRENT} is missing; it named the version {', '.join(versions)}"
            raise InputError(f"twin {name}", [missing])
        known = ", ".join(saved_twins()) or "none"
        raise InputError(f"twin {name}", [f"is not kept; kept are: {known}"])
    try:
        current = read_text(folder / CURRENT, MAX_POINTER_BYTES).strip()
        if not VERSION.fullmatch(current):
            raise InputError(CURRENT, [f"is {current!r}, expected the name of a version"])
        version = folder / current
        if not version.is_dir():
            raise InputError(CURRENT, [f"it is {current!r}, which is not there"])
        check_sums(version)
        about = read_json(version / ABOUT)
    except InputError as error:
        place = error.source.removeprefix(f"{folder}/")
        told = [f"its description cannot be read ({place}: {one})" for one in error.faults]
        raise InputError(f"twin {name}", told) from error
    faults = _about_faults(about)
    if faults:
        raise InputError(f"twin {name}", faults)
    return version, about


def _about_faults(about: Any) -> list[str]:
    """What a description of a twin lacks, or holds in another type than it was written."""
    if not isinstance(about, dict):
        return [f"{ABOUT} is no object"]
    faults = [f"{ABOUT} lacks {key}" for key in sorted(set(NEEDED) - set(about))]
    if faults:
        return faults
    faults = [f"{ABOUT}: {key} is {about[key]!r}" for key, fits in NEEDED.items()
              if not fits(about[key])]  # fmt: skip
    if not faults and about["format"] != FORMAT:
        faults.append(f"is kept in format {about['format']}, expected {FORMAT}")
    if not faults and about["system"] not in SYSTEMS:
        faults.append(f"system {about['system']} is not known; known are {', '.join(SYSTEMS)}")
    return faults


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_step(value: Any) -> bool:
    return type(value) in (int, float) and 0 < value < 1e9


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_shapes(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(sides, list) and all(type(side) is int and side >= 0 for side in sides)
        for sides in value.values()
    )


NEEDED: dict[str, Callable[[Any], bool]] = {
    "format": lambda value: type(value) is int,
    "system": _is_text,
    "unknown": _is_names,
    "dt_s": _is_step,
    "structure_sha256": _is_text,
    "arrays_sha256": _is_text,
    "shapes": _is_shapes,
}


def _template(plant: System, about: dict[str, Any]) -> Twin:
    """A twin of the right structure; its numbers mean nothing."""
    nothing = jnp.zeros(())
    count, mark = jnp.zeros((), jnp.int64), jnp.zeros((), bool)
    model = Model(
        system=plant,
        state_noise=nothing,
        unknown_walk=nothing,
        relaxation=nothing,
        gate_sd=nothing,
        rotate=mark,
        estimated=mark,
        start_log_sd=nothing,
        sources=count,
        unknown=tuple(about["unknown"]),
        dt_s=float(about["dt_s"]),
    )
    state = plant.init(jax.random.key(0))
    belief = Belief(
        state=state,
        log_unknown=nothing,
        seed=count,
        steps=count,
        time_ns=count,
        nis=nothing,
        readings=count,
        gated=count,
        gated_runs=count,
    )
    return Twin(model, belief)


def _write(path: Path, text: str) -> None:
    """Write a file and see it on disk."""
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
