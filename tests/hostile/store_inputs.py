"""Stores that programs keep: users, ledgers, jobs, surrogates, policies, ensembles."""

import hashlib
import io
import json
import os
import shutil
import sqlite3
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from attempt import Attempt

Change = Callable[[Path], Any]


def attempts() -> Iterator[Attempt]:
    """All of them."""
    yield from _users()
    yield from _ledgers()
    yield from _jobs()
    yield from _surrogates()
    yield from _policies()
    yield from _archives()
    yield from _netcdf()
    yield from _zarr()


def _users() -> Iterator[Attempt]:
    for kind, text in {
        "list": "[]", "empty": "{}", "number": '{"a": 1}', "null": '{"a": null}', "blank": '{"a": ""}',
        "nested": '{"a": {"b": "c"}}', "twice": '{"a": "b", "a": "c"}', "text": '"a"', "cut": '{"a"',
        "depth": '{"a":' * 5_000, "NaN": "NaN", "large": '{"a": "' + "x" * 2_000_000 + '"}',
    }.items():  # fmt: skip
        command = ("app", "--address", "0.0.0.0", "--basic-auth", "users.json")
        yield Attempt(f"users/{kind}", {"users.json": text}, command)


def _ledgers() -> Iterator[Attempt]:
    def line(body: str) -> str:
        digest = hashlib.sha256(body.encode()).hexdigest()
        return body + f', "sha256": "{digest}"' + "}\n"

    start = '{"line": %s, "previous": "' + "0" * 64 + '", "written": "now", "facts": %s'
    for kind, text in {
        "depth": line(start % ("1", "[" * 100_000 + "]" * 100_000)), "huge": line(start % (10**30, 1)),
        "minus": line(start % ("-5", "1")), "true": line(start % ("true", "1")),
        "text": line(start % ('"1"', "1")), "far": line(start % (10**12, "1")),
        "no facts": line('{"line": 1, "previous": "x"'), "NaN": line(start % ("1", "NaN")),
    }.items():  # fmt: skip
        files = {"ledger.jsonl": text}
        yield Attempt(f"ledger/verify/{kind}", files, ("ledger", "verify", "ledger.jsonl"), 3)
        yield Attempt(f"ledger/show/{kind}", files, ("ledger", "show", "ledger.jsonl"), 0)
    for kind, facts in {
        "escape": {"event": "\x1b[2J", "job": "\x1b]0;x\x07"}, "markup": {"event": "[/b]"},
        "list": [1, 2], "number": 5, "long": {"event": "x" * 100_000}, "none": None,
    }.items():  # fmt: skip
        files = {"ledger.jsonl": line(start % ("1", json.dumps(facts, ensure_ascii=False)))}
        yield Attempt(f"ledger/facts/{kind}", files, ("ledger", "show", "ledger.jsonl"), 0)
        code = 0 if isinstance(facts, dict) else 3
        yield Attempt(f"ledger/whole/{kind}", files, ("ledger", "verify", "ledger.jsonl"), code)


def _jobs() -> Iterator[Attempt]:
    def database(script: str) -> Change:
        def make(path: Path) -> None:
            with sqlite3.connect(path) as connection:
                connection.executescript(script)
            connection.close()

        return make

    from tvilling.apps.jobs.store import SCHEMA

    good = f"{SCHEMA}PRAGMA user_version = 1;"
    for kind, make in {
        "empty tables": database("PRAGMA user_version = 1;"),
        "other version": database(SCHEMA + "PRAGMA user_version = 3;"),
        "no checksums": database(SCHEMA + "PRAGMA user_version = 2;"),
        "trigger": database(good + "CREATE TRIGGER t AFTER INSERT ON run BEGIN DELETE FROM job; END;"),
        "view": database("CREATE VIEW job AS SELECT 1 AS name; PRAGMA user_version = 1;"),
        "no database": b"x" * 5_000, "cut": b"SQLite format 3\0" + b"\0" * 84,
        "fifo": os.mkfifo, "device": lambda path: path.symlink_to("/dev/zero"),
        "folder": lambda path: path.mkdir(),
    }.items():  # fmt: skip
        for command in (("job", "list"), ("job", "show", "a"), ("job", "pause", "a")):
            extra = {"TVILLING_HOME": "store"}
            yield Attempt(
                f"jobs/{' '.join(command)}/{kind}",
                {"store/jobs.sqlite": make},
                command,
                extra=extra,
            )
    row = "INSERT INTO job VALUES ('%s', 'run', '%s', '', 'daily 06:00', 'UTC', 1, 1, 1, 1, 1, 0);"
    for kind, name in {"markup": "[/b]", "escape": "\x1b[2J", "link": "[link=x]y[/link]"}.items():
        files = {"store/jobs.sqlite": database(good + row % (name, name))}
        for command, code in ((("job", "list"), None), (("job", "show", name), None)):
            if code is None:
                continue
            yield Attempt(f"jobs/name {command[1]}/{kind}", files, command, code)


def _in_child(make: Change) -> Path:
    """A folder that `make` filled in a process of its own, so that JAX does not start here."""
    folder = Path(tempfile.mkdtemp(prefix="tvilling-hostile-base-"))
    child = os.fork()
    if child == 0:
        try:
            make(folder)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status == 0, make
    return folder


@cache
def surrogate_base() -> Path:
    """A surrogate of the tank with random weights."""
    return _in_child(_make_surrogate)


def _make_surrogate(folder: Path) -> None:
    import jax
    from jax.flatten_util import ravel_pytree

    from tvilling.sciml.io.array_store import save_arrays
    from tvilling.sciml.surrogates.store import ABOUT, ARRAYS, About, system_sha256
    from tvilling.sciml.surrogates.vectors import size
    from tvilling.sciml.systems import SYSTEMS

    system = SYSTEMS["tank"].example().system
    state = ravel_pytree(system.init(jax.random.key(0)))[0].size
    targets = state + size(system.outputs)
    inputs = state + size(system.actions) + size(system.drives)
    ones = {"middle": (inputs,), "half": (inputs,), "slope": (inputs, targets), "offset": (targets,),
            "rest": (targets,), "scores": (5, targets), "least_spread": (targets,),
            "usual_spread": (), "weight_0": (2, inputs, targets), "bias_0": (2, targets)}  # fmt: skip
    about = About(system="Tank", system_sha256=system_sha256(system), dt_s=3600.0, flags=(), always=0,
                  layers=1, activation="silu", seed=0, data_sha256="", metrics={},
                  tvilling_version="")  # fmt: skip
    (folder / ABOUT).write_text(about.model_dump_json())
    np.savez(folder / "plain.npz", **{name: np.ones(shape) for name, shape in ones.items()})
    save_arrays(folder / ARRAYS, {name: np.ones(shape) for name, shape in ones.items()})


def _load_surrogate() -> Any:
    from tvilling.sciml.surrogates.store import load_surrogate
    from tvilling.sciml.systems import SYSTEMS

    return load_surrogate(Path("kept"), SYSTEMS["tank"].example().system)


def _surrogates() -> Iterator[Attempt]:
    def about(**changed: Any) -> Change:
        def change(folder: Path) -> None:
            file = folder / "surrogate.json"
            file.write_text(json.dumps({**json.loads(file.read_text()), **changed}))

        return change

    def array(name: str, value: Any) -> Change:
        def change(folder: Path) -> None:
            with np.load(folder / "plain.npz") as plain:
                arrays = {key: plain[key] for key in plain.files}
            arrays[name] = value(arrays[name]) if name in arrays else value(np.ones(3))
            shutil.rmtree(folder / "arrays")
            child = os.fork()
            if child == 0:
                try:
                    from tvilling.sciml.io.array_store import save_arrays

                    save_arrays(folder / "arrays", arrays)
                finally:
                    os._exit(0)
            os.waitpid(child, 0)

        return change

    changes: dict[str, Change] = {
        "step 0": about(dt_s=0), "step below": about(dt_s=-1), "step text": about(dt_s="60"),
        "step true": about(dt_s=True), "step huge": about(dt_s=1e300), "layers 0": about(layers=0),
        "layers many": about(layers=10**9), "layers text": about(layers="1"),
        "flags": about(flags=[-1]), "flag text": about(flags=["1"]), "flags many": about(flags=[1] * 99),
        "activation": about(activation="os.system"), "unknown": about(extra=1),
        "system": about(system_sha256="0"), "format": about(format=2), "true format": about(format=True),
        "weight NaN": array("weight_0", lambda a: a * np.nan),
        "bias infinite": array("bias_0", lambda a: a * np.inf),
        "scale NaN": array("half", lambda a: a * np.nan), "scale 0": array("half", lambda a: a * 0),
        "rest below 0": array("rest", lambda a: -a), "weight shape": array("weight_0", lambda a: a[:1]),
        "bias shape": array("bias_0", lambda a: a[:, :1]), "slope shape": array("slope", lambda a: a[:1]),
        "text": array("rest", lambda a: a > 0),
        "no arrays": lambda folder: shutil.rmtree(folder / "arrays"),
        "link": lambda folder: (folder / "arrays" / "x").symlink_to("/etc/passwd"),
        "fifo": lambda folder: os.mkfifo(folder / "arrays" / "x"),
        "metadata": lambda folder: (folder / "arrays" / "_METADATA").write_text("[]"),
        "metadata depth": lambda folder: (folder / "arrays" / "_METADATA").write_text("[" * 10**6),
        "metadata cut": lambda folder: (folder / "arrays" / "_METADATA").write_text("{"),
        "manifest": lambda folder: (folder / "arrays" / "manifest.ocdbt").write_bytes(b"x" * 500),
        "no manifest": lambda folder: (folder / "arrays" / "manifest.ocdbt").unlink(),
        "json NaN": lambda folder: (folder / "surrogate.json").write_text('{"dt_s": NaN}'),
        "json depth": lambda folder: (folder / "surrogate.json").write_text("[" * 10**6),
        "json device": lambda folder: (
            (folder / "surrogate.json").unlink(), (folder / "surrogate.json").symlink_to("/dev/zero")),
    }  # fmt: skip
    for kind, change in changes.items():
        yield Attempt(
            f"surrogate/{kind}", {"kept": _copied(surrogate_base, change)}, _load_surrogate
        )
    yield Attempt("surrogate/right", {"kept": _copied(surrogate_base, lambda folder: None)},
                  _load_surrogate, 0, right=lambda kept: kept.about.dt_s == 3600.0)  # fmt: skip


def _copied(base: Callable[[], Path], change: Change) -> Change:
    def make(path: Path) -> None:
        shutil.copytree(base(), path)
        change(path)

    return make


def _load_policy() -> Any:
    from tvilling.rl_control.rl.policy import load_policy

    return load_policy(Path("policy.npz"))


def _policies() -> Iterator[Attempt]:
    channel = {"name": "heat", "unit": "W", "low": 0.0, "high": 1.0, "dims": [], "labels": [],
               "description": ""}  # fmt: skip
    about = {"form": "tvilling policy 1", "layers": 1, "ahead": 2, "dt_s": 3600.0, "drives": ["load"],
             "actions": [channel]}  # fmt: skip
    arrays = {"weight_0": np.ones((1, 8)), "bias_0": np.ones(1), "mean_load": np.array(0.0),
              "scale_load": np.array(1.0), "state_middle": np.zeros(1), "state_reach": np.ones(1),
              "price_scale": np.array(1.0)}  # fmt: skip

    def made(about: Any, **changed: Any) -> bytes:
        out = io.BytesIO()
        text = about if isinstance(about, np.ndarray) else np.array(json.dumps(about))
        np.savez(out, about=text, **{**arrays, **changed})
        return out.getvalue()

    for kind, content in {
        "NaN": made(about, weight_0=np.full((1, 8), np.nan)), "inf": made(about, bias_0=np.array([np.inf])),
        "shape": made(about, bias_0=np.ones(3)), "flat": made(about, weight_0=np.ones(8)),
        "scale 0": made(about, price_scale=np.array(0.0)), "reach": made(about, state_reach=-np.ones(1)),
        "objects": made(about, weight_0=np.array([[{}]], object)), "text": made(about, bias_0=np.array("x")),
        "step 0": made({**about, "dt_s": 0}), "step NaN": made({**about, "dt_s": float("nan")}),
        "step true": made({**about, "dt_s": True}), "layers": made({**about, "layers": 10**12}),
        "layers text": made({**about, "layers": "1"}), "ahead": made({**about, "ahead": -1}),
        "drives": made({**about, "drives": ["../x"]}), "drives text": made({**about, "drives": "load"}),
        "actions": made({**about, "actions": [{}]}), "action call": made(
            {**about, "actions": [{**channel, "labels": 5}]}), "form": made({**about, "form": "x"}),
        "no object": made([1]), "depth": made(np.array("[" * 100_000)), "about number": made(np.array(5)),
        "no actions": made({**about, "actions": []}), "cut": made(about)[:300], "empty": b"",
    }.items():  # fmt: skip
        yield Attempt(f"policy/{kind}", {"policy.npz": content}, _load_policy)
    yield Attempt("policy/right", {"policy.npz": made(about)}, _load_policy, 0,
                  right=lambda policy: policy.observer.ahead == 2)  # fmt: skip


def _archives() -> Iterator[Attempt]:
    def npz(header: str, body: bytes = b"", copies: int = 1, name: str = "a.npy") -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            npy = b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header.encode() + body
            for at in range(copies):
                archive.writestr(name if copies == 1 else f"a{at}.npy", npy)
        return out.getvalue()

    plain = "{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }"
    for kind, content in {
        "huge": npz(plain % ("<f8", 10**13)), "objects": npz(plain % ("|O", 1), b"cos\nsystem\n(S'id'\ntR."),
        "call": npz("{'descr': '<f8', 'shape': (__import__('os').system('touch PWNED'),)}"),
        "depth": npz("(" * 5_000), "records": npz("{'descr': [('a', '<f8')], 'shape': (1,), }", b"\0" * 8),
        "wide text": npz(plain % ("<U99999", 10**6)), "minus": npz(plain % ("<f8", -1)),
        "zeros": npz(plain % ("<f8", 30_000_000), b"\0" * 240_000_000),
        "many": npz(plain % ("<f8", 1), b"\0" * 8, 20_000), "name": npz(plain % ("<f8", 0), b"", 1, "../a.npy"),
        "no array": npz("", b"", 1, "a.txt"),
    }.items():  # fmt: skip
        yield Attempt(f"npz/{kind}", {"policy.npz": content}, _load_policy)


def _netcdf() -> Iterator[Attempt]:
    import h5py

    def made(build: Callable[[Any], Any]) -> Change:
        def make(path: Path) -> None:
            with h5py.File(path, "w") as file:
                build(file)

        return make

    def plain(file: Any, **power: Any) -> None:
        time = file.create_dataset("time", data=np.arange(2.0))
        time.attrs["units"] = power.pop("units", "hours since 2026-01-01")
        time.make_scale("time")
        load = file.create_dataset("load", data=np.arange(2.0))
        load.make_scale("load")
        one = file.create_dataset("load_p_mw", **{"shape": (2, 2), "dtype": "f8", **power})
        for at, scale in enumerate((time, load)):
            one.dims[at].attach_scale(scale)

    cases: dict[str, Callable[[Any], Any]] = {
        "sparse": lambda f: f.create_dataset("load_p_mw", (10**7, 10**4), "f8", chunks=(1, 10**4)),
        "packed": lambda f: f.create_dataset("load_p_mw", data=np.zeros(10**8, "i1"),
                                             compression="gzip", chunks=(10**7,)),
        "external link": lambda f: f.update({"load_p_mw": h5py.ExternalLink("/etc/passwd", "/x")}),
        "soft link": lambda f: f.update({"load_p_mw": h5py.SoftLink("/load_p_mw")}),
        "external": lambda f: f.create_dataset("load_p_mw", (9,), "i1", external=[("/etc/passwd", 0, 9)]),
        "group": lambda f: f.create_group("load_p_mw"), "many": lambda f: [
            f.create_dataset(f"v{i}", (1,), "f8") for i in range(10_001)],
        "reference": lambda f: f.create_dataset("load_p_mw", (2,), h5py.ref_dtype),
        "ragged": lambda f: f.create_dataset("load_p_mw", (2,), h5py.vlen_dtype("f8")),
        "record": lambda f: f.create_dataset("load_p_mw", (2,), np.dtype([("a", "f8")])),
        "opaque": lambda f: f.create_dataset("load_p_mw", (2,), "V8"),
        "filter": lambda f: f.create_dataset("load_p_mw", (99,), "f8", compression="lzf"),
        "text": lambda f: f.create_dataset("load_p_mw", data="x"), "nothing": lambda f: None,
        "cycle": lambda f: f.update({"load_p_mw": f["/"]}),
        "units": lambda f: plain(f, units="hours since \x1b[2J"), "NaN": lambda f: plain(f, fillvalue=np.nan),
        "far units": lambda f: plain(f, units="days since 9999-99-99"),
        "units number": lambda f: plain(f, units=5),
        "escape name": lambda f: f.create_dataset("\x1b[2J", (2,), "f8"),
        "markup name": lambda f: f.create_dataset("[b]x[|b]", (2,), "f8"),
        "attribute": lambda f: f.attrs.update({"x": "y" * 60_000}), "complex": lambda f: plain(f, dtype="c16"),
        "big": lambda f: plain(f, dtype="f8", fillvalue=np.inf),
    }  # fmt: skip
    for kind, build in cases.items():
        command = ("grid", "year", "pandapower:case4gs", "--profiles", "p.nc", "--out", "out")
        yield Attempt(f"netcdf/{kind}", {"p.nc": made(build)}, command)


def _zarr() -> Iterator[Attempt]:
    group = {"zarr_format": 3, "node_type": "group", "attributes": {}}
    array = {"zarr_format": 3, "node_type": "array", "shape": [4], "data_type": "float64",
             "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2]}},
             "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
             "fill_value": 0.0, "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
             "attributes": {}, "dimension_names": ["a"]}  # fmt: skip
    for kind, (top, inner) in {
        "codec": (group, {**array, "codecs": [{"name": "canary_module"}]}),
        "pickle": (group, {**array, "codecs": [{"name": "pickle"}]}),
        "storage": (group, {**array, "storage_transformers": [{"name": "x"}]}),
        "type": (group, {**array, "data_type": "object"}), "shape": (group, {**array, "shape": ["x"]}),
        "chunk": (group, {**array, "chunk_grid": {"name": "regular", "configuration":
                                                  {"chunk_shape": [10**12]}}}),
        "grid": (group, {**array, "chunk_grid": {"name": "odd"}}), "minus": (group, {**array, "shape": [-4]}),
        "version": ({**group, "zarr_format": 2}, array), "no group": ([], array),
        "consolidated": ({**group, "consolidated_metadata": {"metadata": {}}}, array),
        "no array": (group, [1]), "codecs text": (group, {**array, "codecs": "bytes"}),
    }.items():  # fmt: skip
        files = {"s/zarr.json": json.dumps(top), "s/x/zarr.json": json.dumps(inner)}
        yield Attempt(f"zarr/{kind}", files, _open_zarr)
    for kind, files in {
        "depth": {"s/zarr.json": "[" * 10**6}, "link": {"s/zarr.json": json.dumps(group), "s/x":
                  lambda path: path.symlink_to("/etc")}, "fifo": {"s/zarr.json": os.mkfifo},
        "missing": {"t": "x"}, "file": {"s": "x"},
    }.items():  # fmt: skip
        yield Attempt(f"zarr/{kind}", files, _open_zarr)
    files = {"s/zarr.json": json.dumps(group), "s/x/zarr.json": json.dumps(array)}
    yield Attempt(
        "zarr/right", files, _open_zarr, 0, right=lambda data: data["x"].values.sum() == 0
    )


def _open_zarr() -> Any:
    from tvilling.sciml.io.zarr_store import open_zarr_store

    return open_zarr_store(Path("s"))
