"""Tvilling: scientific machine learning and digital twins of energy and production systems.

Names are imported when they are first used, so that `import tvilling` takes no time.
"""

from importlib.metadata import version

import lazy_loader

__version__ = version("tvilling")

_getattr, _dir, _names = lazy_loader.attach_stub(__name__, __file__)
__getattr__ = _getattr
__all__ = ["__version__", *_names]


def __dir__() -> list[str]:
    return sorted(__all__)
