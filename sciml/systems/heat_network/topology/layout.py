"""Where the named elements of a network stand in its laid-out arrays."""

from dataclasses import dataclass

import numpy as np

from tvilling.sciml.core.static import HashedArrays
from tvilling.sciml.systems.heat_network.topology.spanning_trees import Topology


@dataclass(frozen=True, eq=False)
class Layout(HashedArrays):
    """Index arrays and names of one network; junctions and branches in laid-out numbers.

    Attributes
    ----------
    junction_place, pipe_place, pipe_sign
        Place of each given junction and pipe, and +1 or -1 for its direction.
    consumer_from, consumer_to, consumer_served
        Junctions of each consumer, and whether both have a path to a source.
    source_supply, source_return, source_pump
        Junctions of each source (-1: none) and the branch of its pump (-1: it has none).
    injection_at
        Junction of each injection.
    is_root
        Sources whose supply junction holds the pressure.
    follows_inlet
        Whether any consumer's return temperature depends on that of its inlet.
    """

    topology: Topology
    junction_names: tuple[str, ...]
    pipe_names: tuple[str, ...]
    consumer_names: tuple[str, ...]
    source_names: tuple[str, ...]
    junction_place: np.ndarray
    pipe_place: np.ndarray
    pipe_sign: np.ndarray
    consumer_from: np.ndarray
    consumer_to: np.ndarray
    consumer_served: np.ndarray
    source_supply: np.ndarray
    source_return: np.ndarray
    source_pump: np.ndarray
    injection_at: np.ndarray
    is_root: np.ndarray
    follows_inlet: bool

    @property
    def closed(self) -> np.ndarray:
        """Sources that take back what they send out."""
        return self.source_return >= 0

    @property
    def stores(self) -> np.ndarray:
        """Branches that hold water: all but roots and source pumps."""
        holds = self.topology.upstream != self.topology.downstream
        holds[self.topology.pump] = False
        return holds

    @property
    def cut_off_names(self) -> tuple[str, ...]:
        """Junctions without a path to a source."""
        given = self.topology.junction[self.topology.cut_off]
        return tuple(self.junction_names[at] for at in sorted(given))
