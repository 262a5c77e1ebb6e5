"""Training with stable-baselines3: many environments in one compiled call, PPO over them.

PPO: Schulman et al., Proximal Policy Optimization Algorithms, 2017,
doi:10.48550/arXiv.1707.06347.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from tvilling.rl_control.rl.env import Environment, EnvState
from tvilling.rl_control.rl.gym_env import spaces
from tvilling.rl_control.rl.policy import Policy
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.results import status_text
from tvilling.sciml.core.system import Status
from tvilling.sciml.io.extras import needs_extra

with needs_extra("rl"):
    import torch
    from stable_baselines3 import PPO
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.vec_env import VecEnv


@dataclass(frozen=True)
class PpoSettings:
    """What PPO is told.

    Attributes
    ----------
    steps
        Steps of the plant in all, over every environment.
    environments
        How many run side by side.
    rollout_steps
        Steps of each between two updates; None is one episode.
    epochs, batch
        Passes over a rollout, and rows in a gradient step (the nearest number that divides them).
    learning_rate
        At the start; it falls linearly to a tenth.
    discount, gae_lambda
        Per step. An episode ends in a value that is paid, so there is little to discount.
    clip, entropy
        Of PPO's objective.
    log_spread
        Logarithm of the actions' standard deviation at the start.
    width
        Of the two hidden layers, of policy and value each.
    """

    steps: int = 200_000
    environments: int = 128
    rollout_steps: int | None = None
    epochs: int = 10
    batch: int = 512
    learning_rate: float = 4e-4
    discount: float = 0.99
    gae_lambda: float = 0.95
    clip: float = 0.2
    entropy: float = 0.0
    log_spread: float = 0.0
    width: int = 64


class VectorEnvironment(VecEnv):
    """`count` environments stepped by one compiled call; each begins anew where it ends."""

    def __init__(self, environment: Environment, count: int, seed: int = 0) -> None:
        self.environment = environment
        self._key = jax.random.key(seed)
        self.render_mode = None
        super().__init__(count, *spaces(environment))
        self._reset = jax.jit(jax.vmap(Environment.reset, in_axes=(None, 0)))
        self._step = jax.jit(_step_all)
        self._state: EnvState | None = None
        self._action = np.zeros((count, environment.action_size), np.float32)

    def _keys(self) -> Array:
        self._key, now = jax.random.split(self._key)
        return jax.random.split(now, self.num_envs)

    def reset(self) -> np.ndarray:
        """Observations of `count` new episodes."""
        self._state, observation = self._reset(self.environment, self._keys())
        return np.asarray(observation, np.float32)

    def step_async(self, actions: np.ndarray) -> None:
        """Remember the actions."""
        self._action = actions

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Take the actions; the last observation of an ended episode is in its info."""
        self._state, observation, last, reward, done, info = self._step(
            self.environment, self._state, jnp.asarray(self._action, float), self._keys()
        )
        ended = np.asarray(done)
        facts = {name: np.asarray(values) for name, values in info.items()}
        infos: list[dict[str, Any]] = [
            {name: values[i].item() for name, values in facts.items()} for i in range(self.num_envs)
        ]
        if ended.any():
            final = np.asarray(last, np.float32)
            for i in np.flatnonzero(ended):
                infos[i]["terminal_observation"] = final[i]
                infos[i]["TimeLimit.truncated"] = False
                if infos[i]["status"] & Status.NOT_FINITE:
                    infos[i]["reason"] = status_text(infos[i]["status"])
        rewards = np.asarray(reward, np.float32)
        return np.asarray(observation, np.float32), rewards, ended, infos

    def set_options(self, options: Any = None) -> None:
        """Refused unless empty: episodes begin anew on their own, without options."""
        if options:
            raise NotImplementedError("the environments of a batch take no options")

    def close(self) -> None:
        """Nothing is held open."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """The attribute, once an environment."""
        return [getattr(self, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Refused: environments share one compiled call."""
        raise NotImplementedError("the environments of a batch cannot be changed one by one")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> Any:
        """Refused: environments share one compiled call."""
        raise NotImplementedError("the environments of a batch have no methods of their own")

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        """None is."""
        return [False] * len(list(self._get_indices(indices)))

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Begin the draws anew; the next `reset` follows it."""
        self._key = jax.random.key(0 if seed is None else seed)
        return [seed] * self.num_envs


def _step_all(environment: Environment, state: EnvState, action: Array, keys: Array) -> tuple:
    """Step every environment, and reset those that ended."""

    def one(state: EnvState, action: Array, key: Array) -> tuple:
        after, last, reward, done, info = environment.step(state, action)
        fresh, first = environment.reset(key)
        state, seen = jax.tree.map(
            lambda a, b: jnp.where(done, a, b), (fresh, first), (after, last)
        )
        return state, seen, last, reward, done, info

    return jax.vmap(one)(state, action, keys)


def train_ppo(
    environment: Environment,
    settings: PpoSettings | None = None,
    seed: int = 0,
    tell: Callable[[str], None] = lambda stage: None,
) -> Policy:
    """Train a policy by PPO and give it as plain arrays.

    `tell` is called with the mean reward of an episode about ten times on the way. The number of
    torch's threads is one while it trains: a second pool beside that of JAX slows both.

    Raises
    ------
    InputError
        A setting is out of range.
    """
    settings = settings or PpoSettings()
    _check(settings)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        model = _model(environment, settings, seed)
        model.learn(settings.steps, callback=_Progress(tell, settings.steps))
    finally:
        torch.set_num_threads(threads)
    return policy_of(model, environment)


def policy_of(model: PPO, environment: Environment) -> Policy:
    """The deterministic policy of a PPO model with tanh layers, its weights copied."""
    layers = [
        layer
        for layer in (*model.policy.mlp_extractor.policy_net, model.policy.action_net)
        if isinstance(layer, torch.nn.Linear)
    ]

    def array(tensor: torch.Tensor) -> Array:
        return jnp.asarray(tensor.detach().cpu().numpy().astype(float))

    return Policy(
        environment.observer,
        tuple(array(layer.weight) for layer in layers),
        tuple(array(layer.bias) for layer in layers),
        tuple(environment.system.actions),
    )


def _model(environment: Environment, settings: PpoSettings, seed: int) -> PPO:
    shape = [settings.width, settings.width]
    steps = environment.steps if settings.rollout_steps is None else settings.rollout_steps
    rows = steps * settings.environments
    divisors = (size for size in range(2, rows + 1) if rows % size == 0)
    return PPO(
        "MlpPolicy",
        VectorEnvironment(environment, settings.environments, seed),
        learning_rate=lambda left: settings.learning_rate * (0.1 + 0.9 * left),
        n_steps=steps,
        batch_size=min(divisors, key=lambda size: abs(size - settings.batch)),
        n_epochs=settings.epochs,
        gamma=settings.discount,
        gae_lambda=settings.gae_lambda,
        clip_range=settings.clip,
        ent_coef=settings.entropy,
        policy_kwargs={
            "net_arch": {"pi": shape, "vf": shape},
            "activation_fn": torch.nn.Tanh,
            "log_std_init": settings.log_spread,
        },
        seed=seed,
        device="cpu",
    )


def _check(settings: PpoSettings) -> None:
    ranges: Iterable[tuple[str, float, float]] = (
        ("steps", 1, 1e9),
        ("environments", 1, 1e5),
        ("epochs", 1, 1000),
        ("batch", 2, 1e6),
        ("learning_rate", 1e-8, 1.0),
        ("discount", 0.0, 1.0),
        ("gae_lambda", 0.0, 1.0),
        ("clip", 1e-3, 1.0),
        ("entropy", 0.0, 1.0),
        ("log_spread", -20.0, 5.0),
        ("width", 1, 4096),
    )
    faults = [
        f"{name} is {getattr(settings, name):g}, expected {low:g} to {high:g}"
        for name, low, high in ranges
        if not low <= getattr(settings, name) <= high
    ]
    if settings.rollout_steps is not None and not 1 <= settings.rollout_steps <= 1e6:
        faults.append(f"rollout_steps is {settings.rollout_steps:g}, expected 1 to 1e+06, or None")
    if faults:
        raise InputError("PPO settings", faults)


class _Progress(BaseCallback):
    """Tells how training goes."""

    def __init__(self, tell: Callable[[str], None], steps: int) -> None:
        super().__init__()
        self.tell, self.steps, self.next = tell, steps, 0.1

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        share = self.num_timesteps / self.steps
        if share >= self.next:
            self.next = share + 0.1
            buffer = self.locals["rollout_buffer"]
            mean = float(buffer.rewards.sum() / max(buffer.episode_starts.sum(), 1.0))
            self.tell(f"step {self.num_timesteps} of {self.steps}: {mean:.3f} an episode")
