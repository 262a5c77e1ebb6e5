"""The periodic solutions of Allen and Cahn's equation, and of Korteweg and de Vries'."""

from functools import cache

import numpy as np
from jaxtyping import Float

from tvilling.pinns.library.references.etdrk4 import Course, Modes, evolve, to_grid, to_modes

LOW, LENGTH, HORIZON = -1.0, 2.0, 1.0
SNAPSHOTS = 1000
FASTEST = 4000.0  # rate: rounding is blown up by exp(5 rate / snapshots) where it is interpolated


@cache
def allen_cahn(diffusivity: float, reaction: float, modes: int = 2048, steps: int = 1000) -> Course:
    """u_t = D u_xx + r (u - u³) on [-1, 1], periodic, from x² cos(π x), up to t = 1.

    The start has a kink at x = ±1, so that its modes fall only as 1/k². They are taken from their
    integrals: samples of the start would leave errors of second order that last, while modes that
    are left out would have died out by themselves. `steps` is a multiple of 1000.
    """
    number = np.arange(modes)
    linear = reaction - diffusivity * (2 * np.pi * number / LENGTH) ** 2 + 0j

    def nonlinear(v: Modes) -> Modes:
        return to_modes(-reaction * to_grid(v) ** 3)

    kept = evolve(_kinked(number), linear, nonlinear, HORIZON, steps, steps // SNAPSHOTS)
    rates = np.maximum(linear.real - 3 * reaction, -FASTEST)  # about u = -1, where the kink is
    return Course(kept, HORIZON, LOW, LENGTH, rates)


@cache
def kdv(
    dispersion: float,
    start: str = "cosine",
    modes: int = 256,
    steps: int = 20_000,
) -> Course:
    """u_t + u u_x + δ² u_xxx = 0 on [-1, 1], periodic, from cos(π x), up to t = 1.

    Parameters
    ----------
    dispersion
        δ.
    start
        "cosine", or "soliton": 3 sech²(x / (2 δ)), which moves with the speed 1 on this interval as
        on the line: its tails are 1e-19 where they meet.
    """
    wave_number = 2 * np.pi * np.arange(modes) / LENGTH

    def nonlinear(v: Modes) -> Modes:
        return -0.5j * wave_number * to_modes(to_grid(v) ** 2)

    x = LOW + LENGTH * np.arange(2 * modes) / (2 * modes)
    begin = np.cos(np.pi * x) if start == "cosine" else 3 / np.cosh(x / (2 * dispersion)) ** 2
    linear = 1j * dispersion**2 * wave_number**3
    kept = evolve(to_modes(begin), linear, nonlinear, HORIZON, steps, steps // SNAPSHOTS)
    return Course(kept, HORIZON, LOW, LENGTH, np.zeros(modes))


def _kinked(number: Float[np.ndarray, " mode"]) -> Modes:
    """The modes of x² cos(π x) over [-1, 1], exactly.

    The integral of x² cos(π x) cos(k π x) is the mean of two of x² cos(m π x), m = k ± 1.
    """

    def integral(m: Float[np.ndarray, " mode"]) -> Float[np.ndarray, " mode"]:
        nonzero = np.where(m == 0, 1, m)
        return np.where(m == 0, 2 / 3, 4 * (-1.0) ** m / (np.pi * nonzero) ** 2)

    modes = (integral(number + 1) + integral(number - 1)) / 2
    modes[0] /= 2
    return modes * (-1.0) ** number + 0j  # counted from x = -1
