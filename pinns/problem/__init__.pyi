from .families import over_ranges as over_ranges
from .layers import Layers as Layers
from .layers import flux_equations as flux_equations
