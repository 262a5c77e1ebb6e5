"""Heat plants in linear form, small enough to be checked by hand or by another formulation."""

import numpy as np

from tvilling.sciml.systems.heat_plant.linear import LinearPlant, LinearTank

TANK = LinearTank(capacity_mwh=20.0, charge_mw=6.0, discharge_mw=5.0, loss_share_per_h=0.002,
                  loss_mw=0.01)  # fmt: skip


def linear_plant(
    heat_mw,
    cost_dkk_per_mwh,
    tank=TANK,
    steps=24,
    modes=None,
    mode_unit=None,
    power_mw=None,
    **limits,
) -> LinearPlant:
    """A plant of units with one mode each, its costs constant or by step."""
    heat = np.broadcast_to(
        np.asarray(heat_mw, float).reshape(len(heat_mw), -1), (len(heat_mw), steps)
    )
    costs = [np.broadcast_to(cost, steps) for cost in cost_dkk_per_mwh]
    count = len(heat_mw) if mode_unit is None else max(mode_unit) + 1
    names = tuple("abcdefgh"[:count])
    zeros = np.zeros((len(heat_mw), steps))
    settings = {
        "available": np.ones((count, steps)),
        "no_load_dkk_per_h": np.zeros((count, steps)),
        "min_load": np.zeros(count),
        "ramp_per_h": np.full(count, np.inf),
        "start_cost_dkk": np.zeros(count),
        "min_up_h": np.zeros(count),
        "min_down_h": np.zeros(count),
        "must_run": np.zeros(count, bool),
    }
    settings |= {name: np.asarray(values) for name, values in limits.items()}
    return LinearPlant(
        units=names,
        modes=names if modes is None else modes,
        mode_unit=np.arange(count) if mode_unit is None else np.asarray(mode_unit),
        heat_mw=heat.copy(),
        power_mw=zeros if power_mw is None else np.asarray(power_mw, float),
        fuel_mw=zeros,
        cost_dkk_per_h=np.array(costs) * np.where(heat > 0, heat, 1.0),
        co2_kg_per_h=zeros,
        tank=tank,
        **settings,
    )


def random_plant(seed: int, steps: int, **limits) -> tuple[LinearPlant, np.ndarray]:
    """Three units with costs that swing over the day, and a demand between 1 and 9 MW."""
    random = np.random.default_rng(seed)
    price = 300 + 250 * np.sin(np.arange(steps) * 2 * np.pi / 24 + random.uniform(0, 6))
    price = price + random.normal(0, 60, steps)
    costs = [0.4 * price + 60, price, np.full(steps, 330.0)]
    demand = 5 + 3 * np.sin(np.arange(steps) * 2 * np.pi / 24) + random.uniform(-1, 1, steps)
    heat = np.array([3.0, 6.0, 8.0])[:, None] * random.uniform(0.9, 1.0, (3, steps))
    return linear_plant(heat, costs, steps=steps, **limits), demand
