"""The heat network as a graph of junctions and pipes."""

import jax
import numpy as np

from tvilling.sciml.systems.heat_network.example import example, looped_tables


def test_mass_is_conserved_at_every_junction_of_the_graph():
    """What the pipes bring to a junction is what consumers and source take there."""
    given, tables = example(), looped_tables().checked()
    network = given.system
    _, output = jax.jit(type(network).steady)(network, given.action, given.drive)
    graph = network.as_network()
    at = {name: place for place, name in enumerate(graph.node_names)}
    taken = np.zeros(len(at))
    flow = np.asarray(output["consumer_kg_per_s"])
    for start, end, size in zip(
        tables.consumers["from_junction"], tables.consumers["to_junction"], flow, strict=True
    ):
        taken[at[start]] += size
        taken[at[end]] -= size
    sent = float(output["source_kg_per_s"][0])
    taken[at["plant_s"]] -= sent
    taken[at["plant_r"]] += sent
    np.testing.assert_allclose(graph.inflow(output["pipe_kg_per_s"]), taken, atol=1e-12)


def test_pipes_keep_names_direction_and_length():
    graph, tables = example().system.as_network(), looped_tables().checked()
    assert graph.edge_names == tuple(tables.pipes["name"])
    names = np.array(graph.node_names)
    assert list(names[graph.sender]) == list(tables.pipes["from_junction"])
    assert list(names[graph.receiver]) == list(tables.pipes["to_junction"])
    np.testing.assert_array_equal(graph.edge["length_m"], tables.pipes["length_m"])
