"""Train parameters on a loss: compiled stretches, a held-out check, and an exact resume."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import xarray as xr
from jaxtyping import Array, Float

from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.learning.fit_checkpoint import Checkpoints, fingerprint

if TYPE_CHECKING:
    Loss = Callable[[Any, Any], Array]

RUNNING = "running"


@dataclass(frozen=True)
class FitSettings:
    """How long, how fast, and when to stop.

    Attributes
    ----------
    steps
        Most steps of the optimiser.
    batch
        Samples a step, drawn with replacement; all of them, in order, if there are no more.
    learning_rate
        Step size of Adam after the warm-up.
    last_rate
        Share of `learning_rate` that is left at the end of the cosine decay.
    warmup
        Steps over which the step size rises from zero.
    weight_decay
        Decoupled decay of the parameters (AdamW); 0 gives Adam.
    greatest_norm
        Gradients longer than this, over all parameters, are shortened to it.
    check_every
        Steps in one compiled stretch, between two checks of the held-out loss.
    patience
        Checks without a better held-out loss after which training ends.
    """

    steps: int = 10_000
    batch: int = 256
    learning_rate: float = 1e-3
    last_rate: float = 0.01
    warmup: int = 0
    weight_decay: float = 0.0
    greatest_norm: float = 1.0
    check_every: int = 500
    patience: int = 1_000_000

    def __post_init__(self) -> None:
        """Refuse what cannot be run.

        Raises
        ------
        ValueError
            Naming every setting out of range.
        """
        least = {"steps": 1, "batch": 1, "check_every": 1, "patience": 1, "warmup": 0}
        low = [f"{k} is {getattr(self, k)}, expected >= {v}" for k, v in least.items()]
        faults = [
            text for text, (k, v) in zip(low, least.items(), strict=True) if getattr(self, k) < v
        ]
        faults += [
            f"{name} is {getattr(self, name):g}, expected above 0"
            for name in ("learning_rate", "greatest_norm")
            if not getattr(self, name) > 0
        ]
        if faults:
            raise ValueError("; ".join(faults))


@dataclass(frozen=True)
class Fitted:
    """What training gave.

    Attributes
    ----------
    params
        Parameters of the lowest held-out loss that was seen, the first ones included.
    history
        `training_loss` (mean over the stretch before a check; NaN at step 0) and `held_out_loss`,
        by `step`; the attribute `note` says where a checkpoint was lost.
    stopped
        Why it ended: `steps`, `patience`, or `diverged` where a loss was not finite.
    best_step
        The step that `params` come from.
    """

    params: Any
    history: xr.Dataset
    stopped: str
    best_step: int

    __repr__ = short_repr


@dataclass(frozen=True)
class _Progress:
    """All that a resumed run needs; `rows` are step, training loss and held-out loss."""

    step: int
    params: Any
    memory: Any  # of the optimiser
    best: Any
    best_step: int
    rows: Float[np.ndarray, "check 3"]
    stopped: str

    @property
    def best_loss(self) -> float:
        return float(np.nanmin(np.append(self.rows[:, 2], np.inf)))


def fit(  # noqa: PLR0913
    loss: "Loss",
    params: Any,
    data: Any,
    held_out: Any,
    settings: FitSettings = FitSettings(),
    seed: int = 0,
    folder: Path | None = None,
    tell: Callable[[str], None] = lambda stage: None,
) -> Fitted:
    """Lower `loss` over `data` with Adam, keeping the parameters that do best on `held_out`.

    Steps between two checks run inside one compiled loop. The samples of a step are drawn from
    `seed` and the number of the step alone, so a run that is killed and started again with the
    same `folder` ends with the very same bits.

    Parameters
    ----------
    loss
        `loss(params, batch) -> scalar`, pure. It is called with samples of `data`, and with all of
        `held_out`.
    params
        Any pytree of floating-point arrays.
    data, held_out
        Pytrees of arrays that all lead with the sample axis.
    settings
        Length, step size and patience.
    seed
        Draws the samples of each step.
    folder
        Where checkpoints are kept, one at every check; none without it. A folder that holds the
        checkpoints of the same training is taken up where it ended; one that was lost is told, and
        noted in the history. The loss itself cannot be
        compared: use another folder for another loss.
    tell
        Called with the losses at every check.

    Returns
    -------
    Fitted
        Never with parameters of a loss that is not finite, unless the first ones gave it.

    Raises
    ------
    InputError
        If `folder` holds the checkpoints of another training.
    """
    params = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.asarray(leaf).dtype), params)
    optimiser = _optimiser(settings)
    advance, check = _compiled(loss, optimiser, settings)
    start = _start(params, optimiser, check, held_out)
    kept = None
    if folder is not None:
        kept = Checkpoints(folder, fingerprint(settings, seed, params, data, held_out))
    note = kept.lost() if kept is not None else ""
    if note:
        tell(note)
    progress = _taken_up(start, kept, tell)
    key = jax.random.key(seed)
    while progress.stopped == RUNNING:
        count = min(settings.check_every, settings.steps - progress.step)
        new, memory, training = advance(
            progress.params, progress.memory, data, key, progress.step, count=count
        )
        row = (progress.step + count, float(training), float(check(new, held_out)))
        progress = _noted(progress, new, memory, row, settings)
        tell(
            f"step {row[0]:,} of {settings.steps:,}: loss {row[1]:.3g}, held out {row[2]:.3g}, "
            f"best {progress.best_loss:.3g}"
        )
        if kept is not None:
            kept.save(progress.step, _arrays(progress))
    history = _history(progress.rows).assign_attrs({"note": note} if note else {})
    return Fitted(progress.best, history, progress.stopped, progress.best_step)


def _optimiser(settings: FitSettings) -> optax.GradientTransformation:
    rate = optax.warmup_cosine_decay_schedule(
        init_value=0.0 if settings.warmup else settings.learning_rate,
        peak_value=settings.learning_rate,
        warmup_steps=settings.warmup,
        decay_steps=max(settings.steps, settings.warmup + 1),
        end_value=settings.learning_rate * settings.last_rate,
    )
    return optax.chain(
        optax.clip_by_global_norm(settings.greatest_norm),
        optax.adamw(rate, weight_decay=settings.weight_decay),
    )


def _compiled(
    loss: "Loss", optimiser: optax.GradientTransformation, settings: FitSettings
) -> tuple[Callable[..., Any], Callable[..., Array]]:
    """A compiled stretch of steps, and the compiled loss."""

    def advance(
        params: Any, memory: Any, data: Any, key: Array, first: Array, count: int
    ) -> tuple[Any, Any, Array]:
        def one(carry: tuple[Any, Any], step: Array) -> tuple[tuple[Any, Any], Array]:
            now, memory = carry
            batch = _draw(data, jax.random.fold_in(key, step), settings.batch)
            value, slope = jax.value_and_grad(loss)(now, batch)
            move, memory = optimiser.update(slope, memory, now)
            return (optax.apply_updates(now, move), memory), value

        (params, memory), values = jax.lax.scan(one, (params, memory), first + jnp.arange(count))
        return params, memory, jnp.mean(values)

    return jax.jit(advance, static_argnames="count"), jax.jit(loss)


def _draw(data: Any, key: Array, batch: int) -> Any:
    """`batch` samples of `data`, or all of it if it holds no more."""
    samples = jax.tree.leaves(data)[0].shape[0]
    if batch >= samples:
        return data
    index = jax.random.randint(key, (batch,), 0, samples)
    return jax.tree.map(lambda leaf: leaf[index], data)


def _start(
    params: Any, optimiser: optax.GradientTransformation, check: "Loss", held_out: Any
) -> _Progress:
    first = np.array([[0.0, np.nan, float(check(params, held_out))]])
    return _Progress(0, params, optimiser.init(params), params, 0, first, RUNNING)


def _noted(
    before: _Progress,
    params: Any,
    memory: Any,
    row: tuple[int, float, float],
    settings: FitSettings,
) -> _Progress:
    """The progress after a stretch: a better held-out loss is kept, an end is called."""
    step, training, held_out = row
    finite = math.isfinite(training) and math.isfinite(held_out)
    now = replace(
        before, step=step, params=params, memory=memory, rows=np.vstack([before.rows, row])
    )
    if not finite:
        return replace(now, stopped="diverged")
    if held_out < before.best_loss:
        now = replace(now, best=params, best_step=step)
    elif step - now.best_step >= settings.patience * settings.check_every:
        now = replace(now, stopped="patience")
    return replace(now, stopped="steps") if step >= settings.steps else now


def _history(rows: Float[np.ndarray, "check 3"]) -> xr.Dataset:
    about = {"units": "1"}
    return xr.Dataset(
        {
            "training_loss": ("step", rows[:, 1], about),
            "held_out_loss": ("step", rows[:, 2], about),
        },
        coords={"step": rows[:, 0].astype(int)},
    )


def _arrays(progress: _Progress) -> dict[str, np.ndarray]:
    """`progress` as named arrays."""
    trees = {"params": progress.params, "memory": progress.memory, "best": progress.best}
    arrays = {
        f"{name}/{i}": np.asarray(leaf)
        for name, tree in trees.items()
        for i, leaf in enumerate(jax.tree.leaves(tree))
    }
    stopped = np.frombuffer(progress.stopped.encode(), np.uint8)
    best_step = np.asarray(progress.best_step)
    return arrays | {"rows": progress.rows, "stopped": stopped, "best_step": best_step}


def _taken_up(start: _Progress, kept: Checkpoints | None, tell: Callable[[str], None]) -> _Progress:
    """The last progress that was kept, or `start`."""
    found = kept.latest() if kept is not None else None
    if found is None:
        return start
    step, arrays = found

    def filled(name: str, like: Any) -> Any:
        leaves, tree = jax.tree.flatten(like)
        return jax.tree.unflatten(
            tree,
            [
                jnp.asarray(arrays[f"{name}/{i}"]) if jnp.size(leaf) else leaf
                for i, leaf in enumerate(leaves)
            ],
        )

    tell(f"taken up at step {step:,}")
    return _Progress(
        step,
        filled("params", start.params),
        filled("memory", start.memory),
        filled("best", start.best),
        int(arrays["best_step"]),
        arrays["rows"],
        bytes(arrays["stopped"]).decode(),
    )
