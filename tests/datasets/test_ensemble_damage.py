"""An ensemble that lost something says so, and makes it again: each file, missing, cut, one bit."""

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from damage import damaged_copies, flipped_in_the_middle, missing, truncated

from tvilling.datasets.simulated.ensemble_sums import MARK, DamagedStoreWarning
from tvilling.datasets.simulated.ensembles import run_ensemble
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.checksums import SUMS, UncheckedStoreWarning
from tvilling.sciml.io.zarr_store import open_zarr_store

SCRIPT = Path(__file__).with_name("ensemble_worker.py")
spec = importlib.util.spec_from_file_location("ensemble_worker", SCRIPT)
worker = importlib.util.module_from_spec(spec)
spec.loader.exec_module(worker)

SAMPLES = worker.SAMPLES.isel(scenario=slice(0, 6))
CHUNK = 3


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "tank.zarr"
    return path, run_ensemble(worker.ensemble(), SAMPLES, path, CHUNK).load()


def run_again(store):
    calls = []
    data = run_ensemble(worker.ensemble(), SAMPLES, store, CHUNK, lambda *call: calls.append(call))
    return data.load(), calls[0][0]


def bits(data):
    return {str(name): variable.values.tobytes() if variable.dtype != object else
            variable.values.tolist() for name, variable in data.variables.items()}  # fmt: skip


def check(what, store, data):
    """One damaged store: it is told when opened, told when run again, and made again to the bit."""
    if what == f"{MARK}/{SUMS} missing":
        with pytest.warns(UncheckedStoreWarning, match=SUMS):
            assert bits(open_zarr_store(store).load()) == bits(data)
        with pytest.warns(UncheckedStoreWarning, match=SUMS):
            assert bits(run_again(store)[0]) == bits(data)
        return
    name = SUMS if SUMS in what else what.split()[0]
    with pytest.raises(InputError, match=name):
        open_zarr_store(store)
    with pytest.warns(DamagedStoreWarning, match=name):
        again, _ = run_again(store)
    assert bits(again) == bits(data), what
    assert bits(open_zarr_store(store).load()) == bits(data), what


@pytest.fixture
def copied(whole, tmp_path):
    path, data = whole
    return shutil.copytree(path, tmp_path / path.name), data


@pytest.mark.parametrize("damage", [missing, truncated, flipped_in_the_middle])
def test_a_damaged_chunk_is_told_and_run_again(copied, damage):
    """Zarr alone reads the fill value of one that is missing, and the mark says complete."""
    store, data = copied
    damage(store / "coldest_degc" / "c" / "1")
    if damage is missing:
        silent = xr.open_zarr(store, consolidated=False)
        assert silent[MARK].values.all()
        assert np.isnan(silent["coldest_degc"].values[CHUNK:]).all()
    with pytest.raises(InputError, match="coldest_degc/c/1 is"):
        open_zarr_store(store)
    with pytest.warns(DamagedStoreWarning, match="chunk 1 is run again, since coldest_degc/c/1"):
        again, done_before = run_again(store)
    assert done_before == 1
    assert bits(again) == bits(data)


@pytest.mark.parametrize("name", ["zarr.json", "water_degc/zarr.json", "demand_w/c/0"])
def test_a_damaged_layout_is_told_and_made_again(copied, name):
    store, data = copied
    flipped_in_the_middle(store / name)
    check(name, store, data)


def test_a_damaged_store_of_another_ensemble_is_refused(copied):
    store, _ = copied
    missing(store / "zarr.json")
    with (
        pytest.warns(DamagedStoreWarning, match="zarr.json is missing"),
        pytest.raises(InputError, match="holds another ensemble"),
    ):
        run_ensemble(worker.ensemble(), SAMPLES + 1.0, store, CHUNK)
    assert not (store / "zarr.json").exists()


def test_a_bit_in_the_list_of_the_layout_is_mended(whole, tmp_path):
    """The file is as it was; its checksum in the list is not."""
    path, data = whole
    store = shutil.copytree(path, tmp_path / "tank.zarr")
    sums = store / MARK / SUMS
    text = sums.read_text()
    at = text.index("  water_degc/zarr.json") - 1
    other = "0" if text[at] != "0" else "1"
    sums.write_text(text[:at] + other + text[at + 1 :])
    check(f"{MARK}/{SUMS} flipped", store, data)


@pytest.mark.parametrize(
    ("chunk", "told"), [(0, "chunk is 0, expected 1 or more"), (2, "chunk is 2, expected 3, with")]
)
def test_another_chunk_is_told(whole, chunk, told):
    with pytest.raises(InputError, match=told):
        run_ensemble(worker.ensemble(), SAMPLES, whole[0], chunk)


@pytest.mark.slow
def test_every_file_damaged_in_turn(whole, tmp_path):
    path, data = whole
    for what, store in damaged_copies(path, tmp_path):
        check(what, store, data)
