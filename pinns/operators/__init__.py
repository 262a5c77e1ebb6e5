"""Operators: networks that learn the map from a function to the solution of a problem."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
