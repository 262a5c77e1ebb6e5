"""Networks in JSON, MATPOWER and CIM: types, zeros, classes that a decoder would call, bombs."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

from attempt import Attempt, Content
from bases import MFILE, grid_json, heat_json

FLOW = ("grid", "flow", "grid.json", "--out", "out")
CHECK = ("check", "heat.json")
VALUES: dict[str, Any] = {
    "null": None, "zero": 0, "text": "one", "minus": -1, "true": True, "list": [], "object": {},
    "long": 10**30, "nested": [[1]], "empty": "", "escape": "\x1b[2J",
}  # fmt: skip
CALLED = {  # what pandapower's and pandapipes' decoders look up, import and call
    "os.system": ("os", "system"), "subprocess": ("subprocess", "Popen"), "eval": ("builtins", "eval"),
    "exec": ("builtins", "exec"), "canary": ("canary_module", "Canary"), "this": ("this", "s"),
    "antigravity": ("antigravity", "geohash"), "open": ("builtins", "open"), "pty": ("pty", "spawn"),
    "import": ("importlib", "import_module"), "pickle": ("pickle", "loads"),
    "controller": ("pandapower.control.controller.const_control", "ConstControl"),
    "dataframe source": ("pandapower.timeseries.data_sources.frame_data", "DFData"),
    "network": ("pandapower.auxiliary", "pandapowerNet"), "code": ("types", "CodeType"),
    "graph": ("networkx", "MultiGraph"), "numpy": ("numpy", "load"), "function":
    ("numpy", "frombuffer"), "module": ("sys", "modules"), "shapely": ("shapely.geometry", "Point"),
    "geopandas": ("geopandas.geodataframe", "GeoDataFrame"), "fluid":
    ("pandapipes.properties.fluids", "Fluid"), "component":
    ("pandapipes.component_models", "Pump"), "std type":
    ("pandapipes.std_types.std_type_class", "PumpStdType"), "rmtree": ("shutil", "rmtree"),
}  # fmt: skip
# Parts of a pandapower net that no power flow needs: passed over, never made into objects.
PASSED_OVER = {"controller", "dataframe source", "graph", "geopandas", "fluid", "std type"}
SPLIT = '{"_module": "%s", "_class": "%s", "_object": "%s"}'
XML = '<?xml version="1.0"?><!DOCTYPE r [%s]><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">%s</rdf:RDF>'
LAUGHS = '<!ENTITY a "xxxxxxxxxx">' + "".join(
    f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(9)
)
XMLS = {
    "laughs": XML % (LAUGHS, "&j;"), "file": XML % ('<!ENTITY a SYSTEM "file:///etc/passwd">', "&a;"),
    "network": XML % ('<!ENTITY a SYSTEM "http://example.org/x">', "&a;"),
    "parameter": XML % ('<!ENTITY % a SYSTEM "http://example.org/x"> %a;', ""),
    "doctype": '<!DOCTYPE r SYSTEM "http://example.org/x.dtd"><r/>',
    "include": '<r xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="/etc/passwd"/></r>',
    "depth": "<a>" * 100_000, "cut": "<?xml version='1.0'?><rdf:RDF", "no xml": "hello",
    "attributes": "<r " + " ".join(f'a{i}="1"' for i in range(100_000)) + "/>",
}  # fmt: skip


def attempts() -> Iterator[Attempt]:
    """All of them."""
    yield from _grid()
    yield from _heat()
    yield from _called()
    yield from _matpower()
    yield from _cim()


def _grid() -> Iterator[Attempt]:
    net = json.loads(grid_json())
    for field in ("sn_mva", "f_hz", "bus", "load", "line", "trafo", "std_types", "format_version"):
        for kind, value in VALUES.items():
            if (field, kind) in UNHARMED:
                continue
            yield _flow(f"grid/{field}/{kind}", _changed(net, field, value))
    cells = {"bus": "vn_kv", "line": "length_km", "load": "p_mw", "trafo": "sn_mva",
             "ext_grid": "vm_pu"}  # fmt: skip
    for table, column in cells.items():
        for kind, value in {"null": None, "text": "ten", "list": [1], "object": {"a": 1},
                            "huge": 1e308, "long": 10**30, "escape": "\x1b[2J"}.items():  # fmt: skip
            if (table, kind) in UNHARMED:
                continue
            yield _flow(f"grid/{table}.{column}/{kind}", _cell(net, table, column, value))
    for kind, value in {"3e9": 3_000_000_000, "minus": -5, "text": "x", "float": 0.5, "null": None,
                        "nowhere": 77, "list": [0]}.items():  # fmt: skip
        yield _flow(f"grid/load.bus/{kind}", _cell(net, "load", "bus", value))
    yield _flow("grid/index/3e9", _index(net, "bus", 3_000_000_000))
    yield _flow("grid/index/text", _index(net, "bus", "a"))
    yield _flow("grid/index/twice", _index(net, "bus", 1))
    for kind, dtype in {"object": "object", "void": "V8", "huge text": "U999999999", "date":
                        "datetime64[ns]", "category": "category", "none": "nonsense"}.items():  # fmt: skip
        changed = json.loads(grid_json())
        changed["_object"]["bus"]["dtype"]["vn_kv"] = dtype
        if kind not in ("object",):
            files = {"grid.json": json.dumps(changed)}
            right = None if kind == "date" else _as_without
            yield Attempt(f"grid/dtype/{kind}", files, FLOW, 0 if right else 2, right=right)
    text = grid_json()
    for kind, content in {
        "depth": text[:-1] + ', "x": ' + "[" * 1_000_000 + "]" * 1_000_000 + "}",
        "depth in text": text.replace('"mill"', json.dumps("[" * 100_000)),
        "cut": text[:-20],
        "NaN": text.replace("50.0", "NaN", 1),
        "array": "[]",
        "number": "1",
        "null": "null",
        "two": text + text,
        "other": '{"a": 1}',
        "twice": text[:-1] + ',"_object": {}}',
        "no object": '{"_module": "pandapower.auxiliary", "_class": "pandapowerNet"}',
    }.items():
        if kind != "depth in text":
            yield Attempt(f"grid/text/{kind}", {"grid.json": content}, FLOW)


UNHARMED = {
    ("load", "null"), ("line", "null"), ("trafo", "null"),
    # what the grid does not need, or what these values say no wrong thing of
    ("std_types", "null"), ("std_types", "zero"), ("std_types", "text"), ("std_types", "minus"),
    ("std_types", "true"), ("std_types", "list"), ("std_types", "object"), ("std_types", "long"),
    ("std_types", "nested"), ("std_types", "empty"), ("std_types", "escape"),
    ("format_version", "null"), ("format_version", "zero"), ("format_version", "text"),
    ("format_version", "minus"), ("format_version", "true"), ("format_version", "list"),
    ("format_version", "object"), ("format_version", "long"), ("format_version", "nested"),
    ("format_version", "empty"), ("format_version", "escape"), ("sn_mva", "long"),
    ("f_hz", "long"), ("load", "list"), ("line", "list"), ("trafo", "list"), ("load", "object"),
    ("line", "object"), ("trafo", "object"), ("load", "huge"), ("line", "huge"), ("line", "long"),
}  # fmt: skip


def _flow(name: str, net: Any) -> Attempt:
    return Attempt(name, {"grid.json": json.dumps(net)}, FLOW)


def _changed(net: dict[str, Any], field: str, value: Any) -> dict[str, Any]:
    return {**net, "_object": {**net["_object"], field: value}}


def _table(net: dict[str, Any], table: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(net["_object"][table]["_object"])
    return found


def _with_table(net: dict[str, Any], table: str, content: Any) -> dict[str, Any]:
    entry = {**net["_object"][table], "_object": json.dumps(content)}
    return _changed(net, table, entry)


def _cell(net: dict[str, Any], table: str, column: str, value: Any) -> dict[str, Any]:
    content = _table(net, table)
    content["data"][0][content["columns"].index(column)] = value
    return _with_table(net, table, content)


def _index(net: dict[str, Any], table: str, value: Any) -> dict[str, Any]:
    content = _table(net, table)
    content["index"][0] = value
    return _with_table(net, table, content)


def _heat() -> Iterator[Attempt]:
    net = json.loads(heat_json())
    for field in ("junction", "pipe", "heat_consumer", "circ_pump_pressure", "fluid"):
        for kind, value in VALUES.items():
            yield Attempt(f"heatjson/{field}/{kind}",
                          {"heat.json": json.dumps(_changed(net, field, value))}, CHECK)  # fmt: skip
    for table, column in {"pipe": "length_km", "junction": "pn_bar"}.items():
        for kind, value in {"null": None, "text": "ten", "list": [1], "minus": -1.0, "long": 10**30,
                            "escape": "\x1b[2J"}.items():  # fmt: skip
            if column != "pn_bar":
                changed = _cell(net, table, column, value)
                yield Attempt(f"heatjson/{table}.{column}/{kind}",
                              {"heat.json": json.dumps(changed)}, CHECK)  # fmt: skip
    for kind, value in {"3e9": 3_000_000_000, "minus": -5, "text": "x", "nowhere": 77}.items():
        changed = _cell(net, "pipe", "from_junction", value)
        yield Attempt(f"heatjson/from_junction/{kind}", {"heat.json": json.dumps(changed)}, CHECK)


def _called() -> Iterator[Attempt]:
    for what, (base, command, file) in {
        "grid": (grid_json(), FLOW, "grid.json"), "heat": (heat_json(), CHECK, "heat.json"),
    }.items():  # fmt: skip
        net = json.loads(base)
        for kind, (module, name) in CALLED.items():
            entry = {"_module": module, "_class": name, "_object": "touch PWNED"}
            if (what, kind) in (("grid", "network"), ("heat", "fluid")):
                continue
            deep = json.dumps(_changed(net, "controller", [{"a": json.dumps(entry)}]))
            over = what == "grid" and kind in PASSED_OVER
            found, code = (_as_without, 0) if over else (None, 2)
            extra = json.dumps({**net, "_object": {**net["_object"], "extra": entry}})
            yield Attempt(f"called/{what}/{kind}", {file: extra}, command, code, "", found)
            yield Attempt(f"called/{what} as text/{kind}", {file: deep}, command, code, "", found)
        for kind, state in {
            "state": {"_module": "pandas.core.frame", "_class": "DataFrame", "_object": "[]",
                      "_state": {"_module": "os", "_class": "system", "_object": "touch PWNED"}},
            "lines": {"_module": "pandas.core.frame", "_class": "DataFrame", "orient": "records",
                      "lines": True, "_object": '1,' + SPLIT % ("os", "system", "touch PWNED")},
            "url": {"_module": "pandas.core.frame", "_class": "DataFrame", "orient": "split",
                    "_object": "http://example.org/table.json"},
            "path": {"_module": "pandas.core.frame", "_class": "DataFrame", "orient": "split",
                     "_object": "/etc/passwd"},
            "compression": {"_module": "pandas.core.frame", "_class": "DataFrame",
                            "compression": "gzip", "_object": "/etc/passwd"},
            "engine": {"_module": "pandas.core.frame", "_class": "DataFrame",
                       "engine": "pyarrow", "lines": True, "_object": "/etc/passwd"},
        }.items():  # fmt: skip
            table = "load" if what == "grid" else "pipe"
            yield Attempt(f"called/{what}/{kind}",
                          {file: json.dumps(_changed(net, table, state))}, command)  # fmt: skip


def _as_without(shown: str) -> bool:
    """What pandapower's Newton finds for the grid alone: 0.991 p.u. and 24.8 kW of losses."""
    return "0.991 p.u.  end" in shown and "24.8 kW" in shown


def _matpower() -> Iterator[Attempt]:
    flow = ("grid", "flow", "grid.m", "--out", "out")
    for kind, text in {
        "quotes": MFILE + "x = '" + "''" * 200_000 + "\n",
        "double quotes": MFILE.replace("'2'", '"' * 200_001),
        "comments": "%" + "{\n%" * 100_000, "brackets": "mpc.bus = " + "[" * 500_000,
        "call": "mpc = system('touch PWNED');\n" + MFILE.replace("[", "[system('id') ", 1),
        "text in matrix": MFILE.replace("0.05", "'x'"), "empty": "function mpc = x\n",
        "two": MFILE.replace("1 2 0.01", "1 2 3 0.01"), "nan": MFILE.replace("0.05", "NaN"),
        "inf": MFILE.replace("0.01 0.05", "Inf Inf"), "base 0": MFILE.replace("= 100", "= 0"),
        "base text": MFILE.replace("= 100", "= 'x'"), "bus 3e9": MFILE.replace("2 1 50", "3e9 1 50"),
        "bus half": MFILE.replace("2 1 50", "2.5 1 50"), "bus twice": MFILE.replace("2 1 50", "1 1 50"),
        "no bus": MFILE.replace(" 2 1 50 10 0 0 1 1 0 110 1 1.1 0.9;\n", ""),
        "short rows": MFILE.replace(" 100 100 100 0 0 1 -360 360", ""),
        "expression": MFILE.replace("0.05", "0.05*rand(1)"), "blanks": MFILE.replace("= [", "= " + " " * 10**6),
        "minus": MFILE.replace("0 110 1 1.1", "0 -110 1 1.1"), "cut": MFILE[:200],
        "digits": MFILE.replace("0.05", "9" * 100_000), "continuation": MFILE.replace(";\n", "...\n"),
        "loop": MFILE + "for i=1:1e12\n x = i;\nend\n", "version 1": MFILE.replace("'2'", "'1'"),
        "type 9": MFILE.replace("2 1 50", "2 9 50"), "names": MFILE + f"mpc.bus_name = {{'{chr(27)}[2J'}};\n",
    }.items():  # fmt: skip
        if kind not in ("loop", "version 1", "names", "two"):
            yield Attempt(f"matpower/{kind}", {"grid.m": text}, flow)


def _cim() -> Iterator[Attempt]:
    flow = ("grid", "flow", "grid.zip", "--out", "out")
    for kind, text in XMLS.items():
        for profile in ("EQ", "TP"):
            files = {f"x_{profile}.xml": text.encode()}
            yield Attempt(f"cim/{kind} {profile}", {"grid.zip": _zipped(files)}, flow)
    for kind, files in {
        "empty": {}, "out": {"../../x_EQ.xml": b"<r/>"}, "absolute": {"/tmp/x_EQ.xml": b"<r/>"},
        "many": {f"{i}.xml": b"<r/>" for i in range(20_000)}, "other": {"a.txt": b"x"},
        "bomb": {"x_EQ.xml": b"<r>" + b" " * 300_000_000 + b"</r>"},
        "nested": {"a.zip": _zipped({"x_EQ.xml": b"<r/>"})},
    }.items():  # fmt: skip
        yield Attempt(f"cim/zip {kind}", {"grid.zip": _later(files)}, flow)


def _later(files: dict[str, bytes]) -> Content:
    return lambda path: path.write_bytes(_zipped(files)) and None


def _zipped(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()
