"""What a run costs, and what every controller is told of the hours ahead.

One objective holds for all of them, learned, ruled or planned:

    cost = sum_t price_t bought_t dt - credit (stored_end - stored_start)

with the mean price of the episode as credit, so that draining a store does not pay. The credit is
known to every controller, as a drive, and stands for the price beyond the end of the episode: a
store that is full at the end is worth just what it could be sold for later.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from tvilling.datasets.simulated.trials import PRICE
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.simulate import Trajectory
from tvilling.sciml.core.system import Values, unlimited_faults
from tvilling.sciml.core.units import J_PER_KWH
from tvilling.sciml.systems.example import Example

CREDIT = "credit_dkk_per_kwh"


def check_priced(example: Example, scenarios: Scenario, ahead: int = 1) -> None:
    """Refuse what has no cost.

    Raises
    ------
    InputError
        The example buys nothing or not as one number, the scenarios hold no price, lack a drive,
        are no batch or hold what is not a finite number, a forecast does not fit them or is
        shorter than `ahead`, an action has no finite limits, or `ahead` is below one step.
    """
    outputs = {channel.name: channel for channel in example.system.outputs}
    faults = unlimited_faults(example.system)
    if example.bought not in outputs:
        faults.append(
            f"Example.bought is {example.bought!r}, expected an output of the system: "
            f"{', '.join(outputs)}"
        )
    elif outputs[example.bought].shape:
        faults.append(f"Example.bought is {example.bought!r}, expected an output of one number")
    if jnp.ndim(scenarios.drive.get(PRICE, 0.0)) != 2:
        faults.append(f"drive {PRICE} is not given, expected DKK/kWh over [scenario, time]")
    else:
        faults += _drive_faults(example, scenarios) or _not_finite(scenarios)
        faults += forecast_faults(scenarios, ahead)
    if ahead < 1:
        faults.append(f"ahead is {ahead} steps, expected 1 or more")
    if faults:
        raise InputError("control", faults)


def _drive_faults(example: Example, scenarios: Scenario) -> list[str]:
    """Drives of the system that the scenarios lack, or hold in another shape."""
    lead = jnp.shape(scenarios.drive[PRICE])
    faults = []
    for channel in example.system.drives:
        if channel.name not in scenarios.drive:
            faults.append(f"drive {channel.name} is missing from the scenarios")
        elif jnp.shape(scenarios.drive[channel.name]) != (*lead, *channel.shape):
            shape = jnp.shape(scenarios.drive[channel.name])
            faults.append(
                f"drive {channel.name} has the shape {shape}, expected {(*lead, *channel.shape)}"
            )
    return faults


def forecast_faults(scenarios: Scenario, ahead: int) -> list[str]:
    """What keeps the forecasts of `scenarios`, a batch, from being used `ahead` steps forward."""
    lead = jnp.shape(scenarios.drive[PRICE])
    faults = []
    for name, values in scenarios.forecast.items():
        shape = jnp.shape(values)
        like = jnp.shape(scenarios.drive[name])[2:] if name in scenarios.drive else shape[3:]
        if len(shape) < 3 or shape[:2] != lead or shape[3:] != like:
            wanted = ", ".join(str(size) for size in (*lead, "ahead", *like))
            faults.append(f"forecast {name} has the shape {shape}, expected ({wanted})")
        elif shape[2] < ahead:
            faults.append(
                f"forecast {name} reaches {shape[2]} steps, expected {ahead} or more, as many as "
                "controllers are told of"
            )
        elif not np.isfinite(np.asarray(values)[:, :, :ahead]).all():
            faults.append(f"forecast {name} holds what is not a finite number")
    return faults


def _not_finite(scenarios: Scenario) -> list[str]:
    """Where drives, or the state at the start, are not finite numbers."""
    faults = []
    for name, values in scenarios.drive.items():
        bad = np.argwhere(~np.isfinite(np.asarray(values)))
        if len(bad):
            scenario, step = bad[0][:2]
            faults.append(
                f"drive {name} is not a finite number at {len(bad)} places, the first in scenario "
                f"{scenario} at step {step}"
            )
    for leaf in jax.tree.leaves(scenarios.state):
        bad = np.argwhere(~np.isfinite(np.asarray(leaf, float)))
        if len(bad):
            faults.append(f"state at the start of scenario {bad[0][0]} is not a finite number")
    return faults


def credit_dkk_per_kwh(scenario: Scenario) -> Float[Array, "*batch"]:
    """What a stored kWh is worth at the end: the mean price of the episode [DKK/kWh]."""
    return jnp.mean(scenario.drive[PRICE], axis=-1)


def padded(drive: Values, ahead: int) -> Values:
    """Drives `[time, *channel]` of one scenario with `ahead - 1` steps more, and the credit.

    Beyond the end the price is the credit; other drives keep their last value.
    """
    credit = jnp.mean(drive[PRICE])
    longer = {
        name: jnp.concatenate(
            [values, jnp.broadcast_to(values[-1:], (ahead - 1, *values.shape[1:]))]
        )
        for name, values in drive.items()
    }
    steps = drive[PRICE].shape[0]
    longer[PRICE] = longer[PRICE].at[steps:].set(credit)
    return {**longer, CREDIT: jnp.full(steps + ahead - 1, credit)}


def window(longer: Values, step: int | Int[Array, ""], ahead: int) -> Values:
    """The `ahead` steps from `step` on of padded drives; its first entry is `step` itself."""
    return {
        name: jax.lax.dynamic_slice_in_dim(values, step, ahead) for name, values in longer.items()
    }


def with_outlook(scenarios: Scenario, ahead: int) -> Scenario:
    """`scenarios`, a batch, with a forecast of `ahead` steps, the credit among it.

    A forecast that they carry is what controllers are told, cut to `ahead` steps; it may be
    wrong. Drives without one are foretold as they come.

    Raises
    ------
    InputError
        A forecast that does not fit the scenarios, or is shorter than `ahead`.
    """
    faults = forecast_faults(scenarios, ahead)
    if faults:
        raise InputError("control", faults)

    def windows(drive: Values) -> Values:
        longer = padded(drive, ahead)
        steps = drive[PRICE].shape[0]
        return jax.vmap(lambda step: window(longer, step, ahead))(jnp.arange(steps))

    perfect = jax.jit(jax.vmap(windows))(scenarios.drive)
    return replace(scenarios, forecast=perfect | given_forecast(scenarios, ahead))


def given_forecast(scenarios: Scenario, ahead: int) -> Values:
    """The forecasts that `scenarios`, a batch, carry, cut to `ahead` steps."""
    return {name: jnp.asarray(values)[:, :, :ahead] for name, values in scenarios.forecast.items()}


def with_prices(scenarios: Scenario, price_dkk_per_kwh: Any) -> Scenario:
    """`scenarios`, a batch, at other prices: hourly, `[scenario, hour]`, as long as they are.

    Raises
    ------
    InputError
        The prices do not fit, or the scenarios carry a forecast of the prices that were.
    """
    price = jnp.asarray(price_dkk_per_kwh, float)
    old = scenarios.drive[PRICE]
    per_hour = round(3600.0 / scenarios.dt_s)
    stale = [name for name in (PRICE, CREDIT) if name in scenarios.forecast]
    faults = [f"forecast {name} is of the prices before; give one of the new" for name in stale]
    if per_hour < 1 or (price.shape[0], price.shape[1] * per_hour) != old.shape:
        faults.append(
            f"{price.shape} hours for {old.shape} steps of {scenarios.dt_s:g} s, one row each"
        )
    if faults:
        raise InputError("prices", faults)
    drive = {**scenarios.drive, PRICE: jnp.repeat(price, per_hour, axis=1)}
    return replace(scenarios, drive=drive)


def step_cost_dkk(
    price_dkk_per_kwh: Float[Array, "*batch"], bought_w: Float[Array, "*batch"], dt_s: float
) -> Float[Array, "*batch"]:
    """Cost of a step [DKK] at mean power `bought_w` [W]."""
    return price_dkk_per_kwh * bought_w * dt_s / J_PER_KWH


def run_cost_dkk(example: Example, scenario: Scenario, run: Trajectory) -> Float[Array, ""]:
    """Cost of one run [DKK], what is left in store credited."""
    stored = example.system.stored_j
    end = jax.tree.map(lambda leaf: leaf[-1], run.state)
    paid = step_cost_dkk(scenario.drive[PRICE], run.output[example.bought], scenario.dt_s).sum()
    left_kwh = (stored(end) - stored(scenario.state)) / J_PER_KWH
    return paid - credit_dkk_per_kwh(scenario) * left_kwh
