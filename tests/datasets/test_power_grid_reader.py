"""Power grids from pandapower, SimBench, MATPOWER and CIM: read as they are, mended, or refused."""

import json
import shutil
import warnings
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_power_net import small, written
from tiny_cim import write_tiny_cim

from tvilling.datasets.readers.power_grid import shipped as power_grid_shipped
from tvilling.datasets.readers.power_grid.reader import PowerNet, read_power_net, shipped_networks
from tvilling.datasets.readers.power_grid.repairs import taps_left_out, type_taps
from tvilling.datasets.readers.power_grid.simbench import read_quickly
from tvilling.sciml.core.errors import InputError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pandapower
    import pandapower.networks
    from pandapower.toolbox import nets_equal


def solved(net: Any, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas, about how pandapower uses it
        pandapower.runpp(net, tolerance_mva=1e-10, numba=False, **options)
    return net


def test_all_that_ships_is_listed() -> None:
    """Counted by hand in pandapower's modules, one for each set of options."""
    names = [source.removeprefix("pandapower:") for source in shipped_networks()]
    assert len(set(names)) == len(names) == 105
    assert sum(name.startswith("kb_extrem") for name in names) == 10
    assert sum(name.startswith("create_kerber") for name in names) == 7
    assert sum(name.startswith("create_dickert") for name in names) == 18
    assert sum(name.startswith("create_cigre") for name in names) == 5
    assert sum(name.startswith("create_synthetic") for name in names) == 5
    assert sum(name.startswith("lv_schutterwald") for name in names) == 16
    assert sum(name.startswith("mv_oberrhein") for name in names) == 5
    assert sum(name.startswith("ieee_european") for name in names) == 3
    assert {"case4gs", "case9241pegase", "GBnetwork", "GBreducednetwork", "iceland"} < set(names)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("case9", lambda networks: networks.case9()),
        (
            "create_cigre_network_mv?with_der=all",
            lambda networks: networks.create_cigre_network_mv(with_der="all"),
        ),
        (
            "create_dickert_lv_network?feeders_range=middle,linetype=C&OHL,customer=multiple,case=good",
            lambda networks: networks.create_dickert_lv_network(
                "middle", "C&OHL", "multiple", "good"
            ),
        ),
    ],
)
def test_a_shipped_network_is_what_pandapower_makes(
    name: str, make: Callable[[Any], Any], capfd: pytest.CaptureFixture[str]
) -> None:
    read = read_power_net(f"pandapower:{name}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert nets_equal(read.net, make(pandapower.networks))
    assert read.source == f"pandapower:{name}"
    assert read.notes == ()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("oslo", "pandapower has no network 'oslo'; known are GBnetwork, GBreducednetwork"),
        ("case9?speed=2", "option 'speed=2' is not known; known are none"),
        ("mv_oberrhein?scenario=load,scenario=load,x", "option scenario stands twice"),
        ("mv_oberrhein?scenario=storm", "pandapower cannot make it (Unknown scenario storm"),
    ],
)
def test_wrong_names_and_options_are_told(name: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        read_power_net(f"pandapower:{name}")
    assert expected in str(caught.value)


def test_one_of_several_networks_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Like mv_oberrhein, which takes longer: one net, or its two halves."""

    def halves(separation_by_sub: bool = False) -> Any:
        second = small()
        second.name = "second half"
        return (small(), second) if separation_by_sub else small()

    monkeypatch.setattr(power_grid_shipped, "_functions", lambda: {"halves": halves})
    chosen = read_power_net("pandapower:halves?separation_by_sub=True,part=1")
    assert chosen.net.name == "second half"
    for options, expected in {
        "separation_by_sub=True": "these are 2 networks; choose by part=0 to 1",
        "separation_by_sub=True,part=2": "choose by part=0 to 1",
        "part=0": "it is one network, expected no option part",
    }.items():
        with pytest.raises(InputError, match=expected):
            read_power_net(f"pandapower:halves?{options}")


def test_a_json_file_equals_its_net(tmp_path: Path) -> None:
    net = small()
    read = read_power_net(written(net, tmp_path / "grid.json"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert nets_equal(read.net, net)
    assert read == PowerNet(read.net, str(tmp_path / "grid.json"), ())


def test_an_older_file_is_converted_with_a_note(tmp_path: Path) -> None:
    """Before version 3 a tap had a flag tap_phase_shifter; without a type it would be left out."""
    net = small()
    expected = solved(small()).res_bus["vm_pu"]
    net.trafo = net.trafo.drop(columns="tap_changer_type")
    net.trafo["tap_phase_shifter"] = False
    net.format_version = net.version = "2.14.0"
    read = read_power_net(written(net, tmp_path / "old.json"))
    assert [note[:31] for note in read.notes] == ["the file has format 2.14.0; pan"]
    np.testing.assert_allclose(solved(read.net).res_bus["vm_pu"], expected, rtol=1e-12)


def changed(path: Path, old: str, new: str) -> Path:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


FOREIGN = '{"_module": "os", "_class": "system", "_object": "touch PLACE"}'


def test_a_file_that_names_other_classes_is_refused(tmp_path: Path) -> None:
    """Also a class under a key that is given twice, or in text that only pandas takes for JSON."""
    place = tmp_path / "touched"
    command = FOREIGN.replace("PLACE", str(place))
    frame = '"name": {"_module": "pandas.core.frame", "_class": "DataFrame", "_object": %s}'
    lenient = '{"columns": ["a\tb"], "index": [0], "data": [[' + command + "]]}"
    for hidden, expected in {
        f'"name": {command}': "names os.system, which is no part of a network",
        f'"name": {command}, "name": ""': "key 'name' is given twice in one object",
        frame % json.dumps(lenient): "holds an object in text that is not JSON",
        frame % json.dumps(f"{tmp_path}/other.json"): "name is a table, expected text",
    }.items():
        path = changed(written(small(), tmp_path / "grid.json"), '"name": ""', hidden)
        with pytest.raises(InputError, match=expected):
            read_power_net(path)
    assert not place.exists()


def test_other_files_are_refused_in_a_sentence(tmp_path: Path) -> None:
    files = {
        "grid.p": (b"cos\nsystem\n(S'x'\ntR.", "is a pickle, which could run any program"),
        "grid.xlsx": (b"PK", "ends in .xlsx; expected a pandapower .json, a MATPOWER .m or .mat"),
        "text.json": (b"buses", "is not JSON: line 1, column 1: Expecting value"),
        "list.json": (b"[1]", "is not a pandapower network; its outermost object is list"),
        "pipes.json": (b'{"_class": "pandapipesNet"}', "is a pandapipes network of pipes"),
        "other.json": (b'{"nodes": 3}', "an object without a class and without buses"),
        "half.json": (
            b'{"_module": "pandapower.auxiliary", "_class": "pandapowerNet", "_object": 3}',
            "it is damaged and holds no tables",
        ),
        "case.m": (b"x = 3", "does not start with `function mpc = NAME`"),
        "case.mat": (b"MATLAB", "cannot be read"),
        "grid.zip": (b"PK", "is no ZIP archive"),
        "grid.xml": (b"<a/>", "holds no CIM of CGMES 2.4.15 or 3.0"),
        "entity.xml": (b'<!DOCTYPE a [<!ENTITY b "c">]><a/>', "entity.xml declares entities"),
    }
    for name, (content, expected) in files.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError) as caught:
            read_power_net(tmp_path / name)
        assert len(caught.value.faults) == 1
        assert expected in caught.value.faults[0]
    for source, expected in {
        "": "no file is named",
        "nowhere.json": "no such file; expected",
        "simbench:somewhere": "is not a SimBench code, expected a code such as 1-MV-urban--0-sw",
        "1-MV-mountain--0-sw": "SimBench has no grid 1-MV-mountain--0-sw",
        "1-MV-urban--0-swx": "no such file",
        "1-MV-urban-all-1-sw": "SimBench has no grid 1-MV-urban-all-1-sw; known of its kind: 1-MV-",
        "1-MV-urban-...-0-sw": "SimBench has no grid 1-MV-urban-...-0-sw",
        "1-MV-urban-٣-0-sw": "SimBench has no grid 1-MV-urban-٣-0-sw",
    }.items():
        with pytest.raises(InputError, match=expected):
            read_power_net(source)


def test_a_tap_without_a_type_is_told_and_left_out(tmp_path: Path) -> None:
    net = small()
    net.trafo["tap_changer_type"] = None
    (note,) = read_power_net(written(net, tmp_path / "grid.json")).notes
    assert note.endswith("so pandapower leaves the tap out (set it to Ratio, Symmetrical or "
                         "Ideal): trafo 0 (T1)")  # fmt: skip
    assert taps_left_out(net) == [note]
    net.trafo["tap_pos"] = net.trafo["tap_neutral"]
    assert taps_left_out(net) == []


@pytest.mark.parametrize(
    ("percent", "degree", "kind", "ratio", "shift_degree"),
    [
        (1.5, 0.0, "Ratio", 1 / 1.045, 0.0),
        (1.5, np.nan, "Ratio", 1 / 1.045, 0.0),
        (0.0, 2.0, "Ideal", 1.0, -6.0),
        (1.5, 90.0, "Symmetrical", 1 / np.hypot(1, 0.045), -np.degrees(np.arctan(0.045))),
    ],
)
def test_taps_get_the_type_that_applies_them(
    percent: float, degree: float, kind: str, ratio: float, shift_degree: float
) -> None:
    """Closed form of an idle transformer three steps up on its high side: V/(1 + 3 step).

    A step at 90 degrees adds to the voltage at a right angle, a step in degrees turns it.
    """
    net = pandapower.create_empty_network()
    for kv in (110.0, 20.0):
        pandapower.create_bus(net, kv)
    pandapower.create_ext_grid(net, 0)
    pandapower.create_transformer_from_parameters(
        net, 0, 1, 25.0, 110.0, 20.0, vkr_percent=0.4, vk_percent=12.0, pfe_kw=0.0, i0_percent=0.0,
        tap_side="hv", tap_neutral=0, tap_pos=3, tap_step_percent=percent, tap_step_degree=degree,
        name="T1",
    )  # fmt: skip
    assert solved(net).res_bus["vm_pu"][1] == pytest.approx(1.0)
    (note,) = type_taps(net)
    assert note == f"tap_changer_type had no value and became {kind}: trafo 0 (T1)"
    idle = solved(net, calculate_voltage_angles=True).res_bus
    assert idle["vm_pu"][1] == pytest.approx(ratio, abs=1e-9)
    assert idle["va_degree"][1] == pytest.approx(shift_degree, abs=1e-9)
    assert type_taps(net) == []


def test_taps_of_three_windings_get_their_type_too() -> None:
    net = pandapower.create_empty_network()
    for kv in (110.0, 20.0, 10.0):
        pandapower.create_bus(net, kv)
    pandapower.create_ext_grid(net, 0)
    pandapower.create_transformer3w(net, 0, 1, 2, "63/25/38 MVA 110/20/10 kV", tap_pos=2)
    net.trafo3w["tap_changer_type"] = None
    (note,) = type_taps(net)
    assert note == "tap_changer_type had no value and became Ratio: trafo3w 0"
    idle = solved(net).res_bus["vm_pu"]
    step = net.trafo3w["tap_step_percent"][0] / 100
    np.testing.assert_allclose(idle[1:], 1 / (1 + 2 * step), rtol=2e-3)  # it magnetises


@pytest.fixture(scope="module")
def urban() -> PowerNet:
    return read_power_net("simbench:1-MV-urban--0-sw")


def test_simbench_comes_mended(urban: PowerNet) -> None:
    """Its two transformers stand one step of 1.5 % down: without load the grid is that much up."""
    shares, taps, measured = urban.notes
    assert measured == "no part of a power flow: 44 of measurement"
    assert shares.endswith("became 0 % (constant power): all 139 rows of load")
    assert taps == (
        "tap_changer_type had no value and became Ratio: "
        "trafo 0 (HV1-MV3.101-Trafo1), trafo 1 (HV1-MV3.101-Trafo2)"
    )
    net = deepcopy(urban.net)
    net.load["scaling"] = net.sgen["scaling"] = 0.0
    busbar = solved(net).res_bus["vm_pu"][net.trafo["lv_bus"]]
    np.testing.assert_allclose(busbar, 1.025 / (1 - 0.015), rtol=3e-3)  # cables charge
    assert solved(deepcopy(urban.net)).res_bus["vm_pu"].between(0.95, 1.06).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    "code",
    ["1-LV-rural1--1-sw", "1-MV-rural--2-sw", "1-HV-mixed--0-no_sw", "1-EHV-mixed--2-sw",
     "1-HVMV-mixed-1.105-0-sw", "1-MVLV-urban-5.303-1-sw"],
)  # fmt: skip
def test_the_quick_way_gives_what_simbench_gives(code: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import simbench

        expected, found = simbench.get_simbench_net(code), read_quickly(code)
    assert set(expected) == set(found)
    for name, table in expected.items():
        if isinstance(table, pd.DataFrame):
            pd.testing.assert_frame_equal(found[name], table)
    for name, table in expected.profiles.items():
        pd.testing.assert_frame_equal(found.profiles[name], table)


@pytest.mark.parametrize("form", ["zip", "folder", "zip of zips"])
def test_cim_gives_the_grid_that_it_describes(form: str, tmp_path: Path) -> None:
    source = folder = write_tiny_cim(tmp_path / "tiny")
    if form != "folder":
        source = Path(shutil.make_archive(str(tmp_path / "tiny"), "zip", folder))
    if form == "zip of zips":
        (tmp_path / "outer").mkdir()
        source.rename(tmp_path / "outer" / "inner.zip")
        source = Path(shutil.make_archive(str(tmp_path / "outer"), "zip", tmp_path / "outer"))
    read = read_power_net(source)
    assert read.notes == (
        "CIM CGMES 2.4.15, converted by pandapower",
        "max_i_ka is 0 or has no value: no rating, and the loading is not judged: line 0 (cable)",
    )
    assert read.net.load["name"].tolist() == ["mill"]
    end = solved(read.net).res_bus.set_index(read.net.bus["name"]).loc["n2"]
    vm = 20.4 * np.exp(1j * 0)
    volts = complex(vm)
    for _ in range(50):  # fixed point of V = V0 - Z (S/V)* - Z j b/2 V, a cable in pi form
        current = np.conj((3 + 1j) / volts) + 0.5j * 0.0001 * volts
        volts = vm - (2.0 + 1.5j) * current
    assert end["vm_pu"] == pytest.approx(abs(volts) / 20, abs=1e-9)
    assert end["va_degree"] == pytest.approx(np.degrees(np.angle(volts)), abs=1e-7)


def test_cim_without_its_other_profiles_is_refused(tmp_path: Path) -> None:
    folder = write_tiny_cim(tmp_path / "tiny")
    with pytest.raises(InputError, match="expected the profiles EQ, SSH and TP together"):
        read_power_net(folder / "tiny_EQ.xml")
