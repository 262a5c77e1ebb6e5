"""Physics-informed networks: equations solved by networks that meet their conditions exactly.

Names are imported when they are first used, so that listing the problems stays quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import tvilling.sciml  # noqa: F401  double precision, before anything makes an array

if TYPE_CHECKING:
    from tvilling.pinns.conditions import Condition, EdgeCondition, Measured
    from tvilling.pinns.course import Check
    from tvilling.pinns.domain import Axis, Box
    from tvilling.pinns.estimates import Estimate
    from tvilling.pinns.evaluated import Deviation
    from tvilling.pinns.families import over_ranges
    from tvilling.pinns.field import Field, at_place, cos, d, exp, laplacian, of, sin
    from tvilling.pinns.inverse import Inverted, invert
    from tvilling.pinns.layers import Layers, flux_equations
    from tvilling.pinns.library import PROBLEMS
    from tvilling.pinns.network import NetworkSettings
    from tvilling.pinns.parameters import Fixed, Free, Ranged
    from tvilling.pinns.problem import Derived, Equation, Problem, Reference, Unknown
    from tvilling.pinns.region import Region
    from tvilling.pinns.settings import Causal, TrainSettings, Windows
    from tvilling.pinns.shapes import (
        Disk,
        Polygon,
        Rectangle,
        TriangleMesh,
        difference,
        intersection,
        read_geojson,
        read_mesh,
        read_stl,
        union,
    )
    from tvilling.pinns.solution import Solution
    from tvilling.pinns.solver_route import SolverRoute, compare
    from tvilling.pinns.stages import Adam, Broyden, GaussNewton, Soap
    from tvilling.pinns.store import load_solution, save_solution
    from tvilling.pinns.surrogate import Carried, Energy, Gauge, PinnSystem, as_system
    from tvilling.pinns.symmetry import Symmetry
    from tvilling.pinns.training import train
    from tvilling.pinns.uncertainty import ensemble, laplace
    from tvilling.pinns.windows import WindowedSolution

_MODULES = {
    "conditions": ("Condition", "EdgeCondition", "Measured"),
    "course": ("Check",),
    "domain": ("Axis", "Box"),
    "estimates": ("Estimate",),
    "evaluated": ("Deviation",),
    "field": ("Field", "at_place", "cos", "d", "exp", "laplacian", "of", "sin"),
    "layers": ("Layers", "flux_equations"),
    "library": ("PROBLEMS",),
    "inverse": ("Inverted", "invert"),
    "network": ("NetworkSettings",),
    "parameters": ("Fixed", "Free", "Ranged"),
    "problem": ("Derived", "Equation", "Problem", "Reference", "Unknown"),
    "settings": ("Causal", "TrainSettings", "Windows"),
    "solution": ("Solution",),
    "stages": ("Adam", "Broyden", "GaussNewton", "Soap"),
    "symmetry": ("Symmetry",),
    "training": ("train",),
    "families": ("over_ranges",),
    "shapes": (
        "Disk",
        "Polygon",
        "Rectangle",
        "TriangleMesh",
        "difference",
        "intersection",
        "read_geojson",
        "read_mesh",
        "read_stl",
        "union",
    ),
    "region": ("Region",),
    "solver_route": ("SolverRoute", "compare"),
    "store": ("load_solution", "save_solution"),
    "surrogate": ("Carried", "Energy", "Gauge", "PinnSystem", "as_system"),
    "uncertainty": ("ensemble", "laplace"),
    "windows": ("WindowedSolution",),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [  # noqa: RUF022  by module
    "Condition",
    "EdgeCondition",
    "Measured",
    "Check",
    "Axis",
    "Box",
    "Field",
    "at_place",
    "cos",
    "d",
    "exp",
    "laplacian",
    "of",
    "sin",
    "Inverted",
    "invert",
    "Layers",
    "flux_equations",
    "PROBLEMS",
    "NetworkSettings",
    "Fixed",
    "Free",
    "Ranged",
    "Derived",
    "Equation",
    "Problem",
    "Reference",
    "Unknown",
    "Causal",
    "TrainSettings",
    "Windows",
    "Estimate",
    "Deviation",
    "Solution",
    "Adam",
    "Broyden",
    "GaussNewton",
    "Soap",
    "Symmetry",
    "train",
    "over_ranges",
    "Disk",
    "Polygon",
    "Rectangle",
    "TriangleMesh",
    "difference",
    "intersection",
    "read_geojson",
    "read_mesh",
    "read_stl",
    "union",
    "Region",
    "SolverRoute",
    "compare",
    "load_solution",
    "save_solution",
    "Carried",
    "Energy",
    "Gauge",
    "PinnSystem",
    "as_system",
    "ensemble",
    "laplace",
    "WindowedSolution",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
