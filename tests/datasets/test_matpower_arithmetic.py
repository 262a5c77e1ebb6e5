"""MATPOWER text with arithmetic, conversions and programs: the right numbers, or the right line."""

import math
from pathlib import Path

import numpy as np
import pytest

from tvilling.datasets.readers.matpower.arithmetic import ExpressionError, evaluate, split_cells
from tvilling.datasets.readers.matpower.m_file import read_case
from tvilling.datasets.readers.power_grid.reader import read_power_net
from tvilling.sciml.core.errors import InputError

VALUES = {
    "12/sqrt(3)": 12 / math.sqrt(3),
    "1e3*2": 2000.0,
    "1D3": 1000.0,
    "-(2 + 3)^2": -25.0,
    "-2^2": -4.0,
    "2^-1": 0.5,
    "2^3^2": 64.0,
    "1./3": 1 / 3,
    "6/2*3": 9.0,
    "1 - 2 - 3": -4.0,
    "sin(acos(0.8))": 0.6,
    "pi/2": math.pi / 2,
    "+-.5": -0.5,
    "100/Sb": 4.0,
}  # as MATLAB gives them
NONE = {
    "": "is incomplete",
    "2+": "is incomplete",
    "(2": "has a bracket that does not end",
    "2)": "`)` in it is not understood",
    "1/0": "has no finite real value",
    "sqrt(-1)": "has no finite real value",
    "(-8)^(1/3)": "has no finite real value",
    "9^9^9^9": "has no finite real value",
    "x": "x in it has no value here",
    "__import__('os')": "`__import__('os')` in it is not understood",
    "system(1)": "system in it has no value here",
    "1_000": "`_000` in it is not understood",
    "1 2": "`2` in it is not understood",
    "(" * 100: "has brackets more than 20 deep",
    "-" * 301: "is longer than 300 characters",
}
ROWS = {
    "1 -2": ["1", "-2"],
    "1 - 2": ["1 - 2"],
    "1  -2": ["1", "-2"],
    "1, -2,3": ["1", "-2", "3"],
    "12/sqrt( 3 )  4": ["12/sqrt( 3 )", "4"],
    "2 * 3 4": ["2 * 3", "4"],
    "( 1 + 2 ) 3": ["( 1 + 2 )", "3"],
}


@pytest.mark.parametrize("text", VALUES)
def test_arithmetic_has_the_value_of_matlab(text: str) -> None:
    assert evaluate(text, {"Sb": 25.0}) == pytest.approx(VALUES[text], rel=1e-14)


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_arithmetic_is_told(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text)
    assert NONE[text] in str(caught.value)


@pytest.mark.parametrize("row", ROWS)
def test_rows_fall_apart_as_in_matlab(row: str) -> None:
    assert split_cells(row) == ROWS[row]


CASE = """function mpc = three
%% a case as people write them
mpc.version = '2';
%{
mpc.baseMVA = 1;   a comment of several lines
%}
Sb = 50*2;      % MVA
mpc.baseMVA = Sb;
mpc.bus = [ %number type Pd ...
\t1\t3\t0\t0\t0\t0\t1\t1\t0\t12/sqrt(3)\t1\t1.1\t0.9;
\t2\t1\t1e3*2/1e3\t1 - 0.5\t0\t0\t1\t1\t0\t12/sqrt(3)\t1 ... the rest follows
\t\t1.1\t0.9;
\t3, 2, 1, 0.2, 0, 0, 1, 1, 0, 12/sqrt(3), 1, 1.1, 0.9
];
mpc.gen = [
\t1\t0\t0\t10\t-10\t1.02\t100\t1\t20\t0;
\t3\t0.5\t0\t5\t-5\t1.01\t100\t1\t20\t0;
];
mpc.branch = [
\t1\t2\t0.01*2\t0.1\t0\t0\t0\t0\t0\t0\t1\t-360\t360;
\t2\t3\t0.02\t0.1\t0\t0\t0\t0\t0\t0\t1\t-360\t360;
];
mpc.gencost = [2 0 0 3 0.01 40 0; 2 0 0 3 0.02 30 0];
mpc.bus_name = {'Nord ... 50% of it'; 'It''s'; 'Syd'};
"""


def written(folder: Path, *lines: str, old: str = "", new: str = "") -> Path:
    path = folder / "three.m"
    assert old in CASE
    text = CASE.replace(old, new) if old else CASE
    path.write_text(text + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_case_with_arithmetic_reads_as_matlab_reads_it(tmp_path: Path) -> None:
    case, _ = read_case(written(tmp_path))
    assert case["baseMVA"] == 100.0
    np.testing.assert_allclose(case["bus"][:, 9], 12 / np.sqrt(3), rtol=1e-15)
    assert case["bus"][:, [0, 2, 3]].tolist() == [[1, 0, 0], [2, 2, 0.5], [3, 1, 0.2]]
    assert case["branch"][0, 2] == 0.02
    assert case["bus_name"] == ["Nord ... 50% of it", "It's", "Syd"]
    net = read_power_net(tmp_path / "three.m").net
    assert net.bus["name"].tolist() == case["bus_name"]
    assert net.load["p_mw"].tolist() == [2.0, 1.0]


CHANGES = {
    "mpc.bus(:, 3) = mpc.bus(:, 3) * 0.5;": ("bus", 2, [0, 1, 0.5], "bus 3 was multiplied by 0.5"),
    "mpc.bus(:, [PD QD]) = mpc.bus(:, [PD QD]) / 1e1;": (
        "bus", 3, [0, 0.05, 0.02], "bus PD, QD was divided by 10",
    ),
    "mpc.bus(:, PD) = 2 * mpc.bus(:, PD);": ("bus", 2, [0, 4, 2], "bus PD was multiplied by 2"),
    "mpc.bus(:, QD) = mpc.bus(:, PD) * tan(acos(0.8));": (
        "bus", 3, [0, 1.5, 0.75], "bus QD is PD multiplied by 0.75",
    ),
    "mpc.gen(2, VG) = 1 + 0.03;": ("gen", 5, [1.02, 1.03], "gen VG of row 2 became 1.03"),
    "k = 1/4; mpc.branch(:, BR_X) = mpc.branch(:, BR_X) * k;": (
        "branch", 3, [0.025, 0.025], "branch BR_X was multiplied by 0.25",
    ),
}  # fmt: skip


@pytest.mark.parametrize("statement", CHANGES)
def test_columns_are_scaled_and_set_as_the_file_says(statement: str, tmp_path: Path) -> None:
    table, column, values, note = CHANGES[statement]
    case, notes = read_case(written(tmp_path, statement))
    np.testing.assert_allclose(case[table][:, column], values, rtol=1e-14)
    assert notes == [f"{note}, as line 25 says"]


REFUSED = {
    "if fixed\n  mpc.bus(:, 3) = 0;\nend\nmpc.x = 3;": (
        "line 25: `if fixed`, down to line 27, is a part of the program that only MATLAB can run"
    ),
    "if fixed, mpc.gen(1, 2) = 3; end": "line 25: `if fixed, mpc.gen(1, 2) = 3`, down to line 25,",
    "for k = 1:3\n if k\n mpc.bus(k, 3) = k;\n end\nend": "line 25: `for k = 1:3`, down to line 29",
    "while true\n": "line 25: `while true`, down to line 25, is a part of the program",
    "mpc = scale_load(2, mpc);": "line 25: `mpc = scale_load(2, mpc)` computes something; write",
    "mpc.bus(:, 30) = 1;": "line 25: `mpc.bus(:, 30) = 1` names column 30 of bus, and there is no",
    "mpc.bus(9, 3) = 1;": "line 25: `mpc.bus(9, 3) = 1` names row 9 of bus, and there is none",
    "mpc.bus(:, 3) = mpc.bus(:, 3) / 0;": "line 25: `mpc.bus(:, 3) = mpc.bus(:, 3) / 0` divides by",
    "mpc.bus(:, 3) = rand(3, 1);": "line 25: `mpc.bus(:, 3) = rand(3, 1)` computes something",
    "mpc.bus(:, 3) = mpc.gen(:, 2) * 2;": "`mpc.bus(:, 3) = mpc.gen(:, 2) * 2` computes something",
    "mpc.baseMVA = system('ls');": "line 25: `mpc.baseMVA = system('ls')` computes something",
}


@pytest.mark.parametrize("statement", REFUSED)
def test_what_only_matlab_can_run_is_refused_with_its_line(statement: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_power_net(written(tmp_path, statement))
    assert len(caught.value.faults) == 1
    assert REFUSED[statement] in caught.value.faults[0]


def test_a_case_of_arguments_is_refused_by_them(tmp_path: Path) -> None:
    path = written(tmp_path, "if fixed", "end", old="= three", new="= three(fixed)")
    with pytest.raises(InputError) as caught:
        read_power_net(path)
    assert caught.value.faults[0] == "line 1: takes the arguments (fixed), which no file gives"


@pytest.mark.parametrize(
    ("old", "new", "cell"),
    [
        ("0.01*2", "0.01*z", "'0.01*z' is not a number: z in it has no value here"),
        ("1e3*2/1e3", "x1", "'x1' is not a number: x1 in it has no value here"),
        ("0.01*2", "os.system('ls')", "\"os.system('ls')\" is not a number: os in it has no value"),
    ],
)
def test_a_cell_without_a_value_is_told_with_its_line(
    old: str, new: str, cell: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        read_power_net(written(tmp_path, old=old, new=new))
    assert cell in caught.value.faults[0]
    assert caught.value.faults[0].startswith("line ")
