"""Tvilling: scientific machine learning and digital twins of energy and production systems.

Names are imported when they are first used, so that `import tvilling` takes no time.
"""

from typing import Any

import lazy_loader

_attribute, _, _names = lazy_loader.attach_stub(__name__, __file__)
__all__ = ["__version__", *_names]


def __getattr__(name: str) -> Any:
    if name == "__version__":  # read out of the package's metadata only where it is wanted
        from importlib.metadata import version

        return version("tvilling")
    return _attribute(name)


def __dir__() -> list[str]:
    return sorted(__all__)
