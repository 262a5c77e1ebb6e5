"""Heat networks from pandapipes' JSON: its own decoder's tables, every cell of a type."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_pipes_net import small_pipes

from tvilling.datasets.readers.heat.network import read_network
from tvilling.datasets.readers.heat.pandapipes_json import load_pandapipes
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_network.tables import COLUMNS

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pandapipes
    from pandapower.control import ConstControl
    from pandapower.timeseries import DFData

SHIPPED = sorted(Path(pandapipes.__file__).parent.rglob("*.json"))
OLD = [path for path in SHIPPED if path.parent.name == "old_versions"]


@pytest.fixture(scope="module")
def text() -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return str(pandapipes.to_json(small_pipes()))


def assert_like_pandapipes(path: Path) -> None:
    """Tables and fluid as pandapipes decodes and converts them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = pandapipes.from_json(str(path))
    ours, _ = load_pandapipes(path)
    assert (ours.fluid.name, ours.fluid.is_gas) == (theirs.fluid.name, theirs.fluid.is_gas)
    for name, table in theirs.items():
        if isinstance(table, pd.DataFrame) and not name.startswith(("res_", "_")):
            own = [column for column in table if column != "geo"]  # as text, not as objects
            if name not in ("controller", "substation"):
                pd.testing.assert_frame_equal(ours[name][own], table[own], check_dtype=False)
    for name, curve in theirs.get("std_types", {}).get("pump", {}).items():
        np.testing.assert_array_equal(ours["std_types"]["pump"][name].reg_par, curve.reg_par)


@pytest.mark.parametrize("path", OLD[::4], ids=lambda path: path.stem)
def test_files_of_old_versions_are_read_as_pandapipes_reads_them(path: Path) -> None:
    assert_like_pandapipes(path)


@pytest.mark.slow
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: "-".join(path.parts[-4:]))
def test_every_shipped_file_is_read_as_pandapipes_reads_it(path: Path) -> None:
    assert_like_pandapipes(path)


def test_a_net_saved_after_a_solution_reads_as_before(text: str, tmp_path: Path) -> None:
    """Then `converged` is a bool of NumPy 2, and there are tables of results."""
    solved = small_pipes()
    assert solved.converged
    fresh = json.loads(text)
    fresh["_object"] = {
        name: member
        for name, member in fresh["_object"].items()
        if not name.startswith("res_") and name != "converged"
    }
    (tmp_path / "after.json").write_text(text)
    (tmp_path / "before.json").write_text(json.dumps(fresh))
    after, before = (read_network(tmp_path / f"{name}.json") for name in ("after", "before"))
    for kind in COLUMNS:
        pd.testing.assert_frame_equal(getattr(after, kind), getattr(before, kind))
    assert after.notes == before.notes


def test_controllers_are_counted_and_not_made(tmp_path: Path) -> None:
    net = small_pipes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = DFData(pd.DataFrame({"q": [1.0, 2.0]}))
        ConstControl(net, "heat_consumer", "qext_w", 0, profile_name="q", data_source=data)
        pandapipes.to_json(net, str(tmp_path / "net.json"))
    assert "table controller (1 rows) is not used" in read_network(tmp_path / "net.json").notes


def cell(kind: str, column: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(members: dict[str, Any]) -> None:
        content = json.loads(members[kind]["_object"])
        content["data"][0][content["columns"].index(column)] = value
        members[kind]["_object"] = json.dumps(content)

    return change


def member(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda members: members.update({name: value})


def thing(name: str, content: Any) -> dict[str, Any]:
    return {"_module": "pandapipes.properties.fluids", "_class": name, "_object": content}


FAULTS: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "table": (member("pipe", [1]), "pipe: is a list, expected a table"),
    "height": (cell("junction", "height_m", "x"), "junction 0 (s0): height_m is 'x', expected a n"),
    "end": (cell("pipe", "from_junction", 0.5), "pipe 0: from_junction is 0.5, expected a whole"),
    "blank end": (cell("pipe", "to_junction", None), "pipe 0: to_junction has no value, expected"),
    "flag": (cell("pipe", "in_service", "yes"), "pipe 0: in_service is 'yes', expected true or"),
    "name": (cell("junction", "name", {"a": 1}), "junction 0: name is {'a': 1}, expected text"),
    "sector": (member("sector", "steam"), "sector is 'steam', expected one of None, all"),
    "version": (member("version", "x"), "version is 'x', expected a version such as"),
    "fluid": (member("fluid", 3), "fluid is 3, expected a fluid of pandapipes"),
    "fluid of no name": (member("fluid", thing("Fluid", "{}")), "fluid: expected a name, and whet"),
    "options": (
        member("user_pf_options", {"ambient_temperature": "warm"}),
        "user_pf_options: ambient_temperature is 'warm', expected a number [K]",
    ),
    "ambient": (member("user_pf_options", 3), "user_pf_options: expected an object of options"),
    "index": (
        lambda members: members["junction"].update(
            _object=members["junction"]["_object"].replace('"index":[0', '"index":[3000000000')
        ),
        "junction: index is 3000000000, expected a whole number of 0 to 10000000",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", FAULTS)
def test_what_is_of_the_wrong_type_is_told(what: str, text: str, tmp_path: Path) -> None:
    change, expected = FAULTS[what]
    content = json.loads(text)
    change(content["_object"])
    (tmp_path / "net.json").write_text(json.dumps(content))
    with pytest.raises(InputError) as caught:
        read_network(tmp_path / "net.json")
    assert caught.value.faults[0].startswith(expected)


def test_a_pump_without_a_polynomial_is_refused_by_name(text: str, tmp_path: Path) -> None:
    content = json.loads(text)
    pumps = content["_object"]["std_types"]["pump"]
    pumps["P1"]["_object"] = json.dumps({"name": "P1", "component": "pump"})
    (tmp_path / "net.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="standard type P1 is not in the net"):
        read_network(tmp_path / "net.json")
