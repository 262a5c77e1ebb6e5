from .twin_reference import make_week as make_week
from .twin_reference import small_tank as small_tank
