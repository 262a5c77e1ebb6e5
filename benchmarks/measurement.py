"""One line of the benchmark table."""

import json
import math
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Measurement:
    """What a benchmark found.

    Attributes
    ----------
    ours, peer
        The two figures, in `unit`; `peer` is None where there is nothing to compare with.
    ratio
        How many times better than the peer we are; above 1 we win.
    extra
        Further figures and circumstances, with units in their names.
    """

    name: str
    ours: float
    peer: float | None
    unit: str
    ratio: float | None
    peer_name: str = ""
    peer_version: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        figures = {"ours": self.ours, "peer": self.peer, "ratio": self.ratio}
        for name, value in figures.items():
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{self.name}: {name} is {value}, expected a finite number")

    def to_json(self) -> str:
        """The measurement as one line."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, line: str) -> "Measurement":
        """The measurement that `to_json` wrote."""
        return cls(**json.loads(line))
