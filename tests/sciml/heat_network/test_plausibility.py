"""Numbers that are allowed but look like another unit are noted; usual networks give no note."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from heat_networks import line, source

from tvilling.datasets.readers.heat.network import read_network
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_network import HeatNetworkTables
from tvilling.sciml.systems.heat_network.example import looped_tables
from tvilling.sciml.systems.heat_network.plausibility import implausible
from tvilling.sciml.systems.heat_network.summary import summarise

HOUSES = [{"heat_w": heat_w, "return_degc": 45.0} for heat_w in (12e3, 8e3, 15e3, 40e3)]


def placed(tables: HeatNetworkTables, step_m: float = 120.0) -> HeatNetworkTables:
    """Junctions along a line, `step_m` apart, in metres."""
    names = tables.junctions["name"]
    at = names.str[1:].astype(float) * step_m + 500_000.0
    return replace(tables, junctions=tables.junctions.assign(x=at, y=6_200_000.0))


def town(**changed: pd.DataFrame) -> HeatNetworkTables:
    return replace(placed(line(HOUSES)), **changed).checked()


def consumers(**columns: object) -> dict[str, pd.DataFrame]:
    return {"consumers": line(HOUSES).consumers.assign(**columns)}


def pipes(**columns: object) -> dict[str, pd.DataFrame]:
    return {"pipes": line(HOUSES).pipes.assign(**columns)}


def test_usual_networks_give_no_note() -> None:
    for tables in (town(), looped_tables().checked()):
        assert implausible(tables) == []


@pytest.mark.parametrize("name", ["schutterwald_heat", "heat_transfer_delta", "water_strand_cross"])
def test_shipped_networks_give_no_note(name: str) -> None:
    assert implausible(read_network(f"pandapipes:{name}").checked()) == []


LENGTHS = np.tile([120.0, 120.0, 40.0, 120.0], 2)
PLANTED = {
    "one demand in kW": (consumers(heat_w=[12e3, 8.0, 15e3, 40e3]), "c2 8 W"),
    "all demands in kW": (consumers(heat_w=[12.0, 8.0, 15.0, 40.0]), "typed in kW"),
    "all demands in GW": (consumers(heat_w=[3e7, 8e6, 15e6, 4e7]), "m/s, expected at most 10"),
    "demands a thousandth": (consumers(heat_w=[120.0, 180.0, 150.0, 400.0]), "at least 0.002"),
    "lengths in km": (pipes(length_m=0.12), "typed in km"),
    "lengths in cm": (pipes(length_m=12_000.0), "100 times the distance"),
    "a pipe shorter than straight": (pipes(length_m=LENGTHS), "s3 40 m of 120 m"),
    "diameters in feet": (pipes(inner_diameter_m=2.3), "another unit?"),
    "diameters a tenth": (pipes(inner_diameter_m=0.004), "expected 0.005 to 1.6 m"),
    "a supply in Fahrenheit": (
        {"sources": line(HOUSES).sources.assign(supply_degc=176.0)},
        "perhaps in °F or K",
    ),
    "a pressure in kilopascal": (
        {"sources": pd.DataFrame([source("plant", "s0", "r0", lift_bar=2.0, supply_bar=60.0)])},
        "supply_bar of plant 60 bar",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_planted_faults_are_noted(name: str) -> None:
    changed, expected = PLANTED[name]
    notes = summarise(town(**changed)).notes
    assert any(expected in note for note in notes), notes


def test_lengths_in_km_without_coordinates() -> None:
    (note,) = implausible(replace(line(HOUSES), **pipes(length_m=0.12)).checked())
    assert "perhaps length_m is typed in km" in note


@pytest.mark.parametrize(
    ("column", "value"),
    [("supply_degc", 353.15), ("supply_bar", 6e5), ("lift_bar", 2e5)],
)
def test_kelvin_and_pascal_are_out_of_range(column: str, value: float) -> None:
    plant = pd.DataFrame([source("plant", "s0", "r0", lift_bar=2.0) | {column: value}])
    with pytest.raises(InputError, match=column):
        line(HOUSES, sources=plant).checked()


def test_a_return_in_kelvin_and_millimetres_are_out_of_range() -> None:
    with pytest.raises(InputError, match=r"return_degc is 318\.15 °C"):
        town(**consumers(return_degc=318.15))
    with pytest.raises(InputError, match=r"inner_diameter_m is 82\.5 m"):
        town(**pipes(inner_diameter_m=82.5))


def test_lengths_in_degrees_are_measured_on_the_sphere() -> None:
    tables = line(HOUSES)
    at = tables.junctions["name"].str[1:].astype(float) * 120.0 / 111_195.0
    degrees = tables.junctions.assign(x=9.0 + at / np.cos(np.radians(56.0)), y=56.0)
    assert implausible(replace(tables, junctions=degrees).checked()) == []
