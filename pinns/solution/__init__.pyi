from .evaluated import Deviation as Deviation
from .uncertainty import ensemble as ensemble
from .uncertainty import laplace as laplace
