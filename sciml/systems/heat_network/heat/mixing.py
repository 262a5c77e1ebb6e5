"""Enthalpy at the junctions, where streams meet.

On the supply side a junction usually has one inflow, on the return side one outflow; so the one
is solved from parent to child, the other from children to parent, both by pointer jumping. Loops
and meeting streams add a few further inflows or outflows, which enter by a small Woodbury
correction; which branch is the parent is found anew from the flows, so reversal needs no case of
its own. Where the flow cannot turn round the parents are those of the tree, fixed at compile time.
"""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from tvilling.sciml.systems.heat_network.heat.transport import STILL_KG_PER_S
from tvilling.sciml.systems.heat_network.hydraulics.circles import Branches, without_circles
from tvilling.sciml.systems.heat_network.topology.spanning_trees import Topology
from tvilling.sciml.systems.heat_network.topology.tree_sums import (
    carried_down,
    gathered_up,
    greatest_depth,
    rounds,
)

Through = tuple[Float[Array, " branch"], Float[Array, " branch"]]  # gain and offset of a branch


@dataclass(frozen=True)
class Side:
    """One side of a network, its junctions numbered from 0.

    Attributes
    ----------
    junctions
        Which of the network's junctions belong to it.
    tree
        For each junction the junction its tree branch comes from (supply) or leads to (return);
        itself where that branch does not belong to the side.
    branch, upstream, downstream
        The branches between its junctions, in the network's numbers, and their ends.
    extra
        How many inflows (supply) or outflows (return) beyond one a junction there can be.
    deep
        The longest chain in the tree.
    loops
        Whether branches close loops, in which water can run in a circle.
    """

    junctions: slice
    tree: np.ndarray
    branch: np.ndarray
    upstream: np.ndarray
    downstream: np.ndarray
    extra: int
    deep: int
    loops: bool

    @property
    def size(self) -> int:
        """Number of junctions."""
        return len(self.tree)


def sides(top: Topology) -> tuple[Side, Side]:
    """Supply and return side of a network."""

    def side(low: int, high: int, extra: int) -> Side:
        inside = (np.minimum(top.upstream, top.downstream) >= low) & (
            np.maximum(top.upstream, top.downstream) < high
        )
        inside &= top.upstream != top.downstream
        own = np.arange(low, high)
        tree = np.where(inside[low:high], top.parent[low:high], own) - low
        order = top.order[(top.order >= low) & (top.order < high)] - low
        branch = np.flatnonzero(inside)
        return Side(
            junctions=slice(low, high),
            tree=tree,
            branch=branch,
            upstream=top.upstream[branch] - low,
            downstream=top.downstream[branch] - low,
            extra=extra,
            deep=greatest_depth(tree, order),
            loops=bool((branch >= top.junctions).any()),
        )

    return (
        side(0, top.supply, top.extra_supply),
        side(top.supply, top.junctions, top.extra_return),
    )


def supply_enthalpy(
    side: Side,
    flow: Float[Array, " branch"],
    through: Through,
    feed_flow: Float[Array, " junction"],
    feed: Float[Array, " junction"],
) -> tuple[Float[Array, " junction"], Bool[Array, ""]]:
    """Enthalpy of the supply junctions [J/kg], and whether the flow pattern was resolved.

    h_v = Σ_in q (a h_up + b) / Σ_in q. Sources are among the inflows, with `feed_flow` [kg/s] of
    enthalpy `feed`. A junction into which nothing flows has that of the end of its tree branch.
    """
    gain, offset = through
    if not side.extra:
        inner = side.tree != np.arange(side.size)
        own = jnp.where(inner, offset[side.junctions], feed)
        factor = jnp.where(inner, gain[side.junctions], 0.0)
        return carried_down(
            factor, own, jnp.asarray(side.tree, jnp.int32), rounds(side.deep)
        ), jnp.array(True)
    size, up, down = _turned(side, flow)
    total = feed_flow.at[down].add(size)
    share = _inverse(total)
    mixed = (feed_flow * feed).at[down].add(size * offset[side.branch]) * share
    own = jnp.where(share > 0, mixed, jnp.where(feed > 0, feed, offset[side.junctions]))
    weight = size * share[down] * gain[side.branch]
    return _solve(side, weight, own, chooser=down, source=up, target=down)


def return_enthalpy(
    side: Side,
    flow: Float[Array, " branch"],
    through: Through,
    given_flow: Float[Array, " junction"],
    given_w: Float[Array, " junction"],
) -> tuple[Float[Array, " junction"], Bool[Array, ""]]:
    """Enthalpy of the return junctions [J/kg], and whether the flow pattern was resolved.

    The unknown is the enthalpy flow E_v = M_v h_v through a junction: each branch passes on
    q b + (q/M_up) a E_up. `given_flow` [kg/s] and `given_w` [W] come from the consumers. A
    junction through which nothing flows has the enthalpy of the end of its tree branch.
    """
    gain, offset = through
    still = offset[side.junctions]
    if not side.extra:
        inner = side.tree != np.arange(side.size)
        size = jnp.maximum(flow[side.junctions], 0.0) * inner
        passing = given_flow.at[side.tree].add(size)
        own = given_w.at[side.tree].add(size * offset[side.junctions])
        share = _inverse(passing)
        factor = size * share * gain[side.junctions]
        passed = gathered_up(factor, own, jnp.asarray(side.tree, jnp.int32), rounds(side.deep))
        return jnp.where(share > 0, passed * share, still), jnp.array(True)
    size, up, down = _turned(side, flow)
    passing = given_flow.at[down].add(size)
    share = _inverse(passing)
    own = given_w.at[down].add(size * offset[side.branch])
    weight = size * share[up] * gain[side.branch]
    passed, resolved = _solve(side, weight, own, chooser=up, source=up, target=down)
    return jnp.where(share > 0, passed * share, still), resolved


def _inverse(flow: Array) -> Array:
    moving = flow > STILL_KG_PER_S
    return jnp.where(moving, 1.0 / jnp.where(moving, flow, 1.0), 0.0)


def _turned(side: Side, flow: Array) -> tuple[Array, Array, Array]:
    """Size of the flow of the side's branches and their ends along it."""
    flow = flow[side.branch]
    ahead = flow >= 0
    return (
        jnp.abs(flow),
        jnp.where(ahead, side.upstream, side.downstream),
        jnp.where(ahead, side.downstream, side.upstream),
    )


def _solve(
    side: Side, weight: Array, own: Array, *, chooser: Array, source: Array, target: Array
) -> tuple[Array, Array]:
    """Solve x = own + Σ over branches of weight · x[source], added at `target`.

    One branch a junction (the heaviest, among those with that junction as `chooser`) makes a
    forest; where the heaviest run in a circle, those of the fewest steps from a root do. The
    others, at most `side.extra`, are corrected for.
    """
    downward = chooser is target
    best = jnp.zeros(side.size).at[chooser].max(weight)
    counted = jnp.arange(len(side.branch))
    candidate = jnp.where((weight >= best[chooser]) & (weight > 0), counted, -1)
    chosen = jnp.full(side.size, -1).at[chooser].max(candidate)
    other_end = source if downward else target
    if side.loops:
        flowing = Branches(chooser, other_end, weight > 0)
        chosen = without_circles(flowing, side.tree == np.arange(side.size), chosen)
    parent = jnp.where(chosen >= 0, other_end[chosen], jnp.arange(side.size))
    has, safe = chosen >= 0, jnp.maximum(chosen, 0)
    factor = jnp.where(has, weight[safe], 0.0)
    left = (weight > 0) & (chosen[chooser] != counted)
    chord = jnp.nonzero(left, size=side.extra, fill_value=0)[0]
    counts = jnp.arange(side.extra) < left.sum()  # the others only fill up
    pull = jnp.where(counts, weight[chord], 0.0)
    row = jnp.zeros((side.extra, side.size))
    row = row.at[jnp.arange(side.extra), target[chord]].add(pull)
    spread = carried_down if downward else gathered_up
    solved = spread(factor, jnp.concatenate([own[None], row]), parent, rounds(side.size))
    base, response = solved[0], solved[1:]
    at = source[chord]
    pulled = jnp.linalg.solve(jnp.eye(side.extra) - response[:, at].T, base[at])
    return base + pulled @ response, left.sum() <= side.extra
