"""Learned control of the tank on held-out days, between the rule of today and perfect foresight."""

import time
from typing import TYPE_CHECKING, Any

from tvilling.benchmarks.measurement import Measurement

if TYPE_CHECKING:
    import xarray as xr

    from tvilling.rl_control.env import Environment
    from tvilling.rl_control.safety import Guard
    from tvilling.sciml.scenario import Scenario
    from tvilling.sciml.simulate import Controller
    from tvilling.sciml.systems.example import Example

HOUR_S, AHEAD = 3600.0, 24
TRAINING_DAYS, HELD_OUT_DAYS = 4096, 256
TRAINING_SEED, HELD_OUT_SEED = 1, 99
RULE, PRICE_RULE, PPO = "thermostat", "price rule", "PPO"
SETTINGS = {"steps": 1_000_000, "learning_rate": 3e-4, "width": 128}


def tank_days(
    recorded: bool | None = False,
) -> "tuple[Example, Scenario, Scenario, str]":
    """The tank, days to train on and days held out, and where the prices come from."""
    from tvilling.datasets.prices import price_days
    from tvilling.datasets.trials import trial_scenarios
    from tvilling.rl_control.outlook import with_prices
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

    from tvilling.rl_control.controllers import Thermostat
    from tvilling.rl_control.evaluate import tuned_price_rule
    from tvilling.rl_control.observation import limit_action
    from tvilling.rl_control.safety import Shield

    on, off = (limit_action(tank.system.actions, share) for share in (1.0, 0.0))
    thermostat = Thermostat(jnp.asarray(65.0), jnp.asarray(85.0), on, off)
    price_rule = tuned_price_rule(tank, (on, off, off), training, guard, AHEAD)
    return {RULE: Shield(thermostat, guard), PRICE_RULE: Shield(price_rule, guard)}


def train_and_compare(recorded: bool | None = False, **settings: Any) -> "tuple[xr.Dataset, dict]":
    """Train PPO on the training days, and place it among the others on the held-out ones."""
    from tvilling.rl_control.env import Environment
    from tvilling.rl_control.evaluate import compare
    from tvilling.rl_control.safety import Guard, Shield
    from tvilling.rl_control.sb3_adapter import PpoSettings, train_ppo

    tank, training, held_out, source = tank_days(recorded)
    guard = Guard.of(tank, HOUR_S)
    environment = Environment.of(tank, training, AHEAD, guard)
    chosen = PpoSettings(**settings)
    wall, cpu = time.perf_counter(), time.process_time()
    policy = train_ppo(environment, chosen, seed=0)
    facts = {
        "training_steps": chosen.steps,
        "training_wall_s": time.perf_counter() - wall,
        "training_cpu_s": time.process_time() - cpu,
        "environment_steps_per_s": steps_per_s(environment, chosen.environments),
        "environments": chosen.environments,
        "prices": source,
    }
    controllers = {**rules(tank, training, guard), PPO: Shield(policy, guard)}
    return compare(tank, controllers, held_out, AHEAD), facts


def steps_per_s(environment: "Environment", count: int, steps: int = 240) -> float:
    """Steps of the plant in a second, guard and observation included, `count` at a time."""
    import numpy as np

    from tvilling.rl_control.sb3_adapter import VectorEnvironment

    batch = VectorEnvironment(environment, count)
    batch.reset()
    action = np.zeros((count, environment.action_size), np.float32)
    batch.step(action)  # compiles
    begin = time.perf_counter()
    for _ in range(steps):
        batch.step(action)
    return steps * count / (time.perf_counter() - begin)


def figures(recorded: bool) -> dict[str, Any]:
    """Costs, shares and training of one set of prices, units in the names."""
    from tvilling.rl_control.evaluate import half_width, table

    compared, facts = train_and_compare(recorded, **SETTINGS)
    lines, cost = table(compared), compared["cost_dkk"]
    ahead_of_rule = (cost.sel(controller=PRICE_RULE) - cost.sel(controller=PPO)).to_numpy()
    costs = {
        f"{name.replace(' ', '_').lower()}_dkk_per_day": float(mean)
        for name, mean in lines["cost_dkk"].items()
    }
    return {
        "share_percent": float(lines.loc[PPO, "share_percent"]),
        "price_rule_share_percent": float(lines.loc[PRICE_RULE, "share_percent"]),
        **costs,
        "saved_dkk_per_day": float(lines.loc[PPO, "saved_dkk"]),
        "saved_pm_dkk_per_day": float(lines.loc[PPO, "saved_pm_dkk"]),
        "below_price_rule_dkk_per_day": float(ahead_of_rule.mean()),
        "below_price_rule_pm_dkk_per_day": half_width(ahead_of_rule),
        "violations": int(lines["violations"].sum()),
        "interventions": int(lines.loc[PPO, "interventions"]),
        **facts,
    }


def measure() -> Measurement:
    """Share of the saving between rule and perfect foresight that PPO reaches [%].

    At synthetic prices, and again at recorded ones where the record is at hand.
    """
    from importlib.metadata import version

    from tvilling.datasets.registry import locate
    from tvilling.sciml.errors import InputError

    found = figures(recorded=False)
    ours, peer = found.pop("share_percent"), found.pop("price_rule_share_percent")
    try:
        locate("dk_prices")
    except InputError:
        again = {}
    else:
        again = {f"recorded_{name}": value for name, value in figures(recorded=True).items()}
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
            "held_out_days": HELD_OUT_DAYS,
            "stable_baselines3": version("stable-baselines3"),
        },
    )
