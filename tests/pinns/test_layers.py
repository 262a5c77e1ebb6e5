"""The wall of two materials, by its flux and layer by layer, and the page that shows them."""

import re
from pathlib import Path

import numpy as np
import pytest
from pinn_cases import wall, wall_in_layers

from tvilling.pinns import Axis, Broyden, Equation, NetworkSettings, TrainSettings, Unknown, train
from tvilling.pinns.problem import Layers
from tvilling.sciml.core.errors import InputError

TEXT = (Path(__file__).parents[2] / "docs" / "pinn-layers.md").read_text(encoding="utf-8")
QUICK = TrainSettings(NetworkSettings(width=12), points=200, stages=(Broyden(600),))


def test_the_code_of_the_page_runs_and_says_what_the_page_says(capsys):
    scope: dict[str, object] = {}
    for block in re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL):
        exec(compile(block, "pinn-layers.md", "exec"), scope)
    told = capsys.readouterr().out
    assert "what it differentiates along x_m jumps, as at x_m = 0.5 m" in told
    by_flux, by_layer = told.splitlines()[-2:]
    assert float(by_flux.split()[0]) == pytest.approx(10 / 11, abs=1e-3)
    assert by_flux.endswith(" solved")
    assert by_layer.endswith(" solved")
    layers, solution = scope["layers"], scope["solution"]
    np.testing.assert_allclose(
        layers.evaluate(solution, [0.25, 0.5, 0.75]), [1 - 0.5 / 11, 10 / 11, 5 / 11], atol=1e-7
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_the_wall_is_right_to_a_thousandth_with_default_settings(seed):
    solution = train(wall(), seed=seed)
    assert solution.evaluate(x_m=0.5)["temp_degc"].item() == pytest.approx(10 / 11, abs=1e-3)
    assert solution.evaluate(x_m=0.8)["flux_w_per_m2"].item() == pytest.approx(2 / 11, abs=1e-3)
    layers, problem = wall_in_layers()
    found = layers.evaluate(train(problem, seed=seed), [0.2, 0.5, 0.8])
    np.testing.assert_allclose(found, [1 - 0.4 / 11, 10 / 11, 4 / 11], atol=1e-8)


def test_layers_that_are_none_are_refused():
    unknown, axis = Unknown("temp_degc", "°C", 0.0, 1.0), Axis("x_m", "m", 0.0, 1.0)
    with pytest.raises(InputError) as refused:
        Layers(unknown, axis, (0.7, 0.3, 1.5), (1.0, 0.0))
    told = str(refused.value)
    assert "cuts go from 0.7 to 0.3 m, expected rising ones" in told
    assert "cuts go from 1.5 to 1 m" in told
    assert "2 conductivities, expected 4" in told
    assert "conductivity is 0, expected above 0" in told
    layers = Layers(unknown, axis, (0.5,), (1.0, 0.1))
    with pytest.raises(InputError, match="1 sources, expected 2"):
        layers.equations("W/m2", source=(lambda at: 0.0,))
    assert all(isinstance(item, Equation) for item in layers.equations("W/m2"))
