"""Reading a user's table: what comes back is typed, filled and in range, or there is a fault."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tvilling.sciml.io.tables import MAX_FAULTS_PER_COLUMN, Column, read_table

COLUMNS = (
    Column("name", "", "Name", "str", required=True),
    Column("length_m", "m", "Length", low=0, high=1000, required=True),
    Column("zeta", "1", "Loss coefficient", low=0, high=10, default=0.5),
    Column("is_open", "", "Open or shut", "bool", default=True),
    Column("kind", "", "Kind", "str", default="plain"),
)

numbers = st.floats(allow_nan=True, allow_infinity=True)
scribbles = st.text(max_size=6)
cells = st.one_of(numbers, st.integers(-2000, 2000), scribbles, st.none(), st.booleans())


@st.composite
def frames(draw):
    """Tables with any of the columns, and others, holding anything."""
    known = [column.name for column in COLUMNS]
    names = draw(st.lists(st.sampled_from([*known, "colour"]), unique=True, max_size=6))
    rows = draw(st.integers(0, 5))
    columns = {name: draw(st.tuples(*[cells] * rows)) for name in names}
    return pd.DataFrame(columns, index=range(rows), dtype=object)


def read(columns):
    return read_table(pd.DataFrame(columns), COLUMNS, "pipes.csv")


@given(frames())
def test_whatever_comes_in_the_result_has_the_columns_or_a_fault_is_told(frame):
    result, faults = read_table(frame, COLUMNS, "pipes.csv")
    assert list(result.columns) == [column.name for column in COLUMNS]
    assert len(result) == len(frame)
    assert all(fault.startswith("pipes.csv") for fault in faults)
    if not faults:
        assert result["length_m"].between(0, 1000).all()
        assert result["zeta"].between(0, 10).all()
        assert set(result["is_open"]) <= {True, False}
        assert (result["name"].str.strip() != "").all()
        assert result["name"].is_unique
        assert (result["kind"] != "").all()


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=8))
def test_good_numbers_come_back_unchanged(lengths):
    names = [f"P{i}" for i in range(len(lengths))]
    for given_as in (lengths, [repr(length) for length in lengths]):
        result, faults = read({"name": names, "length_m": given_as})
        assert faults == []
        np.testing.assert_allclose(result["length_m"], lengths, rtol=1e-15)
        assert (result["zeta"] == 0.5).all()
        assert result["is_open"].all()
        assert (result["kind"] == "plain").all()


@given(
    st.one_of(
        st.floats(max_value=-1e-9, allow_nan=False), st.floats(min_value=1000.001, allow_nan=False)
    )
)
def test_a_number_outside_its_range_is_told_with_row_value_unit_and_range(length):
    _, faults = read({"name": ["A", "B"], "length_m": [1.0, length]})
    assert faults == [
        f"pipes.csv, row 3 (B): length_m is {length:g} m, expected 0 to 1000 m",
    ]


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("length_m", "5 km", "length_m is '5 km', expected a number [m]"),
        ("length_m", None, "length_m has no value, expected 0 to 1000 m"),
        ("length_m", "", "length_m has no value, expected 0 to 1000 m"),
        ("length_m", float("nan"), "length_m has no value, expected 0 to 1000 m"),
        ("length_m", float("inf"), "length_m is inf m, expected 0 to 1000 m"),
        ("is_open", "ajar", "is_open is 'ajar', expected true or false"),
        ("name", "  ", "name has no value"),
    ],
)
def test_a_bad_cell_is_told_in_words(column, value, words):
    table = {"name": ["A", "B"], "length_m": [1.0, 2.0]}
    table[column] = [table.get(column, [True])[0], value]
    _, faults = read(table)
    assert len(faults) == 1
    assert faults[0].startswith("pipes.csv, row 3")
    assert faults[0].endswith(words)


def test_all_faults_are_told_at_once():
    _, faults = read({"name": ["A", "A"], "length_m": ["x", -1.0], "zetta": [1, 2]})
    assert len(faults) == 4
    assert any("column zetta is not known" in fault for fault in faults)
    assert any("name A stands 2 times" in fault for fault in faults)


def test_missing_columns_are_faults_only_where_required():
    _, faults = read({"zeta": [1.0]})
    assert [fault.split(": ")[1] for fault in faults] == [
        "column name is missing",
        "column length_m [m] is missing",
    ]


def test_a_table_full_of_faults_stays_readable():
    count = 3 * MAX_FAULTS_PER_COLUMN
    _, faults = read({"name": [f"P{i}" for i in range(count)], "length_m": [-1.0] * count})
    assert len(faults) == MAX_FAULTS_PER_COLUMN + 1
    assert faults[-1] == f"pipes.csv: {count - MAX_FAULTS_PER_COLUMN} more rows with a bad length_m"


@pytest.mark.parametrize("word", ["yes", "TRUE", "1", " true ", 1, 1.0, True])
def test_words_for_true(word):
    result, faults = read({"name": ["A"], "length_m": [1.0], "is_open": [word]})
    assert faults == []
    assert bool(result["is_open"][0]) is True
