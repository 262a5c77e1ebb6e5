import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

from tvilling.rl_control.control.controllers import Hold
from tvilling.sciml.core.results import failures, label, run
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.simulate import Trajectory, simulate
from tvilling.sciml.core.system import Channel, Status
from tvilling.sciml.systems.tank import example

STEPS = 6


def _run(demand_w):
    tank = example()
    drive = {"demand_w": jnp.asarray(demand_w), "ambient_degc": jnp.full(STEPS, 12.0)}
    drive["outdoor_degc"] = jnp.zeros(STEPS)  # seen by a controller, described by no channel
    scenario = Scenario(jnp.asarray(70.0), drive, 900.0)
    return tank.system, simulate(tank.system, Hold(tank.action), scenario), drive


@dataclasses.dataclass
class TwoHouses:
    """Channels of two houses; nothing here is stepped."""

    init = step = stored_j = net_power_w = lambda self, *_: None

    actions: tuple = ()
    drives: tuple = (Channel("heat_w", "W", 0, 1e6, ("house",), (("north", "south"),)),)
    outputs: tuple = (
        Channel("delivered_w", "W", 0, 1e6, ("house",), (("north", "south"),), "Heat delivered"),
    )


def _houses(delivered_w, status):
    output = {"delivered_w": jnp.asarray(delivered_w)}
    trajectory = Trajectory(None, {}, output, jnp.asarray(status))
    drive = {"heat_w": jnp.full((len(status), 2), 100.0)}
    return label(trajectory, TwoHouses(), "2021-02-08T00:00", 3600.0, drive)


def test_a_run_is_labelled_with_times_units_and_provenance():
    system, found, drive = _run([2.5e5] * STEPS)
    data = label(found, system, "2021-02-08T00:00", 900.0, drive, case_hash="ab12", seed=None)
    assert str(data["time"].values[0]) == "2021-02-08T00:15:00.000000000"
    assert all(variable.attrs["units"] for variable in data.data_vars.values())
    assert {"water_degc", "heater_w", "demand_w", "status"} <= set(data.data_vars)
    assert "outdoor_degc" not in data
    assert data.attrs["case_hash"] == "ab12"
    assert data.attrs["seed"] == ""
    np.testing.assert_array_equal(data["water_degc"], found.output["water_degc"])


def test_names_of_elements_become_coordinates():
    data = _houses([[100.0, 90.0]], [0])
    assert list(data["house"].values) == ["north", "south"]
    assert float(data["delivered_w"].sel(house="south")[0]) == 90.0


def test_the_file_reads_back_with_its_flags(tmp_path):
    system, found, drive = _run([2e7] * STEPS)
    label(found, system, "2021-02-08", 900.0, drive).to_netcdf(tmp_path / "r.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "r.nc", engine="h5netcdf") as data:
        meanings = data["status"].attrs["flag_meanings"].split()
        masks = data["status"].attrs["flag_masks"]
        assert dict(zip(meanings, masks, strict=True))["unserved"] == Status.UNSERVED
        assert (data["status"].values & Status.UNSERVED).all()


def test_a_batch_is_told_apart_by_scenario():
    system, found, _ = _run([2.5e5] * STEPS)
    batch = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), found)
    data = label(batch, system, "2021-02-08", 900.0)
    assert data["water_degc"].dims == ("scenario", "time")


def test_no_failure_has_nothing_to_say():
    assert failures(_houses([[100.0, 100.0]] * 3, [0, 0, 0])) == []


def test_a_failure_names_when_and_which_element_the_worst_first():
    delivered = [[100.0, 100.0], [95.0, 60.0], [100.0, 50.0], [100.0, 100.0]]
    data = _houses(delivered, [0, Status.UNSERVED, Status.UNSERVED, 0])
    lines = failures(data, {Status.UNSERVED: ("delivered_w", data["heat_w"])})
    assert lines == [
        "a demand was not met in full at house south (up to 50 W short), north (up to 5 W short) "
        "(2 of 4 steps: 2021-02-08 02:00 to 2021-02-08 03:00)"
    ]


def test_an_element_short_at_a_step_without_the_flag_is_not_named():
    data = _houses([[90.0, 100.0], [100.0, 80.0]], [0, Status.UNSERVED])
    (line,) = failures(data, {Status.UNSERVED: ("delivered_w", data["heat_w"])})
    assert "south" in line
    assert "north" not in line


def test_separate_periods_and_controllers_are_counted():
    good, bad = _houses([[100.0] * 2] * 3, [0, 0, 0]), _houses([[100.0] * 2] * 3, [1, 0, 1])
    both = xr.concat([good, bad], "controller").assign_coords(controller=["rule", "learned"])
    (line,) = failures(both)
    assert line.startswith("controller learned: the solver ended above its tolerance")
    assert line.endswith("(2 of 3 steps: 2021-02-08 01:00 and 1 more periods)")


def test_two_orders_of_the_same_elements_are_refused():
    house = Channel("delivered_w", "W", 0, 1e6, ("house",), (("south", "north"),))
    with pytest.raises(ValueError, match="other names along house"):
        label(
            Trajectory(None, {}, {"delivered_w": jnp.zeros((1, 2))}, jnp.zeros(1, jnp.int32)),
            TwoHouses(outputs=(house,)),
            "2021-02-08",
            60.0,
            {"heat_w": jnp.zeros((1, 2))},
        )


def test_one_scenario_and_a_batch_are_run_and_labelled_alike():
    tank = example()
    drive = {
        "demand_w": jnp.asarray([[2.5e5] * STEPS, [1e5] * STEPS]),
        "ambient_degc": jnp.full((2, STEPS), 12.0),
        "price_dkk_per_kwh": jnp.ones((2, STEPS)),
    }
    batch = Scenario(jnp.asarray([70.0, 60.0]), drive, 900.0)
    together = run(tank.system, Hold(tank.action), batch, start="2026-02-01T00:00")
    assert together["water_degc"].dims == ("scenario", "time")
    for i in range(2):
        one = run(tank.system, Hold(tank.action), batch.at(i), start="2026-02-01T00:00")
        xr.testing.assert_allclose(one, together.isel(scenario=i), rtol=1e-12)
    assert together["water_degc"].attrs["units"] == "°C"
    np.testing.assert_array_equal(together["demand_w"].isel(scenario=1), 1e5)


def test_numbers_that_are_none_are_told():
    tank = example()
    drive = {"demand_w": jnp.full(STEPS, 2.5e5).at[2].set(jnp.nan)}
    drive["ambient_degc"] = jnp.full(STEPS, 12.0)
    data = run(tank.system, Hold(tank.action), Scenario(jnp.asarray(70.0), drive, 900.0))
    told = [line for line in failures(data) if line.startswith("water_degc is not a finite number")]
    assert len(told) == 1
    assert "4 of 6 steps" in told[0]


def test_a_scenario_without_a_drive_has_no_length():
    tank = example()
    with pytest.raises(ValueError, match="no drive and so no length"):
        simulate(tank.system, Hold(tank.action), Scenario(jnp.asarray(70.0), {}, 900.0))
