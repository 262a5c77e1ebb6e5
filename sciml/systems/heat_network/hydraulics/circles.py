"""A forest out of branches of which each junction chose one, where water runs in circles."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int

from tvilling.sciml.systems.heat_network.topology.tree_sums import rounds, taken

FAR = np.iinfo(np.int32).max // 2  # steps from a root, where none is reached


@dataclass(frozen=True)
class Branches:
    """Branches that a junction can choose among.

    Attributes
    ----------
    chooser, other_end
        The junction that can choose each branch, and the one at its other end.
    flowing
        Whether water flows in it.
    """

    chooser: Int[Array, " branch"]
    other_end: Int[Array, " branch"]
    flowing: Bool[Array, " branch"]


def without_circles(
    branches: Branches, root: Bool[np.ndarray, " junction"], chosen: Int[Array, " junction"]
) -> Int[Array, " junction"]:
    """The branch of every junction, so that none of them run in a circle; -1 for none.

    `chosen` where it has no circle. Else each junction takes a branch on a way of the fewest steps
    from a root, and roots take none: with n junctions, r roots and b branches b - n + r branches
    are left over, however the water runs. Where no root is reached one branch of every circle is
    left out.
    """
    ends = branches.other_end
    own = jnp.arange(len(chosen))
    cut = _one_of_each_circle(jnp.where(chosen >= 0, ends[chosen], own))
    start = jnp.where(jnp.asarray(root) | (chosen < 0), 0, FAR)

    def nearer(steps: Array) -> Array:
        beyond = jnp.where(branches.flowing, steps[ends] + 1, FAR)
        return steps.at[branches.chooser].min(beyond)

    def going(carry: tuple[Array, Array]) -> Array:
        return carry[1]

    def advance(carry: tuple[Array, Array]) -> tuple[Array, Array]:
        after = nearer(carry[0])
        return after, jnp.any(after != carry[0])

    steps, _ = jax.lax.while_loop(going, advance, (start, cut.any()))
    onward = branches.flowing & (steps[ends] + 1 == steps[branches.chooser])
    counted = jnp.where(onward, jnp.arange(len(ends)), -1)
    nearest = jnp.full(len(chosen), -1).at[branches.chooser].max(counted)
    anew = jnp.where(steps < FAR, nearest, jnp.where(cut, -1, chosen))
    return jnp.where(cut.any(), anew, chosen)


def _one_of_each_circle(parent: Int[Array, " junction"]) -> Bool[Array, " junction"]:
    """One junction of every closed round that `parent` makes, where water runs in a circle.

    After as many steps as there are junctions, every junction has come to a root or into a circle;
    the least number of each circle stands for it.
    """
    own = jnp.arange(len(parent))

    def jump(carry: tuple, _: None) -> tuple[tuple, None]:
        ahead, least = carry
        return (taken(ahead, ahead), jnp.minimum(least, taken(least, ahead))), None

    count = rounds(len(parent))
    (ahead, least), _ = jax.lax.scan(jump, (parent, own), length=count)
    circles = jnp.zeros(len(parent), bool).at[ahead].set(True) & (parent != own)
    return circles & (least == own)
