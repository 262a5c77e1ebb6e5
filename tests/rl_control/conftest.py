"""The tank over days with a price, for every test of control."""

import pytest

from tvilling.datasets.simulated.trials import trial_scenarios
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.systems.example import Example
from tvilling.sciml.systems.tank import example

HOUR_S = 3600.0


@pytest.fixture(scope="session")
def tank() -> Example:
    return example()


@pytest.fixture(scope="session")
def days(tank: Example) -> Scenario:
    """Twelve days, for what needs only some."""
    return trial_scenarios(tank, 12, 1, seed=7, dt_s=HOUR_S)
