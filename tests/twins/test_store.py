"""A twin that is kept goes on as if nothing had happened."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rooms import Rooms
from twin_week import follow, start

from tvilling.benchmarks.twin_reference import make_week, small_tank
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.checksums import write_sums
from tvilling.sciml.systems import SYSTEMS
from tvilling.twins.ledger import Ledger
from tvilling.twins.store import ledger_path, load, save, saved_twins
from tvilling.twins.twin import Twin

HELPERS = Path(__file__).parents[1] / "helpers"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TVILLING_HOME", str(tmp_path))
    return tmp_path


def test_another_process_goes_on_with_the_same_numbers(home: Path) -> None:
    """Bit by bit, twelve hours on."""
    week = make_week(5, hours=48)
    twin = follow(start().named("north-tank"), week, range(24))[-1]
    folder = save(twin, "tank")
    assert folder.is_relative_to(home / "twins" / "north-tank")
    worker = Path(__file__).with_name("twin_worker.py")
    result = subprocess.run(
        [sys.executable, worker, "north-tank"],
        env=os.environ | {"PYTHONPATH": str(HELPERS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    here = follow(twin, week, range(24, 36))[-1]
    numbers, told = result.stdout.splitlines()
    assert bytes.fromhex(numbers) == np.asarray(here.belief.vector()).tobytes()
    assert told == f"{here.time} {here.model_version}"


@pytest.mark.filterwarnings("ignore::tvilling.twins.notes.TooFewMembersWarning")
@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_can_be_kept(name: str) -> None:
    """With nothing unknown, which leaves arrays without elements."""
    example = SYSTEMS[name].example()
    twin = Twin.start(example.system, "2026-01-12", example.dt_s, members=10).named(name)
    save(twin, name)
    found = load(name)
    assert jax.tree.structure(found) == jax.tree.structure(twin)
    for kept, given in zip(jax.tree.leaves(found), jax.tree.leaves(twin), strict=True):
        np.testing.assert_array_equal(kept, given)
        assert kept.dtype == given.dtype
    assert saved_twins() == (name,)


def test_a_plant_built_in_another_way_is_refused() -> None:
    """The registry's tank has other limits than the small one; with system= it is found."""
    save(start().named("small"), "tank")
    with pytest.raises(InputError, match="built in another way"):
        load("small")
    found = load("small", small_tank(1.0).system)
    assert float(found.system.loss_w_per_k) == pytest.approx(5.6)  # type: ignore[attr-defined]


def test_only_the_last_version_stays_and_the_ledger_with_it(home: Path) -> None:
    twin = start().named("small")
    save(twin, "tank")
    Ledger(ledger_path("small")).append(twin.facts())
    later = follow(twin, make_week(0, hours=24), range(2))[-1]
    (home / "twins" / "small" / "000000001-killed.part").mkdir()
    version = save(later, "tank")
    assert [path.name for path in (home / "twins/small").iterdir() if path.is_dir()] == [
        version.name
    ]
    assert ledger_path("small").exists()
    assert int(load("small", small_tank(1.0).system).belief.steps) == 2


def test_a_save_cut_short_leaves_the_one_before(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin = start().named("small")
    save(twin, "tank")

    def killed(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tvilling.twins.store.save_arrays", killed)
    with pytest.raises(KeyboardInterrupt):
        save(follow(twin, make_week(0, hours=24), range(2))[-1], "tank")
    assert int(load("small", small_tank(1.0).system).belief.steps) == 0


def test_what_is_damaged_is_told(home: Path) -> None:
    version = save(start().named("small"), "tank")
    plant = small_tank(1.0).system
    about = json.loads((version / "twin.json").read_text())

    def told(change: dict) -> str:
        (version / "twin.json").write_text(json.dumps({**about, **change}))
        write_sums(version)
        with pytest.raises(InputError) as caught:
            load("small", plant)
        return str(caught.value)

    assert "the arrays have changed" in told({"arrays_sha256": "0" * 64})
    assert "format 7, expected 2" in told({"format": 7})
    assert "system kettle is not known" in told({"system": "kettle"})
    assert "log_unknown is missing" in told({"shapes": about["shapes"] | {"1.log_unknown": [3, 3]}})
    (version / "twin.json").write_text("{")
    write_sums(version)
    with pytest.raises(InputError, match="cannot be read"):
        load("small", plant)
    (version / "twin.json").write_text(json.dumps(about))
    shutil.rmtree(version / "arrays")
    write_sums(version)
    with pytest.raises(InputError, match="no arrays can be read"):
        load("small", plant)


@pytest.mark.parametrize("name", ["../outside", "", "a/b", ".hidden", "x" * 101])
def test_names_that_are_no_folder_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="name is"):
        save(start().named(name), "tank")
    with pytest.raises(InputError, match="name is"):
        load(name)


def test_what_is_not_there_and_not_known_is_told() -> None:
    with pytest.raises(InputError, match="is not kept; kept are: none"):
        load("nobody")
    with pytest.raises(InputError, match="system rooms is not known; known are"):
        save(Twin.start(Rooms(jnp.asarray(0.1)), "2026-01-12", 900.0), "rooms")


def test_the_version_of_a_model_changes_with_its_parameters() -> None:
    """And with nothing else."""
    one, same, other = start(), start(seed=3, members=20), start(loss_w_per_k=5.0)
    assert one.model_version == same.model_version != other.model_version
    assert replace(one, name="x").model_version == one.model_version
