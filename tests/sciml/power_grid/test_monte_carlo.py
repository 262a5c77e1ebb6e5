"""Random scenarios against closed forms of their distributions and of what follows from them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pandapower_peer import quiet
from scipy.stats import kstest, lognorm, norm

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.results.planner_units import loads, vm_pu
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve
from tvilling.sciml.systems.power_grid.solver.flow import Options
from tvilling.sciml.systems.power_grid.studies.draws import Draws, draw
from tvilling.sciml.systems.power_grid.studies.monte_carlo_study import QUANTILES, monte_carlo

with quiet():
    import pandapower
    import pandapower.networks

COUNT = 5000


def feeder(loads_mw: tuple[float, ...], sgens_mw: tuple[float, ...] = ()) -> Any:
    """A bus at the end of a line of 10 Ω resistance and 4 Ω reactance at 20 kV."""
    net = pandapower.create_empty_network()
    a, b = (pandapower.create_bus(net, 20.0, min_vm_pu=0.95, max_vm_pu=1.1) for _ in range(2))
    pandapower.create_ext_grid(net, a)
    pandapower.create_line_from_parameters(
        net, a, b, 1.0, r_ohm_per_km=10.0, x_ohm_per_km=4.0, c_nf_per_km=0.0, max_i_ka=0.2
    )
    for p_mw in loads_mw:
        pandapower.create_load(net, b, p_mw, 0.3 * p_mw)
    for p_mw in sgens_mw:
        pandapower.create_sgen(net, b, p_mw)
    return net


def test_loads_follow_the_distribution_that_is_told() -> None:
    grid = from_pandapower(feeder((1.0, 3.0)))
    draws = Draws(load_level=0.5, load_spread=0.4, load_correlation=0.3)
    found = draw(grid, draws, 20_000, seed=5)
    sigma = np.sqrt(np.log1p(0.4**2))
    expected = lognorm(sigma, scale=0.5 * 3.0 * np.exp(-(sigma**2) / 2))
    assert kstest(found["load_p_mw"][:, 1], expected.cdf).pvalue > 0.01
    logs = np.log(found["load_p_mw"])
    assert np.corrcoef(logs.T)[0, 1] == pytest.approx(0.3, abs=0.02)
    np.testing.assert_allclose(found["load_q_mvar"], 0.3 * found["load_p_mw"])
    cut = draw(grid, Draws(load_shape="normal", load_spread=2.0), 20_000, seed=5)["load_p_mw"]
    assert (cut == 0).mean() == pytest.approx(norm.cdf(-0.5), abs=0.02)


def test_generation_follows_the_distribution_that_is_told() -> None:
    grid = from_pandapower(feeder((1.0,), (2.0, 4.0)))
    draws = Draws(generation_shape=(0.7, 2.5), generation_correlation=0.0)
    found = draw(grid, draws, 20_000, seed=6)["sgen_p_mw"]
    for column, p_mw in zip(found.T, (2.0, 4.0), strict=True):
        assert kstest(column / p_mw, lambda a: 1 - (1 - a**0.7) ** 2.5).pvalue > 0.01
    assert abs(np.corrcoef(found.T)[0, 1]) < 0.03


def test_the_first_scenarios_are_the_same_however_many_are_drawn() -> None:
    grid = from_pandapower(feeder((1.0,)))
    few, many = draw(grid, Draws(), 10, 1), draw(grid, Draws(), 3000, 1)
    np.testing.assert_array_equal(few["load_p_mw"], many["load_p_mw"][:10])
    assert len(np.unique(many["load_p_mw"])) == 3000


def test_risk_is_the_probability_that_the_load_exceeds_what_the_band_allows() -> None:
    """At 0.95 p.u.: 1 = |0.95 + (r + jx) (p - jq) / 0.95|² with q = 0.3 p."""
    net = feeder((2.0,))
    z = (10.0 + 4.0j) / 400.0 * (1 - 0.3j) / 0.95  # drop by 1 MW
    most_mw = np.roots([abs(z) ** 2, 2 * 0.95 * z.real, 0.95**2 - 1]).max()
    draws = Draws(load_level=0.7, load_spread=0.5)
    sigma = np.sqrt(np.log1p(0.25))
    expected = lognorm(sigma, scale=1.4 * np.exp(-(sigma**2) / 2)).sf(most_mw)
    data = monte_carlo(from_pandapower(net), draws, 20_000, seed=2)
    low, high = data["voltage_risk_interval"].values[:, 1]
    assert 0.1 < expected < 0.9
    assert low < expected < high
    assert high - low < 0.02
    assert data["violation_risk"].item() == data["voltage_risk"].values[1]


@pytest.fixture(scope="module")
def town() -> Any:
    return from_pandapower(pandapower.networks.create_cigre_network_mv(with_der="all"))


def test_statistics_are_those_of_the_single_power_flows(town: Any) -> None:
    draws = Draws(load_level=0.9, load_spread=0.3)
    data = monte_carlo(town, draws, COUNT, seed=3, options=Options(threads=2))
    flow = solve(town, draw(town, draws, COUNT, 3))
    vm, percent = vm_pu(flow), loads(flow).percent
    loading = np.concatenate([percent["line"], percent["trafo"]], axis=1)
    out = (vm < 0.9) | (vm > 1.1)
    np.testing.assert_allclose(data["vm_mean_pu"], vm.mean(axis=0), atol=1e-7)
    np.testing.assert_allclose(data["vm_deviation_pu"], vm.std(axis=0, ddof=1), atol=1e-6)
    np.testing.assert_allclose(data["vm_least_pu"], vm.min(axis=0), atol=1e-7)
    np.testing.assert_allclose(data["loading_mean_percent"], loading.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(data["voltage_risk"], out.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(data["loading_risk"], (loading > 100).mean(axis=0), atol=1e-12)
    np.testing.assert_array_equal(data["violations"], out.sum(axis=1) + (loading > 100).sum(axis=1))
    np.testing.assert_allclose(data["highest_loading_percent"], loading.max(axis=1), rtol=1e-6)
    expected = np.quantile(vm, QUANTILES, axis=0, method="inverted_cdf")
    np.testing.assert_allclose(data["vm_quantile_pu"], expected, atol=2.6e-4)
    expected = np.quantile(loading, QUANTILES, axis=0, method="inverted_cdf")
    np.testing.assert_allclose(data["loading_quantile_percent"], expected, atol=0.13)
    assert 0 < data["loading_risk"].max() < 1


def test_a_store_holds_every_scenario_and_the_same_statistics(town: Any, tmp_path: Path) -> None:
    out = tmp_path / "spread.zarr"
    plain = monte_carlo(town, Draws(), COUNT, seed=4)
    stored = monte_carlo(town, Draws(), COUNT, seed=4, out=out)
    for name in plain:
        np.testing.assert_array_equal(stored[name], plain[name], err_msg=str(name))
    vm = vm_pu(solve(town, draw(town, Draws(), COUNT, 4)))
    np.testing.assert_allclose(stored["vm_pu"], vm, atol=1e-7)
    np.testing.assert_allclose(stored["loading_percent"].max("branch"),
                               plain["highest_loading_percent"])  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["spread.zarr"]
    with pytest.raises(InputError, match="is there already"):
        monte_carlo(town, Draws(), 10, seed=4, out=out)


def test_scenarios_without_a_solution_are_counted_apart() -> None:
    """9.6 MW is the most that the line can carry without reactive power, here less."""
    grid = from_pandapower(feeder((12.0,)))
    data = monte_carlo(grid, Draws(load_level=0.6), 2000, seed=1)
    lost = data["outcome"].values == 1
    assert 0.1 < lost.mean() < 0.9
    assert data["no_solution_risk"].item() == pytest.approx(lost.mean())
    assert np.isnan(data["lowest_vm_pu"].values[lost]).all()
    assert (data["violations"].values[lost] == -1).all()
    assert data["violation_risk"].item() >= data["no_solution_risk"].item()


def test_values_out_of_range_are_told_together() -> None:
    with pytest.raises(InputError) as caught:
        Draws(load_spread=-1.0, load_correlation=2.0, load_shape="even")  # type: ignore[arg-type]
    assert len(caught.value.faults) == 3
    with pytest.raises(InputError, match="count is 0, expected 1 or more"):
        monte_carlo(from_pandapower(feeder((1.0,))), Draws(), 0, seed=1)
