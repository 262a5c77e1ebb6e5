from .classical_solver import SolverRoute as SolverRoute
from .classical_solver import compare as compare
from .classical_solver import solve as solve
from .estimates import Estimate as Estimate
from .inversion import Inverted as Inverted
from .inversion import invert as invert
