"""What hangs together: parts without a source, closed valves, loops."""

from dataclasses import replace
from pathlib import Path

import networkx
import pytest
from small_network import FILES, write_small

from tvilling.datasets.readers.heat.network import read_network
from tvilling.datasets.readers.heat.tables import read_heat_tables
from tvilling.sciml.systems.heat_network.topology.connectivity import (
    branches,
    connectivity,
    loop_count,
)

VALVES = "name,from_junction,to_junction,inner_diameter_m,is_open\n"


def test_loops_are_those_of_networkx() -> None:
    for name in ("schutterwald_heat", "water_meshed_2valves", "heat_transfer_section_variation"):
        tables = read_network(f"pandapipes:{name}")
        graph = networkx.MultiGraph()
        graph.add_nodes_from(range(len(tables.junctions)))
        graph.add_edges_from(branches(tables)[["start", "end"]].itertuples(index=False))
        expected = graph.number_of_edges() - graph.number_of_nodes()
        expected += networkx.number_connected_components(graph)
        assert loop_count(tables) == expected


def test_small_network_has_one_loop(tmp_path: Path) -> None:
    tables = read_heat_tables(write_small(tmp_path))
    assert loop_count(tables) == 1
    assert connectivity(tables).faults == connectivity(tables).notes == ()


def test_a_closed_valve_cuts_off_with_a_note(tmp_path: Path) -> None:
    pipes = FILES["pipes.csv"].replace("P2,J1,J2,80,0.08,0.25\nP3,J0,J2,150,0.08,0.25\n", "")
    folder = write_small(tmp_path, pipes=pipes, valves=VALVES + "V,J1,J2,0.08,false\n")
    (note,) = read_heat_tables(folder).notes
    assert note == (
        "with the valves as set, consumer B has no path from a source on the supply side"
    )


def test_an_open_valve_connects(tmp_path: Path) -> None:
    pipes = FILES["pipes.csv"].replace("P2,J1,J2,80,0.08,0.25\nP3,J0,J2,150,0.08,0.25\n", "")
    folder = write_small(tmp_path, pipes=pipes, valves=VALVES + "V,J1,J2,0.08,true\n")
    assert read_heat_tables(folder).notes == ()


@pytest.mark.parametrize(
    ("consumer", "message"),
    [
        (("J2", "J1"), "consumer B has no path to a source on the return side"),
        (("R2", "R1"), "consumer B has no path from a source on the supply side"),
        (("R2", "J2"), "consumer B has supply and return exchanged"),
    ],
)
def test_consumer_at_the_wrong_junctions(
    consumer: tuple[str, str], message: str, tmp_path: Path
) -> None:
    tables = read_heat_tables(write_small(tmp_path))
    rows = tables.consumers.copy()
    rows.loc[1, ["from_junction", "to_junction"]] = consumer
    assert connectivity(replace(tables, consumers=rows)).faults == (message,)
