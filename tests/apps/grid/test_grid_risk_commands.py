"""The commands `tvilling grid n1` and `tvilling grid hosting`: what they write, tell and refuse."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandapower as pp
import pandas as pd
import pytest
import xarray as xr
from pandapower_peer import quiet, voltages
from typer.testing import CliRunner

from tvilling.apps.cli.grid import grid_app
from tvilling.sciml.core.errors import InputError

LIMIT_PU = 1.03


def ring() -> Any:
    """Three stations in a ring behind a transformer, and one at the end of a stub."""
    net = pp.create_empty_network()
    buses = [
        pp.create_bus(net, kv, name=f"station {at}", min_vm_pu=0.94, max_vm_pu=LIMIT_PU)
        for at, kv in enumerate([110.0, *[20.0] * 4])
    ]
    pp.create_ext_grid(net, 0, name="feed")
    pp.create_transformer(net, 0, 1, "25 MVA 110/20 kV", name="T1")
    for one, other in ((1, 2), (2, 3), (3, 1), (3, 4)):
        name = f"cable {one}-{other}"
        pp.create_line(net, buses[one], buses[other], 4.0, "NAYY 4x50 SE", name=name)
    for bus, p_mw in ((2, 1.5), (3, 2.0), (4, 0.3)):
        pp.create_load(net, bus, p_mw, 0.2 * p_mw, name=f"load {bus}")
    return net


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("grid") / "ring.json"
    with quiet():
        pp.to_json(ring(), str(path))
    return path


def run(*arguments: object) -> tuple[str, Path]:
    """What a command prints, and the only folder that it made."""
    done = CliRunner().invoke(grid_app, [str(one) for one in arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    (folder,) = re.findall(r"report: (.*?)\s*/\s*report\.html", done.output, re.DOTALL)
    return done.output, Path(folder.replace("\n", ""))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_n1_ranks_what_pandapower_finds(file: Path, tmp_path: Path) -> None:
    told, folder = run("n1", file, "--out", tmp_path, "--max-loading", 60)
    assert files(folder) == [
        "SHA256SUMS", "contingencies.csv", "log.jsonl", "report.html", "result.nc", "summary.json",
        "violations.csv",
    ]  # fmt: skip
    table = pd.read_csv(folder / "contingencies.csv")
    assert table["contingency"][:2].tolist() == ["T1", "cable 3-4"]
    assert table["lost_load_mw"][:2].tolist() == pytest.approx([3.8, 0.3])
    loadings = []
    for row in table.iloc[1:].itertuples():
        net = ring()
        net.line.loc[net.line["name"] == row.contingency, "in_service"] = False
        voltages(net)
        assert row.vm_min_pu == pytest.approx(net.res_bus["vm_pu"].min(), abs=1e-8)
        assert row.loading_percent == pytest.approx(net.res_line["loading_percent"].max(), rel=1e-7)
        loadings.append(net.res_line["loading_percent"].to_numpy())
    broken = pd.read_csv(folder / "violations.csv").query("kind == 'line'").set_index("element")
    for line, percent in zip(ring().line["name"], np.nan_to_num(loadings).T, strict=True):
        count = int((percent > 60.0).sum())
        assert (line in broken.index) == (count > 0)
        if count:
            assert broken["count"][line] == count
            assert broken["worst"][line] == pytest.approx(percent.max(), rel=1e-7)
            assert broken["when"][line] == table["contingency"][1 + int(percent.argmax())]
    assert len(broken) > 1
    summary = json.loads((folder / "summary.json").read_text())["n1"]
    assert (summary["secure"], summary["contingencies"], summary["lose_load"]) == (False, 5, 2)
    assert "N-1 secure" in told
    assert "T1" in told
    page = (folder / "report.html").read_text()
    assert "The worst contingencies" in page
    assert "The grid at its worst" in page


def test_pairs_of_some_elements_are_failed_as_well(file: Path, tmp_path: Path) -> None:
    names = ("cable 1-2", "cable 2-3", "cable 3-1")
    chosen = [text for name in names for text in ("--element", name)]
    _, folder = run("n1", file, "--out", tmp_path, "--n2", "all", *chosen)
    table = pd.read_csv(folder / "contingencies.csv").set_index("contingency")
    assert len(table) == 6
    lost = table["lost_load_mw"]
    assert lost["cable 1-2 + cable 2-3"] == pytest.approx(1.5)
    assert lost["cable 1-2 + cable 3-1"] == pytest.approx(3.8)
    assert (lost[list(names)] == 0).all()
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["n1"]["contingencies"], summary["n2"]["contingencies"]) == (3, 3)


def test_hosting_capacity_is_where_pandapower_reaches_the_limit(file: Path, tmp_path: Path) -> None:
    told, folder = run("hosting", file, "--out", tmp_path, "--scenarios", 0, "--bus", "station 4")
    assert files(folder) == [
        "SHA256SUMS", "capacities.csv", "log.jsonl", "report.html", "result.nc", "summary.json",
    ]  # fmt: skip
    table = pd.read_csv(folder / "capacities.csv")
    assert table["bus"].tolist() == ["station 4"]
    assert table["limit"].tolist() == ["voltage above"]
    net = ring()
    pp.create_sgen(net, 4, table["capacity_mw"][0])
    voltages(net)
    assert net.res_bus["vm_pu"].max() == pytest.approx(LIMIT_PU, abs=1e-4)
    assert net.res_line["loading_percent"].max() < 100.0
    assert "station 4" in told


def test_risk_of_drawn_scenarios_is_told_with_its_interval(file: Path, tmp_path: Path) -> None:
    told, folder = run("hosting", file, "--out", tmp_path, "--technology", "heat_pump",
                       "--scenarios", 120, "--alpha", 0.1)  # fmt: skip
    table = pd.read_csv(folder / "capacities.csv")
    assert table["bus"].tolist() == ["station 2", "station 3", "station 4"]
    assert (table["low_mw"] <= table["capacity_mw"]).all()
    assert (table["capacity_mw"] <= table["high_mw"]).all()
    with xr.open_dataset(folder / "result.nc", engine="h5netcdf") as data:
        broken = data["size_mw"].values < table["capacity_mw"].to_numpy()[:, None]
        np.testing.assert_allclose(broken.mean(axis=1), 0.1, atol=1e-12)
    page = (folder / "report.html").read_text()
    assert "Risk" in page
    assert page.count("<svg") == 3
    assert "random" in told


def test_faulty_options_are_told_together_and_nothing_is_written(
    file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "runs"
    with pytest.raises(InputError) as caught:
        run("n1", file, "--out", out, "--n2", "many", "--most", 0, "--scenarios", -1)
    assert len(caught.value.faults) == 3
    with pytest.raises(InputError) as caught:
        run("hosting", file, "--out", out, "--technology", "coal", "--alpha", 2, "--cos-phi", 0.1)
    assert len(caught.value.faults) == 3
    with pytest.raises(InputError) as caught:
        run("n1", file, "--out", out, "--n2", "many", "--element", "T11", "--vm-min", 1.5)
    assert [fault.partition(":")[0] for fault in caught.value.faults] == [
        "--n2 is 'many', expected all or a number from 2",
        "--vm-min is 1.5 p.u.",
        "--element T11 is no line or transformer in service; near are T1",
    ]
    with pytest.raises(InputError) as caught:
        run("hosting", file, "--out", out, "--alpha", 2, "--bus", "station9", "--bus", "mars",
            "--trafo-model", "x")  # fmt: skip
    assert len(caught.value.faults) == 4
    assert "--bus station9 is no bus; near are station" in str(caught.value)
    with pytest.raises(InputError, match="5 contingencies, expected at most 4"):
        run("n1", file, "--out", out, "--most", 4)
    assert not out.exists()
