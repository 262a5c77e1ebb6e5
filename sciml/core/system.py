"""The one interface a system implements, and the channels that describe it."""

import enum
import math
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

import jax
from jaxtyping import Array, Float, Int

Values = dict[str, Array]  # one array per channel, keyed by the channel's name


class Status(enum.IntFlag):
    """What a step has to say about itself; flags add up. Zero means all is well."""

    OK = 0
    NOT_CONVERGED = 1  # the iteration ended above its tolerance
    UNSERVED = 2  # a demand was not met in full
    PRESSURE = 4  # a pressure or differential pressure is below its limit
    DISCONNECTED = 8  # an element has no path to a source
    INFEASIBLE = 16  # no state of the plant serves what is asked
    UNPHYSICAL = 32  # a value that physics does not allow, such as water below 0 °C
    UNBALANCED = 64  # energy or mass that enters is not what leaves and is stored
    NOT_FINITE = 128  # a value is not a finite number
    UNDETERMINED = 256  # nothing given determines a value, such as the temperature of an inflow


@dataclass(frozen=True)
class Channel:
    """One named quantity that goes into or comes out of a system.

    Limits feed input checks, spaces, sliders and tests; `dims` names the elements the array
    runs over (empty for a scalar), and `labels` their names.
    """

    name: str
    unit: str
    low: float
    high: float
    dims: tuple[str, ...] = ()
    labels: tuple[tuple[str, ...], ...] = ()
    description: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each dimension; a scalar has none."""
        return tuple(len(names) for names in self.labels)


S = TypeVar("S")


@runtime_checkable
class System(Protocol[S]):
    """A plant whose next state depends only on the arguments of `step`.

    `step` is pure, and so can be compiled, mapped over scenarios and differentiated. Actions,
    drives and outputs are dictionaries keyed by channel name. Every output has a `status`
    entry, an integer made of `Status` flags. A steady system has an empty state.
    """

    @property
    def actions(self) -> tuple[Channel, ...]:
        """What a controller may set."""

    @property
    def drives(self) -> tuple[Channel, ...]:
        """What the plant cannot choose: load, weather, price."""

    @property
    def outputs(self) -> tuple[Channel, ...]:
        """What comes out of a step, apart from `status`."""

    def init(self, key: jax.Array) -> S:
        """A valid state to start from."""

    def step(self, state: S, action: Values, drive: Values, dt_s: float) -> tuple[S, Values]:
        """The state after `dt_s` seconds [s], and the outputs over them."""

    def stored_j(self, state: S) -> Float[Array, ""]:
        """Energy held in `state` [J], against a fixed reference."""

    def net_power_w(self, action: Values, drive: Values, output: Values) -> Float[Array, ""]:
        """Power entering less power leaving over a step [W]; it equals the change of `stored_j`."""


def ok_status() -> Int[Array, ""]:
    """The status of a step that cannot fail."""
    return jax.numpy.zeros((), jax.numpy.int32)


def unlimited_faults(system: System) -> list[str]:
    """Each action without finite limits, in words: none of them can be drawn, or scaled to."""
    return [
        f"action {channel.name} has the limits {channel.low:g} to {channel.high:g} "
        f"{channel.unit}, expected finite ones"
        for channel in system.actions
        if not (math.isfinite(channel.low) and math.isfinite(channel.high))
    ]
