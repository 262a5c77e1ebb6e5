"""Every field of a case of a heat network changes the run, or is refused or noted."""

import copy
from functools import reduce
from pathlib import Path
from typing import Any, get_args

import jax
import numpy as np
import pytest
import xarray as xr
import yaml
from pydantic import BaseModel
from small_network import FILES, write_small

from tvilling.apps.heat.case import Case
from tvilling.apps.heat.network_case import make_controller, prepare
from tvilling.apps.heat.run import run_case, simulate_case
from tvilling.apps.shared.case_file import read_case

FIXED = {"model.pump_control": "fixed"}
STOCK = {"kind": "stock", "seed": 4, "total_mwh": 60}
SIZING: dict[str, Any] = {"supply_degc": 80, "return_degc": 45, "max_gradient_pa_per_m": 100}
CASE: dict[str, Any] = {
    "title": "two consumers",
    "system": "heat_network",
    "network": {"source": "net", "return_degc": 42},
    "demand": {"kind": "network", "factor": 1.0},
    "weather": {"source": "synthetic"},
    "horizon": {"start": "2021-02-08T00:00", "hours": 2, "step_min": 60},
    "model": {"cells": 1},
    "controllers": {
        "curve": {
            "kind": "heating_curve",
            "cold_degc": -10,
            "warm_degc": 14,
            "supply_cold_degc": 85,
            "supply_warm_degc": 65,
        },
        "constant": {"kind": "hold", "supply_degc": 80},
    },
}
# field: its new value, and blocks that the case needs for it to count
CHANGES: dict[str, tuple[Any, dict[str, Any]]] = {
    "title": ("another title", {}),
    "system": ("heat_plant", {}),
    "network.source": ("other", {}),
    "network.return_degc": (38, {}),
    "network.min_dp_bar": (1.5, {}),
    "network.ground_degc": (-5, {}),
    "network.keep_ground": (False, {"network.source": "ground"}),
    "sizing": (SIZING, {}),
    "sizing.supply_degc": (90, {"sizing": SIZING}),
    "sizing.return_degc": (30, {"sizing": SIZING}),
    "sizing.max_gradient_pa_per_m": (20, {"sizing": SIZING}),
    "sizing.series": (3, {"sizing": SIZING}),
    "sizing.simultaneity": ("none", {"sizing": SIZING}),
    "demand.kind": ("stock", {}),
    "demand.seed": (5, {"demand": STOCK}),
    "demand.total_mwh": (90, {"demand": STOCK}),
    "demand.factor": (1.3, {}),
    "weather.source": ("auto", {}),
    "horizon.start": ("2021-02-09T00:00", {}),
    "horizon.hours": (3, {}),
    "horizon.step_min": (30, {}),
    "model.cells": (3, {}),
    "model.rounds": (3, {"demand.factor": 0.02}),
    "model.friction": ("nikuradse", {}),
    "model.pump_control": ("fixed", {}),
    "model.pump_efficiency": (0.5, {}),
    "controllers.curve.kind": ("hold", {}),
    "controllers.curve.cold_degc": (-15, {}),
    "controllers.curve.warm_degc": (10, {}),
    "controllers.curve.supply_cold_degc": (90, {}),
    "controllers.curve.supply_warm_degc": (60, {}),
    "controllers.constant.supply_degc": (75, {}),
    "controllers.curve.sources": (["Pump"], {"network.source": "two", **FIXED}),
    "controllers.constant.sources": (["Plant"], {"network.source": "two", **FIXED}),
    "outputs.variables": (["pump_w"], {}),
}
REFUSED = {"system", "demand.kind", "controllers.curve.kind"}
WRITTEN = {"title", "outputs.variables"}  # what only the files of a run show


def _set(fields: dict[str, Any], name: str, value: Any) -> None:
    *parents, last = name.split(".")
    reduce(lambda block, key: block.setdefault(key, {}), parents, fields)[last] = value


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A network, another one, one of two sources, one whose pipes state a ground temperature."""
    folder = tmp_path_factory.mktemp("fields")
    files = write_small(folder / "net")
    write_small(folder / "other", pipes=(files / "pipes.csv").read_text().replace("150,", "170,"))
    write_small(folder / "two", sources=FILES["sources.csv"] + "Pump,J2,R2,75,,1.9\n")
    header, *rows = (files / "pipes.csv").read_text().splitlines()
    stated = [f"{header},ground_degc", *(f"{row},2" for row in rows)]
    write_small(folder / "ground", pipes="\n".join(stated) + "\n")
    return folder


def case_file(folder: Path, blocks: dict[str, Any], name: str = "", value: Any = None) -> Path:
    fields = copy.deepcopy(CASE)
    for block, setting in blocks.items():
        _set(fields, block, copy.deepcopy(setting))
    if name:
        _set(fields, name, value)
    path = folder / "case.yaml"
    path.write_text(yaml.safe_dump(fields), encoding="utf-8")
    return path


def prepared_as(path: Path) -> tuple[list[np.ndarray], str]:
    """What is handed to the solver, as numbers, and everything of it that is no number."""
    prepared = prepare(read_case(path), path, lambda stage: None)
    sources = prepared.tables.sources
    controls = prepared.case.controllers.values()
    controllers = [make_controller(one, len(sources), sources) for one in controls]
    leaves, structure = jax.tree.flatten((prepared.network, prepared.drive, controllers))
    told = prepared.weather.attrs["source"], prepared.notes, prepared.tables.notes
    said = (structure, prepared.case.horizon, *told)
    return [np.asarray(leaf) for leaf in leaves], repr(said)


def ran(path: Path) -> tuple[xr.Dataset, str]:
    """The labelled run and what is said of it."""
    prepared = prepare(read_case(path), path, lambda stage: None)
    data, warnings = simulate_case(prepared, lambda stage: None)
    said = (data.attrs["weather"], warnings, prepared.notes)
    return data, repr(said)


def fields_of(model: type[BaseModel], place: str = "") -> set[str]:
    """Every field below `model`, named as the changes name them."""
    names = set()
    for name, field in model.model_fields.items():
        blocks = _blocks(field.annotation)
        below = [fields_of(block, f"{place}{name}.") for block in blocks]
        optional = type(None) in get_args(field.annotation)
        names |= set().union(*below) if below else {place + name}
        names |= {place + name} if below and optional else set()
    return names


def _blocks(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [block for part in get_args(annotation) for block in _blocks(part)]


def test_every_field_of_a_case_has_a_change_to_try():
    fields = fields_of(Case)
    given = {name.replace(".curve.", ".").replace(".constant.", ".") for name in CHANGES}
    assert fields == given
    print(f"{len(fields)} fields of a case of a heat network")


@pytest.mark.parametrize("name", sorted(set(CHANGES) - REFUSED - WRITTEN))
def test_a_change_of_a_field_reaches_the_solver(name, folder):
    value, blocks = CHANGES[name]
    before, said_before = prepared_as(case_file(folder, blocks))
    after, said_after = prepared_as(case_file(folder, blocks, name, value))
    same = [np.array_equal(*pair, equal_nan=True) for pair in zip(before, after, strict=False)]
    assert said_before != said_after or not all(same)


@pytest.fixture(scope="module")
def runs(folder) -> dict[str, tuple[xr.Dataset, str]]:
    """Runs without the change, by the blocks that the case needs."""
    return {}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(CHANGES) - REFUSED - WRITTEN))
def test_a_change_of_a_field_changes_the_run(name, folder, runs):
    value, blocks = CHANGES[name]
    if repr(blocks) not in runs:
        runs[repr(blocks)] = ran(case_file(folder, blocks))
    before, said_before = runs[repr(blocks)]
    after, said_after = ran(case_file(folder, blocks, name, value))
    changed = said_before != said_after or before.sizes != after.sizes
    changed = changed or not np.array_equal(before["time"], after["time"])
    assert changed or any(
        not np.allclose(before[key], after[key], rtol=1e-9, atol=0, equal_nan=True)
        for key in before.data_vars
    )


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_kind_that_the_other_fields_do_not_fit_is_refused(name, folder):
    value, blocks = CHANGES[name]
    with pytest.raises(ValueError, match=name.split(".")[-1]):
        read_case(case_file(folder, blocks, name, value))


def test_title_and_chosen_outputs_reach_the_files(folder):
    fields = {name: CHANGES[name][0] for name in WRITTEN}
    result = run_case(case_file(folder, fields), out=folder / "runs")
    with xr.open_dataset(result.folder / "result.nc", engine="h5netcdf") as data:
        assert set(data.data_vars) == {"pump_w", "status"}
    assert "another title" in (result.folder / "report.html").read_text(encoding="utf-8")
