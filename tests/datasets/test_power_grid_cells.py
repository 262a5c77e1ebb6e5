"""Grids from pandapower's JSON: the tables that its own decoder gives, and every cell of a type."""

import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from small_power_net import small, written

from tvilling.datasets.readers.json import table as json_table
from tvilling.datasets.readers.pandapower.json_file import load_json
from tvilling.datasets.readers.power_grid.reader import read_power_net, shipped_networks
from tvilling.sciml.core.errors import InputError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pandapower
    import pandapower.networks
    from pandapower.control import ConstControl
    from pandapower.timeseries import DFData

NOT_READ = {"controller", "group", "measurement", "characteristic"}  # nor are results of no element


def assert_like_pandapower(path: Path) -> None:
    """Every table that a power flow needs, and all else, equal to what pandapower decodes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = pandapower.from_json(str(path))
    ours, _ = load_json(path)
    for name, value in theirs.items():
        if name.startswith("_") or name in NOT_READ:
            continue
        if isinstance(value, pd.DataFrame):
            if len(value) or not name.startswith("res_"):
                pd.testing.assert_frame_equal(
                    ours[name], value, check_dtype=False, check_index_type=bool(len(value))
                )
        else:
            assert ours[name] == value, name


FAST = (
    "create_cigre_network_mv?with_der=all", "case4gs", "case30", "case118",
    "create_kerber_dorfnetz", "four_loads_with_branches_out", "simple_mv_open_ring_net", "case33bw",
)  # fmt: skip


@pytest.mark.parametrize("name", FAST)
def test_a_shipped_net_is_read_as_pandapower_reads_it(name: str, tmp_path: Path) -> None:
    net = read_power_net(f"pandapower:{name}").net
    assert_like_pandapower(written(net, tmp_path / "grid.json"))


@pytest.mark.slow
@pytest.mark.parametrize("source", shipped_networks())
def test_every_shipped_net_is_read_as_pandapower_reads_it(source: str, tmp_path: Path) -> None:
    net = read_power_net(source).net
    assert_like_pandapower(written(net, tmp_path / "grid.json"))


def test_a_solved_net_keeps_its_results_and_options(tmp_path: Path) -> None:
    net = small()
    pandapower.set_user_pf_options(net, enforce_q_lims=True, max_iteration=30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pandapower.runpp(net, numba=False)
    path = written(net, tmp_path / "grid.json")
    assert_like_pandapower(path)
    options = read_power_net(path).net.user_pf_options
    assert options["enforce_q_lims"] is True
    assert options["max_iteration"] == 30


def test_controllers_are_named_and_not_made(tmp_path: Path) -> None:
    net = small()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = DFData(pd.DataFrame({"mill": [1.0, 2.0]}))
        ConstControl(net, "load", "p_mw", 0, profile_name="mill", data_source=data)
    read = read_power_net(written(net, tmp_path / "grid.json"))
    assert read.notes == ("1 controllers are not run: ConstControl, DFData",)
    assert read.net.controller.empty


def as_version_1(net: Any) -> dict[str, Any]:
    """A file as version 1.0 to 1.6 wrote it: plain tables by column, names and units of then."""
    old: dict[str, dict[str, str]] = {
        "load": {"p_mw": "p_kw", "q_mvar": "q_kvar"},
        "sgen": {"p_mw": "p_kw", "q_mvar": "q_kvar"},
        "line": {"max_i_ka": "imax_ka"},
        "trafo": {
            "sn_mva": "sn_kva", "vk_percent": "vsc_percent", "vkr_percent": "vscr_percent",
            "tap_pos": "tp_pos", "tap_neutral": "tp_mid", "tap_side": "tp_side",
            "tap_step_percent": "tp_st_percent", "tap_step_degree": "tp_st_degree",
            "tap_min": "tp_min", "tap_max": "tp_max",
        },
    }  # fmt: skip
    file: dict[str, Any] = {"version": 1.4, "name": "old", "f_hz": 50.0, "sn_kva": 1000.0}
    for kind in ("bus", "load", "sgen", "line", "trafo", "switch", "ext_grid"):
        table = net[kind].drop(columns=["tap_changer_type", "geo"], errors="ignore")
        names = old.get(kind, {})
        if kind in ("load", "sgen"):
            sign = -1.0 if kind == "sgen" else 1.0
            table = table.assign(p_mw=sign * 1e3 * table["p_mw"], q_mvar=sign * 1e3 * table.q_mvar)
        if kind == "trafo":
            table = table.assign(sn_mva=1e3 * table["sn_mva"])
        file[kind] = json.loads(table.rename(columns=names).to_json())
    file["gen"] = {"bus": {}, "p_kw": {}, "vm_pu": {}, "in_service": {}}
    return file | {"std_types": {"line": {}, "trafo": {}, "trafo3w": {}}}


def test_plain_tables_of_version_1_are_converted(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text(json.dumps(as_version_1(small())))
    read = read_power_net(tmp_path / "old.json")
    assert any("the file has format 1.4; pandapower converted" in note for note in read.notes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = small()
        for net in (expected, read.net):
            pandapower.runpp(net, tolerance_mva=1e-10, numba=False)
    for column in ("vm_pu", "va_degree"):
        assert read.net.res_bus[column].tolist() == pytest.approx(expected.res_bus[column].tolist())


Change = Callable[[dict[str, Any]], None]


def cell(kind: str, column: str, value: Any, declared: str | None = None) -> Change:
    """Something that writes `value` into the first row of a table of a file."""

    def change(members: dict[str, Any]) -> None:
        content = json.loads(members[kind]["_object"])
        if column not in content["columns"]:
            content["columns"].append(column)
            for row in content["data"]:
                row.append(None)
        content["data"][0][content["columns"].index(column)] = value
        members[kind]["_object"] = json.dumps(content)
        if declared:
            members[kind]["dtype"][column] = declared

    return change


def labels(kind: str, *index: Any) -> Change:
    def change(members: dict[str, Any]) -> None:
        content = json.loads(members[kind]["_object"])
        content["index"] = list(index)
        members[kind]["_object"] = json.dumps(content)

    return change


def member(name: str, value: Any) -> Change:
    def change(members: dict[str, Any]) -> None:
        members[name] = value

    return change


def option(kind: str, name: str, value: Any) -> Change:
    def change(members: dict[str, Any]) -> None:
        members[kind][name] = value

    return change


NUMBERED = "expected a whole number of 0 to 10000000"
FAULTS: dict[str, tuple[Change, str]] = {
    "reference power null": (member("sn_mva", None), "sn_mva is None, expected more than 0 MVA"),
    "reference power 0": (member("sn_mva", 0), "sn_mva is 0, expected more than 0 MVA"),
    "reference power text": (member("sn_mva", "x"), "sn_mva is 'x', expected more than 0 MVA"),
    "reference power huge": (member("sn_mva", 10**400), "sn_mva is inf, expected more than 0 MVA"),
    "frequency": (member("f_hz", -50), "f_hz is -50, expected more than 0 Hz"),
    "name": (member("name", ["a"]), "name is ['a'], expected text"),
    "version": (member("format_version", "x"), "format_version is 'x', expected a version such as"),
    "table a list": (member("load", []), "load: is a list, expected a table"),
    "table null": (member("bus", None), "bus: is null, expected a table"),
    "table a number": (member("bus", 3), "bus: is a number, expected a table"),
    "options": (member("user_pf_options", [1]), "user_pf_options: expected an object of options"),
    "power text": (
        cell("load", "p_mw", "4 MW"),
        "load 0 (mill): p_mw is '4 MW', expected -1e6 to 1e6 MW",
    ),
    "power flag": (cell("load", "p_mw", True), "load 0 (mill): p_mw is True, expected -1e6"),
    "power list": (cell("load", "p_mw", [4.0]), "load 0 (mill): p_mw is [4.0], expected -1e6"),
    "power blank": (cell("load", "p_mw", None), "load 0 (mill): p_mw has no value, expected"),
    "power infinite": (
        cell("load", "p_mw", 10**400),
        "load 0 (mill): p_mw is inf MW, expected -1e6 to 1e6 MW",
    ),
    "power of time": (
        cell("load", "p_mw", 0, "datetime64[ns]"),
        "load: column p_mw is of type 'datetime64[ns]', expected -1e6 to 1e6 MW",
    ),
    "category": (
        cell("line", "length_km", "short", "category"),
        "line 0 (cable): length_km is 'short', expected 1e-6 to 100000 km",
    ),
    "limit text": (
        cell("bus", "max_vm_pu", "high"),
        "bus 0 (high): max_vm_pu is 'high', expected 0 to 1000 p.u.",
    ),
    "bus of text": (cell("load", "bus", "2"), "load 0 (mill): bus is '2', expected a whole number"),
    "bus of a half": (cell("load", "bus", 1.5), "load 0 (mill): bus is 1.5, expected a whole"),
    "bus blank": (cell("load", "bus", None), "load 0 (mill): bus has no value, expected a whole"),
    "bus unknown": (cell("load", "bus", 77), "load 0 (mill): bus is 77, and there is no such bus"),
    "bus negative": (cell("load", "bus", -1), "load 0 (mill): bus is -1, and there is no such bus"),
    "bus beyond": (cell("load", "bus", 2**70), "load 0 (mill): bus is 1.1805916207174113e+21, exp"),
    "flag blank": (
        cell("line", "in_service", None),
        "line 0 (cable): in_service has no value, expected true or false",
    ),
    "flag text": (
        cell("line", "in_service", "true"),
        "line 0 (cable): in_service is 'true', expected true or false",
    ),
    "switch": (cell("switch", "closed", 2), "switch 0 (breaker): closed is 2, expected true or"),
    "name of a list": (cell("load", "name", ["mill"]), "load 0: name is ['mill'], expected text"),
    "half a letter": (cell("load", "name", "\ud800"), "load 0: name is '\\ud800', expected text"),
    "NUL": (cell("load", "name", "mi\0ll"), "load 0: name is 'mi\\x00ll', expected text"),
    "index far": (labels("bus", 0, 1, 3_000_000_000), f"bus: index is 3000000000, {NUMBERED}"),
    "index negative": (labels("bus", 0, 1, -2), f"bus: index is -2, {NUMBERED}"),
    "index text": (labels("bus", 0, 1, "x"), f"bus: index is 'x', {NUMBERED}"),
    "index blank": (labels("bus", 0, 1, None), f"bus: index is None, {NUMBERED}"),
    "index twice": (labels("bus", 0, 1, 1), "bus: index 1 stands more than once"),
    "index short": (labels("bus", 0, 1), "bus: has 3 rows and an index of 2"),
    "layout": (option("bus", "orient", "table"), "bus: its layout is 'table' of an object, expec"),
    "levels": (option("bus", "is_multiindex", True), "bus: rows or columns have names of several"),
    "reader's option": (option("bus", "lines", True), "bus: has the option 'lines', which pandas"),
    "table of nothing": (option("bus", "_object", "null"), "bus: its layout is 'split' of null"),
    "table cut off": (
        option("bus", "_object", '{"columns": ['),
        "bus: is not JSON: line 1, column 14: Expecting value",
    ),
    "table deep": (option("bus", "_object", "[" * 100_000), "bus: is JSON nested too deeply"),
}  # fmt: skip


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(small(), tmp_path_factory.mktemp("small") / "grid.json").read_text()


@pytest.mark.parametrize("what", FAULTS)
def test_a_cell_of_the_wrong_type_is_told(what: str, text: str, tmp_path: Path) -> None:
    change, expected = FAULTS[what]
    content = json.loads(text)
    change(content["_object"])
    (tmp_path / "grid.json").write_text(json.dumps(content))
    with pytest.raises(InputError) as caught:
        read_power_net(tmp_path / "grid.json")
    assert caught.value.faults[0].startswith(expected)
    assert len(caught.value.faults) == 1


def test_faults_of_several_tables_are_told_together(text: str, tmp_path: Path) -> None:
    content = json.loads(text)
    wrong = ("reference power 0", "power text", "flag blank", "index far")
    for what in wrong:
        FAULTS[what][0](content["_object"])
    (tmp_path / "grid.json").write_text(json.dumps(content))
    with pytest.raises(InputError) as caught:
        read_power_net(tmp_path / "grid.json")
    assert len(caught.value.faults) == len(wrong)


NOTED: dict[str, tuple[Change, str]] = {
    "flag": (
        cell("trafo", "tap_dependency_table", None),
        "tap_dependency_table had no value and became false: trafo 0 (T1)",
    ),
    "geometry": (
        cell("bus", "geo", '{"type": "Point", "coordinates": ["a", 2]}'),
        "geo is no point or line in GeoJSON and left out: bus 0 (high)",
    ),
    "results": (
        member("res_bus", 3),
        "table res_bus is not used: res_bus: is a number, expected a table",
    ),
    "other": (member("weather", {"a": 1}), "weather is not used"),
    "numpy": (
        cell("load", "p_mw", {"_module": "numpy", "_class": "float64", "_object": 4.0}),
        "",
    ),
    "numpy 2": (
        cell("load", "in_service", {"_module": "numpy", "_class": "bool", "_object": "true"}),
        "",
    ),
    "layout": (option("bus", "orient", "split"), ""),
}


@pytest.mark.parametrize("what", NOTED)
def test_what_is_not_needed_is_noted(what: str, text: str, tmp_path: Path) -> None:
    change, expected = NOTED[what]
    content = json.loads(text)
    change(content["_object"])
    (tmp_path / "grid.json").write_text(json.dumps(content))
    assert read_power_net(tmp_path / "grid.json").notes == ((expected,) if expected else ())


@pytest.mark.parametrize("orient", ["split", "columns", "index"])
def test_every_layout_of_pandas_gives_the_same(orient: str, text: str, tmp_path: Path) -> None:
    content = json.loads(text)
    for kind in ("bus", "load", "line", "trafo", "ext_grid", "switch", "sgen"):
        table = content["_object"][kind]
        table["_object"] = small()[kind].to_json(orient=orient, double_precision=15)
        table["orient"] = orient
    (tmp_path / "grid.json").write_text(json.dumps(content))
    read = read_power_net(tmp_path / "grid.json").net
    for kind in ("bus", "load", "line", "trafo"):
        pd.testing.assert_frame_equal(read[kind], small()[kind], check_dtype=False)


def test_columns_that_a_power_flow_reads_are_taken_as_pandapower_makes_them(
    text: str, tmp_path: Path
) -> None:
    content = json.loads(text)
    table = json.loads(content["_object"]["line"]["_object"])
    for name in ("df", "parallel", "g_us_per_km"):
        at = table["columns"].index(name)
        table["columns"].pop(at)
        for row in table["data"]:
            row.pop(at)
    content["_object"]["line"]["_object"] = json.dumps(table)
    (tmp_path / "grid.json").write_text(json.dumps(content))
    read = read_power_net(tmp_path / "grid.json")
    assert read.notes == (
        "table line has no columns for what is taken as g_us_per_km (0), df (1), parallel (1)",
    )
    assert read.net.line[["df", "parallel", "g_us_per_km"]].iloc[0].tolist() == [1.0, 1, 0.0]


BOMBS = {
    "brackets": "[" * 3_000_000,
    "lists": "[" + "[]," * 2_000_000 + "[]]",
    "objects": '{"bus": [' + '{"a":1},' * 1_100_000 + "{}]}",
    "digits": '{"bus": ' + "9" * 3_000_000 + "}",
    "quotes": '{"bus": "' + '\\"' * 1_000_000 + '"}',
    "backslashes": '{"bus": "' + "\\\\" * 1_000_000 + '"}',
}


@pytest.mark.parametrize("what", BOMBS)
def test_what_is_built_to_fill_memory_is_refused_soon(what: str, tmp_path: Path) -> None:
    (tmp_path / "grid.json").write_text(BOMBS[what])
    start = time.process_time()
    with pytest.raises(InputError):
        read_power_net(tmp_path / "grid.json")
    assert time.process_time() - start < 5.0


def test_cells_of_all_tables_are_counted(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_table, "MAX_CELLS", 50)
    (tmp_path / "grid.json").write_text(text)
    with pytest.raises(InputError, match="holds tables of more than 50 cells"):
        read_power_net(tmp_path / "grid.json")
