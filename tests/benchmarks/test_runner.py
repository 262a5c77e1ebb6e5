import io
import json
import sys
import time
import types

import pytest
from rich.console import Console

from tvilling.benchmarks import runner
from tvilling.benchmarks.measurement import Measurement
from tvilling.benchmarks.runner import BEGIN, END, run_benchmarks, table, write_table
from tvilling.benchmarks.timing import take_turns
from tvilling.sciml.core.errors import InputError

FOUND = Measurement("heat_race", 0.0123, 24.6, "s", 2000.0, "pandapipes", "0.16.0", {"steps": 96})
ALONE = Measurement("heat_alone", 1234.5, None, "scenarios/s", None)


def test_a_measurement_survives_json():
    line = FOUND.to_json()
    assert "\n" not in line
    assert list(json.loads(line)) == [
        "name", "ours", "peer", "unit", "ratio", "peer_name", "peer_version", "extra",
    ]  # fmt: skip
    assert Measurement.from_json(line) == FOUND


def test_a_figure_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="ratio is nan"):
        Measurement("x", 1.0, 0.0, "s", float("nan"))


def test_unknown_names_are_told_before_anything_runs():
    with pytest.raises(InputError) as error:
        run_benchmarks(["heat_scaling", "warmth", "cold"])
    assert "2 faults" in str(error.value)
    assert "heat_tree_ensemble" in str(error.value)


def test_each_named_benchmark_is_run(monkeypatch):
    module = types.ModuleType("tvilling.benchmarks.heat_race")
    module.measure = lambda: FOUND
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(runner.BENCHMARKS, "heat_race", "A race")
    assert list(run_benchmarks(["heat_race"])) == [FOUND]


def test_the_table_shows_both_sides():
    out = io.StringIO()
    Console(file=out, width=120).print(table([FOUND, ALONE]))
    assert "0.0123" in out.getvalue()
    assert "2,000" in out.getvalue()
    assert "pandapipes 0.16.0" in out.getvalue()


def test_the_page_keeps_everything_but_the_table(tmp_path):
    page = tmp_path / "README.md"
    page.write_text(f"# Title\n\n{BEGIN}\nold\n{END}\n\nÆblegrød\n", encoding="utf-8")
    write_table(page, f"{FOUND.to_json()}\n{ALONE.to_json()}\n")
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# Title\n\n{BEGIN}\n| Benchmark |")
    assert text.endswith(f"{END}\n\nÆblegrød\n")
    assert "old" not in text
    assert "| heat_race | 0.0123 | 24.6 | s | 2,000 | pandapipes 0.16.0 |" in text
    write_table(page, FOUND.to_json())
    assert page.read_text(encoding="utf-8").count("|") < text.count("|")


def test_a_page_without_markers_is_left_alone(tmp_path):
    page = tmp_path / "README.md"
    page.write_text("# Title\n")
    with pytest.raises(InputError, match="benchmarks: begin"):
        write_table(page, FOUND.to_json())
    assert page.read_text() == "# Title\n"


def test_calls_take_turns_and_the_first_one_does_not_count():
    order = []

    def sleeper(name, seconds):
        def call():
            order.append(name)
            time.sleep(0.2 if order.count(name) == 1 else seconds)

        return call

    timings = take_turns({"a": sleeper("a", 0.01), "b": sleeper("b", 0.03)}, repeats=3)
    assert order == ["a", "b"] * 4
    assert timings["a"].first_s >= 0.2
    assert 0.01 <= timings["a"].min_s <= timings["a"].median_s
    assert 0.03 <= timings["b"].min_s < 0.2
    assert sum(timings["b"].cpu_s) < 0.06  # asleep, so without work
    assert len(timings["a"].wall_s) == 3
