"""XML files of CIM out of a folder, a zip or a zip of zips, looked through before they are parsed.

No grid needs a document type declaration, and with it come entities, external files and endless
text; so a file with one is refused at its first line, in any encoding. Counts of elements and of
their kinds are bounded, since the converter goes through a file once for every kind.

T. Bray et al. (eds.), Extensible Markup Language (XML) 1.0 (Fifth Edition), W3C, 2008: section 2.8,
"Prolog and Document Type Declaration".
"""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.archives import check_archive
from tvilling.sciml.io.files import check_file, read_bytes

MAX_BYTES = 100_000_000
MAX_FILES, MAX_ZIPS = 200, 50
MAX_ELEMENTS, MAX_KINDS, MAX_DEPTH = 2_000_000, 2_000, 32
XML, ZIP = (".xml", ".rdf"), ".zip"
CIM = {
    "http://iec.ch/TC57/2013/CIM-schema-cim16#": "2.4.15",
    "http://iec.ch/TC57/CIM100#": "3.0",
}
SEPARATOR = " "


def xml_files(path: Path, scratch: Path) -> list[Path]:
    """The XML files of a folder, a zip (also of zips), or the one file; zips are unpacked.

    Raises
    ------
    InputError
        They are too many or too large, or a zip is damaged or leads out of its folder.
    """
    if path.is_dir():
        inside = [each for each in sorted(path.iterdir())[: MAX_FILES * 10] if not each.is_dir()]
    else:
        inside = [path]
    budget = _Budget(path)
    files: list[Path] = []
    zips = 0
    waiting = [(file, 0) for file in inside]
    while waiting:
        file, depth = waiting.pop(0)
        if file.suffix.lower() in XML:
            budget.spend(check_file(file, MAX_BYTES))
            files.append(file)
        elif file.suffix.lower() == ZIP and depth < 2:
            zips += 1
            if zips > MAX_ZIPS:
                raise InputError(str(path), [f"holds more than {MAX_ZIPS} archives"])
            waiting += [(each, depth + 1) for each in _unpack(file, scratch / str(zips), path)]
        if len(files) > MAX_FILES:
            raise InputError(str(path), [f"holds more than {MAX_FILES} XML files"])
    return files


@dataclass
class _Budget:
    """Bytes of XML that are left to a source."""

    path: Path
    spent: int = 0

    def spend(self, size: int) -> None:
        self.spent += size
        if self.spent > MAX_BYTES:
            most = f"expected at most {MAX_BYTES / 1e6:g} MB"
            raise InputError(str(self.path), [f"holds more XML than that, {most}"])


def _unpack(path: Path, target: Path, source: Path) -> Iterator[Path]:
    """Members of an archive that are XML or archives, written under names of ours."""
    try:
        every = check_archive(path, MAX_BYTES)
    except InputError as unread:
        inner = "" if path == source else f"{path.name} in it "
        raise InputError(str(source), [f"{inner}{fault}" for fault in unread.faults]) from None
    entries = [entry for entry in every if entry.filename.lower().endswith((*XML, ZIP))]
    target.mkdir(parents=True)
    try:
        with zipfile.ZipFile(path) as archive:
            for at, entry in enumerate(entries):
                suffix = Path(entry.filename).suffix.lower()
                file = target / f"{at}-{_short(entry.filename)}{suffix}"
                with archive.open(entry) as opened:
                    file.write_bytes(opened.read(MAX_BYTES + 1))
                yield file
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError) as fault:
        raise InputError(str(source), [f"cannot be unpacked ({fault})"]) from fault


def _short(name: str) -> str:
    """A part of a name that any file system takes."""
    stem = Path(name.replace("\\", "/")).stem
    return "".join(letter for letter in stem if letter.isalnum() or letter in "-_.")[:60]


def version_of(path: Path, files: list[Path]) -> str:
    """The version of CGMES that the files are of, by the namespaces of CIM in them.

    Raises
    ------
    InputError
        A file is no XML, declares a document type, is deeper or larger than any grid, or the files
        are not all of one version.
    """
    faults, versions = [], set()
    for file in files:
        looked = _Look()
        try:
            looked.through(read_bytes(file, MAX_BYTES))
        except _XmlError as fault:
            faults.append(f"{file.name} {fault}")
        versions |= looked.versions
    if faults:
        raise InputError(str(path), faults)
    if not versions:
        raise InputError(
            str(path), [f"holds no CIM of CGMES 2.4.15 or 3.0 ({len(files)} XML files looked at)"]
        )
    if len(versions) > 1:
        raise InputError(str(path), ["mixes files of CGMES 2.4.15 and 3.0"])
    return str(versions.pop())


class _XmlError(ValueError):
    """Something in an XML file that no grid has."""


@dataclass
class _Look:
    """What is seen of a file while it is gone through."""

    versions: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
    elements: int = 0
    depth: int = 0

    def through(self, content: bytes) -> None:
        """Go through a file to its end; raise at what no grid has."""
        parser = expat.ParserCreate(namespace_separator=SEPARATOR)
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        try:
            parser.Parse(content, True)
        except expat.ExpatError as fault:
            raise _XmlError(f"is no XML ({fault})") from None

    def _doctype(self, *declared: object) -> None:
        raise _XmlError("declares entities, which no grid needs")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.elements += 1
        if self.depth == 2:
            self.kinds.add(name)
            uri = name.split(SEPARATOR)[0]
            if uri in CIM:
                self.versions.add(CIM[uri])
        if self.depth > MAX_DEPTH:
            raise _XmlError(f"is nested more than {MAX_DEPTH} deep")
        if self.elements > MAX_ELEMENTS or len(self.kinds) > MAX_KINDS:
            raise _XmlError(f"holds more than {MAX_ELEMENTS} elements or {MAX_KINDS} kinds of them")

    def _end(self, name: str) -> None:
        self.depth -= 1
