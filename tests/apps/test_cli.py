import json
import subprocess
import sys
import time

import pytest

import tvilling.apps.cli.main as cli

HEAVY = ("jax", "pandas", "xarray", "matplotlib", "pandapipes", "scipy", "torch", "numpy")


def tvilling(*arguments, cwd=None, env=None):
    command = [sys.executable, "-m", "tvilling.apps.cli.main", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=env, check=False)


def test_help_is_quick_and_imports_nothing_heavy():
    code = (
        "import sys; from tvilling.apps.cli import main as cli; sys.argv = ['tvilling', '--help']\n"
        f"try: cli.main()\nfinally: print([n for n in {HEAVY} if n in sys.modules])"
    )
    walls = []
    for _ in range(3):
        began = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        walls.append(time.perf_counter() - began)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "[]"
    assert "bench" in done.stdout
    assert min(walls) < 0.5


def test_faulty_input_ends_with_code_2_one_message_and_no_folder(tmp_path):
    (tmp_path / "case.yaml").write_text("system: heat_network\nhorizon: {start: x}\n")
    done = tvilling("run", "case.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "case.yaml: 4 faults" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["case.yaml"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "missing.yaml"),
        ("check", "missing.json"),
        ("check", "missing.yaml"),
        ("size", "missing.json"),
        ("data", "describe", "nothing"),
        ("data", "get", "nothing"),
        ("bench", "nothing"),
        ("run",),
        ("run", "."),
        ("check", ""),
        ("size", ""),
        ("run", "missing.yaml", "--out", ""),
        ("size", "pandapipes:schutterwald_heat", "--out", ""),
        ("fly",),
        ("grid", "flow", "missing.json"),
        ("size", "pandapipes:schutterwald_heat", "--series", "9"),
    ],
    ids=" ".join,
)
def test_every_command_tells_faulty_input_by_code_2(tmp_path, arguments):
    done = tvilling(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_unexpected_error_is_one_line_and_a_log(monkeypatch, capsys, tmp_path):
    def broken():
        raise ZeroDivisionError("no\nway")

    monkeypatch.setenv("TVILLING_HOME", str(tmp_path))
    monkeypatch.setattr(cli, "app", broken)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    told = capsys.readouterr().err
    assert told.startswith("tvilling failed: ZeroDivisionError: no\n")
    (log,) = (tmp_path / "logs").iterdir()
    assert str(log) in told
    assert "Traceback" in log.read_text()


def test_check_sums_up_a_network_and_a_case(case_file):
    network = tvilling("check", case_file.parent / "ring")
    assert network.returncode == 0
    assert "independent loops" in network.stdout
    case = tvilling("check", case_file)
    assert case.returncode == 0
    assert "12 steps of 15 min" in case.stdout
    assert "1,480 m" in network.stdout  # 740 m of trench, supply and return


def test_size_writes_new_tables_once(case_file, tmp_path):
    done = tvilling("size", case_file.parent / "ring", "--out", "small", cwd=tmp_path)
    assert done.returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small", "small.changes.csv"]
    assert "DN" in done.stdout
    assert tvilling("check", tmp_path / "small").returncode == 0
    again = tvilling("size", case_file.parent / "ring", "--out", "small", cwd=tmp_path)
    assert again.returncode == 2
    assert "small is there already" in again.stderr


def test_lists():
    assert "tank" in tvilling("systems").stdout
    assert "aalborg" in tvilling("data", "list").stdout
    assert "licence" in tvilling("data", "describe", "liege").stdout


def test_bench_prints_one_object_a_line(monkeypatch, capsys):
    from tvilling.benchmarks import runner
    from tvilling.benchmarks.measurement import Measurement

    found = Measurement("heat_race", 1.0, 2.0, "s", 2.0, "peer", "1")
    monkeypatch.setattr(runner, "run_benchmarks", lambda names, tell: iter([found, found]))
    monkeypatch.setattr(sys, "argv", ["tvilling", "bench", "--json"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["ratio"] for line in lines] == [2.0, 2.0]
