"""What a pandapipes net states and nothing here reads is noted by name."""

import pandapipes as pp

from tvilling.datasets.readers.heat.pandapipes import read_pandapipes
from tvilling.datasets.readers.heat.pandapipes_unused import LABELS, READ


def small_net():
    net = pp.create_empty_network(fluid="water")
    at = [pp.create_junction(net, 5, 330) for _ in range(3)]
    for start, end in ((0, 1), (1, 2)):
        pp.create_pipe_from_parameters(
            net, at[start], at[end], 0.1, 60, k_mm=0.1, u_w_per_m2k=1.0, text_k=283.0
        )
    pp.create_ext_grid(net, at[0], 5, 350)
    pp.create_sink(net, at[2], 0.5)
    return net


def test_a_net_whose_every_value_is_read_has_no_note() -> None:
    assert read_pandapipes(small_net()).notes == ()


def test_columns_and_options_that_nothing_reads_are_noted() -> None:
    net = small_net()
    net.pipe["alpha_w_per_m2k"] = 2.0
    net.pipe["stanet_id"] = "P"
    net.sink["t_k"] = 310.0
    net.junction["blank"] = None
    net["user_pf_options"] = {"friction_model": "colebrook", "ambient_temperature": 281.0}
    assert [note.split(";")[0] for note in read_pandapipes(net).notes] == [
        "pipe: not used: columns alpha_w_per_m2k, stanet_id",
        "sink: not used: column t_k",
        "the net's own options are not used: friction_model='colebrook'",
    ]


def test_loss_coefficient_of_a_pipe_with_sections_is_noted() -> None:
    net = small_net()
    net.pipe["sections"] = 3
    assert len(read_pandapipes(net).notes) == 1
    net.pipe["loss_coefficient"] = 1.5
    assert "loss_coefficient counts once a pipe" in read_pandapipes(net).notes[1]


def test_every_column_that_pandapipes_makes_is_known() -> None:
    """A column of a newer pandapipes would be noted in every file; here it is decided."""
    net = small_net()
    pp.create_junction(net, 5, 330)
    pp.create_valve(net, 0, 3, "ju", 60)
    pp.create_pump_from_parameters(net, 0, 3, "one", [1.0, 0.9, 0.6], [0, 10, 20], 2)
    pp.create_heat_exchanger(net, 0, 3, 1e3, 60)
    pp.create_heat_consumer(net, 0, 3, qext_w=1e3, deltat_k=20)
    pp.create_flow_control(net, 0, 3, 0.1)
    pp.create_circ_pump_const_pressure(net, 0, 3, 5, 1, 350)
    pp.create_circ_pump_const_mass_flow(net, 0, 3, 5, 1, 350)
    pp.create_source(net, 0, 0.1)
    assert {table: set(net[table]) - READ[table] - LABELS for table in READ} == {
        table: set() for table in READ
    }
