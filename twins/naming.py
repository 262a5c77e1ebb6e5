"""Names of the numbers inside a pytree, and the units that names end with."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

# What a token of a name stands for; a name ends with its unit, as in `loss_w_per_k`.
TOKENS = {
    "w": "W", "kw": "kW", "mw": "MW", "gw": "GW", "j": "J", "kj": "kJ", "mj": "MJ", "gj": "GJ",
    "wh": "Wh", "kwh": "kWh", "mwh": "MWh", "k": "K", "degc": "°C", "m": "m", "m2": "m²",
    "m3": "m³", "kg": "kg", "s": "s", "h": "h", "day": "day", "pa": "Pa", "bar": "bar", "v": "V",
    "a": "A", "ohm": "Ω", "mol": "mol", "dkk": "DKK", "pu": "p.u.", "rad": "rad", "deg": "°",
    "mk": "m·K", "m2k": "m²·K", "m3k": "m³·K", "kgk": "kg·K", "molk": "mol·K", "l": "L",
    "mm": "mm", "km": "km", "mvar": "Mvar", "var": "var", "ka": "kA", "kv": "kV", "min": "min",
    "h2": "h²", "m6": "m⁶", "percent": "%", "degree": "°",
}  # fmt: skip


def unit_of(name: str) -> str:
    """Unit that `name` ends with, or an empty text.

    `loss_w_per_k` gives W/K, `loss_w_per_mk` W/(m·K), `volume` nothing.
    """
    tokens = name.rsplit(".", 1)[-1].split("_")
    if "per" not in tokens:
        return TOKENS.get(tokens[-1], "") if len(tokens) > 1 else ""
    at = len(tokens) - 1 - tokens[::-1].index("per")
    first = at
    while first > 1 and tokens[first - 1] in TOKENS:
        first -= 1
    above = "·".join(TOKENS[token] for token in tokens[first:at]) or "1"
    below = TOKENS.get("".join(tokens[at + 1 :]), "")
    if not below:
        return ""
    return f"{above}/({below})" if "·" in below else f"{above}/{below}"


def leaf_name(path: tuple[Any, ...]) -> str:
    """Fields and keys that lead to a leaf, joined by dots; a bare leaf is `state`."""
    return jax.tree_util.keystr(path, simple=True, separator=".") or "state"


def is_float(leaf: Any) -> bool:
    """Whether `leaf` is an array of floating-point numbers."""
    return isinstance(leaf, jax.Array | np.ndarray) and jnp.issubdtype(leaf.dtype, jnp.floating)


def float_leaves(tree: Any) -> dict[str, Any]:
    """The floating-point leaves of `tree` by name, in order."""
    leaves = jax.tree_util.tree_flatten_with_path(tree)[0]
    return {leaf_name(path): leaf for path, leaf in leaves if is_float(leaf)}


def replace_leaves(tree: Any, values: dict[str, Any]) -> Any:
    """`tree` with other values for the leaves that `values` names."""
    leaves, structure = jax.tree_util.tree_flatten_with_path(tree)
    replaced = [values.get(leaf_name(path), leaf) for path, leaf in leaves]
    return jax.tree.unflatten(structure, replaced)
