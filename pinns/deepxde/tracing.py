"""DeepXDE's equations under trace: its derivatives by our columns, its variables with values.

DeepXDE's JAX backend differentiates a function of one point backwards, and again for the second
derivative. While an equation is traced its `jacobian` and `hessian` answer for `Columns` instead,
from derivatives that were carried forwards. Nothing here imports DeepXDE.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any

import jax
from jaxtyping import Array

from tvilling.pinns.deepxde.columns import Columns, Source, operators


@contextlib.contextmanager
def tracing(
    modules: Sequence[Any], kind: type, variables: Sequence[Any], values: Sequence[Array]
) -> Iterator[None]:
    """While this lasts the guest's derivatives know `Columns`, and its variables their values.

    Parameters
    ----------
    modules
        Of the guest, each with a `jacobian` and a `hessian`.
    kind
        The class of its variables, which gets the operators of an array.
    """
    before = [variable.value for variable in variables]
    added = {**operators(), "__jax_array__": lambda self: self.value}
    added = {name: method for name, method in added.items() if name not in vars(kind)}
    with contextlib.ExitStack() as stack:
        for module in modules:
            stack.enter_context(_replaced(module, "jacobian", _jacobian))
            stack.enter_context(_replaced(module, "hessian", _hessian))
        for name, method in added.items():
            setattr(kind, name, method)
            stack.callback(delattr, kind, name)
        for variable, value in zip(variables, values, strict=True):
            variable.value = value
        try:
            yield
        finally:
            for variable, value in zip(variables, before, strict=True):
                variable.value = value


@contextlib.contextmanager
def _replaced(module: Any, name: str, wrap: Callable[[Any], Any]) -> Iterator[None]:
    original = getattr(module, name)
    setattr(module, name, wrap(original))
    try:
        yield
    finally:
        setattr(module, name, original)


def _columns(ys: Any, xs: Any) -> Columns:
    """`ys` as columns, where it is a pair of values and function of one point."""
    if isinstance(ys, Columns):
        return ys
    if isinstance(ys, tuple) and len(ys) == 2 and callable(ys[1]):
        return Columns.of(Source(jax.vmap(ys[1]), xs, {(): ys[0]}))
    raise TypeError(
        "an array was differentiated; DeepXDE's derivatives are of y or of other derivatives, "
        "with i or component for one of several outputs"
    )


def _jacobian(original: Any) -> Any:
    """In place of DeepXDE's `jacobian`."""

    @wraps(original)
    def jacobian(ys: Any, xs: Any, i: int | None = None, j: int | None = None) -> Any:
        columns = _columns(ys, xs)
        if j is not None or xs.shape[1] == 1:
            return columns.along(i, j or 0)
        if i is None and len(columns.parts) > 1:
            raise ValueError("i and j cannot be both None.")
        return columns.gradient(i or 0)

    return jacobian


def _hessian(original: Any) -> Any:
    """In place of DeepXDE's `hessian`."""

    @wraps(original)
    def hessian(ys: Any, xs: Any, component: int = 0, i: int = 0, j: int = 0) -> Any:
        return _columns(ys, xs).along(component, i, j)

    return hessian
