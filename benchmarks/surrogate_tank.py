"""A surrogate of the tank beside the tank itself: error, and time of a step."""

from typing import TYPE_CHECKING, Any

from tvilling.benchmarks.measurement import Measurement

if TYPE_CHECKING:
    from tvilling.sciml.surrogates import Surrogate, SurrogateReport, SurrogateSettings
    from tvilling.sciml.systems.example import Example

SCENARIOS, DAYS = 300, 2
FRESH_SEED = 1001
BATCH = 128


def measure() -> Measurement:
    """Time of a step of the surrogate over that of the tank's own, in a batch of 128 runs."""
    from tvilling.sciml.surrogates import SurrogateSettings
    from tvilling.sciml.systems import SYSTEMS

    return beside_physics("surrogate_tank", SYSTEMS["tank"].example(), SurrogateSettings())


def beside_physics(name: str, example: "Example", settings: "SurrogateSettings") -> Measurement:
    """Train a surrogate of `example` and compare it with the physics on fresh scenarios."""
    import jax

    from tvilling.benchmarks.timing import take_turns
    from tvilling.datasets.simulated.trials import trial_scenarios
    from tvilling.sciml.surrogates import random_actions, run_played, train_surrogate

    known = trial_scenarios(example, SCENARIOS, DAYS, seed=0)
    surrogate, report = train_surrogate(example, known, settings)
    scenarios = trial_scenarios(example, BATCH, DAYS, seed=FRESH_SEED)
    steps = next(iter(scenarios.drive.values())).shape[1]
    actions = random_actions(example, BATCH, steps, FRESH_SEED, settings.action_reach)
    one = jax.tree.map(lambda leaf: leaf[:1], (scenarios, actions))
    systems = {"surrogate": surrogate, "physics": example.system}
    calls = {
        who: (lambda s=s: run_played(s, scenarios, actions, BATCH)) for who, s in systems.items()
    }
    alone = {who: (lambda s=s: run_played(s, *one, 1)) for who, s in systems.items()}
    batch, single = take_turns(calls, 7), take_turns(alone, 7)
    us = {who: timing.median_s / (BATCH * steps) * 1e6 for who, timing in batch.items()}
    cpu = {who: min(timing.cpu_s) / (BATCH * steps) * 1e6 for who, timing in batch.items()}
    return Measurement(
        name=name,
        ours=us["surrogate"],
        peer=us["physics"],
        unit="µs per step, 128 runs together",
        ratio=us["physics"] / us["surrogate"],
        peer_name="the physics",
        extra={
            **_errors(example, surrogate, report, (scenarios, actions)),
            "cpu_us_per_step": cpu,
            "us_per_step_one_run": {
                who: timing.median_s / steps * 1e6 for who, timing in single.items()
            },
        },
    )


def _errors(
    example: "Example", surrogate: "Surrogate", report: "SurrogateReport", fresh: tuple[Any, Any]
) -> dict[str, Any]:
    """Errors and coverage on fresh scenarios, and what training took."""
    from tvilling.sciml.surrogates import one_step_errors, rollout_errors, transitions_of, worst
    from tvilling.sciml.surrogates.calibration import interval_coverage
    from tvilling.sciml.surrogates.errors import flattened

    found = transitions_of(example.system, *fresh)
    one_step = one_step_errors(surrogate, found, example.dt_s)
    rollout = rollout_errors(surrogate, example.system, *fresh)
    covered = interval_coverage(surrogate, flattened(found))
    return {
        "one_step_rms_percent": {k: 100 * miss.rms for k, miss in one_step.items()},
        "one_step_greatest_percent": 100 * worst(one_step).greatest,
        "rollout_48_h_rms_percent": {k: 100 * miss.rms for k, miss in rollout.items()},
        "rollout_48_h_greatest_percent": 100 * worst(rollout).greatest,
        "coverage_of_90_percent": [min(covered.values()), max(covered.values())],
        "steps_trained_on": report.steps,
        "training_cpu_s": report.cpu_s,
        "training_wall_s": report.wall_s,
    }
