"""What can be chosen about a surrogate's training."""

from dataclasses import dataclass, field

from tvilling.sciml.learning.fit import FitSettings
from tvilling.sciml.surrogates.network import ACTIVATIONS

RANGES: dict[str, tuple[float, float]] = {
    "width": (1, 4096),
    "layers": (1, 16),
    "members": (2, 64),
    "passes": (1, 10_000),
    "action_reach": (0.0, 1.0),
    "held_out_share": (0.01, 0.5),
    "calibration_share": (0.01, 0.4),
    "calibration_samples": (20, 1_000_000),
}


@dataclass(frozen=True)
class SurrogateSettings:
    """Size of the nets, and how they are trained.

    Attributes
    ----------
    width, layers, members, activation
        Shape of the ensemble: numbers in a hidden layer, hidden layers, nets, and the function
        between layers (`relu`, `silu`, `gelu` or `tanh`). Where limits begin to bind a step
        has kinks, which `relu` meets best; its slope jumps, where that of the others does not.
    passes
        Sequences of actions that every scenario is run under.
    action_reach
        Share of the way from the example's action to its limits that these span.
    held_out_share, calibration_share
        Shares of the scenarios kept for early stopping and the report, and for the intervals.
    calibration_samples
        Most samples that the intervals are made from.
    fit
        The training itself.
    """

    width: int = 48
    layers: int = 3
    members: int = 5
    activation: str = "relu"
    passes: int = 3
    action_reach: float = 1.0
    held_out_share: float = 0.1
    calibration_share: float = 0.25
    calibration_samples: int = 4000
    fit: FitSettings = field(
        default_factory=lambda: FitSettings(
            steps=6000, batch=384, learning_rate=8e-3, last_rate=0.003
        )
    )

    def faults(self) -> list[str]:
        """What cannot be used, in words; empty where all can."""
        found = [
            f"{name} is {getattr(self, name):g}, expected {low:g} to {high:g}"
            for name, (low, high) in RANGES.items()
            if not low <= getattr(self, name) <= high
        ]
        if self.activation not in ACTIVATIONS:
            known = ", ".join(ACTIVATIONS)
            found.append(f"activation is {self.activation!r}, expected one of {known}")
        return found
