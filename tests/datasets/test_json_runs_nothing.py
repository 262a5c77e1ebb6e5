"""No object in a JSON file is imported, called or opened, wherever it stands (PEP 578)."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from small_pipes_net import small_pipes
from small_power_net import small

import tvilling

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pandapipes
    import pandapower
    import pandapower.control
    import pandapower.timeseries
    from pandapipes.io.io_utils import FromSerializableRegistryPpipe
    from pandapower.io_utils import FromSerializableRegistry, JSONSerializableClass

COMMAND = "touch made_by_the_file"
DANGEROUS = {
    ("os", "system"): COMMAND,
    ("posix", "system"): COMMAND,
    ("subprocess", "Popen"): ["touch", "made_by_the_file"],
    ("subprocess", "run"): COMMAND,
    ("builtins", "eval"): "open('made_by_the_file', 'w')",
    ("builtins", "exec"): "import antigravity",
    ("builtins", "__import__"): "antigravity",
    ("builtins", "open"): "made_by_the_file",
    ("builtins", "getattr"): "system",
    ("builtins", "type"): "x",
    ("importlib", "import_module"): "antigravity",
    ("functools", "partial"): "print",
    ("pandas", "read_pickle"): "made_by_the_file",
    ("pandas", "read_json"): "/etc/passwd",
    ("numpy", "load"): "made_by_the_file",
    ("numpy", "fromfile"): "/etc/passwd",
    ("pickle", "loads"): "cos\nsystem\n(S'x'\ntR.",
    ("shutil", "rmtree"): "nowhere",
    ("socket", "create_connection"): ["localhost", 9],
    ("urllib.request", "urlopen"): "http://localhost:9/",
    ("pandapower.file_io", "from_pickle"): "made_by_the_file",
    ("pandapower.control.os", "system"): COMMAND,
    ("pandapower.control", "function"): "run",
    ("subprocess", "function"): "run",
    ("antigravity", "method"): "geohash",
    ("__main__", "Controller"): "{}",
}  # fmt: skip
LIBRARIES = {"grid": pandapower, "heat": pandapipes}


def planted(module: str, name: str, content: Any) -> dict[str, Any]:
    return {"_module": module, "_class": name, "_object": content}


def frame(content: Any, **options: Any) -> dict[str, Any]:
    return planted("pandas.core.frame", "DataFrame", content) | {"orient": "split"} | options


def with_cell(table: dict[str, Any], column: str, cell: Any) -> dict[str, Any]:
    """A table with `cell` in its first row, in a new column where it has none of that name."""
    content = json.loads(table["_object"])
    if column not in content["columns"]:
        content["columns"].append(column)
        for row in content["data"]:
            row.append(None)
    content["data"][0][content["columns"].index(column)] = cell
    return table | {"_object": json.dumps(content)}


def relabelled(table: dict[str, Any], label: Any) -> dict[str, Any]:
    content = json.loads(table["_object"])
    return table | {"_object": json.dumps(content | {"index": [label, *content["index"][1:]]})}


def small_table(cell: Any, column: str = "a", label: Any = 0) -> dict[str, Any]:
    return frame(json.dumps({"columns": [column], "index": [label], "data": [[cell]]}))


def placings(net: dict[str, Any], nodes: str, evil: dict[str, Any]) -> dict[str, Any]:
    """The net with an object in every position, by the name of the position."""
    members, table = net["_object"], net["_object"][nodes]
    hidden = "1," + json.dumps(evil)
    state = {key: value for key, value in evil.items() if key != "_object"}
    state["_state"] = evil["_object"]
    as_text = json.dumps(evil)
    tuple_of_state = {"_module": "builtins", "_class": "tuple", "_state": hidden}
    shape = {"type": "__init__", "coordinates": [1, 2], "a": evil}
    control = planted(
        "pandapower.control.controller.const_control",
        "ConstControl",
        json.dumps({"data_source": evil}),
    )
    fluid = json.dumps({"name": "water", "is_gas": False, "all_properties": evil})
    positions = {
        "notes": evil,
        "notes_state": state,
        "notes_deep": {"a": [1, {"b": evil}]},
        "notes_key": {as_text: 1},
        nodes: evil,
        "extra": small_table(evil),
        "extra_lines": frame(planted("builtins", "tuple", hidden), lines=True),
        "extra_state": frame(tuple_of_state, lines=True),
        "extra_option": frame("{}", dtype=evil, converters=evil),
        "extra_path": frame("/etc/passwd.json"),
        "name": evil,
        "name_text": as_text,
        f"{nodes}_word": with_cell(table, "name", evil),
        f"{nodes}_flag": with_cell(table, "in_service", evil),
        f"{nodes}_column": with_cell(table, "extra", evil),
        f"{nodes}_text": with_cell(table, "extra", as_text),
        f"{nodes}_escaped": with_cell(table, "extra", as_text.replace("_", "\\u005f")),
        f"{nodes}_geo": with_cell(table, "geo", evil),
        f"{nodes}_shape": with_cell(table, "geo", json.dumps(shape)),
        f"{nodes}_index": relabelled(table, evil),
        "extra_array": planted("numpy", "array", [evil]),
        "std_types": {"line": {"a": evil}, "pump": {"a": evil}},
        "user_pf_options": {"init": evil},
        "profiles": {"load": small_table(1, label=evil)},
        "controller": small_table(control, "object"),
        "fluid": planted("pandapipes.properties.fluids", "Fluid", fluid),
        "version": evil,
    }
    placed = {
        name: net | {"_object": members | {_member(name, nodes): value}}
        for name, value in positions.items()
    }
    return placed | {
        "outermost": evil,
        "outermost_state": state,
        "outermost_text": net | {"_object": as_text},
    }


def _member(position: str, nodes: str) -> str:
    """Member of the net that a position is in."""
    first = position.split("_")[0]
    return first if first in ("notes", "extra", "name", nodes) else position


def library_classes() -> set[tuple[str, str]]:
    """Every class that the decoders of pandapower and pandapipes know by name or find."""
    known = {
        (module or "pandapower.control", name or "eval")
        for registry in (FromSerializableRegistry, FromSerializableRegistryPpipe)
        for name, module in registry.from_serializable.registry
    }
    waiting: list[type] = [JSONSerializableClass]
    while waiting:
        waiting += (found := waiting.pop().__subclasses__())
        known |= {(each.__module__, each.__name__) for each in found}
    return known


def read_planted(folder: Path, every: bool) -> dict[str, dict[str, Any]]:
    """What reading planted files came to, in one process, by the name of the file.

    Every dangerous class in every position of both kinds of net, or each class in some positions.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        texts = {"grid": pandapower.to_json(small()), "heat": pandapipes.to_json(small_pipes())}
    turn = 0
    for kind, text in texts.items():
        net = json.loads(text)
        (folder / f"{kind}-good.json").write_text(text)
        version = "2.14.0" if kind == "grid" else "0.1.0"
        old = net["_object"] | {"version": version, "format_version": version}
        (folder / f"{kind}-good-old.json").write_text(json.dumps(net | {"_object": old}))
        nodes = "bus" if kind == "grid" else "junction"
        classes = {**dict.fromkeys(sorted(library_classes()), "{}"), **DANGEROUS}
        for (module, name), content in classes.items():
            known = "" if (module, name) in DANGEROUS else "library-"
            for place, placed in placings(net, nodes, planted(module, name, content)).items():
                turn += 1
                seldom = (23 if known else 7) if not every else (5 if known else 1)
                if turn % seldom == 0:
                    path = folder / f"{kind}-{known}{module}.{name}-{place}.json"
                    path.write_text(json.dumps(placed))
    script = Path(__file__).parents[1] / "helpers" / "audited_reading.py"
    paths = [str(Path(tvilling.__path__[0]).parent), str(script.parent)]
    done = subprocess.run(
        [sys.executable, str(script), str(folder)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not (folder / "made_by_the_file").exists()
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {each["file"]: each for each in said}


def assert_nothing_ran(said: dict[str, dict[str, Any]]) -> None:
    """Not one import, call, process, socket or opened file; what no network has is refused."""
    assert {name: each["events"] for name, each in said.items() if each["events"]} == {}
    good = {name: each["error"] for name, each in said.items() if "-good" in name}
    assert list(good.values()) == [None] * 4
    assert {each["error"] for each in said.values()} <= {"InputError", None}
    accepted = {name for name, each in said.items() if not each["error"] and name not in good}
    assert {name for name in accepted if "-library-" not in name} == set()


def test_reading_triggers_nothing(tmp_path: Path) -> None:
    said = read_planted(tmp_path, every=False)
    assert_nothing_ran(said)
    assert len(said) > 300


@pytest.mark.slow
def test_reading_triggers_nothing_anywhere(tmp_path: Path) -> None:
    said = read_planted(tmp_path, every=True)
    assert_nothing_ran(said)
    assert len(said) > 2000
