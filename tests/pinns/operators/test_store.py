"""An operator that was kept is the same one, and is no other problem's."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tvilling.pinns.operators import (
    DeepONet,
    FourierOperator,
    burgers_course,
    burgers_end,
    ensemble,
    load_operator,
    save_operator,
    train_operator,
)
from tvilling.pinns.operators.store import ABOUT
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.checksums import write_sums
from tvilling.sciml.learning.fit import FitSettings

QUICK = FitSettings(steps=4, batch=4, learning_rate=1e-3, check_every=2)
SMALL = {"fourier": FourierOperator(width=4, modes=5, layers=2), "deeponet": DeepONet(8, 1, 6, 3)}


@pytest.fixture(scope="module")
def known():
    return ensemble(burgers_end(), 12, seed=1)


@pytest.fixture(params=SMALL)
def trained(request, known):
    return train_operator(burgers_end(), known, SMALL[request.param], QUICK, seed=3)


def test_it_comes_back_to_the_bit(trained, known, tmp_path: Path):
    again = load_operator(save_operator(trained, tmp_path / "kept"), burgers_end())
    assert again.network == trained.network
    assert (again.seed, again.stopped) == (3, "steps")
    xr.testing.assert_identical(again.history, trained.history)
    xr.testing.assert_identical(again.error(known), trained.error(known))
    functions = burgers_end().varied.draws.draw(3, seed=8)
    np.testing.assert_array_equal(again.distance(functions), trained.distance(functions))


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (burgers_course(), "not for burgers_course"),
        (burgers_end(viscosity=0.03), "with other parameters"),
        (replace(burgers_end(), at={"t": 0.5}), "with other places"),
    ],
)
def test_another_problem_is_refused(known, tmp_path: Path, other, told):
    solution = train_operator(burgers_end(), known, SMALL["fourier"], QUICK)
    folder = save_operator(solution, tmp_path / "kept")
    with pytest.raises(InputError, match=told):
        load_operator(folder, other)


def test_damage_is_told(known, tmp_path: Path):
    solution = train_operator(burgers_end(), known, SMALL["fourier"], QUICK)
    folder = save_operator(solution, tmp_path / "kept")
    with pytest.raises(InputError, match="is there already"):
        save_operator(solution, folder)
    about = (folder / ABOUT).read_text(encoding="utf-8")
    (folder / ABOUT).write_text(about.replace('"width": 4', '"width": 5'), encoding="utf-8")
    write_sums(folder)
    with pytest.raises(InputError, match="weights are those of another network"):
        load_operator(folder, burgers_end())
    (folder / ABOUT).write_text(about[:-9], encoding="utf-8")
    write_sums(folder)
    with pytest.raises(InputError, match="no operator that can be read"):
        load_operator(folder, burgers_end())
    with pytest.raises(InputError, match="no operator that can be read"):
        load_operator(tmp_path / "nothing", burgers_end())
