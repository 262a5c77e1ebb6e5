"""One surrogate of the tank, trained once for all tests of this folder."""

import pytest

from tvilling.datasets.simulated.trials import trial_scenarios
from tvilling.sciml.learning.fit import FitSettings
from tvilling.sciml.surrogates import (
    Surrogate,
    SurrogateReport,
    SurrogateSettings,
    train_surrogate,
)
from tvilling.sciml.systems import SYSTEMS
from tvilling.sciml.systems.example import Example


@pytest.fixture(scope="session")
def tank() -> Example:
    return SYSTEMS["tank"].example()


@pytest.fixture(scope="session")
def trained(tank: Example) -> tuple[Surrogate, SurrogateReport]:
    return train_surrogate(tank, trial_scenarios(tank, 300, 2, seed=0))


@pytest.fixture(scope="session")
def surrogate(trained: tuple[Surrogate, SurrogateReport]) -> Surrogate:
    return trained[0]


@pytest.fixture(scope="session")
def rough(tank: Example) -> Surrogate:
    """Hardly trained, with a smooth activation."""
    settings = SurrogateSettings(
        width=8, layers=2, activation="silu", passes=1, fit=FitSettings(steps=100)
    )
    return train_surrogate(tank, trial_scenarios(tank, 12, 1, seed=1), settings)[0]
