"""One environment as Gymnasium wants it."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tvilling.rl_control.rl.env import Environment, EnvState
from tvilling.rl_control.rl.observation import FURTHEST
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.results import status_text
from tvilling.sciml.io.extras import needs_extra

with needs_extra("rl"):
    import gymnasium
    from gymnasium.spaces import Box


def spaces(environment: Environment) -> tuple[Box, Box]:
    """Observation and action space, in float32 as the learning libraries expect."""
    seen = Box(-FURTHEST, FURTHEST, (environment.observer.size,), np.float32)
    return seen, Box(-1.0, 1.0, (environment.action_size,), np.float32)


class GymEnvironment(gymnasium.Env[np.ndarray, np.ndarray]):
    """A pure environment behind Gymnasium's interface; the end of an episode is `terminated`.

    What is left in store is paid for by then, so nothing is cut short and there is no truncation.
    """

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.observation_space, self.action_space = spaces(environment)
        self._reset, self._step = jax.jit(Environment.reset), jax.jit(Environment.step)
        self._state: EnvState | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """A new episode; the same seed gives the same one.

        Parameters
        ----------
        options
            `{"scenario": number}` picks the scenario instead of the draw.

        Raises
        ------
        InputError
            Another option, or a scenario that is not there.
        """
        super().reset(seed=seed)
        key = jax.random.key(int(self.np_random.integers(2**31)))
        self._state, observation = self._reset(self.environment, key, self._picked(options or {}))
        return np.asarray(observation, np.float32), {"scenario": int(self._state.scenario)}

    def _picked(self, options: dict[str, Any]) -> int | None:
        """The scenario that the options ask for; None leaves it to the draw."""
        count = len(next(iter(self.environment.drive.values())))
        faults = [
            f"option {name!r} is not known, expected scenario"
            for name in options
            if name != "scenario"
        ]
        asked = options.get("scenario")
        if asked is not None and (
            isinstance(asked, bool)
            or not isinstance(asked, int | np.integer)
            or not 0 <= asked < count
        ):
            faults.append(f"scenario is {asked!r}, expected 0 to {count - 1}")
        if faults:
            raise InputError("options of a reset", faults)
        return None if asked is None else int(asked)

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Observation, reward, whether it ended, False, and what the step cost [DKK].

        `reason` says why an episode ended before its last step.
        """
        if self._state is None:
            raise gymnasium.error.ResetNeeded("call reset before step")
        self._state, observation, reward, done, info = self._step(
            self.environment, self._state, jnp.asarray(action, float)
        )
        facts = {name: value.item() for name, value in info.items()}
        if bool(done) and int(self._state.step) < self.environment.steps:
            facts["reason"] = status_text(facts["status"])
        return np.asarray(observation, np.float32), float(reward), bool(done), False, facts
