"""What a twin expects: every member run ahead, told as mean and quantiles."""

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int

from tvilling.sciml.core.physical import finite_status, join_status
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.simulate import Controller
from tvilling.sciml.core.system import Channel, Status, Values
from tvilling.twins.assimilation.belief import FLAGS, Belief
from tvilling.twins.assimilation.vector import Model, entries, put_vector, state_vector
from tvilling.twins.naming import unit_of

if TYPE_CHECKING:
    import xarray as xr

STATISTICS = ("mean", "q05", "q50", "q95")
QUANTILES = (0.05, 0.5, 0.95)
FORECAST = 2**32 - 2  # a stream of draws apart from those of the steps, which count from 0


@jax.jit
def run_ahead(
    model: Model, belief: Belief, controller: Controller, scenario: Scenario
) -> tuple[Values, Array, Int[Array, " time"], Int[Array, " time"]]:
    """Statistics of outputs and actions, members that count, and flags, step by step.

    Every member has its own plant, noise, and controller, which sees the member's state. A
    member that fails (not converged, or not finite) counts no more from then on; the statistics
    `[time, statistic, *channel]` are those of the others, and NaN where none is left.
    """
    members = belief.log_unknown.shape[0]
    floats = model.state_noise.size
    noise = model.noise_per_step()
    root = jax.random.fold_in(
        jax.random.fold_in(jax.random.key(belief.seed), FORECAST), belief.steps
    )

    def member(
        state: Any, memory: Any, log_unknown: Array, draw: Array, now: tuple[Values, Values]
    ) -> tuple[Any, Any, Values, Values]:
        drive, forecast = now
        noisy = put_vector(state, state_vector(state) + draw)
        action, memory = controller(memory, state, forecast)
        plant = model.with_unknown(log_unknown)
        state, output = plant.step(noisy, action, drive, scenario.dt_s)
        output = {**output, "status": join_status(output["status"], finite_status(state, output))}
        return state, memory, action, output

    def step(carry: tuple, now: tuple) -> tuple[tuple, tuple]:
        states, memories, logs, good, key = carry
        key, draw_key = jax.random.split(key)
        draws = jax.random.normal(draw_key, (members, len(noise))) * noise
        logs = logs + draws[:, floats:]
        states, memories, action, output = jax.vmap(member, in_axes=(0, 0, 0, 0, None))(
            states, memories, logs, draws[:, :floats], now
        )
        status = output["status"]
        told = {**{k: v for k, v in output.items() if k != "status"}, **action}
        good = good & _sound(told, status)
        flags = sum((((status & int(f)) != 0).any() * int(f) for f in FLAGS), start=0)
        statistics = {name: _statistics(values, good) for name, values in told.items()}
        return (states, memories, logs, good, key), (statistics, good.sum(), flags)

    memories = jax.tree.map(
        lambda leaf: jnp.broadcast_to(leaf, (members, *jnp.shape(leaf))), controller.init()
    )
    start = (belief.state, memories, belief.log_unknown, jnp.ones(members, bool), root)
    drives = scenario.drive, scenario.seen()
    carry, (statistics, used, flags) = jax.lax.scan(step, start, drives)
    unknowns = jnp.where(model.estimated, jnp.exp(carry[2]), 0.0)
    return statistics, _statistics(unknowns, carry[3]), used, flags


def _sound(told: Values, status: Array) -> Bool[Array, " member"]:
    good = (status & int(Status.NOT_CONVERGED)) == 0
    for values in told.values():
        good &= jnp.isfinite(values.reshape(values.shape[0], -1)).all(axis=1)
    return good


def _statistics(values: Array, good: Array) -> Array:
    """Mean and quantiles over the members that count."""
    shown = jnp.where(good.reshape(-1, *(1,) * (values.ndim - 1)), values, jnp.nan)
    quantiles = jnp.nanquantile(shown, jnp.asarray(QUANTILES), axis=0)
    return jnp.concatenate([jnp.nanmean(shown, axis=0)[None], quantiles])


def label_forecast(
    model: Model, belief: Belief, found: tuple, attrs: dict[str, Any]
) -> "xr.Dataset":
    """Names, units and times put on what `run_ahead` found."""
    import xarray as xr

    statistics, unknowns, used, flags = found
    system = model.system
    variables: dict[str, Any] = {}
    coords: dict[str, Any] = {"statistic": list(STATISTICS), "time": _times(belief, model, used)}
    for channel in (*system.outputs, *system.actions):
        if channel.name in statistics:
            values = np.moveaxis(np.asarray(statistics[channel.name]), 0, 1)
            variables[channel.name] = _variable(channel, values)
            coords |= {d: list(n) for d, n in zip(channel.dims, channel.labels, strict=True)}
    start = 0
    for name, shape in entries(system, model.unknown):
        size = int(np.prod(shape, dtype=int))
        values = np.asarray(unknowns)[:, start : start + size].reshape(-1, *shape)
        dims = ("statistic", *(f"{name}_{axis}" for axis in range(len(shape))))
        variables[name] = (dims, values, {"units": unit_of(name), "long_name": "unknown"})
        start += size
    variables["members_used"] = ("time", np.asarray(used), {"units": "1"})
    variables["status"] = ("time", np.asarray(flags), _flag_attrs())
    return xr.Dataset(variables, coords, attrs)


def _times(belief: Belief, model: Model, used: Array) -> np.ndarray:
    first = np.datetime64(int(belief.time_ns), "ns")
    return first + np.timedelta64(round(model.dt_s * 1e9), "ns") * np.arange(1, len(used) + 1)


def _variable(channel: Channel, values: np.ndarray) -> tuple:
    attrs = {"units": channel.unit}
    if channel.description:
        attrs["long_name"] = channel.description
    return ("statistic", "time", *channel.dims), values, attrs


def _flag_attrs() -> dict[str, Any]:
    return {
        "units": "1",
        "long_name": "flags set by at least one member; 0 means all is well",
        "flag_masks": np.array([int(flag) for flag in FLAGS], np.int32),
        "flag_meanings": " ".join(str(flag.name).lower() for flag in FLAGS),
    }
