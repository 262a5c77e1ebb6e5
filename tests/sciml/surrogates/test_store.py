"""Surrogates on disk."""

import json
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tvilling.datasets.simulated.trials import trial_scenarios
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.checksums import write_sums
from tvilling.sciml.learning.fit import FitSettings
from tvilling.sciml.surrogates import (
    SurrogateSettings,
    load_surrogate,
    save_surrogate,
    train_surrogate,
)
from tvilling.sciml.surrogates.store import surrogates_folder

ROUGH = SurrogateSettings(
    width=8, layers=2, activation="silu", passes=1, fit=FitSettings(steps=100)
)  # that of the fixture `rough`


def test_what_was_kept_answers_with_the_same_bits(tank, trained, tmp_path):
    surrogate, report = trained
    folder = save_surrogate(surrogate, report, tmp_path / "tanks" / "small")
    kept = load_surrogate(folder, tank.system)
    assert jax.tree.structure(kept.surrogate) == jax.tree.structure(surrogate)
    for ours, theirs in zip(
        jax.tree.leaves(kept.surrogate), jax.tree.leaves(surrogate), strict=True
    ):
        assert np.asarray(ours).tobytes() == np.asarray(theirs).tobytes()
    assert kept.about.metrics["coverage_of_90_percent"] == report.coverage
    assert kept.about.system == "Tank"
    assert kept.about.data_sha256 == report.data_sha256
    left = {path.name for path in folder.parent.iterdir()}
    assert left == {"small"}  # nothing beside it


def test_a_folder_that_is_there_is_left_alone(trained, tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(InputError, match="is there already"):
        save_surrogate(*trained, tmp_path / "mine")


def test_it_belongs_to_the_system_it_learnt(tank, trained, tmp_path):
    folder = save_surrogate(*trained, tmp_path / "kept")
    larger = replace(tank.system, capacity_j_per_k=2 * tank.system.capacity_j_per_k)
    with pytest.raises(InputError, match="with other parameters"):
        load_surrogate(folder, larger)
    same = replace(tank.system, capacity_j_per_k=jnp.float64(tank.system.capacity_j_per_k))
    load_surrogate(folder, same)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "format"),
        ({"unheard": 1}, "unheard"),
        ({"activation": "step"}, "'step'"),
        ({"layers": 9}, "weight_4"),
    ],
)
def test_a_description_that_is_not_ours_is_refused(change, words, tank, trained, tmp_path):
    folder = save_surrogate(*trained, tmp_path / "kept")
    about = json.loads((folder / "surrogate.json").read_text())
    (folder / "surrogate.json").write_text(json.dumps(about | change))
    write_sums(folder)
    with pytest.raises(InputError, match=words):
        load_surrogate(folder, tank.system)


def test_no_surrogate_is_said_so(tank, tmp_path):
    with pytest.raises(InputError, match="holds no surrogate"):
        load_surrogate(tmp_path, tank.system)


def test_the_store_is_under_the_data_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("TVILLING_HOME", str(tmp_path))
    assert surrogates_folder() == tmp_path / "surrogates"


def test_a_training_is_taken_up_from_its_folder(tank, rough, tmp_path):
    """Stopped at its only check and started again, it ends with the bits of one undisturbed."""
    scenarios = trial_scenarios(tank, 12, 1, seed=1)

    def stop(text: str) -> None:
        if text.startswith("calibrating"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_surrogate(tank, scenarios, ROUGH, tell=stop, folder=tmp_path)
    told: list[str] = []
    again, _ = train_surrogate(tank, scenarios, ROUGH, tell=told.append, folder=tmp_path)
    assert "taken up at step 100" in told
    for ours, theirs in zip(jax.tree.leaves(again), jax.tree.leaves(rough), strict=True):
        assert np.asarray(ours).tobytes() == np.asarray(theirs).tobytes()
