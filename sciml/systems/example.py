"""A system with inputs to try it on."""

from dataclasses import dataclass
from typing import Any

from tvilling.sciml.core.limits import Limit
from tvilling.sciml.core.system import System, Values


@dataclass(frozen=True)
class Example:
    """What tests, docs and first trials need to run a system.

    Attributes
    ----------
    system
        A plant of plausible size.
    action, drive
        One value a channel, away from every limit, for which a step from `init` succeeds.
    dt_s
        A usual length of a step [s].
    failing
        An action and a drive for which a step reports a status, or None if no step can fail.
    bought
        The output that is power bought [W], negative where it is sold; what is left in store is
        worth the same. Empty where a price per kWh has no meaning.
    limits
        Ranges of outputs that a run should keep beyond what its status says, such as loadings.
    """

    system: System[Any]
    action: Values
    drive: Values
    dt_s: float
    failing: tuple[Values, Values] | None = None
    bought: str = ""
    limits: tuple[Limit, ...] = ()
