from .settings import Causal as Causal
from .settings import Windows as Windows
from .training_loop import Check as Check
from .windows import WindowedSolution as WindowedSolution
