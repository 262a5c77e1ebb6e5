"""Physics: types, numerics and systems."""

import lazy_loader

from tvilling.sciml.core.precision import set_up

set_up()  # before anything makes an array

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
