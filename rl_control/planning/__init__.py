"""Plans for a heat plant: the optimum, the rule, and what runs every day."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
