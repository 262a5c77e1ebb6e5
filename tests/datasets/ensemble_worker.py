"""An ensemble of tanks: run as a script it writes the store named on the command line.

The second argument is a wait after each chunk [s], so that a test can kill the script in between.
"""

import sys
import time

import jax.numpy as jnp

from tvilling.datasets.simulated.ensembles import Ensemble, Kept, run_ensemble
from tvilling.datasets.simulated.samples import Range, latin_hypercube
from tvilling.rl_control.control.controllers import Hold
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.systems.tank import example

STEPS, COUNT, CHUNK = 24, 50, 8
SAMPLES = latin_hypercube(
    (Range("demand_w", "W", 2.5e5, 6e5), Range("start_degc", "°C", 56.0, 94.0)), COUNT, seed=5
)


def make_scenario(sample):
    """A day of constant demand from a start temperature."""
    demand = jnp.full(STEPS, sample["demand_w"])
    drive = {"demand_w": demand, "ambient_degc": jnp.full(STEPS, 12.0)}
    return Scenario(sample["start_degc"], drive, 3600.0)


def ensemble():
    """What is run."""
    tank = example()
    return Ensemble(
        tank.system,
        Hold(tank.action),
        make_scenario,
        (
            Kept("coldest_degc", "°C", lambda run: run.output["water_degc"].min()),
            Kept("water_degc", "°C", lambda run: run.output["water_degc"], ("time",)),
        ),
    )


if __name__ == "__main__":

    def report(done, total):
        print(f"{done} of {total}", flush=True)
        time.sleep(float(sys.argv[2]))

    run_ensemble(ensemble(), SAMPLES, sys.argv[1], CHUNK, report)
