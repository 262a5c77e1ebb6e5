"""Physics-informed networks: equations solved by networks that meet their conditions exactly.

Names are imported when they are first used, so that listing the problems stays quick.
"""

import lazy_loader

import tvilling.sciml  # noqa: F401  double precision, before anything makes an array

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
