"""Schedules of a supply temperature, found by gradient through the heat network."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
