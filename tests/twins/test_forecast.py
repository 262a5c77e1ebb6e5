"""What a twin expects, against the closed form and against what then happens."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rooms import Rooms
from scipy.stats import norm
from twin_week import follow, start

from tvilling.benchmarks.twin_reference import HOUR_S, LOSS_W_PER_K, NOISE_K, make_week
from tvilling.rl_control.control.controllers import Hold
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.system import Status
from tvilling.twins.assimilation.prior import Prior
from tvilling.twins.twin import Twin

HEATER = Hold({"heater_w": jnp.asarray(1.2e3)})


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class AsPlanned:
    """The heater as the drives say."""

    def init(self) -> tuple[()]:
        return ()

    def __call__(self, memory: tuple[()], state: object, forecast: dict) -> tuple[dict, tuple[()]]:
        return {"heater_w": forecast["planned_w"][0]}, memory


def ahead(hours: int, demand_w: float = 1.2e3) -> Scenario:
    drive = {
        "demand_w": jnp.full(hours, demand_w),
        "ambient_degc": jnp.full(hours, 12.0),
        "price_dkk_per_kwh": jnp.ones(hours),
    }
    return Scenario((), drive, HOUR_S)


def test_quantiles_are_those_of_the_normal_distribution() -> None:
    """A known tank is linear: mean and variance after k hours in closed form.

    4000 members give a mean within 1.6 % and a 5 % quantile within 3.3 % of the standard
    deviation, one sigma; four of these are allowed.
    """
    hours = 24
    twin = start(LOSS_W_PER_K, members=4000, unknown={})
    data = twin.forecast(HEATER, ahead(hours))
    step = np.arange(1, hours + 1)
    decay = np.exp(-LOSS_W_PER_K * HOUR_S / float(twin.system.capacity_j_per_k))  # type: ignore[attr-defined]
    mean = 12.0 + decay**step * (70.0 - 12.0)  # heater and demand cancel
    noise = NOISE_K**2 * np.cumsum(decay ** (2 * step))
    sd = np.sqrt(decay ** (2 * step) * 2.0**2 + noise)
    water = data["water_degc"]
    np.testing.assert_array_less(np.abs(water.sel(statistic="mean") - mean) / sd, 4 * 0.016)
    for name, share in (("q05", 0.05), ("q50", 0.5), ("q95", 0.95)):
        expected = mean + sd * norm.ppf(share)
        np.testing.assert_array_less(np.abs(water.sel(statistic=name) - expected) / sd, 4 * 0.033)


def test_nine_tenths_of_what_happens_lies_between_the_outer_quantiles() -> None:
    """A day ahead, after a day of readings that left the loss known to about 5 %, 40 plants.

    The plant is drawn from the closed form with its own noise. 36 of 40 are expected inside with
    a standard deviation of 1.9.
    """
    inside = 0
    for seed in range(40):
        week = make_week(seed, hours=48)
        twin = follow(start(seed=seed), week, range(24))[-1]
        drive = {
            "demand_w": jnp.asarray(week.demand_w[24:]),
            "ambient_degc": jnp.asarray(week.ambient_degc[24:]),
            "planned_w": jnp.asarray(week.heater_w[24:]),
        }
        found = twin.forecast(AsPlanned(), Scenario((), drive, HOUR_S))["water_degc"].isel(time=-1)
        low, high = float(found.sel(statistic="q05")), float(found.sel(statistic="q95"))
        inside += low < week.true_degc[-1] < high
    assert 30 <= inside <= 40


def test_everything_is_labelled() -> None:
    week = make_week(0, hours=24)
    twin = follow(start(), week)[-1].named("north-tank")
    data = twin.forecast(HEATER, ahead(6))
    assert data["time"].values[0] == np.datetime64("2026-01-13T01:00")
    assert data["time"].values[-1] == np.datetime64("2026-01-13T06:00")
    assert data["water_degc"].attrs["units"] == "°C"
    assert data["heater_w"].attrs["units"] == "W"
    assert data["loss_w_per_k"].attrs["units"] == "W/K"
    assert all("units" in data[name].attrs for name in data)
    assert data.attrs["twin"] == "north-tank"
    np.testing.assert_array_equal(data["members_used"], 100)
    np.testing.assert_array_equal(data["status"], 0)
    found = twin.estimate()["loss_w_per_k"]
    assert float(data["loss_w_per_k"].sel(statistic="mean")) == pytest.approx(float(found.mean))


def test_a_demand_that_cannot_be_met_is_told_and_members_go_on() -> None:
    data = start().forecast(HEATER, ahead(30, demand_w=6e3))
    assert (data["status"].values[-1] & int(Status.UNSERVED)) != 0
    np.testing.assert_array_equal(data["members_used"], 100)


def test_members_that_fail_count_no_more() -> None:
    """Warming by 0.5 K an hour, the warmest members fail first; the rest are told of."""
    state = {"count": 0, "air_degc": jnp.full(3, 20.0), "wall_degc": jnp.full(3, 20.0)}
    plant = Rooms(jnp.asarray(0.0), fails_above=22.0)
    twin = Twin.start(plant, "2026-01-12", HOUR_S, prior=Prior(state, 1.0, 0.0))
    scenario = Scenario((), {"outdoor_degc": jnp.full(12, 5.0)}, HOUR_S)
    data = twin.forecast(Hold({"heat_w": jnp.full(3, 500.0)}), scenario)
    used = data["members_used"].values
    assert used[0] > used[3] > 0
    assert used[-1] == 0
    first = twin.belief.state["air_degc"][:, 0]
    expected = [int((first + 0.5 * hour <= 22.0).sum()) for hour in range(1, 13)]
    np.testing.assert_array_equal(used, expected)
    good = used > 0
    assert np.isfinite(data["air_degc"].values[:, good]).all()
    assert np.isnan(data["air_degc"].values[:, ~good]).all()
    assert (data["status"].values[used < 100] & int(Status.NOT_CONVERGED) != 0).all()
    assert data["air_degc"].dims == ("statistic", "time", "room")


def test_another_step_length_is_refused() -> None:
    scenario = Scenario((), {"demand_w": jnp.zeros(2), "ambient_degc": jnp.zeros(2)}, 900.0)
    with pytest.raises(InputError, match="dt_s is 900 s, expected 3600 s"):
        start().forecast(HEATER, scenario)
