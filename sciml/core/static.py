"""Index arrays that a compiled function is specialised to."""

import hashlib
from dataclasses import fields

import numpy as np


class HashedArrays:
    """Base of frozen dataclasses (`eq=False`) of NumPy arrays, equal and hashed by content.

    JAX needs this of static fields: equal networks then share their compiled code, also through
    the compilation cache on disk.
    """

    def __post_init__(self) -> None:
        digest = hashlib.sha256(type(self).__qualname__.encode())
        for item in fields(self):  # type: ignore[arg-type]
            value = getattr(self, item.name)
            text = value._digest if isinstance(value, HashedArrays) else np.asarray(value).tolist()
            digest.update(repr((item.name, text)).encode())
        object.__setattr__(self, "_digest", digest.hexdigest())

    _digest: str

    def __hash__(self) -> int:
        return hash(self._digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HashedArrays) and self._digest == other._digest
