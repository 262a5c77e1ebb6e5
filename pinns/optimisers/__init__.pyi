from .stages import GaussNewton as GaussNewton
from .stages import Soap as Soap
