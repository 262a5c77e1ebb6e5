"""Operators: networks that learn the map from a function to the solution of a problem."""

from tvilling.pinns.operators.baselines import LinearOperator
from tvilling.pinns.operators.deeponet import DeepONet
from tvilling.pinns.operators.ensemble import ensemble, solved
from tvilling.pinns.operators.families import (
    burgers_course,
    burgers_end,
    pipe_field,
    pipe_outlet,
)
from tvilling.pinns.operators.fno import FourierOperator
from tvilling.pinns.operators.physics import Physics
from tvilling.pinns.operators.problem import OperatorProblem, Varied
from tvilling.pinns.operators.random_function import GaussianField
from tvilling.pinns.operators.store import load_operator, save_operator
from tvilling.pinns.operators.trained import OperatorSolution
from tvilling.pinns.operators.training import train_operator

__all__ = [
    "DeepONet",
    "FourierOperator",
    "GaussianField",
    "LinearOperator",
    "OperatorProblem",
    "OperatorSolution",
    "Physics",
    "Varied",
    "burgers_course",
    "burgers_end",
    "ensemble",
    "load_operator",
    "pipe_field",
    "pipe_outlet",
    "save_operator",
    "solved",
    "train_operator",
]
