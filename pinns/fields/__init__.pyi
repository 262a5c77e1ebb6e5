from .field import Field as Field
from .field import at_place as at_place
from .field import cos as cos
from .field import exp as exp
from .field import sin as sin
from .region import Region as Region
from .symmetry import Symmetry as Symmetry
