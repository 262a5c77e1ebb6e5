"""Pipe catalogue: dimensions and masses from other tables, heat loss against Laplace's equation."""

import numpy as np
import pytest

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_network.sizing.catalogue import (
    STEEL_J_PER_KGK,
    Burial,
    loss_w_per_mk,
    pipe_sizes,
)

# Mass of a steel pipe per metre [kg/m] in the tables of EN 10220.
EN10220_KG_PER_M = {20: 1.56, 50: 4.11, 100: 9.83, 200: 23.8, 300: 44.0, 500: 77.9}
# Inner diameter [mm], and casing outer and foam outer diameter [mm] of series 2, as a
# manufacturer prints them (Logstor, product catalogue 2018.12, single steel pipes).
LOGSTOR_SERIES2 = {
    20: (21.7, 110, 104.0), 25: (28.5, 110, 104.0), 32: (37.2, 125, 119.0), 40: (43.1, 125, 119.0),
    50: (54.5, 140, 134.0), 65: (70.3, 160, 154.0), 80: (82.5, 180, 174.0),
    100: (107.1, 225, 218.2), 125: (132.5, 250, 242.8),
}  # fmt: skip


@pytest.mark.parametrize("dn", EN10220_KG_PER_M)
def test_wall_capacity_is_that_of_the_steel_in_the_tables(dn: int) -> None:
    row = pipe_sizes(1).set_index("dn").loc[dn]
    expected = EN10220_KG_PER_M[dn] * STEEL_J_PER_KGK
    assert row["wall_j_per_mk"] == pytest.approx(expected, rel=0.005)


@pytest.mark.parametrize("dn", LOGSTOR_SERIES2)
def test_dimensions_are_those_a_manufacturer_prints(dn: int) -> None:
    row = pipe_sizes(2).set_index("dn").loc[dn]
    inner, casing, foam = LOGSTOR_SERIES2[dn]
    assert 1000 * row["inner_diameter_m"] == pytest.approx(inner)
    assert 1000 * row["casing_diameter_m"] == casing
    thick = Burial(insulation_w_per_mk=0.027, casing_w_per_mk=1e9, soil_w_per_mk=1e9)
    loss = loss_w_per_mk(
        np.array([row["outer_diameter_m"]]), np.array([row["casing_diameter_m"]]), thick
    )
    only_foam = 2 * np.pi * 0.027 / np.log(foam / (1000 * row["outer_diameter_m"]))
    assert loss[0] == pytest.approx(only_foam, rel=1e-6)


@pytest.mark.parametrize("series", [1, 2, 3])
def test_sizes_rise(series: int) -> None:
    sizes = pipe_sizes(series)
    for column in ("dn", "inner_diameter_m", "outer_diameter_m", "wall_j_per_mk"):
        assert sizes[column].is_monotonic_increasing


def test_better_insulation_and_a_neighbour_lose_less() -> None:
    losses = [pipe_sizes(series)["loss_w_per_mk"].to_numpy() for series in (1, 2, 3)]
    assert (losses[0] > losses[1]).all()
    assert (losses[1] > losses[2]).all()
    assert (pipe_sizes(2, Burial(gap_m=0.15))["loss_w_per_mk"] < losses[1]).all()


def test_unknown_series_is_refused() -> None:
    with pytest.raises(InputError, match="series is 4, expected 1, 2 or 3"):
        pipe_sizes(4)


def laplace_loss(centres: np.ndarray, casing_m: float, inside: float, soil: float) -> float:
    """Heat loss of equally warm pipes per metre, pipe and kelvin, by the charge method.

    Line sources inside each casing and their mirror images above a surface at zero; their
    strengths solve (1 - T)/(2 pi r inside) = -soil dT/dn on the casings in the least squares.
    """
    radius, around = casing_m / 2, np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ring = np.stack([np.cos(around), np.sin(around)], axis=1)
    sources = np.concatenate([centre + 0.4 * radius * ring[::2] for centre in centres])
    images = sources * [1, -1]
    points = np.concatenate([centre + radius * ring for centre in centres])
    normal = np.tile(ring, (len(centres), 1))
    near, far = (points[:, None] - other[None] for other in (sources, images))
    near2, far2 = (near**2).sum(-1), (far**2).sum(-1)
    potential = np.log(far2 / near2) / (4 * np.pi * soil)
    gradient = (far / far2[..., None] - near / near2[..., None]) / (2 * np.pi * soil)
    slope = (gradient * normal[:, None]).sum(-1)
    resistance = inside * 2 * np.pi * radius
    matrix = potential - soil * resistance * slope
    strength = np.linalg.lstsq(matrix, np.ones(len(points)), rcond=None)[0]
    return strength.sum() / len(centres)


@pytest.mark.parametrize("dn", [20, 100, 300])
@pytest.mark.parametrize("gap_m", [None, 0.15, 0.5])
def test_loss_agrees_with_the_heat_equation_around_the_pipes(dn: int, gap_m: float | None) -> None:
    """The formula puts each pipe's heat on its axis; Laplace's equation does not. Within 1 %."""
    burial = Burial(gap_m=gap_m, surface_m2k_per_w=0.0)
    row = pipe_sizes(2, burial).set_index("dn").loc[dn]
    casing_m = row["casing_diameter_m"]
    alone = pipe_sizes(2, Burial(soil_w_per_mk=1e9)).set_index("dn").loc[dn, "loss_w_per_mk"]
    depth_m = burial.cover_m + casing_m / 2
    apart_m = 0.0 if gap_m is None else casing_m + gap_m
    centres = np.array([[0.0, -depth_m]] + ([[apart_m, -depth_m]] if gap_m else []))
    expected = laplace_loss(centres, casing_m, 1 / alone, burial.soil_w_per_mk)
    assert row["loss_w_per_mk"] == pytest.approx(expected, rel=0.01)
