"""DESTEST: the tools against one another, text against workbook, one file against another."""

import numpy as np
import pytest
import xarray as xr

from tvilling.datasets.registry import load

pytestmark = pytest.mark.data

KWH_PER_WS = 1 / 3.6e6


@pytest.mark.parametrize(("variant", "nodes"), [("8", 13), ("16", 25), ("32", 49)])
def test_network_is_a_tree_that_carries_its_buildings(variant, nodes):
    data = load("destest", part="network", variant=variant)
    assert data.sizes["node"] == nodes
    assert data.sizes["pipe"] == nodes - 1
    below = dict(zip(data["start"].to_numpy(), data["end"].to_numpy(), strict=True))
    assert len(below) == nodes - 1
    buildings = [name for name in data["node"].to_numpy() if name.startswith("Simple")]
    assert len(buildings) == int(variant)
    for name in buildings:
        steps = 0
        while name != data.attrs["source_node"]:
            name, steps = below[name], steps + 1
            assert steps < nodes


def test_pipes_are_as_long_as_their_ends_are_apart():
    """Positions and lengths are separate columns of separate files; streets run at right angles."""
    data = load("destest", part="network", variant="16")
    start = data.sel(node=data["start"])
    end = data.sel(node=data["end"])
    apart = np.abs(start["x_m"] - end["x_m"]) + np.abs(start["y_m"] - end["y_m"])
    np.testing.assert_allclose(apart, data["length_m"])


@pytest.mark.parametrize("variant", ["8", "32"])
def test_workbook_holds_the_same_networks(variant):
    text = load("destest", part="network", variant=variant)
    workbook = load("destest", part="network", variant=variant, origin="workbook")
    xr.testing.assert_allclose(text, workbook, rtol=1e-8)


def test_workbook_holds_the_same_nodes():
    text = load("destest", part="network", variant="16")
    workbook = load("destest", part="workbook_nodes")
    xr.testing.assert_allclose(text[list(workbook.data_vars)], workbook, rtol=1e-8)


def test_tools_agree_on_the_steady_state():
    data = load("destest", part="ce0_results").isel(time_s=0)
    flow = data["flow_kg_per_h"]
    assert (float(flow.min()), float(flow.max())) == pytest.approx((8848, 8870), abs=1)
    middle = data["supply_degc"].median("tool")
    assert float(np.abs(data["supply_degc"] - middle).max()) < 0.05
    assert (middle.diff("node") < 0).all()
    # Flow times temperature drop is the heat of the source: water of 4.18 kJ/(kg K), within 2 %.
    drop_k = (data["supply_degc"] - data["return_degc"]).sel(node="i")
    heat_w = flow / 3600 * 4180 * drop_k
    np.testing.assert_allclose(heat_w, data["source_heat_w"], rtol=0.02)


def test_tools_agree_on_the_week():
    data = load("destest", part="ce1_results")
    week = data.isel(time_s=slice(0, -1)).sum("time_s") * 900 * KWH_PER_WS
    others = week.drop_sel(tool="DIMOSIM_Dynamic_Pipe")
    assert ((others["injected_w"] > 14_300) & (others["injected_w"] < 14_500)).all()
    assert ((others["loss_w"] > 530) & (others["loss_w"] < 550)).all()
    # Sixteen equal buildings and the losses make what the source injects.
    profile = load("destest", part="heat_profile")["heat_w"].interp(time_s=data["time_s"])
    used = 16 * float(profile[:-1].sum()) * 900 * KWH_PER_WS
    np.testing.assert_allclose(others["injected_w"], used + others["loss_w"], rtol=0.01)
    assert 45 < float(data["critical_degc"].max()) < 51


def test_other_layout_is_the_same_building():
    """Its column of heat carries no unit: it is the profile in W, interpolated to the quarter."""
    data = load("destest", part="ce1_alessandro")
    profile = load("destest", part="heat_profile")["heat_w"].interp(time_s=data["time_s"])
    np.testing.assert_allclose(data["heat_w"], profile, atol=0.01)
    assert "not in the file" in data.attrs["doubts"]


def test_doubtful_numbers_are_named():
    assert "U-value" in load("destest").attrs["doubts"]
    assert "0.446" in load("destest", part="ce0_results").attrs["doubts"]
