"""Regions of the line, the plane and space, with points in them and distances to their edges."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
