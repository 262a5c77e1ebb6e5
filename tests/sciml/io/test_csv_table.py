"""CSV however a spreadsheet wrote it: one separator and one decimal sign a file."""

import csv
import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tvilling.sciml.io.csv_table import parse_cells

NUMBERS = {"x", "y"}


def cells_of(text):
    table, faults = parse_cells(text, "t.csv", NUMBERS.__contains__)
    return table.to_dict("list"), faults


@pytest.mark.parametrize(
    ("text", "x", "y"),
    [
        ("x,y\n1.5,2\n", "1.5", "2"),
        ("x;y\n1,5;2\n", "1.5", "2"),
        ("x\ty\n1,5\t2\n", "1.5", "2"),
        ("x;y\n1.5;2\n", "1.5", "2"),
        ("sep=;\nx;y\n1,5;2\n", "1.5", "2"),
        ("x;y\n50.000;40,5\n", "50000", "40.5"),  # as Excel writes in Danish
        ("x;y\n50,000;40.5\n", "50000", "40.5"),  # and in English
        ("x;y\n1.234.567,8;40,5\n", "1234567.8", "40.5"),
        ("x;y\n0,123;1,234\n", "0.123", "1.234"),
        ("x;y\n0.123;1.234\n", "0.123", "1.234"),
        ("x;y\n;-1,5e-3\n", "", "-1.5e-3"),
        ("x;y;\n1,5;2;\n", "1.5", "2"),  # a column of blanks at the end
    ],
)
def test_a_number_is_read_by_the_sign_of_its_file(text, x, y):
    assert cells_of(text) == ({"x": [x], "y": [y]}, [])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("x;y\n50.000;1\n", "row 2: x is 50.000, which may be 50 or 50 000"),
        ("x;y\n1;2,345\n", "row 2: y is 2,345, which may be 2.345 or 2 345"),
        ("x;y\n1.5;2\n1;2,5\n", "row 2: x is 1.5 with a decimal point, row 3: y is 2,5"),
        ("x;y\n1;2;3\n", "row 2: 3 cells, expected 2"),
        ("x,y\n\n1\n", "row 3: 1 cells, expected 2"),
        ('x,y\n"a\nb",1,\n7\n', "row 4: 1 cells, expected 2"),  # a cell over two lines
        ('x,y\n"a,1\n', "cannot be read as a table"),
        ("x,,y\n1,2,3\n", "column 2 has no name"),
        ("x," * 30_000 + "y\n", "30,001 columns"),
    ],
)
def test_what_is_not_clear_is_a_fault_with_its_line(text, fault):
    assert fault in " ".join(cells_of(text)[1])


def test_text_keeps_its_commas_and_a_name_decides_nothing():
    table, faults = parse_cells("name;x\nA 1.5;2,5\n", "t.csv", NUMBERS.__contains__)
    assert faults == []
    assert table.iloc[0].tolist() == ["A 1.5", "2.5"]


@given(st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 2)), min_size=1, max_size=5))
def test_pandas_reads_the_same_of_what_pandas_wrote(numbers):
    frame = pd.DataFrame({"x": numbers, "y": 0.5})
    for separator, decimal in ((",", "."), (";", ","), (";", "."), ("\t", ",")):
        text = frame.to_csv(index=False, sep=separator, decimal=decimal, quoting=csv.QUOTE_MINIMAL)
        table, faults = parse_cells(text, "t.csv", NUMBERS.__contains__)
        assert faults == []
        again = pd.read_csv(io.StringIO(text), sep=separator, decimal=decimal)
        assert table["x"].map(float).tolist() == again["x"].tolist()
