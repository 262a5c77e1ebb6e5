"""JSON, NetCDF, NumPy archives, ZIP archives and folders: what they declare is looked at first."""

import io
import json
import os
import zipfile

import h5py
import numpy as np
import pytest
import xarray as xr

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.archives import check_archive
from tvilling.sciml.io.folders import check_folder
from tvilling.sciml.io.netcdf import load_netcdf
from tvilling.sciml.io.npz import read_npz
from tvilling.sciml.io.strict_json import parse_json


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[NaN]", "NaN"), ("[-Infinity]", "Infinity"), ("[1e999]", "1e999 is no finite"),
        ('{"a": 1, "a": 2}', "'a' is given twice"), ("[" * 65 + "]" * 65, "more than 64 levels"),
        ("[" * 3_000_000, "more than 64 levels"), ("1" * 500, "no finite number"),
        ("{", "line 1, column 2"),
        ('"' + '\\"' * 500_000, "is not JSON"), ("", "is not JSON"),
    ],
)  # fmt: skip
def test_json_is_bounded_finite_and_has_no_name_twice(text, fault):
    with pytest.raises(InputError, match=fault):
        parse_json(text, "a.json")


def test_brackets_in_text_are_no_depth():
    value = {"a": "[[[[" * 100, "b": [1, 2.5, '"{']}
    assert parse_json(json.dumps(value), "a.json") == value


def test_netcdf_comes_back_as_xarray_wrote_it(tmp_path):
    time = np.array(["2026-01-01", "2026-01-02", "2026-01-03"], "M8[ns]")
    power = ("time", "load"), np.arange(6.0).reshape(3, 2)
    data = xr.Dataset(
        {"p": power, "on": ("time", [True, False, True])}, {"time": time, "load": ["a", "b"]}
    )
    data.to_netcdf(tmp_path / "a.nc", engine="h5netcdf", encoding={"p": {"zlib": True}})
    xr.testing.assert_identical(load_netcdf(tmp_path / "a.nc"), data)


def external(file):
    file.create_dataset("p", (10,), "f8", external=[("/etc/passwd", 0, 80)])


def virtual(file):
    layout = h5py.VirtualLayout((4,), "f8")
    layout[:] = h5py.VirtualSource("other.h5", "p", (4,))
    file.create_virtual_dataset("p", layout)


HOSTILE = {
    "would take": lambda file: file.create_dataset("p", (10**6, 10**6), "f8", chunks=(1, 10**4)),
    "points elsewhere": lambda file: file.update({"p": h5py.ExternalLink("/etc/passwd", "/p")}),
    "p: points elsewhere": lambda file: file.update({"p": h5py.SoftLink("/q")}),
    "is stored outside": external,
    "p: is stored outside": virtual,
    "is of type": lambda file: file.create_dataset("p", (3,), h5py.ref_dtype),
    "p: is of type": lambda file: file.create_dataset("p", (3,), h5py.vlen_dtype("f8")),
    "is a group": lambda file: file.create_group("p"),
    "is packed by filter": lambda file: file.create_dataset("p", (99,), "f8", compression="lzf"),
}  # fmt: skip


@pytest.mark.parametrize("fault", HOSTILE)
def test_a_netcdf_that_reaches_out_or_declares_too_much_is_refused(tmp_path, fault):
    with h5py.File(tmp_path / "a.nc", "w") as file:
        HOSTILE[fault](file)
    with pytest.raises(InputError, match=fault):
        load_netcdf(tmp_path / "a.nc")


@pytest.mark.parametrize("content", [b"", b"CDF\x01", b"\x89HDF\r\n\x1a\n" + b"\0" * 500])
def test_what_is_no_netcdf_is_refused(tmp_path, content):
    (tmp_path / "a.nc").write_bytes(content)
    with pytest.raises(InputError):
        load_netcdf(tmp_path / "a.nc")


def test_arrays_come_back_as_numpy_wrote_them(tmp_path):
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.asfortranarray(np.ones((2, 3))),
              "c": np.array("text" * 5000), "d": np.array([True]), "e": np.zeros((0, 4)),
              "f": np.arange(3, dtype=">i4"), "g": np.array(3)}  # fmt: skip
    np.savez(tmp_path / "a.npz", **arrays)
    found = read_npz(tmp_path / "a.npz")
    assert found.keys() == arrays.keys()
    assert all(np.array_equal(found[name], arrays[name]) for name in arrays)


def header(text):
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    "content",
    [
        header("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }") + b"cos\nsystem\n.",
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"),
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (__import__('os').getpid(),), }"),
        header("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }") + b"\0" * 8,
        b"\x93NUMPY\x01\x00",
        b"no array",
    ],
)
def test_an_archive_of_anything_else_is_refused(tmp_path, content):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", content)
    with pytest.raises(InputError):
        read_npz(tmp_path / "a.npz")


def test_an_archive_that_grows_beyond_bound_is_refused(tmp_path):
    zeros = io.BytesIO()
    np.save(zeros, np.zeros(30_000_000))
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", zeros.getvalue())
    with pytest.raises(InputError, match="expected at most 200 MB"):
        read_npz(tmp_path / "a.npz")
    with pytest.raises(InputError, match="expected at most"):
        check_archive(tmp_path / "a.npz", 10_000_000)


@pytest.mark.parametrize("name", ["../a", "/etc/a", "b/../../a"])
def test_an_archive_that_leads_out_is_refused(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, "x")
    with pytest.raises(InputError, match="leads out"):
        check_archive(tmp_path / "a.zip")


def test_a_folder_with_links_or_pipes_or_too_much_is_refused(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 100)
    assert check_folder(tmp_path, 1000) == 100
    with pytest.raises(InputError, match="holds more than"):
        check_folder(tmp_path, 10)
    (tmp_path / "b").symlink_to("/etc/passwd")
    with pytest.raises(InputError, match="b is a link"):
        check_folder(tmp_path, 1000)
    (tmp_path / "b").unlink()
    os.mkfifo(tmp_path / "c")
    with pytest.raises(InputError, match="c is no regular file"):
        check_folder(tmp_path, 1000)
