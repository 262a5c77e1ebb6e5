"""Every faulty network, through the commands: one message, exit code 2, nothing written."""

from pathlib import Path

import pytest
import yaml
from broken_networks import BROKEN
from small_network import write_small

from tvilling.apps.cli import main as cli

CASE = {
    "title": "Faulty",
    "system": "heat_network",
    "network": {"source": "net"},
    "demand": {"kind": "network"},
    "weather": {"source": "synthetic"},
    "horizon": {"start": "2021-02-08T00:00", "hours": 1, "step_min": 15},
    "controllers": {"constant": {"kind": "hold", "supply_degc": 80}},
}
COMMANDS = {
    "check": ["check", "net"],
    "size": ["size", "net", "--out", "sized"],
    "run": ["run", "case.yaml"],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("what", BROKEN)
def test_command_tells_every_fault(what, command, tmp_path: Path, monkeypatch, capsys):
    changed, expected = BROKEN[what]
    write_small(tmp_path / "net", **changed)
    (tmp_path / "case.yaml").write_text(yaml.safe_dump(CASE), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["tvilling", *COMMANDS[command]])
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SystemExit) as ended:
        cli.main()
    told = capsys.readouterr()
    assert ended.value.code == 2
    assert told.out == ""
    assert told.err.count("fault") >= 1
    for fragment in expected:
        assert fragment in told.err
    assert "Traceback" not in told.err
    assert sorted(tmp_path.rglob("*")) == before
