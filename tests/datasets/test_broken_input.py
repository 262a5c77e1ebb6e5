"""Faulty network files: each gives one message that names every fault, and never another error."""

import contextlib
import json
from pathlib import Path

import pytest
from broken_networks import BROKEN, PIPES
from hypothesis import given, settings
from hypothesis import strategies as st
from small_network import FILES, write_small

from tvilling.datasets.readers.heat.network import read_network
from tvilling.datasets.readers.heat.tables import read_heat_tables
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io import csv_table


@pytest.mark.parametrize("what", BROKEN)
def test_every_fault_of_a_folder_is_named(what: str, tmp_path: Path) -> None:
    changed, expected = BROKEN[what]
    folder = write_small(tmp_path / "net", **changed)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(InputError) as caught:
        read_network(folder)
    for fragment in expected:
        assert fragment in str(caught.value)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("what", sorted(set(BROKEN) - {"faults in every file"}))
def test_a_fault_brings_no_unrelated_ones(what: str, tmp_path: Path) -> None:
    """Reading goes on after a fault, but what follows from it alone is not told as well."""
    changed, expected = BROKEN[what]
    folder = write_small(tmp_path / "net", **changed)
    with pytest.raises(InputError) as caught:
        read_heat_tables(folder)
    assert len(caught.value.faults) <= len(expected) + 1


def test_huge_file_is_refused_by_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_small(tmp_path)
    with (folder / "pipes.csv").open("r+b") as file:
        file.truncate(csv_table.MAX_CSV_BYTES + 1)  # sparse: takes no room on the disk
    with pytest.raises(InputError, match=r"pipes.csv: is 40 MB, expected at most 40 MB"):
        read_heat_tables(folder)


def test_many_faults_in_one_column_are_counted_not_listed(tmp_path: Path) -> None:
    rows = "".join(f"P{at},J0,J1,-1,0.1,0.3\n" for at in range(500))
    with pytest.raises(InputError) as caught:
        read_heat_tables(write_small(tmp_path, pipes=PIPES + rows))
    assert len(caught.value.faults) < 40
    assert "480 more rows with a bad length_m" in str(caught.value)


GEOJSON = {
    "not JSON": ("{", "network.geojson: is not JSON: line 1, column 2"),
    "no features": ("[]", "is not a GeoJSON FeatureCollection"),
    "no name": ([{"geometry": {"type": "Point", "coordinates": [9, 55]}}], "has no property name"),
    "polygon": (
        [{"properties": {"name": "P1"}, "geometry": {"type": "Polygon", "coordinates": []}}],
        "feature 1 (P1): expected a Point or a LineString",
    ),
    "metres": (
        [
            {
                "properties": {"name": "P1"},
                "geometry": {"type": "LineString", "coordinates": [[575000, 6220000], [1, 1]]},
            }
        ],
        "is not longitude, latitude in degrees",
    ),
    "unknown pipe": (
        [
            {
                "properties": {"name": "P99"},
                "geometry": {"type": "LineString", "coordinates": [[9, 55], [9.001, 55]]},
            }
        ],
        "network.geojson: P99 is not in pipes.csv",
    ),
}


@pytest.mark.parametrize("what", GEOJSON)
def test_faults_of_the_geometry_are_named(what: str, tmp_path: Path) -> None:
    content, expected = GEOJSON[what]
    folder = write_small(tmp_path)
    text = content if isinstance(content, str) else json.dumps({"features": content})
    (folder / "network.geojson").write_text(text)
    with pytest.raises(InputError) as caught:
        read_heat_tables(folder)
    assert expected in str(caught.value)


FILES_NOT_NETWORKS = {
    "nowhere.json": (None, "no such file or folder"),
    "network.xlsx": (b"PK", "expected a folder of tables or .json"),
    "text.json": (b"pipes", "is not JSON: line 1, column 1: Expecting value"),
    "empty.json": (b"  ", "is empty"),
    "list.json": (b"[1]", "is not a pandapipes network; its outermost object is list"),
    "power.json": (
        b'{"_module": "pandapower.auxiliary", "_class": "pandapowerNet"}',
        "its outermost object is pandapowerNet",
    ),
    "deep.json": (b"[" * 100_000, "nested too deeply"),
    "latin.json": ('{"name": "Ærø"}'.encode("latin-1"), "is not UTF-8 (line 1)"),
    "half.json": (
        b'{"_module": "pandapipes.pandapipes_net", "_class": "pandapipesNet", "_object": 3}',
        "it is damaged and holds no tables",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES_NOT_NETWORKS)
def test_files_that_are_no_network_are_refused(name: str, tmp_path: Path) -> None:
    content, expected = FILES_NOT_NETWORKS[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_network(tmp_path / name)
    assert expected in str(caught.value)


cells = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True).map(str),
    st.text(max_size=6),
    st.sampled_from(["J0", "R1", "", "1,5", "1e-3", "true", '"', ";"]),
)


@settings(max_examples=40)
@given(
    kind=st.sampled_from(["junctions", "pipes", "consumers", "sources"]),
    row=st.lists(cells, max_size=8),
    separator=st.sampled_from([",", ";"]),
)
def test_any_row_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, kind: str, row: list[str], separator: str
) -> None:
    """Whatever stands in a row, the answer is a network or an InputError, and nothing else."""
    text = FILES[f"{kind}.csv"] + separator.join(row) + "\n"
    folder = write_small(tmp_path_factory.mktemp("net"), **{kind: text})
    with contextlib.suppress(InputError):
        tables = read_heat_tables(folder)
        assert len(getattr(tables, kind)) >= len(FILES[f"{kind}.csv"].splitlines()) - 1


@settings(max_examples=40)
@given(content=st.binary(max_size=200))
def test_any_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = write_small(tmp_path_factory.mktemp("net"), pipes=content)
    with pytest.raises(InputError):
        read_heat_tables(folder)
    path = folder / "network.json"
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_network(path)


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        read_heat_tables(tmp_path / "town")
