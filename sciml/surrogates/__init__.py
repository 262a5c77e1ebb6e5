"""Learned surrogates of any system: training, trust, intervals, and a guard."""

from tvilling.sciml.surrogates.errors import Miss, one_step_errors, rollout_errors, worst
from tvilling.sciml.surrogates.guard import Guarded
from tvilling.sciml.surrogates.model import Surrogate
from tvilling.sciml.surrogates.settings import SurrogateSettings
from tvilling.sciml.surrogates.store import load_surrogate, save_surrogate
from tvilling.sciml.surrogates.training import SurrogateReport, train_surrogate
from tvilling.sciml.surrogates.transitions import random_actions, run_played, transitions_of

__all__ = [
    "Guarded",
    "Miss",
    "Surrogate",
    "SurrogateReport",
    "SurrogateSettings",
    "load_surrogate",
    "one_step_errors",
    "random_actions",
    "rollout_errors",
    "run_played",
    "save_surrogate",
    "train_surrogate",
    "transitions_of",
    "worst",
]
