"""A year of hours of five units and a tank as a linear programme, beside scipy's own statement."""

from typing import TYPE_CHECKING

from tvilling.benchmarks.measurement import Measurement

if TYPE_CHECKING:
    import numpy as np

    from tvilling.sciml.systems.heat_plant.linear import LinearPlant

ROUNDS = 3


def measure() -> Measurement:
    """Seconds to state and solve it, both on one core; `ratio` is scipy's time over ours.

    The peer states the same year as sparse matrices by hand and hands them to HiGHS in scipy.
    """
    import numpy as np
    import scipy

    from tvilling.benchmarks.plant_cases import year_of_hours
    from tvilling.benchmarks.timing import take_turns
    from tvilling.rl_control.planning.programme import Settings, best_schedule
    from tvilling.rl_control.planning.schedule import InitialState

    plant, load, used = year_of_hours()
    before = InitialState.at_rest(plant)
    settings = Settings(end_mwh=before.tank_mwh)
    timing = take_turns(
        {
            "ours": lambda: best_schedule(plant, load, before, settings).bound_dkk,
            "peer": lambda: scipy_year(plant, load, before.tank_mwh),
        },
        ROUNDS,
    )
    found = best_schedule(plant, load, before, settings)
    peer_dkk = scipy_year(plant, load, before.tank_mwh)
    return Measurement(
        name="plant_year_lp",
        ours=timing["ours"].median_s,
        peer=timing["peer"].median_s,
        unit="s to state and solve a year",
        ratio=timing["peer"].median_s / timing["ours"].median_s,
        peer_name="the same in scipy linprog",
        peer_version=scipy.__version__,
        extra={
            "hours": plant.steps,
            "units": len(plant.units),
            "cost_dkk": found.bound_dkk,
            "peer_cost_dkk": peer_dkk,
            "relative_difference": float(abs(found.bound_dkk - peer_dkk) / abs(peer_dkk)),
            "gap": found.gap,
            "ours_cpu_s": timing["ours"].cpu_s,
            "unserved_mwh": float(np.sum(found.unserved_mw)),
            **used,
        },
    )


def scipy_year(plant: "LinearPlant", load_mw: "np.ndarray", tank_mwh: float) -> float:
    """Least cost [DKK], the year stated by hand: level as a running sum of what goes in.

    Columns: load of every mode and hour, unserved, surplus, level. For modes of one unit each.
    """
    import numpy as np
    from scipy.optimize import linprog
    from scipy.sparse import diags_array, eye_array, hstack, vstack

    from tvilling.rl_control.planning.schedule import PENALTY_DKK_PER_MWH

    steps, tank = plant.steps, plant.tank
    kept = 1.0 - tank.loss_share_per_h
    one = eye_array(steps)
    change = one - kept * diags_array(np.ones(steps - 1), offsets=-1, shape=(steps, steps))
    heat = hstack([diags_array(row) for row in plant.heat_mw])
    carried = np.zeros(steps)
    carried[0] = kept * tank_mwh
    balance = hstack([heat, one, -one, -change])
    nothing = 0.0 * heat
    into = hstack([nothing, 0.0 * one, 0.0 * one, change])
    spread = plant.cost_dkk_per_h + plant.no_load_dkk_per_h[plant.mode_unit]
    cost = np.concatenate(
        [spread.ravel(), np.full(2 * steps, PENALTY_DKK_PER_MWH), np.zeros(steps)]
    )
    most = np.concatenate(
        [
            plant.available[plant.mode_unit].ravel(),
            np.full(2 * steps, np.inf),
            np.full(steps, tank.capacity_mwh),
        ]
    )
    least = np.zeros(len(most))
    least[-1] = tank_mwh
    loss = np.full(steps, tank.loss_mw)
    found = linprog(
        cost,
        A_ub=vstack([into, -into]),
        b_ub=np.concatenate([tank.charge_mw - loss + carried, tank.discharge_mw + loss - carried]),
        A_eq=balance,
        b_eq=load_mw + loss - carried,
        bounds=np.stack([least, most], axis=1),
        method="highs",
    )
    if found.status != 0:
        raise RuntimeError(found.message)
    return float(found.fun)
