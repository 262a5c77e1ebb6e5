"""Power flow over time against pandapower, step by step."""

from copy import deepcopy
from typing import Any

import numpy as np
import pandapower as pp
import pandapower.networks as pn
import pandas as pd
import pytest
import xarray as xr
from pandapower_peer import voltages

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.results.violations import limits_of, violations
from tvilling.sciml.systems.power_grid.solver.flow import Options, Outcome
from tvilling.sciml.systems.power_grid.studies import year as module
from tvilling.sciml.systems.power_grid.studies.year import year

STEPS = 5
SINGLE = 2e-7  # of a number in single precision


@pytest.fixture(scope="module")
def net() -> Any:
    """A medium-voltage grid with generators; its loads' rows are renumbered and one is scaled."""
    net = pn.create_cigre_network_mv(with_der="pv_wind")
    net.load.index = net.load.index + 20
    net.load.loc[22, "scaling"] = 0.7
    pp.create_storage(net, 5, 0.3, 1.0)
    return net


@pytest.fixture(scope="module")
def profiles(net: Any) -> xr.Dataset:
    """Courses of some loads, in another order than the table's, of generators and the storage."""
    draw = np.random.default_rng(3)
    rows = net.load.index[[4, 0, 2, 9]].to_numpy()
    return xr.Dataset(
        {
            "load_p_mw": (("time", "load"), draw.uniform(0.2, 2.0, (STEPS, len(rows)))),
            "load_q_mvar": (("load", "time"), draw.uniform(0.0, 0.4, (len(rows), STEPS))),
            "sgen_p_mw": (("time", "sgen"), draw.uniform(0.0, 0.5, (STEPS, len(net.sgen)))),
            "storage_p_mw": (("time", "storage"), draw.uniform(-0.5, 0.5, (STEPS, 1))),
        },
        {
            "time": pd.date_range("2026-01-12", periods=STEPS, freq="15min"),
            "load": rows,
            "sgen": net.sgen.index.to_numpy(),
            "storage": net.storage.index.to_numpy(),
        },
        {"profiles": "drawn"},
    )


@pytest.mark.parametrize("threads", [1, 2])
def test_each_step_is_the_power_flow_of_pandapower(
    net: Any, profiles: xr.Dataset, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SHORTEST", 2)  # several blocks, the last one short
    monkeypatch.setattr(module, "LONGEST", 2)
    found = year(from_pandapower(net), profiles, Options(threads=threads), case="drawn courses")
    for step in range(STEPS):
        peer = deepcopy(net)
        for name, values in profiles.isel(time=step).data_vars.items():
            kind, column = str(name).split("_", 1)
            peer[kind].loc[values[kind].values, column] = values.values
        voltages(peer)
        now = found.isel(time=step)
        np.testing.assert_allclose(now["vm_pu"], peer.res_bus.vm_pu, rtol=SINGLE)
        for kind in ("line", "trafo"):
            theirs = peer[f"res_{kind}"].loading_percent
            np.testing.assert_allclose(now[f"{kind}_loading_percent"], theirs, atol=1e-4)
        lost = peer.res_line.pl_mw.sum() + peer.res_trafo.pl_mw.sum()
        assert float(now["losses_mw"]) == pytest.approx(lost, rel=1e-7)
        assert float(now["slack_p_mw"]) == pytest.approx(peer.res_ext_grid.p_mw.sum(), rel=1e-8)
        assert float(now["slack_q_mvar"]) == pytest.approx(peer.res_ext_grid.q_mvar.sum(), rel=1e-8)
        assert float(now["load_mw"]) == pytest.approx(peer.res_load.p_mw.sum(), rel=1e-9)
        assert float(now["generation_mw"]) == pytest.approx(peer.res_sgen.p_mw.sum(), rel=1e-9)
    assert list(found["time"].values) == list(profiles["time"].values)
    assert found.attrs["profiles"] == "drawn"
    assert found.attrs["case"] == "drawn courses"


def test_a_step_without_a_solution_is_told_with_the_others_solved(
    net: Any, profiles: xr.Dataset
) -> None:
    heavy = profiles.copy(deep=True)
    heavy["load_p_mw"][2] *= 500.0
    grid = from_pandapower(net)
    found = year(grid, heavy)
    assert found["outcome"].values.tolist() == [0, 0, Outcome.INFEASIBLE, 0, 0]
    assert np.isnan(found["vm_pu"][2]).all()
    assert np.isnan(found["losses_mw"][2])
    np.testing.assert_array_equal(found["vm_pu"][3], year(grid, profiles)["vm_pu"][3])
    first = violations(found, limits_of(grid)).iloc[0]
    assert first["quantity"] == "no solution"
    assert first["when"] == heavy["time"].values[2]
    assert first["hours"] == 0.25


def test_faulty_profiles_are_refused_with_every_fault(net: Any, profiles: xr.Dataset) -> None:
    faulty = profiles.rename(sgen_p_mw="sgen_p_kw").assign_coords(load=[20, 21, 99, 22])
    with pytest.raises(InputError) as told:
        year(from_pandapower(net), faulty)
    assert "sgen_p_kw is not known" in str(told.value)
    assert "the grid has no load 99" in str(told.value)
    with pytest.raises(InputError, match="no variable"):
        year(from_pandapower(net), profiles[[]])
