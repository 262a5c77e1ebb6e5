"""A value met exactly on a surface of many planes is refused, with the equation that meets it."""

import pytest
from scipy.spatial import ConvexHull

from tvilling.pinns import EdgeCondition, Equation, Problem, Unknown, laplacian
from tvilling.pinns.fields import Region
from tvilling.pinns.shapes import Surface, read_stl
from tvilling.sciml.core.errors import InputError

GOLDEN = (1 + 5**0.5) / 2
CORNERS = [
    corner
    for a in (-1.0, 1.0)
    for b in (-GOLDEN, GOLDEN)
    for corner in ((0.0, a, b), (a, b, 0.0), (b, 0.0, a))
]


def stl(hull: ConvexHull) -> str:
    """The triangles of a hull as STL text; each turned so that its normal points outwards."""
    lines = ["solid ball"]
    for corners, plane in zip(hull.simplices, hull.equations, strict=True):
        a, b, c = hull.points[corners]
        turned = (b[1] - a[1]) * (c[2] - a[2]) - (b[2] - a[2]) * (c[1] - a[1])
        inwards = turned * plane[0] < 0
        if abs(plane[0]) < 1e-9:  # the first number of the normal does not tell
            other = (b[2] - a[2]) * (c[0] - a[0]) - (b[0] - a[0]) * (c[2] - a[2])
            inwards = other * plane[1] < 0
        rows = (a, c, b) if inwards else (a, b, c)
        lines += ["facet normal 0 0 0", "outer loop"]
        lines += [f"vertex {x:.12g} {y:.12g} {z:.12g}" for x, y, z in rows]
        lines += ["endloop", "endfacet"]
    return "\n".join([*lines, "endsolid ball", ""])


def test_an_icosahedron_asks_for_an_equation_on_its_edge(tmp_path):
    (tmp_path / "ball.stl").write_text(stl(ConvexHull(CORNERS)))
    ball = read_stl(tmp_path / "ball.stl")
    assert isinstance(ball, Surface)
    with pytest.raises(InputError) as caught:
        Problem(
            name="ball",
            domain=Region(ball, ("x", "y", "z"), "m"),
            unknowns=(Unknown("u", "K", 0.0, 1.0),),
            equations=(Equation("e", "K/m2", lambda at: laplacian(at.u, "x", "y", "z") + 6.0),),
            conditions=(EdgeCondition("u", "boundary", 0.0),),
        )
    told = str(caught.value)
    assert "its triangles lie in 20 planes, expected at most 12" in told
    assert "Equation('boundary', …, lambda at: at.u - value, face='boundary')" in told
