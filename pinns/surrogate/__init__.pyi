from .conversion import Energy as Energy
from .conversion import PinnSystem as PinnSystem
from .conversion import StateMapping as StateMapping
from .conversion import SurrogateOutput as SurrogateOutput
from .conversion import as_system as as_system
