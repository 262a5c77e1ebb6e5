"""Files as pandapower, MATPOWER and CGMES tools write them: their voltages, or the right reason."""

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_power_net import small, written
from tiny_cim import PROFILES, write_tiny_cim

from tvilling.datasets.readers.power_grid.reader import read_power_net
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pandapower as pp
    from pandapower.control import ConstControl, DiscreteTapControl
    from pandapower.control.util.characteristic import SplineCharacteristic
    from pandapower.timeseries import DFData, OutputWriter

Change = Callable[[Any], Any]
PROFILE = pd.DataFrame({"mill": [1.0, 1.1]})


def solved_before(net: Any) -> None:
    pp.runpp(net, numba=False)


def with_profiles(net: Any) -> None:
    ConstControl(net, "load", "p_mw", [0], profile_name=["mill"], data_source=DFData(PROFILE))
    OutputWriter(net, [0, 1])
    pp.runpp(net, numba=False)


def with_an_index(net: Any) -> None:
    names, source = pd.Index(["mill"]), DFData(PROFILE)
    ConstControl(net, "load", "p_mw", net.load.index, profile_name=names, data_source=source)
    net["areas"] = {"north": pd.Index([0, 1]), "count": np.int64(2)}


def with_tap_control(net: Any) -> None:
    DiscreteTapControl(net, 0, 0.98, 1.02)
    pp.runpp(net, numba=False, run_control=True)


def empty_cells(net: Any) -> None:
    net.bus["max_vm_pu"] = [1.1, np.nan, 1.1]
    net.load["controllable"] = np.array([np.nan], object)
    net.trafo["oltc"] = np.array([np.nan], object)
    net.trafo.loc[0, ["tap_step_degree", "df"]] = [np.nan, 1.0]
    net.load.loc[0, "sn_mva"] = np.nan
    net.line["type"] = np.nan


def with_groups_and_costs(net: Any) -> None:
    pp.create_group(net, ["line", "load"], [[0], [0]], name="g")
    pp.create_poly_cost(net, 0, "ext_grid", 1.0)
    pp.create_pwl_cost(net, 0, "sgen", [[0, 1, 2]])
    pp.create_measurement(net, "v", "bus", 1.0, 0.01, 0)


def with_a_characteristic(net: Any) -> None:
    SplineCharacteristic(net, [0, 1, 2], [1, 2, 3])


def with_an_idle_bus(net: Any) -> None:
    pp.create_bus(net, 20.0, name="idle")


def with_a_dead_bus(net: Any) -> None:
    dead = pp.create_bus(net, 20.0, name="dead", in_service=False)
    pp.create_load(net, dead, 0.5, name="lost")


def with_members_of_pandas(net: Any) -> None:
    net["when"] = pd.Timestamp("2026-01-01")
    net["steps"] = pd.date_range("2026-01-01", periods=3)
    net["levels"] = pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([(1, 2)]))


IDLE = "no slack reaches these buses, which have no voltage then: idle"
PANDAPOWER: dict[Change, tuple[str, ...]] = {
    solved_before: (),
    with_profiles: (
        "1 controllers are not run: ConstControl, DFData",
        "table output_writer (1 rows) is not used: OutputWriter",
    ),
    with_an_index: (
        "1 controllers are not run: ConstControl, DFData",
        "areas is not used",
    ),
    with_tap_control: ("1 controllers are not run: DiscreteTapControl",),
    empty_cells: (),
    with_groups_and_costs: (
        "table measurement (1 rows) is not used",
        "table group (2 rows) is not used",
    ),
    with_a_characteristic: (
        "table characteristic (1 rows) is not used: SplineCharacteristic",
    ),
    with_an_idle_bus: (IDLE,),
    with_a_dead_bus: ("out of service with their bus (bus 3 (dead)): load 1 (lost)",),
    with_members_of_pandas: (
        "when is not used",
        "steps is not used",
        "table levels (1 rows) is not used",
    ),
}  # fmt: skip


def voltages(net: Any, source: str = "net", notes: tuple[str, ...] = ()) -> tuple[Any, Any]:
    """Voltages by bus [p.u.], not a number where there is none, and the grid."""
    grid = from_pandapower(net, source, notes)
    flow = solve(grid)
    size = np.append(np.abs(flow.e + 1j * flow.f)[0], np.nan)
    return size[grid.buses.bus], grid


@pytest.mark.parametrize("change", PANDAPOWER)
def test_a_file_of_pandapower_has_the_voltages_of_pandapower(
    change: Change, tmp_path: Path
) -> None:
    net = small()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        change(net)
        read = read_power_net(written(net, tmp_path / "grid.json"))
        pp.runpp(net, numba=False)
    found, grid = voltages(read.net, read.source, read.notes)
    np.testing.assert_allclose(found, net.res_bus["vm_pu"], rtol=0, atol=1e-9)
    assert sorted(grid.notes) == sorted(PANDAPOWER[change])


BLANK: dict[tuple[str, str], str] = {
    ("load", "in_service"): "load 0 (mill): in_service has no value, expected true or false",
    ("bus", "in_service"): "bus 0 (high): in_service has no value, expected true or false",
    ("line", "in_service"): "line 0 (cable): in_service has no value, expected true or false",
    ("trafo", "in_service"): "trafo 0 (T1): in_service has no value, expected true or false",
    ("ext_grid", "in_service"): "ext_grid 0: in_service has no value, expected true or false",
    ("switch", "closed"): "switch 0 (breaker): closed has no value, expected true or false",
}


@pytest.mark.parametrize(("kind", "column"), BLANK)
def test_a_blank_flag_is_told_with_row_and_column(kind: str, column: str, tmp_path: Path) -> None:
    net = small()
    net[kind][column] = net[kind][column].astype(object)
    net[kind].loc[0, column] = np.nan
    with pytest.raises(InputError) as caught:
        read_power_net(written(net, tmp_path / "grid.json"))
    assert caught.value.faults == (BLANK[kind, column],)


MPC = """function mpc = three
mpc.version = '2'; mpc.baseMVA = 100;
mpc.bus = [1 {first} 0 0 0 0 1 1 5 110 1 1.1 0.9
           2 {second} 60 20 0 0 1 1 0 110 1 1.1 0.9
           3 {third} 30 10 0 0 1 1 0 110 1 1.1 0.9];
mpc.gen = [{at} 40 0 50 -50 1.02 100 1 90 0; 3 30 0 50 -50 {other} 100 {on} 90 0];
mpc.branch = [1 2 0.01 0.1 0.02 90 0 0 0 0 1; 2 3 0.01 0.1 0.02 90 0 0 0 0 1];
"""
USUAL = {"first": 3, "second": 1, "third": 2, "at": 1, "other": 1.01, "on": 1}


def matpower(folder: Path, **changed: object) -> Path:
    path = folder / "three.m"
    path.write_text(MPC.format(**{**USUAL, **changed}))
    return path


REFERENCES: dict[str, tuple[dict[str, object], int, str]] = {
    "as it is": ({}, 1, ""),
    "moved": (
        {"at": 2, "second": 2},
        2,
        "reference bus 1 has no generator in service: bus 2, the first of type 2, is it, as in "
        "MATPOWER",
    ),
    "none": (
        {"first": 2},
        1,
        "no bus is of type 3 (reference): bus 1, the first of type 2, is it, as in MATPOWER",
    ),
    "one of two": (
        {"second": 3},
        1,
        "reference bus 2 has no generator in service and is a load bus, as in MATPOWER",
    ),
}  # the reference that MATPOWER's bustypes chooses


@pytest.mark.parametrize("what", REFERENCES)
def test_the_reference_is_the_one_that_matpower_chooses(what: str, tmp_path: Path) -> None:
    changed, bus, note = REFERENCES[what]
    read = read_power_net(matpower(tmp_path, **changed))
    assert read.net.ext_grid["bus"].tolist() == [bus]
    assert [one for one in read.notes if "reference" in one] == ([note] if note else [])
    found, _ = voltages(read.net)
    assert np.isfinite(found).all()
    assert found[bus - 1] == pytest.approx(1.02, abs=1e-12)


def test_a_case_without_any_reference_is_solved_with_the_bus_that_is_named(tmp_path: Path) -> None:
    path = matpower(tmp_path, at=2, on=0)
    with pytest.raises(InputError) as caught:
        read_power_net(path)
    assert caught.value.faults == (
        "reference bus 1 has no generator in service, and no bus of type 2 has one; expected a "
        "generator in service at either, or --slack BUS",
    )
    read = read_power_net(path, slack="1")
    assert "bus 1 is the reference, as --slack asks, held at 1 p.u." in read.notes
    assert voltages(read.net)[0][0] == pytest.approx(1.0, abs=1e-12)
    for slack, fault in (
        ("9", "--slack is '9', and there is no bus of that name or index"),
        ("1", "--slack is '1', and the file has a reference of its own"),
    ):
        source = path if slack == "9" else matpower(tmp_path)
        with pytest.raises(InputError) as caught:
            read_power_net(source, slack=slack)
        assert caught.value.faults == (fault,)


def test_generators_that_differ_at_a_bus_are_noted(tmp_path: Path) -> None:
    read = read_power_net(matpower(tmp_path, at=3, third=3, other=1.0))
    assert (
        "gen row 2 holds bus 3 at 1 p.u., and row 1 1.02 p.u.; as in MATPOWER the last row counts"
        in read.notes
    )


NEW_PROFILES = {
    "EQ": "CoreEquipment-EU",
    "SSH": "SteadyStateHypothesis-EU",
    "TP": "Topology-EU",
    "SV": "StateVariables-EU",
}
CIM16, CIM100 = "http://iec.ch/TC57/2013/CIM-schema-cim16#", "http://iec.ch/TC57/CIM100#"


def cim(folder: Path, version: str, without: str = "", cut: str = "") -> Path:
    """The tiny grid in a version of CGMES, without a profile or what the pattern `cut` matches."""
    write_tiny_cim(folder)
    for path in folder.iterdir():
        profile = path.stem.split("_")[1]
        text = path.read_text()
        if version == "3.0":
            old = f"http://entsoe.eu/CIM/{PROFILES[profile]}"
            new = f"http://iec.ch/TC57/ns/CIM/{NEW_PROFILES[profile]}/3.0"
            text = text.replace(CIM16, CIM100).replace(old, new)
        path.write_text(re.sub(cut, "", text) if cut else text)
        if profile == without:
            path.unlink()
    return folder


NODE_VOLTAGE = '<cim:TopologicalNode.BaseVoltage rdf:resource="#_kv20"/>'
BASE_VOLTAGE = '<cim:BaseVoltage rdf:ID="_kv20">.*?</cim:BaseVoltage>'
NODE = '<cim:TopologicalNode rdf:ID="_n2">.*?</cim:TopologicalNode>'


@pytest.mark.parametrize("version", ["2.4.15", "3.0"])
@pytest.mark.parametrize("cut", ["", NODE_VOLTAGE])
def test_cgmes_has_the_same_voltages_in_both_versions(
    version: str, cut: str, tmp_path: Path
) -> None:
    read = read_power_net(cim(tmp_path / "tiny", version, cut=cut))
    assert read.net.bus["vn_kv"].tolist() == [20.0, 20.0]
    note = "base voltage taken from the equipment there: n1, n2"
    assert (note in read.notes) == bool(cut)
    assert any(one.startswith("inService has no value") for one in read.notes) == (version > "3")
    assert read.notes[0] == f"CIM CGMES {version}, converted by pandapower"
    found, _ = voltages(read.net)
    np.testing.assert_allclose(found, [1.02, 1.0013302943631828], atol=1e-9)


LOST: dict[str, tuple[dict[str, str], str]] = {
    "state": ({"without": "SSH"}, "profile SSH (steady state hypothesis) is missing; expected the"),
    "equipment": ({"without": "EQ"}, "profile EQ (equipment) is missing; expected the profiles EQ"),
    "topology": ({"without": "TP"}, "profile TP (topology) is missing; expected the profiles EQ"),
    "base voltage": (
        {"cut": BASE_VOLTAGE},
        "base voltages _kv20 are defined in no file: the boundary files (EQBD) of the model are",
    ),
    "node": (
        {"cut": NODE},
        "nodes _n2 are defined in no file: the boundary files (EQBD) of the model are missing",
    ),
    "reference": (
        {"cut": "<cim:ExternalNetworkInjection .*?</cim:ExternalNetworkInjection>"},
        "no ext_grid is in service and no gen with slack, expected at least one; --slack BUS makes",
    ),
}


@pytest.mark.parametrize("what", LOST)
def test_what_a_cgmes_model_lacks_is_named(what: str, tmp_path: Path) -> None:
    changed, fault = LOST[what]
    with pytest.raises(InputError) as caught:
        read_power_net(cim(tmp_path / "tiny", "3.0", **changed))
    assert caught.value.faults[0].startswith(fault)
    assert len(caught.value.faults) == 1
