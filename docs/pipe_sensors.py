"""Writes cases/heating_pipe_sensors.csv: readings like those of three sensors along a pipe.

Run `.venv/bin/python docs/pipe_sensors.py` after changing a number here. The pipe is the library's
`heating_pipe`, with the same inlet and the same start, but slower and with more loss than the
library says: what `tvilling pinn invert` has to find.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from tvilling.pinns.library.heating_pipe import HeatingPipe, example_pipe

FILE = Path(__file__).parents[1] / "cases" / "heating_pipe_sensors.csv"
SPEED_M_PER_S, LOSS_W_PER_MK = 0.97, 0.45
PLACES_M = (400.0, 900.0, 1500.0)
TIMES_S = np.arange(150.0, 3601.0, 150.0)
NOISE_K, SEED = 0.3, 1


def true_pipe() -> HeatingPipe:
    """The pipe behind the readings."""
    pipe = example_pipe()
    return replace(
        pipe,
        initial_degc=pipe.start_degc,
        speed_m_per_s=SPEED_M_PER_S,
        loss_w_per_mk=LOSS_W_PER_MK,
    )


def text() -> str:
    """The file."""
    pipe = true_pipe()
    x_m, time_s = (part.ravel() for part in np.meshgrid(PLACES_M, TIMES_S, indexing="ij"))
    noise = NOISE_K * np.random.default_rng(SEED).standard_normal(x_m.size)
    water_degc = np.asarray(pipe.exact_degc(x_m, time_s)) + noise
    rows = [
        f"{x:.0f},{t:.0f},{value:.2f}" for x, t, value in zip(x_m, time_s, water_degc, strict=True)
    ]
    head = [
        "# Made by docs/pipe_sensors.py: three sensors along a buried pipe, not measured.",
        f"# Behind them are {SPEED_M_PER_S} m/s, a decay of {pipe.decay_per_s:.4e} 1/s and noise "
        f"of {NOISE_K} K.",
        "x_m,time_s,water_degc",
    ]
    return "\n".join([*head, *rows]) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
