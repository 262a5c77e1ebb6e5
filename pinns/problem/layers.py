"""Coefficients that jump from layer to layer: two forms whose derivatives lose nothing.

The flux of what is conducted is continuous where its coefficient k jumps, but k du/dx cannot be
differentiated there. Either the flux is an unknown of its own, in the whole domain,

    q / k + du/dx = 0,   dq/dx = source,

or each layer has unknowns of its own over a share s of its thickness, from 0 to 1, with
u and k du/dx the same on both sides of every interface. The first is two lines; the second has
smooth unknowns only and is exact to rounding for layers that are uniform.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.fields.field import Field, at_place, d
from tvilling.pinns.fields.given_numbers import as_numbers
from tvilling.pinns.problem.conditions import Condition
from tvilling.pinns.problem.statement import Equation, Unknown
from tvilling.pinns.problem.variables import Formula, Variables
from tvilling.pinns.solution.evaluated import Evaluated
from tvilling.sciml.core.errors import InputError

SHARE = "share"


def flux_equations(
    unknown: Unknown,
    flux: Unknown,
    axis: Axis,
    conductivity: Formula,
    source: Formula = lambda at: 0.0,
) -> tuple[Equation, Equation]:
    """Conduction along `axis` with the flux as an unknown: q / k + du/dx = 0, dq/dx = source.

    Parameters
    ----------
    conductivity
        k as a function of the declared quantities, which may jump along `axis` [unit of the flux
        times that of the axis over that of the unknown], above 0.
    source
        Of what flows [unit of the flux over that of the axis].
    """

    def conduction(at: Variables) -> Field:
        return getattr(at, flux.name) / conductivity(at) + d(getattr(at, unknown.name), axis.name)

    def balance(at: Variables) -> Field:
        return d(getattr(at, flux.name), axis.name) - source(at)

    return (
        Equation(f"{flux.name}_conduction", f"{unknown.unit}/{axis.unit}", conduction),
        Equation(f"{flux.name}_balance", f"{flux.unit}/{axis.unit}", balance),
    )


@dataclass(frozen=True)
class Layers:
    """One unknown a layer, each over the share of its thickness.

    Attributes
    ----------
    unknown
        What is conducted through all layers.
    axis
        Across the layers, from the first to the last.
    cuts
        Where one layer ends and the next begins, rising [unit of the axis].
    conductivity
        Of each layer.

    Raises
    ------
    InputError
        With every cut outside the axis or out of order, and every conductivity that is none.
    """

    unknown: Unknown
    axis: Axis
    cuts: tuple[float, ...]
    conductivity: tuple[float, ...]

    def __post_init__(self) -> None:
        faults = [
            f"cuts go from {low:g} to {high:g} {self.axis.unit}, expected rising ones between "
            f"{self.axis.low:g} and {self.axis.high:g} {self.axis.unit}"
            for low, high in pairwise(self.ends)
            if not low < high
        ]
        count = len(self.cuts) + 1
        if len(self.conductivity) != count:
            faults.append(f"{len(self.conductivity)} conductivities, expected {count}, one a layer")
        faults += [
            f"conductivity is {k:g}, expected above 0" for k in self.conductivity if not k > 0
        ]
        if faults:
            raise InputError(f"layers of {self.unknown.name}", faults)

    @property
    def ends(self) -> tuple[float, ...]:
        """Where layers begin, and where the last one ends [unit of the axis]."""
        return (self.axis.low, *self.cuts, self.axis.high)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the unknown in each layer."""
        return tuple(f"{self.unknown.name}_{index + 1}" for index in range(len(self.cuts) + 1))

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """One a layer."""
        return tuple(replace(self.unknown, name=name) for name in self.names)

    def domain(self, others: Sequence[Axis] = ()) -> Box:
        """The share of a layer's thickness, and further axes such as time."""
        return Box((Axis(SHARE, "1", 0.0, 1.0), *others))

    def gradient(self, at: Variables, layer: int) -> Field:
        """The slope across a layer, counted from 0 [unit of the unknown over that of the axis]."""
        thickness = self.ends[layer + 1] - self.ends[layer]
        return d(getattr(at, self.names[layer]), SHARE) / thickness

    def place(self, at: Variables, layer: int) -> Field:
        """Where a share of a layer lies along the axis [its unit]."""
        low, high = self.ends[layer : layer + 2]
        share: Field = getattr(at, SHARE)
        return low + (high - low) * share

    def flux(self, at: Variables, layer: int) -> Field:
        """-k du/dx in a layer."""
        return -self.conductivity[layer] * self.gradient(at, layer)

    def equations(
        self, flux_unit: str, source: Sequence[Formula] | None = None
    ) -> tuple[Equation, ...]:
        """Balances in the layers, and equal values and fluxes where they meet.

        Parameters
        ----------
        flux_unit
            Of the flux.
        source
            In each layer, what d(flux)/dx is: storage in time, too [flux over axis]. None: none.
        """
        wanted = len(self.names)
        if source is not None and len(source) != wanted:
            fault = f"{len(source)} sources, expected {wanted}, one a layer"
            raise InputError(f"layers of {self.unknown.name}", [fault])
        balance_unit, side = f"{flux_unit}/{self.axis.unit}", (SHARE, 1.0)
        found = [
            Equation(f"balance_{k + 1}", balance_unit, partial(self._balance, k, source))
            for k in range(wanted)
        ]
        for k in range(wanted - 1):
            value, flow = partial(self._step, k), partial(self._flux_step, k)
            found.append(Equation(f"value_{k + 1}_{k + 2}", self.unknown.unit, value, face=side))
            found.append(Equation(f"flux_{k + 1}_{k + 2}", flux_unit, flow, face=side))
        return tuple(found)

    def conditions(
        self, low: Formula | float | None = None, high: Formula | float | None = None
    ) -> tuple[Condition, ...]:
        """Values at the ends of the axis, where they are prescribed."""
        ends = ((self.names[0], 0.0, low), (self.names[-1], 1.0, high))
        return tuple(
            Condition(name, SHARE, at, value) for name, at, value in ends if value is not None
        )

    def evaluate(
        self, solution: Evaluated, places: ArrayLike, **others: float
    ) -> Float[np.ndarray, " place"]:
        """The unknown at places along the axis, for one value of every further axis.

        Raises
        ------
        InputError
            If a place lies outside the axis, or a further axis is missing.
        """
        along = np.atleast_1d(as_numbers(places))
        if faults := self.axis.leaving(along):
            raise InputError(f"layers of {self.unknown.name}", faults)
        layer = np.clip(np.searchsorted(self.ends, along, side="right") - 1, 0, len(self.cuts))
        found = np.empty(along.shape)
        for k in np.unique(layer):
            low, high = self.ends[k : k + 2]
            share = (along[layer == k] - low) / (high - low)
            data = solution.evaluate(share=share, **others)
            found[layer == k] = data[self.names[k]].values.reshape(share.shape)
        return found

    def _balance(self, layer: int, source: Sequence[Formula] | None, at: Variables) -> Field:
        thickness = self.ends[layer + 1] - self.ends[layer]
        flow = d(self.flux(at, layer), SHARE) / thickness
        return flow if source is None else flow - source[layer](at)

    def _step(self, layer: int, at: Variables) -> Field:
        here, there = (getattr(at, self.names[k]) for k in (layer, layer + 1))
        return at_place(here, share=1.0) - at_place(there, share=0.0)

    def _flux_step(self, layer: int, at: Variables) -> Field:
        here, there = self.flux(at, layer), self.flux(at, layer + 1)
        return at_place(here, share=1.0) - at_place(there, share=0.0)
