"""MATPOWER cases made to take for ever or all memory: refused in a sentence, soon."""

import struct
import time
import zlib
from pathlib import Path

import pytest

from tvilling.datasets.readers.matpower import mat_file as power_grid_mat
from tvilling.datasets.readers.power_grid.reader import read_power_net
from tvilling.sciml.core.errors import InputError

HEAD = "function mpc = c\n"
MANY = 300_000
FIELDS = "mpc.baseMVA = 1; mpc.gen = [1]; mpc.branch = [1];"

TEXTS = {
    "quotes in a list": (HEAD + "mpc.a = {" + "'" * MANY, "line 2: mpc.a = { does not end"),
    "words in a list": (HEAD + "mpc.a = {" + "''x" * MANY, "line 2: mpc.a = { does not end"),
    "quotes": (HEAD + "'" * MANY + "%", "mpc.bus is missing"),
    "quotes as a word": (HEAD + "mpc.a = " + "''" * MANY, "mpc.bus is missing"),
    "lists": (HEAD + "mpc.a={'\n" * MANY, "line 2: mpc.a= { does not end"),
    "matrices": (HEAD + "mpc.a = [;\n" * MANY, "line 2: mpc.a = [ does not end"),
    "dots": (HEAD + "." * MANY, "mpc.bus is missing"),
    "statements": (HEAD + ";a" * MANY, "holds more than 10000 statements"),
    "lines": (HEAD + "\n" * 3_000_000, "has more than 2000000 lines"),
    "a wide row": (HEAD + "mpc.bus = [" + "1 " * MANY + "];", "the matrix is too large"),
    "uneven rows": (HEAD + "mpc.bus = [" + "1;1 2;" * MANY + "];", "more such rows"),
    "spaces": ("function a" + " " * MANY, "does not start with `function mpc = NAME`"),
    "a name": (HEAD + "a" * MANY + ".b = 3", "mpc.bus is missing"),
    "underscore": (HEAD + FIELDS + "mpc.bus = [1_0 2];", "line 2: '1_0' is not a number"),
    "other digits": (HEAD + FIELDS + "mpc.bus = [١ 2];", "line 2: '١' is not a number"),
    "no matrix": (HEAD + FIELDS + "mpc.bus = 3;", "bus is missing or empty, expected a matrix"),
    "nothing to convert": (
        HEAD + FIELDS + "mpc.bus = 'x';\nmpc.bus(:,[PD,QD])=mpc.bus(:,[PD,QD])/1e3;",
        "bus is missing or empty, expected a matrix",
    ),
}


def refusal(path: Path) -> str:
    """What a file is refused with, within five seconds of computing."""
    start = time.process_time()
    with pytest.raises(InputError) as caught:
        read_power_net(path)
    assert time.process_time() - start < 5.0
    assert len(str(caught.value)) < 20_000
    return str(caught.value)


@pytest.mark.parametrize("what", TEXTS)
def test_time_grows_with_the_text_alone(what: str, tmp_path: Path) -> None:
    """A pattern with nested repetition takes for ever over 30 quotes; these are 300 000."""
    text, expected = TEXTS[what]
    (tmp_path / "case.m").write_text(text, encoding="utf-8")
    assert expected in refusal(tmp_path / "case.m")


def test_a_bus_number_that_no_table_can_have_is_refused(tmp_path: Path) -> None:
    bus = "mpc.bus = [3000000000 3 0 0 0 0 1 1 0 110 1 1.1 0.9];\n"
    gen = "mpc.gen = [3000000000 2 1 20 -20 1 50 1 30 0];\n"
    branch = "mpc.branch = [3000000000 3000000000 0.01 0.1 0 0 0 0 0 0 1];\n"
    (tmp_path / "case.m").write_text(HEAD + "mpc.baseMVA = 1;\n" + bus + gen + branch)
    assert "number is 3e+09, expected a whole number up to 10000000" in refusal(tmp_path / "case.m")


def array(kind: int, sizes: tuple[int, int], data: bytes = b"") -> bytes:
    """An array of MATLAB 5 named `mpc`: flags, dimensions, name and data."""
    inner = struct.pack("<IIIIIIiiII", 6, 8, kind, 0, 5, 8, *sizes, 1, 3) + b"mpc".ljust(8, b"\0")
    return struct.pack("<II", 14, len(inner + data)) + inner + data


def mat(*arrays: bytes) -> bytes:
    """A file of MATLAB 5 with compressed arrays."""
    packed = [zlib.compress(each, 9) for each in arrays]
    header = b"MATLAB 5.0".ljust(124) + struct.pack("<H", 0x100) + b"IM"
    return header + b"".join(struct.pack("<II", 15, len(each)) + each for each in packed)


def nested(depth: int) -> bytes:
    inner = b""
    for _ in range(depth):
        inner = array(1, (1, 1), inner)
    return inner


MATS = {
    "deep": (mat(nested(2000)), "more than 8 deep within each other"),
    "large": (mat(array(6, (2**30, 2**30))), "has fewer bytes than numbers"),
    "negative": (mat(array(6, (-1, 2))), "impossible dimensions"),
    "an object": (mat(array(3, (1, 1))), "holds an object, which no case needs"),
    "a function": (mat(array(16, (1, 1))), "holds a function, which no case needs"),
    "cut off": (mat(array(6, (1, 1)))[:150], "ends in the middle of an array"),
    "version 4": (struct.pack("<5i", 0, 2**30, 2**30, 0, 4) + b"mpc\0", "no header of MATLAB 5"),
}


@pytest.mark.parametrize("what", MATS)
def test_matlab_data_are_looked_through_first(what: str, tmp_path: Path) -> None:
    content, expected = MATS[what]
    (tmp_path / "case.mat").write_bytes(content)
    assert expected in refusal(tmp_path / "case.mat")


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power_grid_mat, "MAX_UNPACKED", 1_000_000)
    zeros = array(6, (1, 1), struct.pack("<II", 9, 400_000) + bytes(400_000))
    (tmp_path / "case.mat").write_bytes(mat(zeros, zeros, zeros))
    assert "unpacks to more than 1 MB" in refusal(tmp_path / "case.mat")
