"""CIM CGMES through pandapower's converter: a zip, a folder or a file of XML.

A grid is spread over several files, one a profile: EQ (equipment), SSH (its state), TP (topology)
and, for the boundary and the voltages, EQBD, TPBD and SV. They are read together.
"""

import re
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tvilling.datasets.readers.power_grid_words import listening, told
from tvilling.sciml.errors import InputError
from tvilling.sciml.extras import needs_extra

if TYPE_CHECKING:
    from pandapower import pandapowerNet

MAX_BYTES = 2_000_000_000
HEAD_BYTES = 1 << 16
CIM = re.compile(rb"http://iec\.ch/TC57/(2013/CIM-schema-cim16|CIM100)#")
DECLARES = re.compile(rb"<!(DOCTYPE|ENTITY)")


def load_cim(path: Path) -> tuple["pandapowerNet", list[str]]:
    """The grid in CGMES files of version 2.4.15 or 3.0, and what pandapower said about it.

    Raises
    ------
    InputError
        There is no CGMES in it, it is too large, or pandapower cannot convert it.
    MissingExtraError
        lxml is not installed.
    """
    with listening(), needs_extra("grids"):
        from pandapower.converter.cim.cim2pp import from_cim
    with TemporaryDirectory(prefix="tvilling-cim-") as scratch:
        files = _xml_files(path, Path(scratch))
        version = _version(path, files)
        try:
            with listening() as heard:
                net = from_cim.from_cim(
                    [str(file) for file in files],
                    cgmes_version=version,
                    create_tap_controller=False,
                    ignore_errors=False,
                )
        except Exception as fault:  # the converter raises whatever its parts raise
            reason = f"{type(fault).__name__}: {' '.join(str(fault).split())}"
            advice = "expected the profiles EQ, SSH and TP together, in a zip or a folder"
            raise InputError(
                str(path), [f"pandapower cannot convert it ({reason}); {advice}"]
            ) from fault
    return net, [f"CIM CGMES {version}, converted by pandapower", *told(heard)]


def _xml_files(path: Path, scratch: Path) -> list[Path]:
    """The XML files of a folder, a zip (also of zips), or the one file; zips are unpacked."""
    if path.is_dir():
        inside = sorted(path.iterdir())
    elif path.suffix.lower() == ".zip":
        inside = _unpack(path, scratch / "0")
    else:
        inside = [path]
    files = [file for file in inside if file.suffix.lower() in (".xml", ".rdf")]
    for at, file in enumerate(inside):
        if file.suffix.lower() == ".zip":
            unpacked = _unpack(file, scratch / str(at + 1))
            files += [each for each in unpacked if each.suffix.lower() in (".xml", ".rdf")]
    size = sum(file.stat().st_size for file in files)
    if size > MAX_BYTES:
        raise InputError(
            str(path), [f"holds {size / 1e6:.0f} MB of XML, expected at most {MAX_BYTES / 1e6:g}"]
        )
    return files


def _unpack(path: Path, target: Path) -> list[Path]:
    """Unpack the members that are XML or zips; paths inside the zip are kept within `target`."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [
                member
                for member in archive.infolist()
                if member.filename.lower().endswith((".xml", ".rdf", ".zip"))
            ]
            size = sum(member.file_size for member in members)
            if size > MAX_BYTES:
                most = f"expected at most {MAX_BYTES / 1e6:g} MB"
                raise InputError(str(path), [f"unpacks to {size / 1e6:.0f} MB, {most}"])
            return [Path(archive.extract(member, target)) for member in members]
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as fault:
        raise InputError(str(path), [f"cannot be unpacked ({fault})"]) from fault


def _version(path: Path, files: list[Path]) -> str:
    """The version of CGMES that the files are of, by the namespace of CIM."""
    heads = {}
    for file in files:
        with file.open("rb") as opened:
            heads[file.name] = opened.read(HEAD_BYTES)
    declaring = [name for name, head in heads.items() if DECLARES.search(head)]
    if declaring:
        raise InputError(
            str(path), [f"{name} declares entities, which no grid needs" for name in declaring]
        )
    found = {match[1] for head in heads.values() if (match := CIM.search(head))}
    if not found:
        raise InputError(
            str(path), [f"holds no CIM of CGMES 2.4.15 or 3.0 ({len(files)} XML files looked at)"]
        )
    if len(found) > 1:
        raise InputError(str(path), ["mixes files of CGMES 2.4.15 and 3.0"])
    return "3.0" if found == {b"CIM100"} else "2.4.15"
