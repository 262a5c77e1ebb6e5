"""A digital twin: a system, a belief about it, and a clock."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.core.simulate import Controller
from tvilling.sciml.core.system import System
from tvilling.twins.assimilation.assimilate import advance
from tvilling.twins.assimilation.belief import Belief, Outcome, Update
from tvilling.twins.assimilation.prior import Prior, make_belief, make_model
from tvilling.twins.assimilation.prior_checks import count_faults
from tvilling.twins.assimilation.readings import Gated, check_step, gated_readings
from tvilling.twins.assimilation.vector import Model, entries
from tvilling.twins.forecast import label_forecast, run_ahead
from tvilling.twins.ledger import Ledger
from tvilling.twins.ledger_record import code_version, model_hash, update_facts, words
from tvilling.twins.monitor import Health, health
from tvilling.twins.naming import float_leaves, replace_leaves, unit_of
from tvilling.twins.notes import TooFewMembersWarning, few_members_note, twin_notes

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Estimate:
    """What a twin believes of one quantity: mean and standard deviation, in `unit`.

    `unit` is empty where the quantity has none or its name does not end with one.
    """

    name: str
    mean: np.ndarray
    sd: np.ndarray
    unit: str

    __repr__ = short_repr


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Twin:
    """A system that is followed by its meters; made by `Twin.start`, and never changed in place.

    Attributes
    ----------
    model
        The plant, its noise, and what is unknown of it.
    belief
        Ensemble of states and unknowns, and the clock.
    last
        How the last update went; None before the first.
    name
        Name of the twin in the ledger.
    model_version
        SHA-256 over the plant's structure and parameters.
    meters
        Outputs that were read last, in the order of the arrays of `last`.
    """

    model: Model
    belief: Belief
    last: Update | None = None
    name: str = jax.tree.static(default="twin")
    model_version: str = jax.tree.static(default="")
    meters: tuple[str, ...] = jax.tree.static(default=())

    @classmethod
    def start(
        cls,
        system: System,
        start: str,
        dt_s: float,
        members: int = 100,
        unknown: Mapping[str, float] | None = None,
        seed: int = 0,
        prior: Prior | None = None,
    ) -> "Twin":
        """A twin before its first reading.

        Parameters
        ----------
        start
            UTC time at which the first step begins, such as `2026-01-12T00:00`.
        dt_s
            Length of a step [s].
        members
            Size of the ensemble, at least 10; more than twice the numbers that are uncertain make
            all sampled moments exact (see `sampling.py`). With fewer there is a
            `TooFewMembersWarning`, which says how many would do, and readings correct only what
            they are clearly correlated with.
        unknown
            Fields of `system` to be estimated, with the relative standard deviation of what is
            known of each [1]. They are positive, and lognormal with the nominal value as mean. A
            field inside a field is named by a path with dots. Elements that are zero stay zero;
            `notes` says which.
        seed
            Of all draws.
        prior
            What is known of the state, noise, and inflation.

        Raises
        ------
        InputError
            With every fault in what was given.
        """
        unknown, prior = dict(unknown or {}), prior or Prior()
        faults = count_faults(members, seed)
        if faults:
            raise InputError("twin", faults)
        model = make_model(system, dt_s, unknown, prior)
        model, belief = make_belief(model, unknown, prior, start, (members, seed))
        too_few = few_members_note(model, members)
        if too_few:
            warnings.warn(too_few, TooFewMembersWarning, stacklevel=2)
        return cls(model, belief, model_version=model_hash(model.system))

    @property
    def system(self) -> System:
        """The plant, with nominal values for what is unknown."""
        return self.model.system

    @property
    def time(self) -> np.datetime64:
        """UTC time of the belief."""
        return np.datetime64(int(self.belief.time_ns), "ns")

    @property
    def status(self) -> Outcome:
        """How the last step went."""
        return Outcome.OK if self.last is None else Outcome(int(self.last.status))

    def named(self, name: str) -> "Twin":
        """The twin under another name."""
        return replace(self, name=name)

    def assimilate(
        self,
        action: Mapping[str, Any],
        drive: Mapping[str, Any],
        measured: Mapping[str, Any] | None = None,
        sigma: Mapping[str, Any] | None = None,
        ledger: Ledger | None = None,
    ) -> "Twin":
        """The twin one step later: every member moves on, then the readings correct them.

        Compiled once for each set of meters. A reading that is missing (NaN, or not in
        `measured`) corrects nothing.

        Parameters
        ----------
        action, drive
            What held over the step, by channel. Names that the plant does not know are left out.
        measured
            Outputs read at the end of the step, by channel.
        sigma
            Standard deviation of each reading [unit of its channel].
        ledger
            Is told of the step before this returns.

        Raises
        ------
        InputError
            With every fault in what was given; the twin is unharmed.
        """
        inputs, reading, error = check_step(self.system, action, drive, measured or {}, sigma or {})
        belief, update = advance(self.model, self.belief, inputs, reading, error)
        after = replace(self, belief=belief, last=update, meters=tuple(sorted(reading)))
        if ledger is not None:
            ledger.append(after.facts())
        return after

    def forecast(self, controller: Controller, scenario: Scenario) -> "xr.Dataset":
        """Mean and 5, 50 and 95 % quantiles of what comes, step by step.

        Every member starts from its own state and runs under its own controller with its own
        unknowns and noise. Members that fail count no more from then on; `members_used` and
        `status` tell so.

        Parameters
        ----------
        scenario
            Drives `[time, *channel]` and forecasts; its state is not used.

        Returns
        -------
        xr.Dataset
            Outputs and actions over `statistic` and `time`, the end of each step; unknowns over
            `statistic`, as they are at the end.
        """
        if scenario.dt_s != self.model.dt_s:
            raise InputError(
                "forecast", [f"dt_s is {scenario.dt_s:g} s, expected {self.model.dt_s:g} s"]
            )
        found = run_ahead(self.model, self.belief, controller, replace(scenario, state=()))
        attrs = {
            "Conventions": "CF-1.11",
            "tvilling_version": code_version(),
            "system": type(self.system).__name__,
            "twin": self.name,
            "model_version": self.model_version,
            "start": str(self.time),
            "dt_s": self.model.dt_s,
            "members": self.belief.members,
            "seed": int(self.belief.seed),
        }
        return label_forecast(self.model, self.belief, found, attrs)

    def estimate(self) -> dict[str, Estimate]:
        """Mean and standard deviation over the members of each state and unknown, by name."""
        state = {name: np.asarray(leaf) for name, leaf in float_leaves(self.belief.state).items()}
        values, start = dict(state), 0
        unknown = np.exp(np.asarray(self.belief.log_unknown)) * np.asarray(self.model.estimated)
        for name, shape in entries(self.system, self.model.unknown):
            size = int(np.prod(shape, dtype=int))
            part = unknown[:, start : start + size]
            values[name] = part.reshape(-1, *shape)
            start += size
        return {
            name: Estimate(name, array.mean(axis=0), array.std(axis=0, ddof=1), unit_of(name))
            for name, array in values.items()
        }

    def calibrated(self) -> System:
        """The plant with the mean of each unknown in place of its nominal value."""
        found = self.estimate()
        values = {name: jax.numpy.asarray(found[name].mean) for name in self.model.unknown}
        return replace_leaves(self.system, values)

    def health(self) -> Health:
        """Whether the innovations of the last updates scatter as they should."""
        belief = self.belief
        return health(np.asarray(belief.nis), np.asarray(belief.readings), np.asarray(belief.gated))

    def gated(self) -> tuple[Gated, ...]:
        """Readings that the last update left out, as too far from what was expected."""
        if self.last is None:
            return ()
        return gated_readings(self.model.system, self.belief, self.last, self.meters)

    def notes(self) -> tuple[str, ...]:
        """What the numbers alone do not say, in sentences.

        Too few members, elements that are not estimated, whole numbers that no reading corrects,
        unknowns that no reading sees.
        """
        return twin_notes(self.model, self.belief)

    def facts(self) -> dict[str, Any]:
        """What a ledger is told of the last update."""
        facts: dict[str, Any] = {
            "event": "update",
            "time": f"{self.time.astype('datetime64[ms]')}Z",
            "twin": self.name,
            "system": type(self.system).__name__,
            "model_version": self.model_version,
            "code_version": code_version(),
            "step": int(self.belief.steps),
        }
        if self.last is None:
            told = {"event": "start", "status": words(Outcome.OK), "members": self.belief.members}
            return facts | told | {"notes": list(self.notes())}
        told = update_facts(self.model, self.belief, self.last, self.meters)
        return facts | told | {"health": str(self.health()), "notes": list(self.notes())}
