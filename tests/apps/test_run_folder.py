import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tvilling.apps.shared.run_folder import UNFINISHED, RunFolder
from tvilling.sciml.core.errors import InputError

SCRIPT = Path(__file__).with_name("run_folder_worker.py")
spec = importlib.util.spec_from_file_location("run_folder_worker", SCRIPT)
worker = importlib.util.module_from_spec(spec)
spec.loader.exec_module(worker)


def test_nothing_is_overwritten(tmp_path):
    for _ in range(3):
        with RunFolder(tmp_path, "run") as folder:
            (folder.path / "a.txt").write_text("a")
            folder.finish()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "run-2", "run-3"]


def test_a_file_of_that_name_is_left_alone(tmp_path):
    (tmp_path / "run").write_text("mine")
    with RunFolder(tmp_path, "run") as folder:
        assert folder.finish().name == "run-2"
    assert (tmp_path / "run").read_text() == "mine"


def test_an_error_leaves_nothing(tmp_path):
    def fail():
        with RunFolder(tmp_path, "run") as folder:
            (folder.path / "a.txt").write_text("a")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_the_log_is_one_object_a_line(tmp_path):
    with RunFolder(tmp_path, "run") as folder:
        folder.log("started", note="Ærø\nnext")
        folder.log("finished")
        lines = (folder.finish() / "log.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["started", "finished"]
    assert json.loads(lines[0])["note"] == "Ærø\nnext"


def test_a_folder_that_cannot_be_made_is_an_input_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written to"):
        RunFolder(tmp_path / "file", "run")


def test_a_kill_at_any_moment_leaves_whole_folders_and_unfinished_ones(tmp_path):
    unfinished = 0
    for turn in range(12):
        out = tmp_path / str(turn)
        command = [sys.executable, str(SCRIPT), str(out)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            process.stdout.readline()  # the first one is there; the next are being written
            time.sleep(0.0007 * turn)
            process.kill()
        for folder in out.iterdir():
            if folder.name.startswith(UNFINISHED):
                unfinished += 1
                continue
            assert all((folder / name).read_text() == worker.CONTENT for name in worker.FILES)
            assert json.loads((folder / "log.jsonl").read_text())["event"] == "finished"
    assert unfinished > 3  # else no kill came in between
