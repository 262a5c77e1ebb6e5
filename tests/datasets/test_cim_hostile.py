"""CIM made to read other files, to unpack without end or to take for ever: refused, soon."""

import io
import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_cim import HEAD, write_tiny_cim

from tvilling.datasets.readers.cim import files as power_grid_cim_files
from tvilling.datasets.readers.power_grid.reader import read_power_net
from tvilling.sciml.core.errors import InputError

BODY = "</rdf:RDF>"
LAUGHS = "<!DOCTYPE a [" + "".join(
    f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 10)
)
NO_ENTITIES = "declares entities, which no grid needs"

TEXTS: dict[str, tuple[bytes, str]] = {
    "billion laughs": ((LAUGHS + ']><a>&l9;</a>').encode(), NO_ENTITIES),
    "a file of the system": (
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        NO_ENTITIES,
    ),
    "an address": (b'<!DOCTYPE a SYSTEM "http://localhost:9/a.dtd"><a/>', NO_ENTITIES),
    "behind a long comment": (
        b"<!--" + b" " * 200_000 + b'--><!DOCTYPE a [<!ENTITY x "y">]><a/>',
        NO_ENTITIES,
    ),
    "in another encoding": (
        '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y">]><a/>'.encode("utf-16"),
        NO_ENTITIES,
    ),
    "deep": (HEAD.encode() + b"<a>" * 100_000, "is nested more than 32 deep"),
    "cut off": (HEAD.encode() + b"<a>", "is no XML (no element found"),
    "kinds": (
        (HEAD + "".join(f"<a{at}/>" for at in range(3000)) + BODY).encode(),
        "holds more than 2000000 elements or 2000 kinds of them",
    ),
    "not XML": (b"\0" * 1000, "is no XML"),
}  # fmt: skip


def refusal(path: Path) -> str:
    start = time.process_time()
    with pytest.raises(InputError) as caught:
        read_power_net(path)
    assert time.process_time() - start < 5.0
    return str(caught.value)


@pytest.mark.parametrize("what", TEXTS)
def test_xml_is_looked_through_before_it_is_parsed(what: str, tmp_path: Path) -> None:
    content, expected = TEXTS[what]
    (tmp_path / "grid.xml").write_bytes(content)
    assert expected in refusal(tmp_path / "grid.xml")


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def small_member(**changed: bytes) -> bytes:
    return zipped({"grid_EQ.xml": HEAD.encode() + BODY.encode(), **changed})


def lying() -> bytes:
    """An archive that declares a member to be smaller than it is."""
    content = bytearray(zipped({"a.xml": b"<a>" + b" " * 5000 + b"</a>"}))
    for at in (content.find(b"PK\3\4") + 22, content.find(b"PK\1\2") + 24):
        content[at : at + 4] = (10).to_bytes(4, "little")
    return bytes(content)


ARCHIVES: dict[str, tuple[Callable[[], bytes], str]] = {
    "out of the folder": (lambda: zipped({"../../evil.xml": b"<a/>"}), "leads out of the archive"),
    "from the root": (lambda: zipped({"/tmp/evil.xml": b"<a/>"}), "leads out of the archive"),
    "lying": (lying, "cannot be unpacked"),
    "cut off": (lambda: zipped({"a.xml": b"<a/>" * 99})[:100], "is no ZIP archive"),
    "of nothing": (lambda: zipped({"readme.txt": b"x"}), "holds no CIM of CGMES 2.4.15 or 3.0"),
    "too deep": (
        lambda: zipped({"a.zip": zipped({"b.zip": zipped({"c.xml": b"<a/>"})})}),
        "holds no CIM of CGMES 2.4.15 or 3.0",
    ),
    "damaged inside": (lambda: zipped({"a.zip": b"PK\3\4" * 9}), "a.zip in it is no ZIP archive"),
    "many archives": (
        lambda: zipped({f"{at}.zip": zipped({}) for at in range(60)}),
        "holds more than 50 archives",
    ),
    "many files": (
        lambda: zipped({f"{at}.xml": b"<a/>" for at in range(300)}),
        "holds more than 200 XML files",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", ARCHIVES)
def test_archives_are_looked_through_before_they_are_unpacked(what: str, tmp_path: Path) -> None:
    make, expected = ARCHIVES[what]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "grid.zip").write_bytes(make())
    assert expected in refusal(tmp_path / "in" / "grid.zip")
    assert [path.name for path in tmp_path.rglob("*")] == ["in", "grid.zip"]


def test_a_bomb_is_refused_by_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power_grid_cim_files, "MAX_BYTES", 1_000_000)
    (tmp_path / "one.zip").write_bytes(zipped({"a.xml": b" " * 2_000_000}))
    assert "expected at most" in refusal(tmp_path / "one.zip")
    several = {f"{at}.zip": zipped({"a.xml": b" " * 600_000}) for at in range(3)}
    (tmp_path / "nested.zip").write_bytes(zipped(several))
    assert "holds more XML than that, expected at most 1 MB" in refusal(tmp_path / "nested.zip")


def test_what_is_no_file_in_a_folder_is_refused(tmp_path: Path) -> None:
    folder = write_tiny_cim(tmp_path / "tiny")
    os.mkfifo(folder / "more.xml")
    assert "is a named pipe, expected a file" in refusal(folder)
