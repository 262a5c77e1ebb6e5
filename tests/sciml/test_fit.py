"""Training: against closed forms, and through kills."""

import contextlib
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import fit_worker
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from fit_worker import SETTINGS, train

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.learning.fit import FitSettings, fit

WORKER = Path(fit_worker.__file__)


def same_bits(one, other) -> bool:
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return all(np.asarray(a).tobytes() == np.asarray(b).tobytes() for a, b in pairs)


def test_finds_the_least_squares_of_the_normal_equations():
    random = np.random.default_rng(0)
    x = random.normal(size=(1000, 3))
    y = x @ np.array([1.0, -2.0, 0.5]) + random.normal(size=1000)
    best = np.linalg.lstsq(x, y)[0]
    data = {"x": x, "y": y}

    def loss(params, batch):
        return jnp.mean((batch["x"] @ params - batch["y"]) ** 2)

    settings = FitSettings(steps=3000, batch=1000, learning_rate=0.02, last_rate=0.0)
    fitted = fit(loss, jnp.zeros(3), data, data, settings)
    np.testing.assert_allclose(fitted.params, best, rtol=1e-6)


def test_draws_every_sample_equally_often():
    """A mean learnt in small batches at a falling rate is the mean of all samples."""
    values = np.random.default_rng(1).exponential(size=400)
    settings = FitSettings(steps=20_000, batch=8, learning_rate=1e-2, last_rate=0.0)
    fitted = fit(
        lambda params, batch: jnp.mean((params - batch) ** 2),
        jnp.zeros(()),
        values,
        values,
        replace(settings, check_every=2000),
    )
    assert float(fitted.params) == pytest.approx(values.mean(), abs=0.02)


def test_params_are_those_of_the_lowest_held_out_loss():
    """Held-out data that pull elsewhere are passed on the way and left behind."""

    def loss(params, batch):
        return jnp.mean((params - batch) ** 2)

    settings = FitSettings(
        steps=2000, batch=4, learning_rate=1e-2, last_rate=1.0, check_every=10, patience=5
    )
    fitted = fit(loss, jnp.zeros(()), np.ones(4), np.full(3, 0.5), settings)
    assert fitted.stopped == "patience"
    assert float(fitted.params) == pytest.approx(0.5, abs=0.05)
    held_out = fitted.history.held_out_loss
    assert fitted.best_step == int(held_out.idxmin("step"))
    assert int(fitted.history.step[-1]) == fitted.best_step + 50
    assert float(held_out.min()) == pytest.approx(float(loss(fitted.params, 0.5)))


def test_a_loss_that_turns_nan_ends_with_a_status_and_finite_params():
    """A steep slope over the edge of the logarithm."""

    def loss(params, batch):
        return jnp.mean(jnp.log(1.0 - params) + 0 * batch)

    settings = FitSettings(
        steps=100, batch=2, learning_rate=0.05, last_rate=1.0, check_every=5, greatest_norm=1e3
    )
    fitted = fit(loss, jnp.zeros(()), np.ones(2), np.ones(2), settings)
    assert fitted.stopped == "diverged"
    assert 0 < float(fitted.params) < 1
    last = fitted.history.isel(step=-1)
    assert not np.isfinite(last.training_loss + last.held_out_loss)


def test_killed_and_started_again_ends_with_the_same_bits(tmp_path):
    whole = train(None)
    command = [sys.executable, str(WORKER), str(tmp_path / "run")]
    for checks in (3, 6):  # killed twice, the second time after it was taken up
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
            assert worker.stdout is not None
            said = [worker.stdout.readline() for _ in range(checks)]
            worker.kill()
        assert all(said), said
    steps = [int(path.name) for path in (tmp_path / "run").iterdir() if path.name.isdigit()]
    assert 0 < max(steps) < SETTINGS.steps
    told: list[str] = []
    resumed = train(tmp_path / "run", told.append)
    assert told[0].startswith("taken up at step ")
    assert same_bits(resumed.params, whole.params)
    assert resumed.history.identical(whole.history)
    assert (resumed.stopped, resumed.best_step) == (whole.stopped, whole.best_step)


def test_every_check_can_be_taken_up(tmp_path):
    """Stopped after each check in turn; what is told is not yet kept, and is made again."""
    settings = replace(SETTINGS, steps=100)
    whole = train(None, settings=settings)
    for _ in range(5):
        checks: list[str] = []

        def stop(text: str, checks: list[str] = checks) -> None:
            checks.extend([text] * text.startswith("step"))
            if len(checks) == 2:
                raise KeyboardInterrupt

        with contextlib.suppress(KeyboardInterrupt):
            train(tmp_path, stop, settings)
    assert same_bits(train(tmp_path, settings=settings).params, whole.params)


def test_a_finished_training_is_not_run_again(tmp_path):
    settings = replace(SETTINGS, steps=40)
    once = train(tmp_path, settings=settings)
    told: list[str] = []
    again = train(tmp_path, told.append, settings)
    assert told == ["taken up at step 40"]
    assert same_bits(once.params, again.params)


def test_a_lost_checkpoint_is_told_and_noted(tmp_path):
    """The training begins anew, which the files beside the checkpoints show."""
    settings = replace(SETTINGS, steps=40)
    once = train(tmp_path, settings=settings)
    assert "note" not in once.history.attrs
    shutil.rmtree(tmp_path / "40")
    told: list[str] = []
    again = train(tmp_path, told.append, settings)
    assert told[0] == f"the checkpoint of step 40 in {tmp_path} is gone: training begins anew"
    assert again.history.attrs["note"] == told[0]
    assert same_bits(once.params, again.params)
    assert "note" not in train(tmp_path, settings=settings).history.attrs


def test_the_folder_of_another_training_is_refused(tmp_path):
    train(tmp_path, settings=replace(SETTINGS, steps=20))
    with pytest.raises(InputError, match="another training"):
        train(tmp_path, settings=replace(SETTINGS, steps=20, learning_rate=2e-2))


def test_settings_out_of_range_are_named_together():
    with pytest.raises(ValueError, match=r"steps is 0.*learning_rate is -1"):
        FitSettings(steps=0, learning_rate=-1.0)
