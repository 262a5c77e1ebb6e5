"""Problems in DeepXDE's documented form, against DeepXDE itself and exact solutions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tvilling.pinns.deepxde_adapter as adapter
from tvilling.benchmarks.deepxde_peer import peer
from tvilling.benchmarks.deepxde_problems import PROBLEMS, Documented
from tvilling.pinns import TrainSettings
from tvilling.pinns.deepxde_adapter import from_deepxde, shape_of, solve_deepxde
from tvilling.pinns.deepxde_points import Sampler
from tvilling.sciml.errors import InputError

dde = pytest.importorskip("deepxde")


def own_losses(guest, theta, inside, edge):
    """DeepXDE's own losses of a network, one for each equation and condition."""
    params, values = guest.unravel(theta)
    data = guest.data
    data.train_x = np.vstack([edge, inside])
    data.num_bcs = list(data.num_bcs)
    x = jnp.asarray(data.train_x)

    def function(points):
        return guest.net.apply(params, points)

    dde.grad.clear()
    mean_square = dde.losses.get("MSE")

    @jax.jit
    def losses(values, x):
        aux = [function, values] if values else [function]
        return data.losses(None, function(x), mean_square, x, None, aux=aux)

    return losses(values, x)


@pytest.mark.parametrize("name", ["burgers", "heat", "diffusion", "diffusion_inverse", "helmholtz"])
def test_the_loss_is_deepxdes_own(name):
    """On the same points and network; DeepXDE differentiates backwards, point by point."""
    example = PROBLEMS[name]()
    net = example.net((2, 7, 7, 1))
    guest, theta = adapter._guest(example.data, net, example.variables, None, 128, seed=1)
    batch = Sampler(guest.data, tuple(type(bc).__name__ for bc in guest.data.bcs)).draw(3)
    own = own_losses(guest, theta, batch["inside"], batch["edge"])
    ours = jax.jit(guest.rows)(theta, {key: jnp.asarray(array) for key, array in batch.items()})
    assert float(jnp.sum(ours**2)) == pytest.approx(float(sum(own)), rel=1e-12)
