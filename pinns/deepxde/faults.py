"""What of a problem written for DeepXDE cannot be taken over."""

from collections.abc import Iterator
from typing import Any


def faults_of(dde: Any, data: Any, net: Any, variables: tuple[Any, ...]) -> Iterator[str]:
    """What of the arguments cannot be taken over; `dde` is the module deepxde."""
    backend = dde.backend.backend_name
    if backend != "jax":
        yield f"DeepXDE runs with {backend}, expected jax; set DDE_BACKEND=jax before its import"
        return
    if type(data) not in (dde.data.PDE, dde.data.TimePDE):
        kind = type(data).__name__
        yield (
            f"data is {'an' if kind[:1] in 'AEFIO' else 'a'} {kind}, expected a deepxde.data.PDE "
            "or TimePDE itself (integral and fractional terms are not taken over)"
        )
    elif data.auxiliary_var_fn is not None:
        yield "data has an auxiliary_var_function, which the JAX backend does not know"
    if net is not None and not isinstance(net, dde.nn.NN):
        yield f"net is a {type(net).__name__}, expected a network of deepxde.nn"
    elif (
        type(data) in (dde.data.PDE, dde.data.TimePDE)
        and getattr(net, "_input_transform", None) is None
    ):
        sizes = getattr(net, "layer_sizes", [data.geom.dim])
        if sizes[0] != data.geom.dim:
            yield f"net takes {sizes[0]} coordinates, expected the geometry's {data.geom.dim}"
    for variable in variables:
        if not isinstance(variable, dde.Variable):
            yield f"a variable is a {type(variable).__name__}, expected a deepxde.Variable"
