"""The chain of a ledger: what it shows, and what several processes and a kill do to it."""

import hashlib
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies

from tvilling.sciml.core.errors import InputError
from tvilling.twins.ledger import Ledger, verify

LINES = 8


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "ledger.jsonl")
    for number in range(LINES):
        ledger.append({"event": "update", "value": number / 7, "word": 'å, "sha256": "'})
    assert verify(ledger.path).ok
    return ledger.path.read_bytes()


def faults(path: Path, lines: list[bytes]) -> list[int]:
    """Numbers of the lines that are named."""
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return [int(fault.split(":")[0].split()[1]) for fault in verify(path).faults]


def test_lines_hold_the_sha256_of_the_line_before(written: bytes) -> None:
    """By sha256sum, another program."""
    lines = written.splitlines()
    for before, line in itertools.pairwise(lines):
        said = subprocess.run(["sha256sum"], input=before, capture_output=True, check=True).stdout
        assert json.loads(line)["previous"] == said.decode().split()[0]
    assert json.loads(lines[0])["previous"] == "0" * 64
    assert [json.loads(line)["line"] for line in lines] == list(range(1, LINES + 1))
    assert json.loads(lines[3])["facts"] == {
        "event": "update",
        "value": 3 / 7,
        "word": 'å, "sha256": "',
    }


@pytest.mark.parametrize("at", range(LINES))
def test_a_changed_line_is_named(written: bytes, tmp_path: Path, at: int) -> None:
    lines = written.splitlines()
    lines[at] = lines[at].replace(b'"update"', b'"upDate"')
    assert faults(tmp_path / "ledger", lines) == [at + 1]


@hypothesis.given(strategies.data())
def test_no_byte_can_be_changed_unseen(
    tmp_path_factory: pytest.TempPathFactory, written: bytes, data: strategies.DataObject
) -> None:
    place = data.draw(strategies.integers(0, len(written) - 1))
    value = data.draw(strategies.integers(0, 255).filter(lambda byte: byte != written[place]))
    path = tmp_path_factory.mktemp("byte") / "ledger"
    path.write_bytes(written[:place] + bytes([value]) + written[place + 1 :])
    verdict = verify(path)
    last = written.rindex(b"\n", 0, len(written) - 1)
    if place > last:  # of the last line alone it may look as if a kill had cut it short
        assert verdict.faults or verdict.torn
    else:
        assert verdict.faults


@pytest.mark.parametrize("at", range(LINES - 1))
def test_a_removed_line_is_named(written: bytes, tmp_path: Path, at: int) -> None:
    lines = written.splitlines()
    del lines[at]
    assert faults(tmp_path / "ledger", lines) == [at + 1]


@pytest.mark.parametrize("at", range(LINES - 1))
def test_lines_that_changed_places_are_named(written: bytes, tmp_path: Path, at: int) -> None:
    lines = written.splitlines()
    lines[at : at + 2] = lines[at + 1], lines[at]
    named = set(faults(tmp_path / "ledger", lines))
    assert at + 1 in named
    assert named <= {at + 1, at + 2}


def test_a_line_written_anew_with_its_own_sha256_is_named_by_the_next(
    written: bytes, tmp_path: Path
) -> None:
    forged = Ledger(tmp_path / "forged")
    for number in range(4):
        forged.append({"event": "update", "value": number / 7, "word": 'å, "sha256": "'})
    lines = written.splitlines()
    lines[3] = forged.path.read_bytes().splitlines()[3]
    assert faults(tmp_path / "ledger", lines) == [3, 4]


def test_a_line_that_is_no_record_is_named_even_with_its_own_sha256(
    written: bytes, tmp_path: Path
) -> None:
    lines = written.splitlines()
    for text in (b"[1", b'{"line": "two"', b'{"line": 3'):
        forged = text + b', "sha256": "' + hashlib.sha256(text).hexdigest().encode() + b'"}'
        assert faults(tmp_path / "ledger", [*lines[:2], forged, *lines[3:]]) == [3]


def test_lines_missing_at_the_end_show_by_a_head_kept_elsewhere(
    written: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "ledger"
    path.write_bytes(written)
    head = verify(path).head
    assert verify(path, head).ok
    path.write_bytes(b"".join(line + b"\n" for line in written.splitlines()[:-1]))
    assert verify(path).ok
    assert verify(path, head).faults == (
        "the line that was last when it was noted is gone or changed",
    )


def test_lines_missing_at_the_end_show_by_the_head_beside_it(tmp_path: Path) -> None:
    """And go on to, when lines are added: what is lost stays lost."""
    path = tmp_path / "ledger"
    for hour in range(4):
        Ledger(path).append({"hour": hour})
    assert (verify(path).ok, verify(path).notes) == (True, ())
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    for _ in range(2):
        assert verify(path).faults == ("the last line that ledger.head notes is gone or changed",)
        Ledger(path).append({"hour": 4})
    (tmp_path / "ledger.head").unlink()
    assert (verify(path).ok, len(verify(path).notes)) == (True, 1)


def test_a_kill_before_the_head_was_noted_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    for hour in range(3):
        Ledger(path).append({"hour": hour})
        if hour == 0:
            head = (tmp_path / "ledger.head").read_bytes()
    (tmp_path / "ledger.head").write_bytes(head)
    assert verify(path).ok
    Ledger(path).append({"hour": 3})
    assert verify(path).ok
    assert (tmp_path / "ledger.head").read_text().strip() == verify(path).head


@pytest.mark.parametrize("last", [b"erased\n", b"\n", b"\xff\xfe\n"])
def test_a_last_line_that_is_broken_but_ended_is_a_fault(
    written: bytes, tmp_path: Path, last: bytes
) -> None:
    path = tmp_path / "ledger"
    path.write_bytes(b"".join(written.splitlines(keepends=True)[:-1]) + last)
    verdict = verify(path)
    assert not verdict.ok
    assert f"line {LINES}: cut short or changed" in verdict.faults[0]


@pytest.mark.parametrize("left", [1, 40, 200])
def test_a_torn_last_line_is_told_and_the_chain_goes_on(
    written: bytes, tmp_path: Path, left: int
) -> None:
    path = tmp_path / "ledger"
    lines = written.splitlines()
    path.write_bytes(b"".join(line + b"\n" for line in lines[:5]) + lines[5][:left])
    verdict = verify(path)
    assert (verdict.ok, verdict.torn, verdict.lines) == (True, (6,), 6)
    Ledger(path).append({"event": "next"})
    Ledger(path).append({"event": "after"})
    verdict = verify(path)
    assert (verdict.ok, verdict.torn, verdict.lines) == (True, (6,), 8)
    assert [line["line"] for line in Ledger(path).read()] == [1, 2, 3, 4, 5, 7, 8]


def test_a_line_that_lacks_only_its_end_is_kept(written: bytes, tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    path.write_bytes(written[:-1])
    Ledger(path).append({"event": "next"})
    verdict = verify(path)
    assert (verdict.ok, verdict.torn, verdict.lines) == (True, (), LINES + 1)


def test_lines_longer_than_a_read_are_found_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    for size in (200_000, 10, 70_000, 0):
        ledger.append({"text": "x" * size})
    assert verify(ledger.path).ok
    assert [len(line["facts"]["text"]) for line in ledger.read()] == [200_000, 10, 70_000, 0]


APPEND = """
import sys
from pathlib import Path
from tvilling.twins.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
number = 0
while number < int(sys.argv[3]):
    ledger.append({"who": sys.argv[2], "number": number, "pad": "x" * 3000})
    number += 1
"""


def appender(path: Path, who: str, count: int) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", APPEND, path, who, str(count)], env=os.environ)


def test_processes_that_append_together_tear_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    processes = [appender(path, who, 60) for who in "ab"]
    assert [process.wait(120) for process in processes] == [0, 0]
    verdict = verify(path)
    assert (verdict.ok, verdict.torn, verdict.lines) == (True, (), 120)
    for who in "ab":
        mine = [
            line["facts"]["number"] for line in Ledger(path).read() if line["facts"]["who"] == who
        ]
        assert mine == list(range(60))


def test_a_killed_process_leaves_a_chain_that_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    process = appender(path, "a", 10**9)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and (not path.exists() or path.stat().st_size < 50_000):
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert verify(path).ok
    Ledger(path).append({"who": "b"})
    verdict = verify(path)
    assert verdict.ok
    assert verdict.lines > 10


def test_facts_that_are_not_json_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    for facts in ({"value": float("nan")}, {"value": object()}):
        with pytest.raises(InputError, match="not plain JSON"):
            Ledger(path).append(facts)
    assert not path.exists()
    with pytest.raises(InputError, match="no such ledger"):
        verify(path)


@pytest.mark.parametrize(
    "content", [b"\0" * 100, b"\xef\xbb\xbf", b"PK\x03\x04\0\0", b"[" * 50, b"a: 1"]
)
def test_what_no_ledger_began_is_no_torn_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(content)
    verdict = verify(path)
    assert (verdict.ok, verdict.torn, verdict.lines) == (False, (), 1)
    assert verdict.faults == ("line 1: cut short or changed, no line after it tells which",)
    Ledger(path).append({"event": "next"})
    assert not verify(path).ok
