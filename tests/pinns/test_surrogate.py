"""Families as systems: against scipy and closed forms, and what their trust knows."""

from dataclasses import replace
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from tvilling.pinns import (
    Axis,
    Box,
    Broyden,
    Condition,
    Equation,
    Fixed,
    NetworkSettings,
    Problem,
    Ranged,
    TrainSettings,
    Unknown,
    d,
    train,
)
from tvilling.pinns.fields import sin
from tvilling.pinns.library import transformer_system
from tvilling.pinns.library.heat_exchanger import HeatExchanger
from tvilling.pinns.library.transformer_hot_spot import Transformer
from tvilling.pinns.library.transformer_step import STARTS, TransformerStep
from tvilling.pinns.problem.families import over_ranges
from tvilling.pinns.surrogate.conversion import Energy, StateMapping, SurrogateOutput, as_system
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.simulate import Play, simulate
from tvilling.sciml.core.system import System
from tvilling.sciml.systems import SYSTEMS, SystemEntry
from tvilling.twins.assimilation.prior import Prior
from tvilling.twins.twin import Twin

SMALL = TrainSettings(
    NetworkSettings(width=12, depth=1), points=400, stages=(Broyden(600),), check_every=100
)
HARDLY = replace(SMALL, stages=(Broyden(3),))
OUTLETS = (
    SurrogateOutput("hot_out_degc", "°C", 0.0, 100.0, "hot_degc", {"x_m": 6.0}, "Hot water, out"),
    SurrogateOutput(
        "cold_out_degc", "°C", 0.0, 100.0, "cold_degc", {"x_m": 0.0}, "Cold water, out"
    ),
)
FLOW = {"hot_kw_per_k": "Capacity rate of the hot water"}
FOULING = {"fouling_m2k_per_kw": "Fouling resistance"}
EXACT = transformer_system.ExactTransformer(jnp.asarray(1.0))


@pytest.fixture(scope="module")
def exchangers():
    """Two good networks and a bad one, for ranges of flow and fouling."""
    problem = over_ranges(HeatExchanger().problem(), hot_kw_per_k=(50.0, 70.0))
    good = [train(problem, SMALL, seed) for seed in (0, 1)]
    return good, train(problem, HARDLY, 0)


@pytest.fixture(scope="module")
def exchanger(exchangers):
    return as_system(exchangers[0], OUTLETS, FLOW, FOULING)


@pytest.fixture(scope="module")
def transformer():
    return transformer_system.example()


def flow_and_fouling(flow, fouling):
    return {"hot_kw_per_k": jnp.asarray(flow)}, {"fouling_m2k_per_kw": jnp.asarray(fouling)}


@pytest.mark.parametrize(("flow", "fouling"), [(52.0, 0.05), (60.0, 0.2), (69.0, 0.45)])
def test_a_steady_family_gives_what_the_effectiveness_gives(exchanger, flow, fouling):
    state, output = exchanger.step({}, *flow_and_fouling(flow, fouling), 1234.0)
    heat_kw = HeatExchanger(hot_kw_per_k=flow).effectiveness(fouling) * flow * 45.0
    assert state == {}
    assert output["hot_out_degc"] == pytest.approx(90.0 - heat_kw / flow, abs=0.02)
    assert output["cold_out_degc"] == pytest.approx(45.0 + heat_kw / 90.0, abs=0.02)
    assert float(output["trust"]) > 0.5


def test_trust_falls_outside_the_ranges_of_training(exchanger):
    trusts = [float(exchanger.trust({}, *flow_and_fouling(flow, 0.2))) for flow in (70, 71, 72, 80)]
    assert trusts == sorted(trusts, reverse=True)
    assert trusts[0] > 0.5
    assert trusts[1] <= np.exp(-1.0)  # a tenth of a half width outside
    assert trusts[-1] < 1e-4
    assert float(exchanger.trust({}, *flow_and_fouling(np.nan, 0.2))) == 0.0


def test_a_badly_trained_network_is_not_trusted_anywhere(exchangers):
    bad = as_system([exchangers[1]], OUTLETS, FLOW, FOULING)
    trusts = [
        float(bad.trust({}, *flow_and_fouling(flow, fouling)))
        for flow in (52.0, 60.0, 68.0)
        for fouling in (0.05, 0.25, 0.45)
    ]
    assert max(trusts) < 0.1


def test_networks_that_differ_are_not_trusted_whatever_their_residuals(exchangers):
    (first, second), bad = exchangers
    inputs = flow_and_fouling(60.0, 0.2)
    alike, unlike = (
        replace(as_system(two, OUTLETS, FLOW, FOULING), usual_residual=jnp.asarray(jnp.inf))
        for two in ([first, second], [first, bad])
    )
    assert float(alike.trust({}, *inputs)) > 0.5
    assert float(unlike.trust({}, *inputs)) < 0.1


def test_a_twin_finds_the_fouling_from_an_outlet(exchangers):
    """Fouling as a state that stays; readings from the closed form, by a sensor of 0.1 K."""
    system = as_system(exchangers[0], OUTLETS, FLOW, carried=[StateMapping("fouling_m2k_per_kw")])
    prior = Prior(state={"fouling_m2k_per_kw": 0.2}, state_sd=0.1)
    twin = Twin.start(system, "2026-01-12T00:00", 3600.0, prior=prior)
    random = np.random.default_rng(0)
    for _ in range(20):
        flow = random.uniform(52.0, 68.0)
        effect = float(HeatExchanger(hot_kw_per_k=flow).effectiveness(0.3))
        read = {"hot_out_degc": 90.0 - 45.0 * effect + 0.1 * random.standard_normal()}
        twin = twin.assimilate({"hot_kw_per_k": flow}, {}, read, sigma={"hot_out_degc": 0.1})
    found = twin.estimate()["fouling_m2k_per_kw"]
    assert abs(found.mean - 0.3) < 3 * found.sd
    assert found.sd < 0.01
    assert found.unit == "m²·K/kW"


def test_a_step_repeated_follows_the_equations_for_a_day(transformer):
    """Against scipy on the standard's equations, with load and air that change every step."""
    steps, unit = 96, Transformer()
    random = np.random.default_rng(1)
    load, air = random.uniform(0.3, 1.3, steps), random.uniform(-5.0, 30.0, steps)
    state = dict(zip(STARTS, map(jnp.asarray, (40.0, 20.0, 10.0)), strict=True))
    drive = {"load": jnp.asarray(load), "air_degc": jnp.asarray(air)}
    run = jax.jit(simulate)(transformer.system, Play(("load",)), Scenario(state, drive, 900.0))
    now, oil, hot = np.array([40.0, 20.0, 10.0]), [], []
    for k, a in zip(load, air, strict=True):
        ends, lags = np.array(unit.settled(k, a)), np.array(unit.lags_min)
        solved = solve_ivp(
            lambda t, y, ends=ends, lags=lags: (ends - y) / lags, (0, 15), now, rtol=1e-9
        )
        now = solved.y[:, -1]
        oil.append(now[0])
        hot.append(now[0] + now[1] - now[2])
    np.testing.assert_allclose(run.output["top_oil_degc"], oil, atol=0.1)
    np.testing.assert_allclose(run.output["hot_spot_degc"], hot, atol=0.1)
    assert float(run.output["trust"].min()) > 0.5


def test_a_speed_is_carried_as_the_slope_of_the_angle():
    """The swing equation from any angle and speed, iterated for ten steps, against scipy."""
    problem = Problem(
        "swing_step",
        Box((Axis("time_s", "s", 0.0, 0.25),)),
        (Unknown("angle_rad", "rad", 0.0, 1.5),),
        (
            Equation(
                "swing",
                "1",
                lambda at: (
                    0.4 * d(at.angle_rad, "time_s", "time_s")
                    + 0.15 * d(at.angle_rad, "time_s")
                    + 0.2 * sin(at.angle_rad)
                    - at.power_pu
                ),
            ),
        ),
        (
            Condition(
                "angle_rad",
                "time_s",
                0.0,
                lambda at: at.start_rad,
                slope=lambda at: at.start_rad_per_s,
            ),
        ),
        (
            Ranged("start_rad", "rad", 0.0, 1.5),
            Ranged("start_rad_per_s", "rad/s", -0.5, 0.5),
            Ranged("power_pu", "1", 0.08, 0.18),
        ),
    )
    system = as_system(
        [train(problem, replace(SMALL, stages=(Broyden(250),)), 0)],
        [SurrogateOutput("angle_rad", "rad", -1.0, 2.0, "angle_rad")],
        drives={"power_pu": "Mechanical power"},
        carried=[
            StateMapping("start_rad", "angle_rad"),
            StateMapping("start_rad_per_s", lambda at: d(at.angle_rad, "time_s")),
        ],
        time="time_s",
    )
    start = {"start_rad": jnp.asarray(0.1), "start_rad_per_s": jnp.asarray(0.1)}
    scenario = Scenario(start, {"power_pu": jnp.full(10, 0.15)}, 0.25)
    found = simulate(system, Play(()), scenario).output["angle_rad"]

    def slope(time, now):
        return [now[1], (0.15 - 0.15 * now[1] - 0.2 * np.sin(now[0])) / 0.4]

    times = 0.25 * np.arange(1, 11)
    true = solve_ivp(slope, (0, 2.5), [0.1, 0.1], t_eval=times, rtol=1e-10).y[0]
    np.testing.assert_allclose(found, true, atol=1e-3)
    assert true.max() - true.min() > 0.3  # it moves far more than that


def test_the_physics_answers_where_the_networks_are_not_trusted(transformer):
    guarded = transformer.system.guarded(EXACT)
    state, drive = EXACT.init(jax.random.key(0)), transformer.drive
    _, inside = guarded.step(state, {"load": jnp.asarray(0.9)}, drive, 900.0)
    far = {"load": jnp.asarray(2.0)}
    new_state, outside = guarded.step(state, far, drive, 900.0)
    true_state, true = EXACT.step(state, far, drive, 900.0)
    assert (float(inside["by_physics"]), float(outside["by_physics"])) == (0.0, 1.0)
    assert float(outside["hot_spot_degc"]) == pytest.approx(float(true["hot_spot_degc"]), rel=1e-12)
    for name, value in true_state.items():
        assert float(new_state[name]) == pytest.approx(float(value), rel=1e-12)


def test_a_guard_runs_in_simulations_and_marks_its_steps(transformer):
    guarded = transformer.system.guarded(EXACT)
    load = jnp.asarray([0.8, 0.9, 1.5, 1.5, 0.9])
    drive = {"load": load, "air_degc": jnp.full(5, 10.0)}
    scenario = Scenario(EXACT.init(jax.random.key(1)), drive, 900.0)
    run = jax.jit(simulate)(guarded, Play(("load",)), scenario)
    assert run.output["by_physics"].tolist() == [0.0, 0.0, 1.0, 1.0, 0.0]


def test_physics_with_other_channels_is_refused(transformer, exchanger):
    with pytest.raises(InputError, match=r"actions of the physics(.|\n)*outputs of the physics"):
        exchanger.guarded(EXACT)
    with pytest.raises(InputError, match="dt_s was given"):
        transformer.system.guarded(EXACT, dt_s=60.0)


def test_a_twin_of_networks_follows_a_plant(transformer):
    """Readings of the top oil draw a wrong start to the states of the exact plant."""
    state = dict(zip(STARTS, map(jnp.asarray, (70.0, 40.0, 20.0)), strict=True))
    wrong = {name: value * 0.7 for name, value in state.items()}
    prior = Prior(state=wrong, state_sd=20.0, state_noise=0.1)
    twin = Twin.start(transformer.system, "2026-01-12T00:00", 900.0, prior=prior)
    random = np.random.default_rng(0)
    for _ in range(12):
        state, output = EXACT.step(state, transformer.action, transformer.drive, 900.0)
        read = {"top_oil_degc": output["top_oil_degc"] + 0.2 * random.standard_normal()}
        twin = twin.assimilate(
            transformer.action, transformer.drive, read, sigma={"top_oil_degc": 0.2}
        )
    found = twin.estimate()["start_top_oil_degc"]
    assert abs(found.mean - float(state["start_top_oil_degc"])) < 3 * found.sd
    assert found.sd < 0.2  # surer than one reading


@pytest.mark.slow
def test_it_has_a_page_when_it_is_registered(monkeypatch):
    from tvilling.apps.web.pages.system_model import system_model
    from tvilling.apps.web.pages.system_page import SystemView
    from tvilling.apps.web.text import Labels

    entry = SystemEntry("Transformer", "tvilling.pinns.library.transformer_system:example")
    monkeypatch.setitem(SYSTEMS, "pinn_transformer", entry)
    run = system_model("pinn_transformer").result()
    assert np.isfinite(run.data["hot_spot_degc"]).all()
    assert run.data["trust"].attrs["units"] == "1"
    document = SimpleNamespace(add_next_tick_callback=lambda call: call())
    view = SystemView("pinn_transformer", run, Labels("en"), document)
    assert view.parts()


def test_it_is_a_system_like_any_other(transformer):
    """Compiled, mapped and differentiated: as the contract of registered systems has it."""
    system, action, drive = transformer.system, transformer.action, transformer.drive
    assert isinstance(system, System)
    states = jax.vmap(system.init)(jax.random.split(jax.random.key(2), 3))

    @jax.jit
    def hot(state, action):
        return system.step(state, action, drive, 900.0)[1]["hot_spot_degc"]

    each = [jax.tree.map(lambda leaf, i=index: leaf[i], states) for index in range(3)]
    together = jax.vmap(hot, (0, None))(states, action)
    np.testing.assert_allclose(together, [hot(one, action) for one in each], rtol=1e-10)
    state = each[0]
    slope = jax.grad(lambda load: hot(state, {"load": load}))(action["load"])
    ahead, behind = (hot(state, {"load": action["load"] + step}) for step in (1e-4, -1e-4))
    assert float(slope) == pytest.approx(float(ahead - behind) / 2e-4, rel=1e-6)
    for channel in system.outputs:
        value = system.step(state, action, drive, 900.0)[1][channel.name]
        assert channel.low <= value <= channel.high
        assert channel.description
    assert "0x" not in repr(system.question)  # versions of a model agree between processes
    with pytest.raises(ValueError, match=r"dt_s is 60 s, expected 900 s"):
        system.step(state, action, drive, 60.0)


def test_an_energy_balance_may_be_stated(transformer):
    energy = Energy(lambda state: 2.0 * state[STARTS[0]], lambda action, drive, output: 3.0)
    system = replace(transformer.system, energy=energy)
    assert system.stored_j({STARTS[0]: 5.0}) == 10.0
    assert system.net_power_w({}, {}, {}) == 3.0


def test_everything_that_does_not_fit_is_told_together(exchangers):
    with pytest.raises(InputError) as told:
        as_system(
            [exchangers[0][0], exchangers[1]],
            [
                SurrogateOutput("hot_kw_per_k", "°C", 0.0, 100.0, "hot_degc", {"x_m": 7.0}),
                SurrogateOutput("cold_degc", "°C", 0.0, 100.0, "cold_degc"),
            ],
            actions={"flow": "no such parameter"},
        )
    for text in (
        "flow is no ranged parameter of heat_exchanger",
        "fouling_m2k_per_kw is used 0 times",
        "hot_kw_per_k names two quantities",
        "hot_kw_per_k: x_m is 7 m, expected 0 to 6 m",
        "cold_degc: x_m is left open",
    ):
        assert text in str(told.value)


def test_ranges_replace_fixed_parameters_alone():
    problem = HeatExchanger().problem()
    family = over_ranges(problem, hot_kw_per_k=(50.0, 70.0))
    assert [item.name for item in family.fixed] == [
        item.name for item in problem.fixed if item.name != "hot_kw_per_k"
    ]
    assert isinstance(problem.fixed[0], Fixed)
    with pytest.raises(InputError, match="fouling_m2k_per_kw is no fixed parameter"):
        over_ranges(problem, fouling_m2k_per_kw=(0.0, 1.0))


def test_the_step_of_a_transformer_solves_its_equations():
    """The closed form against scipy, from a start that is not settled."""
    step = TransformerStep()
    ends, lags = np.array(step.transformer.settled(1.2, 5.0)), np.array(step.transformer.lags_min)
    begin = np.array([80.0, 10.0, 25.0])
    solved = solve_ivp(lambda t, y: (ends - y) / lags, (0.0, 15.0), begin, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(step.after(15.0, begin, 1.2, 5.0), solved.y[:, -1], rtol=1e-8)
    with pytest.raises(InputError, match=r"low_load is 2, expected below high_load, 1.4"):
        TransformerStep(low_load=2.0)
