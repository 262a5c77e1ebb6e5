"""What cannot be printed changes nothing of how a command ends."""

import os
import subprocess
import sys

import pytest

SAY = "from tvilling.apps.shared import progress as shown; shown.print_what_can_be_printed(); "


def ended(code: str, stdout: int, **env: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", SAY + code]
    return subprocess.run(
        command, stdout=stdout, stderr=subprocess.PIPE, env=os.environ | env, check=False
    )


def test_characters_that_the_terminal_lacks_are_replaced() -> None:
    done = ended("shown.say_now('−5 °C')", subprocess.PIPE, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout) == (0, b"?5 ?C\n")


def test_a_reader_that_has_gone_does_not_end_the_command() -> None:
    read, write = os.pipe()
    os.close(read)
    code = "[shown.say('x' * 9000) for _ in range(99)]; shown.say_now('x')"
    done = ended(code, write)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_output_onto_a_full_disk_does_not_end_the_command() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    done = ended("shown.say_now('x'); print('still here', file=__import__('sys').stderr)", full)
    os.close(full)
    assert b"still here" in done.stderr
