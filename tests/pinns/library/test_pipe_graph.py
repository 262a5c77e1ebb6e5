"""The graph of pipes: exact solution, laws of the junctions, and an untrained network."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tvilling.pinns.library.heating_pipe import HeatingPipe
from tvilling.pinns.library.pipe_graph import Pipe, PipeGraph, example, example_graph
from tvilling.pinns.network.ansatz import start, terms
from tvilling.pinns.network.network import NetworkSettings
from tvilling.sciml.core.errors import InputError

GRAPH = example_graph()
PIPES = {pipe.name: pipe for pipe in GRAPH.pipes}


@pytest.mark.parametrize("pipe", GRAPH.pipes, ids=PIPES)
def test_the_exact_solution_meets_the_equation_in_every_pipe(pipe):
    random = np.random.default_rng(0)
    s, time = jnp.asarray(random.uniform(size=50)), jnp.asarray(random.uniform(0, 3600, 50))
    along = jax.vmap(jax.grad(lambda s, t: GRAPH.exact_degc(pipe, s, t), 0))(s, time)
    change = jax.vmap(jax.grad(lambda s, t: GRAPH.exact_degc(pipe, s, t), 1))(s, time)
    lost = pipe.decay_per_s * (GRAPH.exact_degc(pipe, s, time) - 8.0)
    np.testing.assert_allclose(change + along / pipe.passage_s + lost, 0.0, atol=1e-14)


def test_one_pipe_is_the_heating_pipe():
    pipe = Pipe("only", "plant", "end", 10.0, 300.0, 0.1325, 0.35)
    graph = replace(GRAPH, pipes=(pipe,))
    plain = HeatingPipe(
        graph.feed_degc,
        length_m=300.0,
        speed_m_per_s=300.0 / pipe.passage_s,
        inner_m=0.1325,
        loss_w_per_mk=0.35,
    )
    s, time = np.linspace(0, 1, 9), np.linspace(0, 3600, 9)
    np.testing.assert_allclose(
        graph.exact_degc(pipe, s, time), plain.exact_degc(300.0 * s, time), rtol=1e-13
    )


def test_water_mixes_by_mass_where_pipes_merge():
    time = np.linspace(0, 3600, 7)
    south, link = (GRAPH.exact_degc(PIPES[name], 1.0, time) for name in ("south", "link"))
    found = GRAPH.exact_degc(PIPES["harbour"], 0.0, time)
    np.testing.assert_allclose(found, (4 * south + 2 * link) / 6, rtol=1e-14)


def test_the_junctions_hold_exactly_whatever_the_networks_say():
    """With a network that was not trained."""
    problem = example()
    graph, params = start(problem, NetworkSettings(), jax.random.key(3))
    at = terms(problem, graph, params)
    degc = {name: GRAPH.temperature(at, pipe) for name, pipe in PIPES.items()}
    for time in (0.0, 500.0, 2900.0):
        inlet, outlet = ({"s": jnp.asarray(s), "time_s": jnp.asarray(time)} for s in (0.0, 1.0))
        end = {name: float(field(outlet)) for name, field in degc.items()}
        begin = {name: float(field(inlet)) for name, field in degc.items()}
        if time > 0:  # nothing was trained, so the values themselves are wrong
            assert abs(end["main"] - float(GRAPH.exact_degc(PIPES["main"], 1.0, time))) > 0.1
        assert begin["main"] == pytest.approx(float(GRAPH.feed_degc(time)), rel=1e-14)
        assert begin["north"] == begin["south"] == pytest.approx(end["main"], rel=1e-14)
        assert begin["link"] == begin["hill"] == pytest.approx(end["north"], rel=1e-14)
        mixed = (4 * end["south"] + 2 * end["link"]) / 6
        assert begin["harbour"] == pytest.approx(mixed, rel=1e-14)


def test_the_exact_change_gives_the_exact_temperature_back():
    problem = example()
    at = {"s": np.linspace(0, 1, 5), "time_s": np.linspace(0, 3600, 5)}
    change = problem.reference.function(at)
    for pipe in GRAPH.pipes:
        inlet = np.asarray(GRAPH.junction_degc(pipe.start, at["time_s"]))
        exact = GRAPH.exact_degc(pipe, at["s"], at["time_s"])
        np.testing.assert_allclose(inlet + change[pipe.unknown], exact, rtol=1e-14)


def test_graphs_that_cannot_be_are_refused():
    one = Pipe("one", "plant", "square", 1.0, 100.0, 0.1, 0.3)
    with pytest.raises(InputError) as error:
        PipeGraph((one, Pipe("two", "nowhere", "end", 1.0, 100.0, 0.1, 0.3)), "plant")
    assert "starts at nowhere" in error.value.faults[0]
    with pytest.raises(InputError, match=r"junction square: 2 kg/s leave, at most 1 kg/s arrive"):
        PipeGraph((one, Pipe("two", "square", "end", 2.0, 100.0, 0.1, 0.3)), "plant")
    with pytest.raises(InputError, match="length_m of one is 0"):
        PipeGraph((replace(one, length_m=0.0),), "plant")
