"""A schedule run on the plant with its tank in layers, before anybody acts on it."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.sciml.systems.heat_plant.plant import HeatPlant

if TYPE_CHECKING:
    from tvilling.rl_control.planning.schedule import InitialState, Schedule
    from tvilling.sciml.systems.heat_plant.conditions import Conditions
    from tvilling.sciml.systems.heat_plant.linear import LinearPlant

NEXT_TO_NOTHING = 1e-4  # of the heat wanted, below which nothing is missing


@dataclass(frozen=True)
class Checked:
    """What came of a schedule on the layered plant.

    Attributes
    ----------
    unserved_mwh, surplus_mwh
        Heat missing, and heat thrown away, beyond what the schedule says itself.
    tank_apart_mwh
        Most that the tank in layers and that of the schedule are apart.
    broken
        Limits of units that were broken, and how often; empty where none was.
    enough
        Whether next to nothing is missing.
    """

    unserved_mwh: float
    surplus_mwh: float
    tank_apart_mwh: float
    broken: str
    enough: bool

    def as_facts(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


def check_schedule(
    case: HeatPlant,
    around: "Conditions",
    plant: "LinearPlant",
    load_mw: np.ndarray,
    before: "InitialState",
    schedule: "Schedule",
) -> Checked:
    """Run `schedule` on the plant that `case` describes, its tank hot above and cold below."""
    from tvilling.sciml.systems.heat_plant.verify import broken_limits, layers_holding, run_plan

    layers, capacity = None, plant.tank.capacity_mwh
    if case.tank is not None and capacity > 0:
        ends = float(around.forward_degc[0]), float(around.return_degc[0])
        layers = layers_holding(before.tank_mwh / capacity, case.tank.layers, *ends)
    run = run_plan(case, around, load_mw, schedule.load, layers)
    apart = 0.0
    if layers is not None:
        apart = float(np.abs(run["tank_mwh"].values - schedule.tank_mwh).max())
    dt_h = plant.dt_h
    unserved = float(run.attrs["unserved_mwh"]) - float(schedule.unserved_mw.sum()) * dt_h
    surplus = float(run.attrs["surplus_mwh"]) - float(schedule.surplus_mw.sum()) * dt_h
    broken = broken_limits(plant, schedule.load, schedule.on)
    enough = unserved <= NEXT_TO_NOTHING * float(load_mw.sum()) * dt_h
    told = "; ".join(f"{limit} {count} times" for limit, count in broken.items())
    return Checked(max(unserved, 0.0), max(surplus, 0.0), apart, told, bool(enough))
