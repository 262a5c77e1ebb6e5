# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # One tank, from physics to control
#
# A hot-water tank with an electric heater feeds a building. Electricity has a price for every
# hour. This notebook takes the tank through the whole workbench: simulate it, learn it, follow it
# from a noisy thermometer, and heat it when power is cheap. Every answer says how far it can be
# trusted. It takes about a minute and needs no network.

# %% [markdown]
# ## Physics
#
# A system is a description with a pure step: state, action and drives in, state and outputs out.
# A scenario holds the drives over time, here made up around those of the example.

# %%
from tvilling.datasets import trial_scenarios
from tvilling.rl_control import Thermostat, limit_action
from tvilling.sciml import run
from tvilling.sciml.systems import SYSTEMS

tank = SYSTEMS["tank"].example()
days = trial_scenarios(tank, count=64, days=2, seed=1)
on, off = (limit_action(tank.system.actions, share) for share in (1.0, 0.0))
thermostat = Thermostat(on_below=65.0, off_above=85.0, on=on, off=off)
physics = run(tank.system, thermostat, days.at(0))
physics

# %%
physics["water_degc"].plot(size=3, aspect=3)

# %% [markdown]
# ## A surrogate, and how far to trust it
#
# An ensemble of small networks learns the step from runs under random actions. Scenarios that it
# was not trained on give its errors and calibrate its 90 % intervals. `Guarded` lets the physics
# answer where trust is below a half, and marks it. A longer training does better; the physics of
# a single tank is so cheap that it should be used directly.

# %%
from tvilling.sciml import FitSettings
from tvilling.sciml.surrogates import Guarded, SurrogateSettings, train_surrogate

short = SurrogateSettings(members=3, fit=FitSettings(steps=2000, learning_rate=3e-3))
surrogate, report = train_surrogate(tank, days, short, seed=0)
print(f"one step: {report.one_step['water_degc']}; two days: {report.rollout['water_degc']}")
print(f"90 % intervals hold {report.coverage['water_degc']:.1%} of the held-out answers")

# %%
from tvilling.rl_control import Hold

steady = Hold({"heater_w": 2.6e5})
unseen = trial_scenarios(tank, count=1, days=2, seed=99).at(0)
learned = run(Guarded(surrogate, tank.system), steady, unseen)
difference_k = learned["water_degc"] - run(tank.system, steady, unseen)["water_degc"]
difference_k.rename("surrogate less physics [K]").plot(size=3, aspect=3)
print(f"trust {float(learned['trust'].mean()):.2f} on average,", end=" ")
print(f"{int(learned['by_physics'].sum())} of {learned.sizes['time']} steps by physics")

# %% [markdown]
# ## A network that knows the equation
#
# A heating pipe loses heat to the ground while the water moves on. The network is trained on the
# equation alone, without any data, and compared with the exact solution.

# %%
from tvilling.pinns import PROBLEMS, Adam, Broyden, TrainSettings, train

pipe = PROBLEMS["heating_pipe"].example()
solution = train(pipe, TrainSettings(stages=(Adam(250), Broyden(350))), seed=0)
print(solution.best.describe())
print(solution.error()["water_degc"])

# %%
field = solution.evaluate(x_m=range(0, 1501, 15), time_s=range(0, 3601, 36))
field["water_degc"].plot(x="x_m", size=3, aspect=3)

# %% [markdown]
# ## A graph network for a street
#
# A network of 20 consumers, its steady temperatures for sampled demands, and a graph network that
# learns the temperature of every junction from them. The error is on demands it has not seen.

# %%
from tvilling.datasets import steady_heat, street_tree
from tvilling.gnn import SupplySettings, train_supply
from tvilling.sciml.systems.heat_network import Options, build

street = street_tree(consumers=20)
network = build(street, Options(cells=1))
design_w = street.consumers["heat_w"].to_numpy(float)
solved = steady_heat(network, design_w, count=128, seed=1)
asked = steady_heat(network, design_w, count=128, seed=2)
few = SupplySettings(fit=FitSettings(steps=200, batch=32, learning_rate=3e-3, check_every=100))
heat_learned, _ = train_supply(network, solved, few, seed=0)
answer = heat_learned(*(asked[name].values for name in ("heat_w", "supply_degc", "ground_degc")))

# %%
supply_side = list(heat_learned.tree.names)
miss_k = abs(asked["junction_degc"].sel(junction=supply_side) - answer.junction_degc)
print(f"{float(miss_k.mean()):.3f} K on average, {float(miss_k.max()):.2f} K at most")
print(f"{float((miss_k <= answer.error_k).mean()):.0%} within the interval that it states itself")

# %% [markdown]
# ## A twin that follows a thermometer
#
# A small tank loses 4 W/K, but the twin believes 5.6, give or take 40 %. A week of hourly
# readings with a noise of 0.2 K corrects it. Each reading can also be written into a ledger whose
# lines are chained by their hashes.

# %%
from tvilling.benchmarks import make_week, small_tank
from tvilling.twins import Prior, Twin

week = make_week(seed=4)
twin = Twin.start(
    small_tank(loss_w_per_k=5.6).system,
    start="2026-01-12T00:00",
    dt_s=3600.0,
    unknown={"loss_w_per_k": 0.4},
    prior=Prior(state=70.0, state_sd=2.0, state_noise=0.05),
)
for hour in range(len(week.read_degc)):
    twin = twin.assimilate(
        action={"heater_w": week.heater_w[hour]},
        drive={"demand_w": week.demand_w[hour], "ambient_degc": week.ambient_degc[hour]},
        measured={"water_degc": week.read_degc[hour]},
        sigma={"water_degc": 0.2},
    )
found = twin.estimate()["loss_w_per_k"]
print(f"{found.mean:.2f} ± {found.sd:.2f} W/K, true 4.00; {twin.health()}")

# %%
small = small_tank()
tomorrow = trial_scenarios(small, count=1, days=1, seed=3, dt_s=3600.0).at(0)
ahead = twin.forecast(Hold({"heater_w": 1.3e3}), tomorrow)
ahead["water_degc"].plot.line(x="time", size=3, aspect=3)

# %% [markdown]
# ## Control, between a rule and the best possible
#
# The thermostat does not look at the price; the linear programme knows every price and demand of
# the day in advance, so nothing can do better. A policy trained with reinforcement learning
# stands between them, behind a shield that keeps the tank within its limits.

# %%
from tvilling.rl_control import Environment, Guard, PpoSettings, Shield, compare, table, train_ppo

hourly = trial_scenarios(tank, count=512, days=1, seed=1, dt_s=3600.0)
guard = Guard.of(tank, dt_s=3600.0)
environment = Environment.of(tank, hourly, ahead=24, guard=guard)
policy = train_ppo(environment, PpoSettings(steps=30_000), seed=0)

# %%
held_out = trial_scenarios(tank, count=32, days=1, seed=2, dt_s=3600.0)
compared = compare(tank, {"thermostat": thermostat, "PPO": Shield(policy, guard)}, held_out)
table(compared).round(1)

# %%
compared["cost_dkk"].plot.line(x="scenario", size=3, aspect=3)

# %% [markdown]
# ## On a page
#
# `tvilling app` serves the same tank, and every other system, as a page with sliders; it listens
# on this computer only.
