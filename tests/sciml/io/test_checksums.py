"""The list of checksums beside what is kept: what it finds, and what becomes of it when damaged."""

import subprocess

import pytest
from damage import damaged_copies

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.checksums import SUMS, UncheckedStoreWarning, check_sums, write_sums


@pytest.fixture
def kept(tmp_path):
    folder = tmp_path / "kept"
    (folder / "parts").mkdir(parents=True)
    for name in ("a.json", "parts/b ø.bin", "parts/c"):
        (folder / name).write_bytes(name.encode() * 300)
    (folder / "lock").write_bytes(b"x")
    write_sums(folder, left_out={"lock"})
    return folder


def test_another_program_reads_the_list(kept):
    said = subprocess.run(["sha256sum", "-c", SUMS], cwd=kept, check=True, capture_output=True)
    assert said.stdout.decode().count(": OK") == check_sums(kept) == 3


def test_every_file_damaged_in_turn_is_named(kept, tmp_path):
    (kept / "lock").unlink()
    seen = 0
    for what, folder in damaged_copies(kept, tmp_path / "work"):
        if what == f"{SUMS} missing":
            with pytest.warns(UncheckedStoreWarning, match="cannot be seen"):
                assert check_sums(folder) == 0
            continue
        name = what.rpartition(" ")[0]
        with pytest.raises(InputError) as caught:
            check_sums(folder, advice="make it anew")
        assert name == SUMS or name in str(caught.value), what
        assert "make it anew" in str(caught.value)
        seen += 1
    assert seen == 15


def test_every_bit_of_the_list_itself_is_told_or_means_nothing(kept):
    text = (kept / SUMS).read_bytes()
    quiet = []
    for at in range(len(text)):
        for bit in range(8):
            (kept / SUMS).write_bytes(text[:at] + bytes([text[at] ^ 1 << bit]) + text[at + 1 :])
            try:
                quiet.append((check_sums(kept), text[at : at + 1]))
            except InputError:
                continue
    # What is left: the name of the block, and a line end that another one stands for.
    assert {count for count, _ in quiet} == {3}
    assert {byte for _, byte in quiet} <= {b"a", b"l", b"\n", b"3"}


def test_lists_of_earlier_versions_have_no_heads(kept):
    lines = (kept / SUMS).read_text(encoding="utf-8").splitlines(keepends=True)
    (kept / SUMS).write_text("".join(lines[1:]), encoding="utf-8")
    assert check_sums(kept) == 3
    (kept / "parts" / "c").write_bytes(b"")
    with pytest.raises(InputError, match="parts/c is damaged"):
        check_sums(kept)
