"""Whether temperatures on the supply side conserve energy, whoever says them."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from tvilling.gnn.supply import SupplyTree
from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.learning.scaling import nonzero_scale
from tvilling.sciml.systems.heat_network import HeatNetwork
from tvilling.sciml.systems.heat_network.heat.consumers import deliver, draw
from tvilling.sciml.systems.heat_network.heat.transport import losses, steady_passage
from tvilling.sciml.systems.heat_network.topology.tree_sums import taken

PROPERTY_ROUNDS = 6  # heat capacity at the temperature of a cell; each gains three digits


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Balance:
    """Heat that enters and leaves the supply side [W].

    Attributes
    ----------
    source_w
        What the source sends in, above what consumers hand back.
    delivered_w, lost_w
        What consumers take, and what pipes of these temperatures lose to the ground.
    residual_w
        At each junction what arrives less what leaves. Their sum is source - delivered - lost.
    """

    source_w: Float[Array, "*batch"]
    delivered_w: Float[Array, "*batch"]
    lost_w: Float[Array, "*batch"]
    residual_w: Float[Array, "*batch junction"]

    __repr__ = short_repr

    @property
    def net_share(self) -> Float[Array, "*batch"]:
        """|source - delivered - lost| over the delivered heat [1]; over the lost where none is."""
        return jnp.abs(self.residual_w.sum(-1)) / self._through_w

    @property
    def gross_share(self) -> Float[Array, "*batch"]:
        """Residuals of all junctions without their signs, over the delivered heat [1]."""
        return jnp.abs(self.residual_w).sum(-1) / self._through_w

    @property
    def _through_w(self) -> Float[Array, "*batch"]:
        return nonzero_scale(self.delivered_w, self.lost_w)


def balance(
    network: HeatNetwork,
    tree: SupplyTree,
    junction_degc: Float[Array, " junction"],
    heat_w: Float[Array, " consumer"],
    supply_degc: Float[Array, ""],
    ground_degc: Float[Array, ""],
) -> Balance:
    """The balance of one scenario, with flows that follow from demands and temperatures.

    A consumer that sees the given temperature draws what its demand needs; a pipe carries what is
    drawn below it. Its water starts at the temperature given for the upper junction and is cooled
    by the physics of `HeatNetwork.steady`, in as many cells. Where the water that arrives differs
    from the temperature given for the lower junction, power appears or vanishes,

        residual = m (h_arriving - h_junction),

    and at the source m (h_sent - h_source). The physics' own answer has none.

    Parameters
    ----------
    junction_degc
        Temperatures to judge, in the order of `tree`.
    """
    water, below = network.water, tree.below
    enthalpy = water.enthalpy_j_per_kg(junction_degc)
    feed = water.enthalpy_j_per_kg(supply_degc)
    inlet = taken(enthalpy, tree.consumer)
    take = draw(network.consumer, water, heat_w, inlet, network.layout.follows_inlet)
    delivered, handed_back = deliver(network.consumer, take, heat_w, inlet)
    flow = tree.carried(take.flow)
    entering = enthalpy[tree.parent[below]]
    arriving = _arriving(network, tree, flow[below], entering, ground_degc)
    sent = jnp.zeros_like(enthalpy).at[below].set(arriving).at[tree.source].set(feed)
    return Balance(
        source_w=flow[tree.source] * feed - jnp.sum(take.flow * handed_back),
        delivered_w=delivered.sum(),
        lost_w=jnp.sum(flow[below] * (entering - arriving)),
        residual_w=flow * (sent - enthalpy),
    )


def _arriving(
    network: HeatNetwork,
    tree: SupplyTree,
    flow: Float[Array, " pipe"],
    entering: Float[Array, " pipe"],
    ground_degc: Float[Array, ""],
) -> Float[Array, " pipe"]:
    """Enthalpy at the lower end of each pipe that takes in `entering` [J/kg]."""
    rows = network.layout.pipe_place[tree.pipe[tree.below]]
    branch = jax.tree.map(lambda values: values[..., rows], network.branch)
    count = network.cells

    def refine(cells: Array, _: None) -> tuple[Array, None]:
        loss = losses(branch, network.water, cells, jnp.full(len(rows), ground_degc), count)
        return steady_passage(flow, cells, loss, jnp.zeros(len(rows))).after(entering), None

    cells = jax.lax.scan(refine, jnp.tile(entering, (count, 1)), length=PROPERTY_ROUNDS)[0]
    return cells[-1]
