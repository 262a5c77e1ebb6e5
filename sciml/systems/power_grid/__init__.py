"""AC power grids: the model as pandapower converts it, batched power flow, its gradients."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
