"""Hostile and odd inputs for every command and store: refused, bounded, and nothing is set off.

They run in a process of their own, since a fork must not share JAX's threads. All of them, or those
of one family, by hand: `python tests/hostile [FAMILY/]`.
"""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def tried(*arguments: str, limit_s: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, HERE, *arguments],
        capture_output=True, text=True, check=False, timeout=limit_s,
    )  # fmt: skip


def test_some_of_every_family_are_refused_or_right():
    done = tried("--some", limit_s=400)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_all_are_refused_or_right():
    done = tried(limit_s=5_000)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.splitlines()[-1].split()[0]) >= 700


def test_what_is_set_off_is_seen(tmp_path):
    """The watch itself: a system call, a process, a network, an import, a file elsewhere."""
    script = """
import os, sys
sys.path.insert(0, {here!r})
from pathlib import Path
from watch import Watch
watch = Watch(b"print('from a file')", (Path({folder!r}),), (Path(sys.prefix), Path(sys.base_prefix)))
watch.begin()
os.system("true")
import subprocess; subprocess.run(["true"])
import socket
try: socket.create_connection(("127.0.0.1", 9), 0.1)
except OSError: pass
eval(compile("print('from a file')", "<x>", "exec"))
try: import canary_module
except ImportError: pass
open("/etc/hostname").close()
try: open("/nowhere/x", "w")
except OSError: pass
os.mkdir({folder!r} + "/a")
print(watch.found)
"""
    script = script.format(here=str(HERE), folder=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    for what in ("os.system", "subprocess.Popen", "socket.connect", "compiles", "canary_module",
                 "/etc/hostname", "/nowhere/x"):  # fmt: skip
        assert what in done.stdout
    assert str(tmp_path) not in done.stdout
