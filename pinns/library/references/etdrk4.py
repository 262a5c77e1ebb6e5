"""Periodic evolution equations by Fourier modes and exponential time differencing.

    dv/dt = L v + N(v)

for the modes v with a diagonal L, by the Runge-Kutta scheme of fourth order of Cox and Matthews,
whose coefficients are means over circles (Kassam and Trefethen, SIAM J. Sci. Comput. 26 (2005)
1214-1233, DOI 10.1137/S1064827502410633).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float

Modes = Complex[np.ndarray, " mode"]
CONTOUR_POINTS = 64
STENCIL = 10  # snapshots that an interpolation in time takes
NEGLIGIBLE = 1e-18  # of modes, where the solution is about one
CHUNK = 2**22  # products of modes and points at once, for memory


@dataclass(frozen=True)
class Scheme:
    """Coefficients of the scheme for one step size and one L, each `[mode]`."""

    whole: Modes
    half: Modes
    inner: Modes
    first: Modes
    middle: Modes
    last: Modes

    @staticmethod
    def of(linear: Modes, step: float) -> "Scheme":
        """The coefficients for the diagonal `linear` of L."""
        turn = np.exp(2j * np.pi * (np.arange(CONTOUR_POINTS) + 0.5) / CONTOUR_POINTS)
        z = step * linear[:, None] + turn
        e = np.exp(z)

        def mean(values: Complex[np.ndarray, "mode turn"]) -> Modes:
            return step * values.mean(axis=1)

        return Scheme(
            whole=np.exp(step * linear),
            half=np.exp(step * linear / 2),
            inner=mean((np.exp(z / 2) - 1) / z),
            first=mean((-4 - z + e * (4 - 3 * z + z**2)) / z**3),
            middle=mean((2 + z + e * (z - 2)) / z**3),
            last=mean((-4 - 3 * z - z**2 + e * (4 - z)) / z**3),
        )

    def after(self, v: Modes, nonlinear: Callable[[Modes], Modes]) -> Modes:
        """The modes one step later."""
        now = nonlinear(v)
        a = self.half * v + self.inner * now
        at_a = nonlinear(a)
        b = self.half * v + self.inner * at_a
        at_b = nonlinear(b)
        c = self.half * a + self.inner * (2 * at_b - now)
        return (
            self.whole * v
            + self.first * now
            + 2 * self.middle * (at_a + at_b)
            + self.last * nonlinear(c)
        )


@dataclass(frozen=True)
class Course:
    """A periodic solution: modes of the real Fourier transform at evenly spaced times.

    Attributes
    ----------
    modes
        v_k of u(x) = Re Σ v_k exp(2 π i k (x - low) / length), `[time, mode]`.
    rates
        Factors exp(rate · t) that the modes follow nearly; what is left is interpolated.
    """

    modes: Complex[np.ndarray, "time mode"]
    horizon: float
    low: float
    length: float
    rates: Float[np.ndarray, " mode"]

    def __call__(
        self, x: Float[np.ndarray, "*point"], t: Float[np.ndarray, "*point"]
    ) -> Float[np.ndarray, "*point"]:
        """The solution at each pair of `x` and `t`."""
        x, t = np.broadcast_arrays(np.asarray(x, float), np.asarray(t, float))
        places, place = np.unique(x.ravel(), return_inverse=True)
        times, time = np.unique(t.ravel(), return_inverse=True)
        found = np.empty(x.size)
        each = max(1, CHUNK // self.modes.shape[1])
        for begin in range(0, len(times), each):  # points in the order of their times
            own = np.flatnonzero((time >= begin) & (time < begin + each))
            modes = _that_count(self._at(times[begin : begin + each]))
            for part in np.array_split(own, max(1, -(-len(own) // each))):
                waves = self._waves(places[place[part]], modes.shape[1])
                found[part] = np.einsum("pk,pk->p", modes[time[part] - begin], waves).real
        return found.reshape(x.shape)

    def _waves(
        self, x: Float[np.ndarray, " point"], count: int
    ) -> Complex[np.ndarray, "point mode"]:
        turn = 2j * np.pi * (x - self.low) / self.length
        return np.exp(turn[:, None] * np.arange(count))

    def _at(self, t: Float[np.ndarray, " time"]) -> Complex[np.ndarray, "time mode"]:
        """Modes at the times `t`, by Lagrange interpolation of what the rates leave."""
        last = len(self.modes) - 1
        place = t / self.horizon * last  # in snapshots
        start = np.clip(np.floor(place).astype(int) - STENCIL // 2 + 1, 0, last - STENCIL + 1)
        total = np.zeros((len(t), self.modes.shape[1]), complex)
        for index in range(STENCIL):
            weight = np.ones(len(t))
            for other in range(STENCIL):
                if other != index:
                    weight *= (place - start - other) / (index - other)
            ahead = (place - start - index) * self.horizon / last
            follow = np.exp(ahead[:, None] * self.rates)
            total += weight[:, None] * self.modes[start + index] * follow
        return total


def _that_count(modes: Complex[np.ndarray, "time mode"]) -> Complex[np.ndarray, "time mode"]:
    """Without the modes of which all that follow are lost in rounding."""
    count = np.flatnonzero(np.abs(modes).max(axis=0) > NEGLIGIBLE)[-1] + 1
    return modes[:, :count]


def to_grid(modes: Modes) -> Float[np.ndarray, " place"]:
    """Values at twice as many even places as there are modes."""
    full = np.append(modes * len(modes), 0.0)  # the highest mode of an even grid is left out
    full[0] *= 2
    return np.fft.irfft(full, 2 * len(modes))


def to_modes(values: Float[np.ndarray, " place"]) -> Modes:
    """Half as many modes as there are even places with `values`."""
    count = len(values) // 2
    modes = np.fft.rfft(values)[:count] / count
    modes[0] /= 2
    return modes


def evolve(
    start: Modes,
    linear: Modes,
    nonlinear: Callable[[Modes], Modes],
    horizon: float,
    steps: int,
    keep_every: int = 1,
) -> Complex[np.ndarray, "time mode"]:
    """Modes at the start and after every `keep_every` of `steps` steps up to `horizon`."""
    scheme = Scheme.of(linear, horizon / steps)
    kept, v = [start], start
    for number in range(1, steps + 1):
        v = scheme.after(v, nonlinear)
        if number % keep_every == 0:
            kept.append(v)
    return np.stack(kept)
