"""Compilation of what runs seldom: in half the time, to code that is somewhat slower."""

from collections.abc import Callable
from typing import TypeVar

import jax

R = TypeVar("R")
LITTLE = {"xla_backend_optimization_level": 1}  # of LLVM, which takes most of the time


def jit_quick_compile(function: Callable[..., R]) -> Callable[..., R]:
    """`function` compiled for some calls, such as one look at a training in hundred steps."""
    compiled: Callable[..., R] = jax.jit(function, compiler_options=LITTLE)
    return compiled
