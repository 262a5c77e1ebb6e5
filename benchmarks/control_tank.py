"""Learned control of the tank on held-out days, between the rule of today and perfect foresight."""

import time
from typing import TYPE_CHECKING, Any

from tvilling.benchmarks.measurement import Measurement

if TYPE_CHECKING:
    import xarray as xr

    from tvilling.rl_control.control.safety import Guard
    from tvilling.rl_control.rl.env import Environment
    from tvilling.sciml.core.scenario import Scenario
    from tvilling.sciml.core.simulate import Controller
    from tvilling.sciml.systems.example import Example

HOUR_S, AHEAD = 3600.0, 24
TRAINING_DAYS, HELD_OUT_DAYS = 4096, 256
TRAINING_SEED, HELD_OUT_SEED = 1, 8128
SEEDS = (0, 1, 2)  # of PPO
RULE, PRICE_RULE = "thermostat", "price rule"
PPO = tuple(f"PPO, seed {seed}" for seed in SEEDS)
SETTINGS = {"steps": 400_000, "learning_rate": 4e-4, "width": 128}


def tank_days(
    recorded: bool | None = False,
) -> "tuple[Example, Scenario, Scenario, str]":
    """The tank, days to train on and days held out, and where the prices come from."""
    from tvilling.datasets.prices import price_days
    from tvilling.datasets.simulated.trials import trial_scenarios
    from tvilling.rl_control.control.objective import with_prices
    from tvilling.sciml.systems.tank import example

    tank = example()
    training = trial_scenarios(tank, TRAINING_DAYS, 1, TRAINING_SEED, HOUR_S)
    held_out = trial_scenarios(tank, HELD_OUT_DAYS, 1, HELD_OUT_SEED, HOUR_S)
    old = price_days(TRAINING_DAYS, TRAINING_SEED, "training", recorded=recorded)
    new = price_days(HELD_OUT_DAYS, HELD_OUT_SEED, "held_out", recorded=recorded)
    return (
        tank,
        with_prices(training, old["price_dkk_per_kwh"].to_numpy()),
        with_prices(held_out, new["price_dkk_per_kwh"].to_numpy()),
        str(new.attrs["source"]),
    )


def rules(tank: "Example", training: "Scenario", guard: "Guard") -> "dict[str, Controller]":
    """What is done today, blind to prices, and the best price rule for the training days."""
    import jax.numpy as jnp

    from tvilling.rl_control.control.controllers import Thermostat
    from tvilling.rl_control.control.evaluate import tuned_price_rule
    from tvilling.rl_control.control.safety import Shield
    from tvilling.rl_control.rl.observation import limit_action

    on, off = (limit_action(tank.system.actions, share) for share in (1.0, 0.0))
    thermostat = Thermostat(jnp.asarray(65.0), jnp.asarray(85.0), on, off)
    price_rule = tuned_price_rule(tank, (on, off, off), training, guard, AHEAD)
    return {RULE: Shield(thermostat, guard), PRICE_RULE: Shield(price_rule, guard)}


def train_and_compare(
    recorded: bool | None = False, **settings: Any
) -> "tuple[xr.Dataset, dict[str, Any]]":
    """Train PPO on the training days, once a seed, and compare all on the held-out ones."""
    from tvilling.rl_control.control.evaluate import compare
    from tvilling.rl_control.control.safety import Guard, Shield
    from tvilling.rl_control.rl.env import Environment
    from tvilling.rl_control.rl.sb3_adapter import PpoSettings, train_ppo

    tank, training, held_out, source = tank_days(recorded)
    guard = Guard.of(tank, HOUR_S)
    environment = Environment.of(tank, training, AHEAD, guard, starts="drawn")
    chosen = PpoSettings(**settings)
    controllers = rules(tank, training, guard)
    wall_s, cpu_s = [], []
    for name, seed in zip(PPO, SEEDS, strict=True):
        wall, cpu = time.perf_counter(), time.process_time()
        controllers[name] = Shield(train_ppo(environment, chosen, seed), guard)
        wall_s.append(round(time.perf_counter() - wall, 1))
        cpu_s.append(round(time.process_time() - cpu, 1))
    facts = {
        "training_wall_s": wall_s,
        "training_cpu_s": cpu_s,
        "environment_steps_per_s": round(steps_per_s(environment, chosen.environments)),
        "prices": source,
    }
    return compare(tank, controllers, held_out, AHEAD), facts


def steps_per_s(environment: "Environment", count: int, steps: int = 240) -> float:
    """Steps of the plant in a second, guard and observation included, `count` at a time."""
    import numpy as np

    from tvilling.rl_control.rl.sb3_adapter import VectorEnvironment

    batch = VectorEnvironment(environment, count)
    batch.reset()
    action = np.zeros((count, environment.action_size), np.float32)
    batch.step(action)  # compiles
    begin = time.perf_counter()
    for _ in range(steps):
        batch.step(action)
    return steps * count / (time.perf_counter() - begin)


def figures(recorded: bool) -> dict[str, Any]:
    """Costs, shares and training of one set of prices; lists are over the seeds."""
    from tvilling.rl_control.control.evaluate import half_width, table

    compared, facts = train_and_compare(recorded, **SETTINGS)
    lines, cost = table(compared), compared["cost_dkk"]
    learned = lines.loc[list(PPO)]
    lead = [(cost.sel(controller=PRICE_RULE) - cost.sel(controller=ppo)).to_numpy() for ppo in PPO]
    others = {
        f"{name.replace(' ', '_')}_dkk_per_day": float(mean)
        for name, mean in lines["cost_dkk"].items()
        if name not in PPO
    }
    return {
        "share_percent": float(learned["share_percent"].median()),
        "price_rule_share_percent": float(lines.loc[PRICE_RULE, "share_percent"]),
        "ppo_share_percent": learned["share_percent"].tolist(),
        **others,
        "ppo_dkk_per_day": learned["cost_dkk"].tolist(),
        "saved_dkk_per_day": learned["saved_dkk"].tolist(),
        "saved_pm_dkk_per_day": learned["saved_pm_dkk"].tolist(),
        "price_rule_saved_pm_dkk_per_day": float(lines.loc[PRICE_RULE, "saved_pm_dkk"]),
        "lead_over_price_rule_dkk_per_day": [float(days.mean()) for days in lead],
        "lead_over_price_rule_pm_dkk_per_day": [half_width(days) for days in lead],
        "ppo_violations": learned["violations"].tolist(),
        "ppo_interventions": learned["interventions"].tolist(),
        "price_rule_interventions": int(lines.loc[PRICE_RULE, "interventions"]),
        "violations": int(lines["violations"].sum()),
        **facts,
    }


def measure() -> Measurement:
    """Share of the saving between rule and perfect foresight that PPO reaches [%].

    The median of three trainings at synthetic prices. At recorded ones again where the record is
    at hand.
    """
    from importlib.metadata import version

    from tvilling.datasets.registry import is_at_hand

    cpu = time.process_time()
    found = figures(recorded=False)
    ours, peer = found.pop("share_percent"), found.pop("price_rule_share_percent")
    recorded = figures(recorded=True) if is_at_hand("dk_prices") else {}
    again = {f"recorded_{name}": value for name, value in recorded.items()}
    return Measurement(
        name="control_tank",
        ours=ours,
        peer=peer,
        unit="% of the possible saving",
        ratio=ours / peer,
        peer_name="price rule",
        extra={
            **found,
            **again,
            **SETTINGS,
            "seeds": SEEDS,
            "held_out_days": HELD_OUT_DAYS,
            "training_days": TRAINING_DAYS,
            "cpu_s": time.process_time() - cpu,
            "stable_baselines3": version("stable-baselines3"),
        },
    )
