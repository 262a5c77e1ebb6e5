import jax.numpy as jnp
import networkx as nx
import numpy as np
import pytest
from heat_networks import steady

from tvilling.datasets.simulated.steady_heat import HeatRanges, steady_heat
from tvilling.datasets.simulated.street_tree import street_tree
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_network import Options, build
from tvilling.sciml.systems.heat_network.sizing.catalogue import pipe_sizes


def test_every_house_hangs_on_one_tree_and_pipes_are_of_the_catalogue():
    tables = street_tree(23, seed=1)
    pipes = tables.pipes[tables.pipes["name"].str.startswith("s_")]
    graph = nx.from_pandas_edgelist(pipes, "from_junction", "to_junction", create_using=nx.DiGraph)
    assert nx.is_arborescence(graph)
    leaves = {name for name in graph if graph.out_degree(name) == 0}
    assert set(tables.consumers["from_junction"]) <= leaves
    assert len(tables.consumers) == 23
    assert set(pipes["inner_diameter_m"]) <= set(pipe_sizes(2)["inner_diameter_m"])
    wide = pipes.set_index("to_junction")["inner_diameter_m"]
    assert wide["s_m0"] == wide.max()


def test_the_seed_decides():
    assert street_tree(5, seed=1).pipes.equals(street_tree(5, seed=1).pipes)
    assert not street_tree(5, seed=1).pipes.equals(street_tree(5, seed=2).pipes)
    with pytest.raises(InputError, match="consumers is 0"):
        street_tree(0)


def test_steady_scenarios_lie_in_their_ranges_and_are_the_solver_s():
    tables = street_tree(4)
    network = build(tables, Options(cells=1))
    design_w = tables.consumers["heat_w"].to_numpy()
    ranges = HeatRanges(load=(0.2, 1.0), supply_degc=(70.0, 80.0), ground_degc=(5.0, 9.0))
    found = steady_heat(network, design_w, 200, 7, ranges)
    load = found["heat_w"].values / design_w
    assert load.min() == pytest.approx(0.2)
    assert load.max() == pytest.approx(1.0)
    for name, low, high in (("supply_degc", 70, 80), ("ground_degc", 5, 9)):
        assert low <= float(found[name].min()) < low + 1
        assert high - 1 < float(found[name].max()) <= high
    one = found.isel(scenario=3)
    drive = {name: jnp.asarray(one[name].values) for name in ("heat_w", "ground_degc")}
    output = steady(network, {"supply_degc": jnp.asarray(one["supply_degc"].values)[None]}, drive)[
        1
    ]
    np.testing.assert_allclose(found["junction_degc"][3], output["junction_degc"], atol=1e-9)
    assert found["heat_w"].attrs["units"] == "W"


def test_scenarios_that_cannot_be_served_are_left_out_and_counted():
    """At 41 °C supply and 40 °C return the pipes cool the water below what can be used."""
    tables = street_tree(4)
    network = build(tables, Options(cells=1))
    ranges = HeatRanges(supply_degc=(40.5, 70.0))
    found = steady_heat(network, tables.consumers["heat_w"].to_numpy(), 200, 1, ranges)
    assert 0 < found.attrs["left_out"] < 200
    assert found.sizes["scenario"] == 200 - found.attrs["left_out"]
    assert float(found["supply_degc"].min()) > 41


def test_what_does_not_fit_is_told_together():
    network = build(street_tree(3), Options(cells=1))
    with pytest.raises(InputError) as error:
        steady_heat(network, np.ones(2), 0, 1)
    assert error.value.faults == (
        "count is 0, expected at least 1 scenario",
        "design_w has shape (2,), expected (3,)",
    )
