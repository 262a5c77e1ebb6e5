"""Networks from pandapipes and from tables: what is read equals what was written."""

import contextlib
import copy
import functools
import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_network import FILES, write_small

from tvilling.datasets.readers.heat.geometry import in_degrees, route_length_m
from tvilling.datasets.readers.heat.network import read_network
from tvilling.datasets.readers.heat.pandapipes import read_pandapipes
from tvilling.datasets.readers.heat.tables import read_heat_tables, write_heat_tables
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_network.tables import COLUMNS, HeatNetworkTables

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pandapipes
    from pandapipes.networks import schutterwald_heat


@pytest.fixture(scope="module")
def town() -> HeatNetworkTables:
    return read_network("pandapipes:schutterwald_heat")


def plant(**source: float) -> Any:
    """A net of two supply and two return junctions, a source, and no consumer yet."""
    net = pandapipes.create_empty_network("small", fluid="water")
    for name in ("s0", "s1", "r0", "r1"):
        pandapipes.create_junction(net, pn_bar=5, tfluid_k=350, height_m=3, name=name)
    for start, end in ((0, 1), (3, 2)):
        pandapipes.create_pipe_from_parameters(
            net, start, end, length_km=0.1, inner_diameter_mm=100, k_mm=0.1, u_w_per_m2k=0.9,
            outer_diameter_mm=114.3, loss_coefficient=1.5, text_k=281.15,
        )  # fmt: skip
    pandapipes.create_circ_pump_const_pressure(
        net, 2, 0, p_flow_bar=6, plift_bar=2, t_flow_k=353.15, **source
    )
    return net


@functools.cache
def complete_plant() -> Any:
    net = plant()
    consumer(net, qext_w=1e4, treturn_k=313.15)
    pandapipes.create_valve(net, 0, 0, et="pi", inner_diameter_mm=100, opened=True)
    return net


def consumer(net: Any, **setting: float) -> None:
    pandapipes.create_heat_consumer(net, 1, 3, **setting)


def test_the_town_has_what_its_description_says(town: HeatNetworkTables) -> None:
    assert (len(town.junctions), len(town.pipes), len(town.consumers)) == (488, 482, 44)
    assert town.pipes["length_m"].sum() == pytest.approx(5252.2)
    assert town.sources.iloc[0][["supply_degc", "supply_bar", "lift_bar"]].tolist() == [70, 9, 5]
    np.testing.assert_allclose(town.pipes["loss_w_per_mk"], np.pi * 0.8)
    assert (town.pipes["length_m"] == 0).sum() == 68
    assert any("substation" in note for note in town.notes)


def test_the_town_lies_where_it_lies(town: HeatNetworkTables) -> None:
    """Schutterwald is at 7.88 E, 48.46 N; the file holds latitude first."""
    assert town.junctions[["x", "y"]].mean().tolist() == pytest.approx([7.88, 48.46], abs=0.02)
    assert town.junctions[["x", "y"]].notna().all().all()
    assert any("latitude before longitude" in note for note in town.notes)
    lines = [route_length_m(line, degrees=True) for line in town.routes.values()]
    lengths = town.pipes.set_index("name")["length_m"][list(town.routes)]
    assert np.sum(lines) == pytest.approx(lengths.sum(), rel=0.003)


def test_order_of_coordinates_can_be_said(town: HeatNetworkTables) -> None:
    net = schutterwald_heat()
    kept = read_pandapipes(net, swap_xy=False)
    np.testing.assert_allclose(kept.junctions[["y", "x"]], town.junctions[["x", "y"]])
    assert not any("latitude" in note for note in kept.notes)


def test_names_are_unique_and_kept(town: HeatNetworkTables) -> None:
    net = schutterwald_heat()
    assert town.junctions["name"].tolist() == net.junction["name"].tolist()
    assert town.pipes["name"].is_unique
    assert net.pipe["name"].duplicated().sum() == 370
    own = town.pipes["name"].str.replace(r"_\d+$", "", regex=True)
    assert (own == net.pipe["name"].str.replace(r"_\d+$", "", regex=True).to_numpy()).all()


def test_pipe_loss_refers_to_the_outer_diameter() -> None:
    net = plant()
    consumer(net, qext_w=1e4, treturn_k=313.15)
    pipe = read_pandapipes(net).pipes.iloc[0]
    assert pipe["loss_w_per_mk"] == pytest.approx(0.9 * np.pi * 0.1143)
    assert pipe[
        ["length_m", "inner_diameter_m", "roughness_m", "zeta", "ground_degc"]
    ].tolist() == (pytest.approx([100, 0.1, 1e-4, 1.5, 8]))


@pytest.mark.parametrize(
    ("setting", "read"),
    [
        ({"qext_w": 1e4, "treturn_k": 313.15}, {"heat_w": 1e4, "return_degc": 40}),
        ({"qext_w": 1e4, "deltat_k": 30}, {"heat_w": 1e4, "cooling_k": 30}),
        ({"qext_w": 1e4, "controlled_mdot_kg_per_s": 0.1}, {"heat_w": 1e4, "flow_kg_per_s": 0.1}),
        (
            {"controlled_mdot_kg_per_s": 0.1, "treturn_k": 313.15},
            {"flow_kg_per_s": 0.1, "return_degc": 40},
        ),
        (
            {"controlled_mdot_kg_per_s": 0.1, "deltat_k": 30},
            {"flow_kg_per_s": 0.1, "cooling_k": 30},
        ),
    ],
)  # fmt: skip
def test_all_modes_of_a_consumer(setting: dict[str, float], read: dict[str, float]) -> None:
    net = plant()
    consumer(net, **setting)
    row = read_pandapipes(net).consumers.iloc[0]
    found = row[["heat_w", "return_degc", "cooling_k", "flow_kg_per_s"]].dropna()
    assert found.to_dict() == pytest.approx(read)


def test_pump_lift_is_the_curve_of_its_type() -> None:
    net = plant()
    consumer(net, qext_w=1e4, treturn_k=313.15)
    pandapipes.create_junction(net, pn_bar=5, tfluid_k=350, name="s2")
    pandapipes.create_pump(net, 1, 4, std_type="P1")
    row = read_pandapipes(net).pumps.iloc[0]
    flow = np.array([0.0, 5.0, 20.0, 60.0])  # m3/h
    lift = (
        row["lift0_bar"] + row["lift1_bar_h_per_m3"] * flow + row["lift2_bar_h2_per_m6"] * flow**2
    )
    expected = net.std_types["pump"]["P1"].get_pressure(flow / 3600)
    np.testing.assert_allclose(lift, expected, rtol=1e-12)


def test_circulation_pump_of_given_flow_and_flow_control() -> None:
    net = plant(in_service=False)
    pandapipes.create_circ_pump_const_mass_flow(
        net, 2, 0, p_flow_bar=6, mdot_flow_kg_per_s=0.8, t_flow_k=350
    )
    pandapipes.create_flow_control(net, 1, 3, controlled_mdot_kg_per_s=0.8, name="bypass")
    tables = read_pandapipes(net)
    assert tables.sources["flow_kg_per_s"].tolist() == [0.8]
    assert tables.sources["lift_bar"].isna().all()
    assert tables.consumers[["name", "heat_w", "flow_kg_per_s"]].values.tolist() == [
        ["bypass", 0, 0.8]
    ]
    assert any("circ_pump_pressure out of service is left out: S0" in n for n in tables.notes)
    assert any("consumer without heat: bypass" in note for note in tables.notes)


def test_valve_at_a_pipe_stands_between_junction_and_pipe() -> None:
    net = plant()
    consumer(net, qext_w=1e4, treturn_k=313.15)
    pandapipes.create_valve(net, 0, 0, et="pi", inner_diameter_mm=100, opened=True, name="V")
    tables = read_pandapipes(net)
    valve, pipe = tables.valves.iloc[0], tables.pipes.iloc[0]
    assert (valve["from_junction"], valve["to_junction"]) == ("s0", pipe["from_junction"])
    assert pipe["from_junction"] not in ("s0", "s1")
    assert tables.junctions.set_index("name")["elevation_m"][pipe["from_junction"]] == 3


def test_open_network_of_external_grid_sinks_and_sources() -> None:
    tables = read_network("pandapipes:heat_transfer_section_variation")
    assert tables.sources["return_junction"].tolist() == [""]
    assert tables.injections["flow_kg_per_s"].tolist() == [-2, -1, 1]
    assert any("sections" in note for note in tables.notes)


def test_a_source_is_as_warm_as_its_junction() -> None:
    """As the note says; in pandapipes too the next pipe starts as warm as the last one ends."""
    from pandapipes.networks import heat_transfer_one_source

    net = heat_transfer_one_source()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pandapipes.pipeflow(net, mode="sequential", use_numba=False)
    assert net.res_pipe["t_to_k"][0] == pytest.approx(net.res_pipe["t_from_k"][1], abs=1e-9)
    assert net.res_pipe["mdot_from_kg_per_s"].tolist() == pytest.approx([1.0, 2.0])


def test_what_is_not_supported_is_named_all_at_once() -> None:
    net = plant()
    pandapipes.create_compressor(net, 0, 1, pressure_ratio=1.2, name="K")
    pandapipes.create_pressure_control(net, 0, 1, 1, controlled_p_bar=4, name="PC")
    pandapipes.create_mass_storage(net, 1, mdot_kg_per_s=0.1)
    consumer(net, qext_w=1e4, treturn_k=500)
    with pytest.raises(InputError) as caught:
        read_pandapipes(net)
    for fragment in ("compressor K", "press_control PC", "mass_storage", "return_degc is 226.85"):
        assert fragment in str(caught.value)


def test_what_is_not_supported_may_be_out_of_service() -> None:
    net = plant()
    consumer(net, qext_w=1e4, treturn_k=313.15)
    pandapipes.create_compressor(net, 0, 1, pressure_ratio=1.2, name="K", in_service=False)
    assert any("compressor out of service is left out: K" in n for n in read_pandapipes(net).notes)


def test_gas_is_refused() -> None:
    from pandapipes.networks import gas_one_pipe1

    with pytest.raises(InputError, match="is a gas, expected water"):
        read_pandapipes(gas_one_pipe1())


def test_junction_out_of_service_takes_its_elements_with_it() -> None:
    net = plant()
    consumer(net, qext_w=1e4, treturn_k=313.15)
    pandapipes.create_junction(net, pn_bar=5, tfluid_k=350, name="dead", in_service=False)
    pandapipes.create_pipe_from_parameters(net, 1, 4, length_km=1, inner_diameter_mm=50, k_mm=0.1)
    tables = read_pandapipes(net)
    assert len(tables.pipes) == 2
    assert {"junction out of service is left out: dead", "pipe out of service is left out: P2"} <= {
        *tables.notes
    }


def test_pipe_without_ambient_temperature_is_told() -> None:
    net = plant()
    consumer(net, qext_w=1e4, treturn_k=313.15)
    net.pipe["text_k"] = np.nan
    tables = read_pandapipes(net)
    assert tables.pipes["ground_degc"].isna().all()
    assert any("2 pipes have no text_k" in note for note in tables.notes)


def test_json_file_equals_the_net(tmp_path: Path, town: HeatNetworkTables) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pandapipes.to_json(schutterwald_heat(), str(tmp_path / "town.json"))
    again = read_network(tmp_path / "town.json")
    assert_same(again, town)
    assert again.notes == town.notes


HOSTILE = [
    {"_module": "os", "_class": "system", "_object": "touch {}"},
    {"_module": "pandas", "_class": "read_pickle", "_object": "{}"},
    {"_module": "builtins", "_class": "eval", "_object": "open('{}', 'w')"},
    {"_module": "pandapipes.io.file_io", "_class": "from_pickle", "_object": "{}"},
    {"_module": "subprocess", "_class": "function", "_object": "run"},
]


@pytest.mark.parametrize("planted", HOSTILE, ids=lambda item: f"{item['_module']}.{item['_class']}")
def test_a_file_cannot_call_anything(planted: dict[str, str], tmp_path: Path) -> None:
    """A class outside a network's own is refused also in a cell of a table, before decoding."""
    net = plant()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = pandapipes.to_json(net)
    target = tmp_path / "made_by_the_file"
    cell = {key: value.replace("{}", str(target)) for key, value in planted.items()}
    content = json.loads(text)
    table = json.loads(content["_object"]["junction"]["_object"])
    table["data"][0][table["columns"].index("name")] = cell
    content["_object"]["junction"]["_object"] = json.dumps(table)
    (tmp_path / "net.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=f"names {cell['_module']}.{cell['_class']}"):
        read_network(tmp_path / "net.json")
    assert not target.exists()


@settings(max_examples=40)
@given(
    table=st.sampled_from(["junction", "pipe", "heat_consumer", "circ_pump_pressure", "valve"]),
    column=st.integers(0, 30),
    value=st.sampled_from([None, "x", np.nan, -1, 1e12, np.inf, (), True, 2.5, 99]),
)
def test_any_cell_of_a_net_is_read_or_refused(table: str, column: int, value: object) -> None:
    net = copy.deepcopy(complete_plant())
    name = net[table].columns[column % len(net[table].columns)]
    net[table][name] = net[table][name].astype(object)
    net[table].at[0, name] = value
    with contextlib.suppress(InputError):
        assert isinstance(read_pandapipes(net), HeatNetworkTables)


def test_missing_columns_of_a_net_are_named() -> None:
    net = plant()
    consumer(net, qext_w=1e4, treturn_k=313.15)
    del net.pipe["k_mm"], net.pipe["length_km"]
    with pytest.raises(InputError, match="table pipe: columns length_km, k_mm are missing"):
        read_pandapipes(net)


def assert_same(left: HeatNetworkTables, right: HeatNetworkTables) -> None:
    for kind in COLUMNS:
        pd.testing.assert_frame_equal(
            getattr(left, kind).reset_index(drop=True),
            getattr(right, kind).reset_index(drop=True),
            check_dtype=False,
            rtol=1e-12,
        )
    assert left.routes.keys() == right.routes.keys()
    for name, line in left.routes.items():
        assert np.asarray(line) == pytest.approx(np.asarray(right.routes[name]), abs=1e-12)


def test_tables_written_and_read_are_the_same(tmp_path: Path, town: HeatNetworkTables) -> None:
    written = write_heat_tables(town, tmp_path / "town")
    assert {path.name for path in written} == {path.name for path in (tmp_path / "town").iterdir()}
    assert_same(read_network(tmp_path / "town"), town)
    with pytest.raises(InputError, match="is not empty"):
        write_heat_tables(town, tmp_path / "town")


def test_every_kind_of_element_survives_a_round_trip(tmp_path: Path) -> None:
    more = {
        "valves": "name,from_junction,to_junction,inner_diameter_m,is_open\nV,J1,J2,0.1,false\n",
        "pumps": "name,from_junction,to_junction,lift0_bar,lift2_bar_h2_per_m6\nB,J0,J1,2,-1e-4\n",
        "exchangers": "name,from_junction,to_junction,inner_diameter_m,heat_w\nX,R1,R0,0.1,-500\n",
        "injections": "name,junction,flow_kg_per_s\nleak,J2,-0.01\n",
    }
    first = read_heat_tables(write_small(tmp_path / "first", **more))
    placed = replace(first, junctions=first.junctions.assign(x=575e3, y=np.arange(6.0)))
    write_heat_tables(placed, tmp_path / "second")
    assert not (tmp_path / "second" / "network.geojson").exists()
    assert_same(read_heat_tables(tmp_path / "second"), placed)


def excel(text: str) -> bytes:
    """As a Danish spreadsheet saves it: semicolons, decimal commas, byte order mark, CRLF."""
    danish = text.replace(",", ";").replace(".", ",").replace("\n", "\r\n")
    return danish.encode("utf-8-sig")


def test_danish_spreadsheet_is_read(tmp_path: Path) -> None:
    files = {name.removesuffix(".csv"): excel(text) for name, text in FILES.items()}
    danish = read_heat_tables(write_small(tmp_path / "danish", **files))
    assert_same(danish, read_heat_tables(write_small(tmp_path / "plain")))


def test_blank_lines_and_letters_outside_ascii_are_read(tmp_path: Path) -> None:
    files = {
        name.removesuffix(".csv"): text.replace("J1", "Ærø 1").replace("\n", "\n\n")
        for name, text in FILES.items()
    }
    assert "Ærø 1" in read_heat_tables(write_small(tmp_path, **files)).junctions["name"].tolist()


def test_line_numbers_count_blank_lines(tmp_path: Path) -> None:
    text = FILES["pipes.csv"].replace("P2,J1,J2,80", "\n\nP2,J1,J2,-80")
    with pytest.raises(InputError, match=r"pipes.csv, row 5 \(P2\)"):
        read_heat_tables(write_small(tmp_path, pipes=text))


def line(name: str, *points: tuple[float, float]) -> dict[str, Any]:
    geometry = {"type": "LineString", "coordinates": points}
    return {"type": "Feature", "properties": {"name": name}, "geometry": geometry}


NORTH, EAST = 100 / 111_195, 100 / (111_195 * np.cos(np.radians(55)))  # degrees of 100 m at 55 N


@pytest.mark.parametrize("turned", [False, True])
def test_geometry_in_either_order_of_coordinates(turned: bool, tmp_path: Path) -> None:
    routes = {
        "P1": [(9.0, 55.0), (9.0 + EAST, 55.0)],  # 100 m
        "P2": [(9.0 + EAST, 55.0), (9.0 + EAST, 55.0 + 0.8 * NORTH)],  # 80 m
        "Q1": [(9.0 + EAST, 55.0), (9.0, 55.0)],
    }
    order = slice(None, None, -1 if turned else 1)
    features = [line(name, *(point[order] for point in points)) for name, points in routes.items()]
    folder = write_small(tmp_path)
    (folder / "network.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": features})
    )
    tables = read_heat_tables(folder)
    assert tables.routes == routes
    assert any("latitude before longitude" in note for note in tables.notes) == turned


def test_length_in_the_wrong_unit_is_told(tmp_path: Path) -> None:
    folder = write_small(tmp_path, pipes=FILES["pipes.csv"].replace("P1,J0,J1,100", "P1,J0,J1,0.1"))
    content = {"features": [line("P1", (9.0, 55.0), (9.0 + EAST, 55.0))]}
    (folder / "network.geojson").write_text(json.dumps(content))
    (note,) = read_heat_tables(folder).notes
    assert "P1 (0.1 m, its line 100 m)" in note


def test_unknown_name_of_a_shipped_network_lists_the_known() -> None:
    with pytest.raises(InputError, match=r"pandapipes has no oslo; known are .*schutterwald_heat"):
        read_network("pandapipes:oslo")


def test_metres_are_not_degrees() -> None:
    assert in_degrees(np.array([[7.9, 48.5], [7.8, 48.4]]))
    assert not in_degrees(np.array([[3416947.6, 5369956.6]]))
    assert not in_degrees(np.array([[120.0, 130.0]]))
