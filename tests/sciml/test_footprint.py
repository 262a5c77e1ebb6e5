"""What a computation took, against known counts and clocks."""

import socket
import subprocess
import sys
import time

import jax.numpy as jnp
import pytest

from tvilling.sciml.learning.footprint import count_flop, measure_footprint


@pytest.mark.parametrize(("m", "k", "n"), [(30, 40, 50), (7, 128, 16)])
def test_a_product_of_matrices_counts_2mkn(m, k, n):
    assert count_flop(jnp.matmul, jnp.ones((m, k)), jnp.ones((k, n))) == 2 * m * k * n


def test_a_sum_counts_one_operation_an_entry():
    assert count_flop(jnp.add, jnp.ones(1000), jnp.ones(1000)) == 1000


def test_waiting_takes_time_on_the_clock_only():
    with measure_footprint() as footprint:
        time.sleep(0.3)
    assert footprint.wall_s >= 0.3
    assert footprint.cpu_s < 0.2
    assert footprint.energy_j is None
    assert footprint.energy_mode == "not measured"


def test_computing_takes_time_of_the_processor():
    with measure_footprint() as footprint:
        until = time.process_time() + 0.2
        while time.process_time() < until:
            pass
    assert footprint.cpu_s >= 0.2


def test_peak_memory_grows_by_what_is_held_and_stays():
    """In a process of its own: this one may have held much more already."""
    code = """
import numpy as np
from tvilling.sciml.learning.footprint import peak_memory_bytes
before = peak_memory_bytes()
block = np.ones(20_000_000)
held = peak_memory_bytes()
del block
print(held - before, peak_memory_bytes() - held)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    grown, later = (int(word) for word in told.stdout.split())
    assert grown == pytest.approx(160e6, rel=0.1)
    assert abs(later) < 5e6  # the kernel sums up its counters now and then


def test_energy_is_estimated_without_network_files_or_words(tmp_path, monkeypatch, capfd):
    pytest.importorskip("codecarbon")

    def refuse(*arguments: object, **named: object) -> None:
        raise AssertionError(f"network: {arguments}")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.chdir(tmp_path)
    with measure_footprint(energy=True) as footprint:
        until = time.process_time() + 1.5
        while time.process_time() < until:
            pass
    assert not list(tmp_path.iterdir())
    assert capfd.readouterr() == ("", "")
    assert footprint.energy_j is not None, footprint.energy_mode
    assert footprint.energy_mode.startswith("codecarbon ")
    # A core in use with its memory: between a hundredth of a watt and a kilowatt.
    assert 0.01 < footprint.energy_j / footprint.wall_s < 1000


def test_without_codecarbon_the_mode_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "codecarbon", None)
    with measure_footprint(energy=True) as footprint:
        pass
    assert footprint.energy_j is None
    assert "codecarbon is not installed" in footprint.energy_mode
