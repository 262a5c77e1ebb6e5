"""Meshes, shapes and trained solutions that networks of equations are given."""

import json
import os
import struct
from collections.abc import Callable, Iterator
from typing import Any

from attempt import Attempt


def attempts() -> Iterator[Attempt]:
    """All of them."""
    yield from _meshes()
    yield from _shapes()
    yield from _solutions()


def _meshes() -> Iterator[Attempt]:
    def load(name: str) -> Callable[[], Any]:
        def call() -> Any:
            from tvilling.pinns.shapes.files import read_file

            return read_file(name)

        return call

    header = "$MeshFormat\n2.2 0 8\n$EndMeshFormat\n"
    nodes = "$Nodes\n3\n1 0 0 0\n2 1 0 0\n%s 0 1 0\n$EndNodes\n"
    cells = "$Elements\n1\n1 2 2 0 1 1 2 3\n$EndElements\n"
    good = header + nodes % 3 + cells
    for kind, (name, content) in {
        "tag": ("a.msh", header + nodes % 2_000_000_000 + cells), "count": ("a.msh", good.replace("$Nodes\n3", "$Nodes\n999999999999")),
        "cells": ("a.msh", good.replace("$Elements\n1", "$Elements\n999999999")), "cut": ("a.msh", good[:60]),
        "binary 4": ("a.msh", b"$MeshFormat\n4.1 1 8\n\1\0\0\0\n$EndMeshFormat\n"), "version": ("a.msh", good.replace("2.2", "9.9")),
        "ansys": ("a.msh", '(0 "x")\n(10 (0 1 ffffffff 1))\n'), "node missing": ("a.msh", good.replace("1 2 3\n", "1 2 9\n")),
        "xdmf": ("a.xdmf", "<Xdmf><DataItem>/etc/passwd</DataItem></Xdmf>"), "vtu": ("a.vtu", "<VTKFile/>"),
        "med": ("a.med", b"\x89HDF"), "h5m": ("a.h5m", b"\x89HDF"), "exodus": ("a.e", b"CDF"), "cgns": ("a.cgns", b"x"),
        "netgen": ("a.vol.gz", b"\x1f\x8b"), "xml": ("a.xml", "<dolfin/>"), "svg": ("a.svg", "<svg/>"), "none": ("mesh", good),
        "abaqus": ("a.inp", "*INCLUDE, INPUT=/etc/passwd\n"), "tecplot": ("a.dat", "x"), "escape": ("a\x1b[2J.msh", "x"),
        "vtk grid": ("a.vtk", "# vtk DataFile Version 3.0\nx\nASCII\nDATASET STRUCTURED_POINTS\nDIMENSIONS 9999 9999 9999\n"),
        "vtk count": ("a.vtk", "# vtk DataFile Version 3.0\nx\nASCII\nDATASET UNSTRUCTURED_GRID\nPOINTS 99999999999 float\n"),
        "ply": ("a.ply", "ply\nformat ascii 1.0\nelement vertex 99999999999\nproperty float x\nend_header\n"),
        "off": ("a.off", "OFF\n99999999999 1 0\n"), "stl": ("a.stl", b"\0" * 80 + struct.pack("<I", 4_000_000_000)),
        "stl text": ("a.stl", "solid x\nfacet normal nan\n"), "obj": ("a.obj", "v x y z\n"),
        "device": ("a.msh", lambda path: path.symlink_to("/dev/zero")), "fifo": ("a.stl", os.mkfifo),
    }.items():  # fmt: skip
        yield Attempt(f"mesh/{kind}", {name: content}, load(name))
    yield Attempt(
        "mesh/right", {"a.msh": good}, load("a.msh"), 0, right=lambda mesh: len(mesh.points) == 3
    )


def _shapes() -> Iterator[Attempt]:
    def load() -> Any:
        from tvilling.pinns.shapes.geojson import read_geojson

        return read_geojson("a.geojson")

    def polygon(coordinates: Any) -> str:
        return json.dumps({"type": "Polygon", "coordinates": coordinates})

    ring = [[9, 55], [9.001, 55], [9.001, 55.001], [9, 55]]
    for kind, text in {
        "depth": "[" * 10**6, "NaN": polygon([ring]).replace("9.001", "NaN"), "text": polygon("x"),
        "null": polygon(None), "ring text": polygon(["x"]), "point text": polygon([["x", "y"]]),
        "numbers": polygon([1, 2]), "nested": polygon([[[[9]]]]), "far": polygon([[[999, 99]] * 4]),
        "one point": polygon([[[9, 55]]]), "empty": polygon([]), "collection": '{"type": "FeatureCollection", "features": 5}',
        "features text": '{"type": "FeatureCollection", "features": "x"}', "itself": '{"type": "Feature", "geometry": 1}',
        "twice": '{"type": "Polygon", "type": "Polygon"}', "list": "[]", "escape": '{"type": "\\u001b[2J"}',
        "feature depth": '{"type":"Feature","geometry":' * 60 + "1" + "}" * 60, "true": polygon([[[True, False]] * 4]),
        "huge": polygon([[[1e308, 1e308]] * 4]), "object": polygon({"a": 1}), "object point": polygon([[{"a": 1}] * 4]),
    }.items():  # fmt: skip
        yield Attempt(f"geojson/{kind}", {"a.geojson": text}, load)


def _solutions() -> Iterator[Attempt]:
    for kind, text in {
        "number": '{"problem": 5}', "list": "[]", "none": "{}", "unknown": '{"problem": "x"}',
        "module": '{"problem": "canary_module"}', "path": '{"problem": "../../etc"}', "escape":
        '{"problem": "\\u001b[2J"}', "markup": '{"problem": "[/b]"}', "depth": "[" * 10**6,
        "no solution": '{"problem": "fin_inverse"}',
    }.items():  # fmt: skip
        command = ("pinn", "evaluate", "trained", "x_m=0.01")
        yield Attempt(f"solution/{kind}", {"trained/summary.json": text}, command)
