import shutil

import pytest
import yaml

from tvilling.apps.heat.network_case import prepare
from tvilling.apps.shared.case_file import read_case
from tvilling.sciml.core.errors import InputError

QUICK = ["horizon.hours=1"]


def prepared(case_file, *overrides):
    return prepare(read_case(case_file, [*QUICK, *overrides]), case_file, lambda stage: None)


@pytest.fixture
def copy(case_file, tmp_path):
    """The case and its network in another folder."""
    shutil.copytree(case_file.parent / "ring", tmp_path / "ring")
    return shutil.copy(case_file, tmp_path / "other.yaml")


def test_the_hash_follows_the_fields_and_not_the_folder(case_file, copy):
    first = prepared(case_file)
    assert prepared(copy).hash == first.hash
    others = ["demand.seed=5", "controllers.constant.supply_degc=75", "horizon.step_min=10"]
    assert len({prepared(case_file, other).hash for other in others} | {first.hash}) == 4


def test_the_rounds_of_the_case_reach_the_network(case_file):
    assert prepared(case_file, "model.rounds=7").network.rounds == 7


def test_a_fault_of_the_outputs_names_the_case_file(case_file):
    with pytest.raises(InputError) as error:
        prepared(case_file, "outputs.variables=[heat]")
    assert error.value.source == str(case_file)


def test_another_network_behind_the_same_source_gives_another_hash(case_file, copy):
    pipes = copy.parent / "ring" / "pipes.csv"
    head, row, *rest = pipes.read_text(encoding="utf-8").splitlines()
    at = head.split(",").index("length_m")
    cells = row.split(",")
    cells[at] = str(float(cells[at]) + 0.001)
    pipes.write_text("\n".join([head, ",".join(cells), *rest]), encoding="utf-8")
    first, other = prepared(case_file), prepared(copy)
    assert first.digest != other.digest
    assert first.hash != other.hash


@pytest.mark.data
def test_with_and_without_the_record_the_hash_differs(case_file, monkeypatch, tmp_path):
    recorded = prepared(case_file, "weather.source=auto")
    assert recorded.case.weather.source == "recorded"
    assert prepared(case_file, "weather.source=recorded").hash == recorded.hash
    monkeypatch.delenv("TVILLING_DATA")
    monkeypatch.setenv("TVILLING_HOME", str(tmp_path))
    synthetic = prepared(case_file, "weather.source=auto")
    assert synthetic.case.weather.source == "synthetic"
    assert synthetic.hash != recorded.hash
    assert synthetic.hash == prepared(case_file, "weather.source=synthetic").hash


@pytest.mark.slow
def test_the_written_case_names_the_weather_that_was_used(case_file, tmp_path, monkeypatch):
    from tvilling.apps.heat.run import run_case

    monkeypatch.delenv("TVILLING_DATA", raising=False)
    monkeypatch.setenv("TVILLING_HOME", str(tmp_path / "home"))
    result = run_case(case_file, [*QUICK, "weather.source=auto"], tmp_path / "out")
    text = (result.folder / "case.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text)["weather"]["source"] == "synthetic"
