"""A learned policy as plain arrays: it needs neither torch nor the library that trained it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from tvilling.rl_control.observation import Observer, to_action
from tvilling.sciml.errors import InputError
from tvilling.sciml.system import Channel, Values

FORM = "tvilling policy 1"


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
        Where the file is no policy.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(str(arrays["about"]))
        if about["form"] != FORM:
            raise InputError(str(path), [f"form is {about['form']!r}, expected {FORM!r}"])
        return _rebuilt(about, {k: jnp.asarray(v) for k, v in arrays.items() if k != "about"})
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(str(path), [f"is not a saved policy: {error}"]) from error


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
