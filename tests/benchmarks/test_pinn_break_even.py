"""The solvers that networks are set against solve, and the count of cases is right."""

import numpy as np
import pytest

from tvilling.benchmarks.pinn_break_even import _by_shooting, _pipes, break_even
from tvilling.pinns.library.heat_exchanger import HeatExchanger
from tvilling.pinns.library.heating_pipe import example_pipe


def test_the_cases_after_which_a_training_has_paid():
    assert break_even(10.0, 0.001, 0.101) == "100"
    assert break_even(10.0, 0.1, 0.1) == "inf"
    assert break_even(10.0, 0.2, 0.1) == "inf"


def test_shooting_converges_to_the_closed_form_at_second_order():
    exchanger, fouling = HeatExchanger(), np.array([0.0, 0.3])
    per_m = exchanger.conductance_kw_per_k(fouling) / exchanger.length_m

    def error(steps):
        x_m = np.linspace(0.0, exchanger.length_m, steps + 1)
        true = exchanger.exact_degc(x_m, fouling[:, None])["hot_degc"]
        return np.max(np.abs(_by_shooting(exchanger, per_m, steps) - true))

    assert np.log2(error(40) / error(80)) == pytest.approx(2.0, abs=0.05)


def test_the_family_of_pipes_holds_the_pipe_of_the_example():
    pipe, reference = example_pipe(), _pipes().reference
    x_m, time_s = np.array([0.0, 700.0, 1500.0]), np.array([0.0, 300.0, 3600.0])
    points = {"x_m": x_m, "time_s": time_s, "decay_per_s": np.full(3, pipe.decay_per_s)}
    found = reference.function(points)["water_degc"]
    np.testing.assert_allclose(found, pipe.exact_degc(x_m, time_s), rtol=1e-12)
