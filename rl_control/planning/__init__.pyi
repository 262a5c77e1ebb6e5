from .mpc import run_mpc as run_mpc
from .programme import best_schedule as best_schedule
from .programme import lowest_cost_dkk as lowest_cost_dkk
from .schedule import Schedule as Schedule
