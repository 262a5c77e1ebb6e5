"""What the pages compute, without a server: against closed forms and balances."""

import re

import numpy as np
import pytest

pytest.importorskip("panel")

from tvilling.apps.web.pages.network_checks import hour_checks
from tvilling.apps.web.pages.network_model import NetworkModel, day_figures, hour_figures
from tvilling.apps.web.pages.network_page import SLIDERS
from tvilling.apps.web.pages.network_twin import load_twin
from tvilling.apps.web.pages.system_model import system_model
from tvilling.apps.web.pages.system_page import run_checks
from tvilling.apps.web.pages.verdict import verdict
from tvilling.apps.web.text import Labels
from tvilling.sciml.systems import SYSTEMS, SystemEntry
from tvilling.sciml.systems.tank import WATER_J_PER_M3K


def test_the_tank_follows_its_closed_form():
    """C dT/dt = P - Q - U (T - T_a) with constant inputs is an exponential."""
    model = system_model("tank")
    model.param.update(variation_percent=0.0, days=2, heater_w=230e3, demand_w=231e3)
    run = model.result()
    water = run.data["water_degc"].values
    loss_w_per_k, capacity = 60.0, 50.0 * WATER_J_PER_M3K
    rest = 12.0 + (230e3 - 231e3) / loss_w_per_k
    since_s = (run.hours - run.hours[0]) * 3600.0
    expected = rest + (water[0] - rest) * np.exp(-loss_w_per_k * since_s / capacity)
    np.testing.assert_allclose(water, expected, rtol=1e-9)
    assert len(water) == 2 * 96
    assert run.energy_kwh("delivered_w") == pytest.approx(231.0 * 48.0)
    assert run.peak_w("delivered_w") == pytest.approx(231e3)


def test_a_faulty_value_cannot_be_set():
    model = system_model("tank")
    with pytest.raises(ValueError, match="heater_w"):
        model.heater_w = 2e9
    with pytest.raises(ValueError, match="days"):
        model.days = 0
    model.heater_w = 1e5
    model.reset()
    assert model.heater_w == model.spans["heater_w"].value


def test_models_of_two_visitors_do_not_share_their_sliders():
    one, other = system_model("tank"), system_model("tank")
    one.heater_w = 1e5
    assert other.heater_w == other.spans["heater_w"].value


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_registered_system_has_a_slider_a_channel_and_a_run(name):
    model = system_model(name)
    system = model.example.system
    channels = [channel.name for channel in (*system.actions, *system.drives)]
    assert set(channels) == set(model.spans)
    assert all(model.param[channel].bounds for channel in channels)
    model.days = 1
    run = model.result()
    assert run.not_numbers() == {}
    assert set(run.data) >= {channel.name for channel in system.outputs}
    assert run.hours[-1] == pytest.approx(24.0)


def test_a_transformer_above_its_rating_is_named_from_the_start():
    model = system_model("power_grid")
    model.days = 1  # compiled by the test above

    def told(language="en", **moved):
        run = model.result(model.settings() | moved)
        return verdict(Labels(language), run_checks(Labels(language), model, run), "good")

    found = told()
    assert found.kind == "warn"
    assert re.fullmatch(
        r"Loading of transformers by current above 100 %: Trafo 0-1 11\d %, Trafo 0-12 10\d % "
        r"\(\d\d of 96 steps\)\.",
        found.lines[0].replace("\N{NO-BREAK SPACE}", " "),
    )
    assert "over 100" in told("da").lines[0]
    assert told(load_w=1e6).kind == "fine"
    assert "Voltage magnitude below 0.90" in told(load_w=1e6, ext_grid_vm_pu=0.86).lines[0]


@pytest.fixture(scope="module")
def network():
    return NetworkModel(load_twin(lambda stage: None))


@pytest.fixture(autouse=True)
def _back(request):
    yield
    if "network" in request.fixturenames:
        request.getfixturevalue("network").reset()


def test_the_steady_state_balances(network):
    """Heat put in leaves as heat delivered and lost, and is flow times drop in enthalpy."""
    run = network.at_hour()
    found = hour_figures(network.twin, run)
    assert found.heat_w == pytest.approx(found.delivered_w + found.loss_w, rel=1e-6)
    drop_k = network.supply_degc - found.return_degc
    assert found.heat_w == pytest.approx(found.flow_kg_per_s * 4183.0 * drop_k, rel=3e-3)
    assert found.flags == ()
    assert network.consumer == found.coldest


def test_the_loss_is_proportional_to_the_distance_from_the_ground(network):
    """With flows fixed by the demand the mean water temperature hardly moves."""
    cold = hour_figures(network.twin, network.at_hour())
    network.ground_degc = 15.0
    warm = hour_figures(network.twin, network.at_hour())
    mean_degc = (network.supply_degc + cold.return_degc) / 2
    expected = (mean_degc - 15.0) / (mean_degc - 5.0)
    assert warm.loss_w / cold.loss_w == pytest.approx(expected, rel=0.03)


def test_warmer_supply_needs_less_flow_and_the_demand_slider_is_linear(network):
    base = hour_figures(network.twin, network.at_hour())
    network.supply_degc = 90.0
    hot = hour_figures(network.twin, network.at_hour())
    assert hot.delivered_w == pytest.approx(base.delivered_w, rel=1e-6)
    expected = (75.0 - base.return_degc) / (90.0 - hot.return_degc)
    assert hot.flow_kg_per_s / base.flow_kg_per_s == pytest.approx(expected, rel=0.03)
    network.demand_percent = 50.0
    half = hour_figures(network.twin, network.at_hour())
    assert half.delivered_w == pytest.approx(base.delivered_w / 2, rel=1e-6)


def test_the_day_delivers_what_is_asked_for(network):
    day = network.over_day()
    found = day_figures(network.twin, day)
    assert found.flagged == {}
    np.testing.assert_allclose(day["delivered_w"], day["heat_w"], rtol=1e-6)
    kwh = day["heat_w"].sum() * 900.0 / 3.6e6
    assert found.heat_kwh - found.loss_kwh == pytest.approx(kwh, rel=0.01)  # the rest is stored
    assert found.peak_w == day["source_w"].sum(axis=1).max()
    assert found.steps == 96


def test_whole_numbers_of_sliders_compile_nothing_anew(network):
    """The pages' sliders send 74.0 as 74, which JAX would take for another type."""
    twin = network.twin
    network.at_hour(), network.over_day()
    compiled = twin._steady._cache_size(), twin._simulate._cache_size()
    for name in SLIDERS:
        network.param.update(**{name: int(network.param[name].default) + 1})
        network.at_hour(), network.over_day()
    assert all(isinstance(value, float) for value in vars(network.settings()).values())
    assert (twin._steady._cache_size(), twin._simulate._cache_size()) == compiled
    assert twin._steady._cache_size() == 1


@pytest.mark.parametrize("name", ["tank", "heat_plant"])
def test_whole_numbers_of_any_system_s_sliders_compile_nothing_anew(name, monkeypatch):
    from tvilling.sciml.core import results

    model = system_model(name)
    model.days = 1
    model.result()
    compiled = results._run_one._cache_size()
    for slider in (*model.spans, "variation_percent"):
        low, high = model.param[slider].bounds
        if low <= (whole := int((low + high) / 2)) <= high:
            model.result(model.settings() | {slider: whole})
    assert results._run_one._cache_size() == compiled


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "74", None, [74.0]])
def test_what_is_no_number_cannot_be_set(network, value):
    with pytest.raises(ValueError, match="supply_degc"):
        network.supply_degc = value


def test_too_cold_a_supply_is_told_as_a_flag(network):
    network.param.update(supply_degc=55.0, outdoor_degc=-10.0)
    assert hour_figures(network.twin, network.at_hour()).flags == ("pressure", "unphysical")
    flagged = day_figures(network.twin, network.over_day()).flagged
    assert flagged["pressure"] >= flagged["unphysical"] > 0  # water below vacuum at the return
    for language, text in (("en", "pressure below vacuum at"), ("da", "tryk under vakuum ved")):
        checks = hour_checks(Labels(language), network.twin, network.settings(), network.at_hour())
        found = verdict(Labels(language), checks, "fine")
        assert found.kind == "bad"
        assert f"{text} return_" in " ".join(found.lines)


def test_a_system_without_drives_has_a_page(monkeypatch):
    entry = SystemEntry("Battery", "priced_battery:battery_example")
    monkeypatch.setitem(SYSTEMS, "priced_battery", entry)
    run = system_model("priced_battery").result()
    assert len(run.hours) > 0
    assert np.isfinite(run.data["bought_w"]).all()
