"""What a case does with the supply temperatures that the sources of its network state."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from small_network import FILES, write_small

from tvilling.apps.heat.network_case import make_controller, prepare
from tvilling.apps.heat.report import assumptions
from tvilling.apps.plant.case import Supply
from tvilling.apps.shared.case_file import read_case
from tvilling.sciml.core.errors import InputError

CONTROLLERS = {
    "all": {"kind": "hold", "supply_degc": 80},
    "one": {"kind": "hold", "supply_degc": 70, "sources": ["Plant"]},
    "curve": {
        "kind": "heating_curve",
        "supply_cold_degc": 90,
        "supply_warm_degc": 66,
        "sources": ["Pump"],
    },
}


def case(folder: Path, **controllers: dict) -> Path:
    """A network whose plant states 80 °C and whose heat pump states 75 °C."""
    write_small(folder / "net", sources=FILES["sources.csv"] + "Pump,J2,R2,75,,1.9\n")
    fields = {
        "system": "heat_network",
        "network": {"source": "net"},
        "demand": {"kind": "network"},
        "weather": {"source": "synthetic"},
        "horizon": {"start": "2021-02-08T00:00", "hours": 2, "step_min": 60},
        "model": {"pump_control": "fixed"},
        "controllers": controllers,
    }
    path = folder / "case.yaml"
    path.write_text(yaml.safe_dump(fields), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    path = case(tmp_path_factory.mktemp("several"), **CONTROLLERS)
    return prepare(read_case(path), path, lambda stage: None)


@pytest.mark.parametrize(
    ("name", "degc"), [("all", [80, 80]), ("one", [70, 75]), ("curve", [80, 90])]
)
def test_a_control_sets_the_sources_it_names_and_leaves_the_others(prepared, name, degc):
    sources = prepared.tables.sources
    control = make_controller(prepared.case.controllers[name], len(sources), sources)
    action, _ = control((), None, {"outdoor_degc": np.array([-20.0])})
    np.testing.assert_allclose(action["supply_degc"], degc)


def test_a_replaced_temperature_is_noted_with_who_replaces_it(prepared):
    plant, pump = prepared.notes
    assert plant == (
        "source Plant: the 80 °C that the network states is not used; "
        "the supply temperature is set by one"
    )
    assert pump.startswith("source Pump: the 75 °C that the network states is not used")
    assert pump.endswith("set by all, curve")
    assert "Source Plant: the 80 °C" in "\n".join(assumptions(prepared))


def test_a_source_that_is_not_there_is_refused(tmp_path):
    hold = {"kind": "hold", "supply_degc": 80, "sources": ["Plant", "Boiler"]}
    path = case(tmp_path, today=hold)
    with pytest.raises(InputError, match=r"today.sources: Boiler is not known; known are Plant"):
        prepare(read_case(path), path, lambda stage: None)


def test_a_plant_has_one_forward_temperature():
    forward = {"kind": "hold", "supply_degc": 80, "sources": ["Plant"]}
    with pytest.raises(ValueError, match="a plant has one forward temperature"):
        Supply(forward=forward)
