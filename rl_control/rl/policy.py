"""A learned policy as plain arrays: it needs neither torch nor the library that trained it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from tvilling.rl_control.rl.observation import Observer, to_action
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.core.system import Channel, Values
from tvilling.sciml.io.npz import read_npz
from tvilling.sciml.io.strict_json import parse_json

FORM = "tvilling policy 1"
MAX_LAYERS, MAX_AHEAD, DAY_S = 100, 10_000, 86_400.0


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Policy:
    """A controller: tanh layers over the observation, and a linear one for the action.

    Attributes
    ----------
    observer
        As in the environment it was trained in.
    weights, biases
        Of each layer, `[out, in]` and `[out]`; the last gives the action before it is cut to
        [-1, 1].
    actions
        Channels of the system it acts on.
    """

    observer: Observer
    weights: tuple[Float[Array, "out in"], ...]
    biases: tuple[Float[Array, " out"], ...]
    actions: tuple[Channel, ...] = jax.tree.static()

    __repr__ = short_repr

    def init(self) -> Int[Array, ""]:
        """Number of the step, for the time of day."""
        return jnp.zeros((), jnp.int32)

    def __call__(
        self, memory: Int[Array, ""], state: Any, forecast: Values
    ) -> tuple[Values, Int[Array, ""]]:
        """The action; `forecast` is that of `with_outlook`."""
        unit = self.unit(self.observer(memory, state, forecast))
        return to_action(self.actions, unit), memory + 1

    def unit(self, observation: Float[Array, " number"]) -> Float[Array, " action"]:
        """The action in [-1, 1] for an observation."""
        x = observation
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = jnp.tanh(weight @ x + bias)
        return jnp.clip(self.weights[-1] @ x + self.biases[-1], -1.0, 1.0)


def save_policy(policy: Policy, path: Path) -> None:
    """Write `policy` to `path` as an npz file of arrays and one text of JSON.

    Raises
    ------
    InputError
        Where the file is there already.
    """
    if path.exists():
        raise InputError(str(path), ["exists; choose another file"])
    observer = policy.observer
    arrays = {f"weight_{i}": w for i, w in enumerate(policy.weights)}
    arrays |= {f"bias_{i}": b for i, b in enumerate(policy.biases)}
    arrays |= {f"mean_{name}": value for name, value in observer.drive_mean.items()}
    arrays |= {f"scale_{name}": value for name, value in observer.drive_scale.items()}
    arrays |= {
        name: getattr(observer, name) for name in ("state_middle", "state_reach", "price_scale")
    }
    about = {
        "form": FORM,
        "layers": len(policy.weights),
        "ahead": observer.ahead,
        "dt_s": observer.dt_s,
        "drives": list(observer.drive_mean),
        "actions": [vars(channel) for channel in policy.actions],
    }
    with path.open("xb") as file:
        np.savez(file, about=np.array(json.dumps(about)), **jax.tree.map(np.asarray, arrays))


def load_policy(path: Path) -> Policy:
    """Read what `save_policy` wrote; nothing is unpickled.

    Raises
    ------
    InputError
        Where the file is no policy, or its numbers are not finite or do not fit together.
    """
    arrays = read_npz(path)
    about = _about(path, arrays.pop("about", None))
    odd = [name for name, array in arrays.items()
           if array.dtype.kind != "f" or not np.isfinite(array).all()]  # fmt: skip
    if odd:
        raise InputError(str(path), [f"{', '.join(odd)}: expected finite numbers"])
    try:
        policy = _rebuilt(about, {name: jnp.asarray(array) for name, array in arrays.items()})
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(str(path), [f"is not a saved policy: {error}"]) from error
    faults = _faults(policy)
    if faults:
        raise InputError(str(path), faults)
    return policy


def _about(path: Path, text: np.ndarray | None) -> dict[str, Any]:
    """The description beside the arrays."""
    if text is None or text.dtype.kind != "U" or text.ndim:
        raise InputError(str(path), ["is not a saved policy: it has no description"])
    about = parse_json(str(text), str(path))
    if not isinstance(about, dict) or about.get("form") != FORM:
        raise InputError(str(path), [f"is not a saved policy: expected the form {FORM!r}"])
    whole = {"layers": MAX_LAYERS, "ahead": MAX_AHEAD}
    faults = [
        f"{name} is {about.get(name)!r}, expected 1 to {high}"
        for name, high in whole.items()
        if type(about.get(name)) is not int or not 1 <= about[name] <= high
    ]
    if type(about.get("dt_s")) not in (int, float) or not 0 < about["dt_s"] <= DAY_S:
        faults.append(f"dt_s is {about.get('dt_s')!r}, expected above 0 to {DAY_S:g} s")
    if faults:
        raise InputError(str(path), faults)
    return about


def _faults(policy: Policy) -> list[str]:
    """Layers that do not follow each other, and scales that are not above zero."""
    faults = []
    layers = list(zip(policy.weights, policy.biases, strict=True))
    for at, (weight, bias) in enumerate(layers):
        if weight.ndim != 2 or bias.shape != weight.shape[:1]:
            faults.append(f"layer {at} has shapes {weight.shape} and {bias.shape}")
        elif at and layers[at - 1][1].shape != weight.shape[1:]:
            faults.append(f"layer {at} does not follow the one before it")
    numbers = sum(int(np.prod(channel.shape)) for channel in policy.actions)
    if not faults and layers[-1][1].shape != (numbers,):
        faults.append(f"it answers {layers[-1][1].shape} numbers, its actions have {numbers}")
    observer = policy.observer
    scales = {"price_scale": observer.price_scale, "state_reach": observer.state_reach}
    scales |= {f"scale_{name}": value for name, value in observer.drive_scale.items()}
    faults += [f"{name} is not above 0" for name, value in scales.items() if (value <= 0).any()]
    return faults


def _rebuilt(about: dict[str, Any], arrays: Values) -> Policy:
    drives, layers = about["drives"], range(about["layers"])
    observer = Observer(
        state_middle=arrays["state_middle"],
        state_reach=arrays["state_reach"],
        drive_mean={name: arrays[f"mean_{name}"] for name in drives},
        drive_scale={name: arrays[f"scale_{name}"] for name in drives},
        price_scale=arrays["price_scale"],
        ahead=about["ahead"],
        dt_s=about["dt_s"],
    )
    channels = tuple(
        Channel(
            **{
                **entry,
                "dims": tuple(entry["dims"]),
                "labels": tuple(tuple(names) for names in entry["labels"]),
            }
        )
        for entry in about["actions"]
    )
    return Policy(
        observer,
        tuple(arrays[f"weight_{i}"] for i in layers),
        tuple(arrays[f"bias_{i}"] for i in layers),
        channels,
    )
