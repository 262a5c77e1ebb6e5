from .example import Example as Example
from .registry import SYSTEMS as SYSTEMS
from .registry import SystemEntry as SystemEntry
