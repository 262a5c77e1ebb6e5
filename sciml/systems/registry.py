"""The systems that ship, by name; listing them imports none of them."""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tvilling.sciml.systems.example import Example


@dataclass(frozen=True)
class SystemEntry:
    """One line of the registry.

    Attributes
    ----------
    description
        What it is, in one line.
    example_at
        `module:function` that makes the example.
    """

    description: str
    example_at: str

    def example(self) -> "Example":
        """The system with inputs to try it on; imports its module."""
        module, function = self.example_at.split(":")
        return getattr(import_module(module), function)()


SYSTEMS: dict[str, SystemEntry] = {
    "heat_network": SystemEntry(
        "District-heating network: hydraulics and dynamic heat transport of trees and loops",
        "tvilling.sciml.systems.heat_network.example:example",
    ),
    "heat_plant": SystemEntry(
        "Heat plant: heat pump, boilers, CHP, solar field and a tank in layers",
        "tvilling.sciml.systems.heat_plant.plant_system:example",
    ),
    "power_grid": SystemEntry(
        "AC power grid: voltages, loadings and losses of every set-point and load",
        "tvilling.sciml.systems.power_grid.power_system:example",
    ),
    "stratified_tank": SystemEntry(
        "Hot-water tank in layers, charged and discharged through its top",
        "tvilling.sciml.systems.heat_plant.stratified_tank:example",
    ),
    "tank": SystemEntry(
        "Mixed hot-water tank with an electric heater", "tvilling.sciml.systems.tank:example"
    ),
}
