"""Figures that must be above zero, checked together."""

from collections.abc import Mapping

from tvilling.sciml.core.errors import InputError


def check_positive(source: str, figures: Mapping[str, float]) -> None:
    """Raise an InputError that names every one of `figures` that is not above zero."""
    faults = [
        f"{name} is {value:g}, expected above 0" for name, value in figures.items() if not value > 0
    ]
    if faults:
        raise InputError(source, faults)
