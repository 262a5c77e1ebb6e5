"""What is asked of a grid: years, contingencies, hosting capacity, sensitivities, optimal flow."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
