from .heat_exchanger import HeatExchanger as HeatExchanger
from .heat_inverse import SensedRod as SensedRod
from .heating_pipe import HeatingPipe as HeatingPipe
from .registry import ProblemEntry as ProblemEntry
from .source_inverse import SMOOTH_SOURCE as SMOOTH_SOURCE
from .transformer_system import ExactTransformer as ExactTransformer
