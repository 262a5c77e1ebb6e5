"""Writes the files of this folder: run it by hand where they have to change."""

import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
AROUND = 16  # corners of the plate's hole


def plate() -> None:
    """A plate of 2 by 1 with a hole, as Gmsh 4.1 writes it: rings of triangles round the hole."""
    angles = 2 * np.pi * np.arange(AROUND) / AROUND
    hole = 0.25 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    reach = np.minimum(
        1 / np.maximum(abs(np.cos(angles)), 1e-9), 0.5 / np.maximum(abs(np.sin(angles)), 1e-9)
    )
    outer = reach[:, None] * hole / 0.25
    corner = [
        int(np.argmin(np.hypot(*(outer - place).T)))
        for place in ([1, 0.5], [-1, 0.5], [-1, -0.5], [1, -0.5])
    ]
    outer[corner] = [[1, 0.5], [-1, 0.5], [-1, -0.5], [1, -0.5]]
    nodes = np.concatenate([hole, outer])
    triangles, lines = [], {"hole": [], "left": [], "right": [], "walls": []}
    for index in range(AROUND):
        following = (index + 1) % AROUND
        triangles += [
            (index, AROUND + index, AROUND + following),
            (index, AROUND + following, following),
        ]
        lines["hole"].append((index, following))
        middle = (outer[index] + outer[following]) / 2
        side = "left" if middle[0] < -0.9999 else "right" if middle[0] > 0.9999 else "walls"
        lines[side].append((AROUND + index, AROUND + following))
    (HERE / "plate.msh").write_text(msh(nodes, triangles, lines), encoding="utf-8")


def msh(nodes, triangles, lines) -> str:
    """Gmsh's format 2.2, in text."""
    names = [f'1 {tag} "{name}"' for tag, name in enumerate(lines, start=1)]
    names.append(f'2 {len(names) + 1} "plate"')
    rows = [
        f"1 2 {tag} {tag} " + " ".join(str(node + 1) for node in pair)
        for tag, pairs in enumerate(lines.values(), start=1)
        for pair in pairs
    ]
    rows += [
        f"2 2 {len(names)} {len(names)} " + " ".join(str(node + 1) for node in cell)
        for cell in triangles
    ]
    text = ["$MeshFormat", "2.2 0 8", "$EndMeshFormat", "$PhysicalNames", str(len(names)), *names]
    text += ["$EndPhysicalNames", "$Nodes", str(len(nodes))]
    text += [f"{row + 1} {x!r} {y!r} 0" for row, (x, y) in enumerate(nodes.tolist())]
    text += [
        "$EndNodes",
        "$Elements",
        str(len(rows)),
        *(f"{row + 1} {line}" for row, line in enumerate(rows)),
        "$EndElements",
        "",
    ]
    return "\n".join(text)


def wedge() -> None:
    """Half a box of 3 by 2 by 1, cut along a diagonal of its floor, as STL in text."""
    low = np.array([(0, 0, 0), (3, 0, 0), (0, 2, 0)], float)
    high = low + np.array([0, 0, 1])
    faces = [(low[0], low[2], low[1]), (high[0], high[1], high[2])]
    for start, end in ((0, 1), (1, 2), (2, 0)):
        faces += [(low[start], low[end], high[end]), (low[start], high[end], high[start])]
    text = ["solid wedge"]
    for face in faces:
        normal = np.cross(face[1] - face[0], face[2] - face[0])
        text.append(
            "facet normal " + " ".join(f"{value:g}" for value in normal / np.linalg.norm(normal))
        )
        text += [
            "outer loop",
            *("vertex " + " ".join(f"{value:g}" for value in place) for place in face),
        ]
        text += ["endloop", "endfacet"]
    (HERE / "wedge.stl").write_text("\n".join([*text, "endsolid wedge", ""]), encoding="utf-8")


def sites() -> None:
    """An L-shaped site of about 200 m with a yard, and a second one beside it, at 60° north."""
    ell = [
        (18.0, 60.0),
        (18.004, 60.0),
        (18.004, 60.001),
        (18.002, 60.001),
        (18.002, 60.002),
        (18.0, 60.002),
    ]
    yard = [(18.0005, 60.0003), (18.001, 60.0003), (18.001, 60.0006), (18.0005, 60.0006)]
    beside = [(18.003, 60.0015), (18.004, 60.0015), (18.004, 60.002)]
    rings = [[[*ring, ring[0]] for ring in polygon] for polygon in ([ell, yard], [beside])]
    features = [
        {
            "type": "Feature",
            "properties": {},
            "geometry": {"type": "Polygon", "coordinates": rings[0]},
        },
        {
            "type": "Feature",
            "properties": {},
            "geometry": {"type": "MultiPolygon", "coordinates": [rings[1]]},
        },
    ]
    content = {"type": "FeatureCollection", "features": features}
    (HERE / "sites.geojson").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    plate()
    wedge()
    sites()
