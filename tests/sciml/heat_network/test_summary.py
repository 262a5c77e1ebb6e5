"""The figures of a network against sums by hand and against the town's description."""

import json
from pathlib import Path

import numpy as np
import pytest
from small_network import write_small

from tvilling.datasets.readers.heat.network import read_network
from tvilling.datasets.readers.heat.tables import read_heat_tables
from tvilling.sciml.systems.heat_network.summary import summarise


def test_small_network_by_hand(tmp_path: Path) -> None:
    found = summarise(read_heat_tables(write_small(tmp_path)))
    assert (found.supply_m, found.return_m, found.trench_m, found.pipe_m) == (330, 180, 330, 510)
    assert found.supply_m3 == pytest.approx(np.pi / 4 * (100 * 0.1**2 + 230 * 0.08**2))
    assert found.return_m3 == pytest.approx(np.pi / 4 * (100 * 0.1**2 + 80 * 0.08**2))
    assert found.loops == 1
    assert found.design_load_w == 130_000
    assert found.load_w_per_m == pytest.approx(130_000 / 330)
    assert found.inner_diameter_mm == pytest.approx((80, 100))
    assert found.elevation_m == (10, 12)
    assert found.loss_w_per_k == pytest.approx(0.3 * 200 + 0.25 * 310)
    assert found.counts["consumers"] == 2
    assert json.loads(json.dumps(found.as_dict()))["loops"] == 1


def test_town_has_the_trench_of_its_description() -> None:
    found = summarise(read_network("pandapipes:schutterwald_heat"))
    assert found.pipe_m == pytest.approx(5252.2)
    assert found.supply_m == pytest.approx(found.return_m)
    assert found.design_load_w == pytest.approx(44 * 6321.705)
    assert any("substation" in note for note in found.notes)


def test_open_network_is_all_supply() -> None:
    found = summarise(read_network("pandapipes:heat_transfer_delta"))
    assert found.return_m == 0
    assert found.pipe_m == pytest.approx(3100)
    assert found.loops == 1
