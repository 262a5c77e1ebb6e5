"""Networks behind a solution, in float64, written so that derivatives travel with values.

| kind | what it is | for |
|---|---|---|
| `perceptron` | fully connected layers | smooth solutions; the usual choice |
| `modified` | layers mixed by two gates of the input [1] | products of coordinates, fronts |
| `fourier` | a perceptron behind sines and cosines of random directions [2] | high frequencies |
| `pirate` | gated residual blocks that begin as the identity [3] | deep networks |

Inputs run from -1 to 1; a periodic coordinate enters as sines and cosines of its period, so that
every output is periodic, with all derivatives.

[1] Wang, Teng and Perdikaris, SIAM J. Sci. Comput. 43 (2021) A3055, DOI 10.1137/20M1318043.
[2] Tancik et al., NeurIPS 2020; Wang, Wang and Perdikaris, CMAME 384 (2021) 113938,
DOI 10.1016/j.cma.2021.113938.
[3] Wang, Li, Chen and Perdikaris, J. Mach. Learn. Res. 25 (2024) 402.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import jax
import jax.numpy as jnp
from flax import nnx

from tvilling.pinns.fields.domain import Axis
from tvilling.pinns.fields.jets import (
    Jet,
    Tower,
    cosine_tower,
    joined,
    sine_tower,
    stacked,
    tanh_tower,
)
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.typed import type_errors

KINDS = ("perceptron", "modified", "fourier", "pirate")
ACTIVATIONS: dict[str, Tower] = {"tanh": tanh_tower, "sin": sine_tower}


@dataclass(frozen=True)
class NetworkSettings:
    """The shape of a network.

    Attributes
    ----------
    kind
        `perceptron`, `modified`, `fourier` or `pirate`.
    width, depth
        Neurons of a hidden layer, and number of hidden layers (of blocks for `pirate`).
    activation
        `tanh` or `sin`.
    frequency
        Standard deviation of the random directions in front of `fourier` and `pirate`
        [half turns over the range of a coordinate].
    modes
        Sines and cosines of a periodic coordinate: up to this many periods in its range.
    """

    kind: str = "perceptron"
    width: int = 20
    depth: int = 2
    activation: str = "tanh"
    frequency: float = 1.0
    modes: int = 1

    def faults(self) -> list[str]:
        """What is out of range."""
        faults = [
            f"{name} is {getattr(self, name):g}, expected at least 1"
            for name in ("width", "depth", "modes")
            if not getattr(self, name) >= 1
        ]
        if self.kind not in KINDS:
            faults.append(f"kind is {self.kind!r}, expected one of {', '.join(KINDS)}")
        if self.activation not in ACTIVATIONS:
            known = ", ".join(ACTIVATIONS)
            faults.append(f"activation is {self.activation!r}, expected one of {known}")
        if not 0 < self.frequency < float("inf"):
            faults.append(f"frequency is {self.frequency:g}, expected above 0")
        return faults

    def __post_init__(self) -> None:
        if faults := list(type_errors(self)) or self.faults():
            raise InputError("network settings", faults)


def embedded(axes: Sequence[Axis], coordinates: Sequence[Jet], modes: int) -> Jet:
    """Coordinates as a network takes them: from -1 to 1, periodic ones on circles."""
    parts: list[Jet] = []
    for axis, jet in zip(axes, coordinates, strict=True):
        centred = jet.plus(-(axis.high + axis.low) / 2).times(2.0 / (axis.high - axis.low))
        if axis.periodic:
            for mode in range(1, modes + 1):
                turned = centred.times(jnp.pi * mode)
                parts += [turned.through(cosine_tower), turned.through(sine_tower)]
        else:
            parts.append(centred)
    return stacked(parts)


def inputs_of(axes: Sequence[Axis], modes: int) -> int:
    """How many numbers `embedded` gives."""
    return sum(2 * modes if axis.periodic else 1 for axis in axes)


class Network(nnx.Module):
    """A network of the kind that `settings` names; weights by Glorot's normal rule.

    Glorot and Bengio, AISTATS 2010.
    """

    def __init__(self, inputs: int, outputs: int, settings: NetworkSettings, key: jax.Array):
        rngs = nnx.Rngs(key)
        self.settings = settings
        width, depth = settings.width, settings.depth
        if settings.kind in ("fourier", "pirate"):
            self.directions = nnx.Param(
                jax.random.normal(rngs.params(), (inputs, (width + 1) // 2))
                * (settings.frequency * jnp.pi)
            )
            inputs = 2 * ((width + 1) // 2)
        if settings.kind in ("modified", "pirate"):
            self.gates = nnx.List([_layer(inputs, width, rngs) for _ in range(2)])
        if settings.kind == "pirate":
            width = inputs  # blocks add to what goes in
            self.gates = nnx.List([_layer(inputs, width, rngs) for _ in range(2)])
            self.shares = nnx.Param(jnp.zeros(depth))
            sizes = [width] * (3 * depth + 1) + [outputs]
        else:
            sizes = [inputs, *[width] * depth, outputs]
        self.layers = nnx.List([_layer(*pair, rngs) for pair in pairwise(sizes)])

    def __call__(self, inputs: Jet) -> Jet:
        """The outputs, with every derivative that the inputs carry."""
        settings, tower = self.settings, ACTIVATIONS[self.settings.activation]
        if settings.kind in ("fourier", "pirate"):
            turned = inputs.linear(self.directions[...])
            inputs = joined(turned.through(cosine_tower), turned.through(sine_tower))
        if settings.kind in ("modified", "pirate"):
            gates = [_mapped(inputs, gate).through(tower) for gate in self.gates]
        now = inputs
        if settings.kind == "pirate":
            for block in range(settings.depth):
                now = self._block(now, block, gates, tower)
        else:
            for layer in self.layers[:-1]:
                now = _mapped(now, layer).through(tower)
                if settings.kind == "modified":
                    now = _gated(now, *gates)
        return _mapped(now, self.layers[-1])

    def _block(self, given: Jet, block: int, gates: list[Jet], tower: Tower) -> Jet:
        first, second, third = self.layers[3 * block : 3 * block + 3]
        now = _gated(_mapped(given, first).through(tower), *gates)
        now = _gated(_mapped(now, second).through(tower), *gates)
        now = _mapped(now, third).through(tower)
        share = self.shares.get_value()[block]
        return now.times(share) + given.times(1.0 - share)


def _gated(share: Jet, one: Jet, other: Jet) -> Jet:
    """Share * one + (1 - share) * other."""
    return other + share * (one - other)


def _layer(inputs: int, outputs: int, rngs: nnx.Rngs) -> nnx.Linear:
    return nnx.Linear(
        inputs,
        outputs,
        kernel_init=nnx.initializers.glorot_normal(),
        param_dtype=jnp.float64,
        rngs=rngs,
    )


def _mapped(jet: Jet, layer: nnx.Linear) -> Jet:
    return jet.linear(layer.kernel[...], None if layer.bias is None else layer.bias[...])
