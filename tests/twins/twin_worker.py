"""Loads a twin in a process of its own, goes on with it, and prints what it believes."""

import sys

import numpy as np
from twin_week import follow

from tvilling.benchmarks.twin_reference import make_week, small_tank
from tvilling.twins.store import load

twin = load(sys.argv[1], small_tank(1.0).system)
twin = follow(twin, make_week(5, hours=48), range(24, 36))[-1]
print(np.asarray(twin.belief.vector()).tobytes().hex())
print(twin.time, twin.model_version)
