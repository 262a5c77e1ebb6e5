"""MATPOWER cases: the net has the admittances of MATPOWER's manual; programs are refused."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from tvilling.datasets.readers.matpower.m_file import read_case
from tvilling.datasets.readers.matpower.mat_file import read_mat
from tvilling.datasets.readers.power_grid.reader import read_power_net
from tvilling.sciml.core.errors import InputError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pandapower
    import pandapower.networks
    from pandapower.converter.matpower import to_mpc
    from pandapower.toolbox import nets_equal

# Ratios and shifts at the side of the higher and of the lower voltage, negative reactance, charging
# of both signs, branches and generators out of service, two voltages without a ratio, an isolated
# bus, rows with and without semicolons, commas, comments, and a brace in a word.
ODD = """function mpc = odd
%ODD  it's a case that isn't published
mpc.version = '2';
mpc.baseMVA = 50;
mpc.bus = [ % Pd in MW
	10 3 0 0 0 0 1 1 3 110 1 1.1 0.9
	20 1 10 4 0.1 2 1 1 0 20 1 1.1 0.9   % no semicolon
	30, 2, 5, 1, 0, 0, 1, 1, 0, 20, 1, 1.1, 0.9
	40 1 -3 0.5 0 0 1 1 0 110 1 1.1 0.9; 50 1 4 1 0 0 1 1 0 0.4 1 1.1 .9
	60 4 4 1 0.5 0.5 1 1 0 20 1 1.1 .9
];
mpc.gen = [
	30 2 1 20 -20 1.01 50 0 30 0;
	30 2 1 20 -20 1.02 50 1 30 0;
	30 3 1 20 -20 1.03 50 1 30 0;
	10 2 1 20 -20 1.00 50 1 30 0;
	20 1.5 0.3 20 -20 1.00 50 1 30 0;
	60 1.5 0.3 20 -20 1.00 50 1 30 0;
];
mpc.branch = [
	10 20 0.01 0.1 0.02 40 0 0 0.97 10 1 -360 360;
	30 10 0.011 0.12 0.03 0 0 0 1.04 -20 1 -360 360;
	20 30 0.02 0.05 0.01 0 0 0 0 0 1 -360 360;
	20 30 0.02 0.05 0.01 0 0 0 1.01 5 1 -360 360;
	10 40 0.002 -0.03 -0.02 30 0 0 1 0 1 -360 360;
	40 20 0.01 0.1 0.02 40 0 0 0 0 1 -360 360;
	50 20 0.01 0.1 0.02 40 0 0 1 0 1 -360 360;
	50 20 0.01 0.1 0.02 40 0 0 0.9 0 0 -360 360;
	20 60 0.02 0.05 0.01 0 0 0 0 0 1 -360 360;
];
mpc.gencost = [
	2 0 0 3 .1 20 0; 2 0 0 3 .2 21 0; 2 0 0 3 .3 22 0
	2 0 0 3 .4 23 0; 2 0 0 3 .5 24 0; 2 0 0 3 .6 25 0
];
mpc.genfuel = {'coal'; 'w;i}nd'; 'it''s gas'; 'hydro'; 'x'; 'y'};
mpc.dcline = [10 20 1 3];
"""

OHMS = """function mpc = feeder
mpc.version = '2';
mpc.baseMVA = 10;
mpc.bus = [ %% (Pd and Qd are specified in kW & kVAr here, converted to MW & MVAr below)
	1 3 0 0 0 0 1 1 0 12.66 1 1 1;
	2 1 100 60 0 0 1 1 0 12.66 1 1.1 0.9;
];
mpc.gen = [1 0 0 10 -10 1 100 1 10 0];
mpc.branch = [1 2 0.0922 0.0470 0 0 0 0 0 0 1 -360 360];

%% convert branch impedances from Ohms to p.u.
[PQ, PV, REF, NONE, BUS_I, BUS_TYPE, PD, QD, GS, BS, BUS_AREA, VM, ...
    VA, BASE_KV, ZONE, VMAX, VMIN, LAM_P, LAM_Q, MU_VMAX, MU_VMIN] = idx_bus;
[F_BUS, T_BUS, BR_R, BR_X] = idx_brch;
Vbase = mpc.bus(1, BASE_KV) * 1e3;      %% in Volts
Sbase = mpc.baseMVA * 1e6;              %% in VA
mpc.branch(:, [BR_R BR_X]) = mpc.branch(:, [BR_R BR_X]) / (Vbase^2 / Sbase);
mpc.bus(:, [PD, QD]) = mpc.bus(:, [PD, QD]) / 1e3;
"""


def admittances(case: dict[str, Any]) -> np.ndarray:
    """Bus admittances in p.u., by the formulas of MATPOWER's manual, section 3.2 and 3.4."""
    row = {number: at for at, number in enumerate(case["bus"][:, 0])}
    isolated = case["bus"][case["bus"][:, 1] == 4, 0]
    ybus = np.diag((case["bus"][:, 4] + 1j * case["bus"][:, 5]) / case["baseMVA"])
    for first, second, r, x, b, _, _, _, ratio, angle, status, *_ in case["branch"]:
        if not status or first in isolated or second in isolated:
            continue
        f, t, y, tau = row[first], row[second], 1 / (r + 1j * x), ratio or 1.0
        tap = tau * np.exp(1j * np.radians(angle))
        ybus[f, f] += (y + 0.5j * b) / tau**2
        ybus[t, t] += y + 0.5j * b
        ybus[f, t] -= y / np.conj(tap)
        ybus[t, f] -= y / tap
    return ybus


def mismatch_mva(net: Any, case: dict[str, Any]) -> float:
    """How far voltages that pandapower finds are from the case's own balance at each bus [MVA]."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pandapower.runpp(net, calculate_voltage_angles=True, tolerance_mva=1e-10, numba=False)
    numbers = case["bus"][:, 0].astype(int)
    found = net.res_bus.loc[numbers]
    alive = found["vm_pu"].notna().to_numpy()
    volts = found["vm_pu"].to_numpy() * np.exp(1j * np.radians(found["va_degree"].to_numpy()))
    ybus = admittances(case)[np.ix_(alive, alive)]
    flows = volts[alive] * np.conj(ybus @ volts[alive]) * case["baseMVA"]
    given = np.zeros(len(numbers), complex)
    for kind, sign in (("load", -1), ("sgen", 1), ("gen", 1), ("ext_grid", 1)):
        for index, bus in net[kind]["bus"].items():
            power = net[f"res_{kind}"].loc[index, ["p_mw", "q_mvar"]].fillna(0.0)
            given[np.flatnonzero(numbers == bus)] += sign * (power["p_mw"] + 1j * power["q_mvar"])
    return float(np.abs(flows - given[alive]).max())


def write(folder: Path, text: str) -> Path:
    path = folder / "case.m"
    path.write_text(text)
    return path


def test_the_net_keeps_the_balance_of_the_case(tmp_path: Path) -> None:
    path = write(tmp_path, ODD)
    read = read_power_net(path)
    assert mismatch_mva(read.net, read_case(path)[0]) < 1e-8
    assert read.notes == (
        "isolated buses are out of service with all that stands at them: 60",
        "gen row 3 holds bus 30 at 1.03 p.u., and row 2 1.02 p.u.; as in MATPOWER the last row "
        "counts",
        "dcline is not used",
        "branches with rateA 0 have no limit; their loading_percent says nothing",
    )


def test_the_balance_would_show_charging_of_the_wrong_sign(tmp_path: Path) -> None:
    path = write(tmp_path, ODD)
    case, _ = read_case(path)
    case["branch"][0, 4] *= -1
    assert mismatch_mva(read_power_net(path).net, case) > 0.9  # 0.02 p.u. of 50 MVA


def test_buses_keep_numbers_and_generators_their_set_points(tmp_path: Path) -> None:
    net = read_power_net(write(tmp_path, ODD)).net
    assert net.bus.index.tolist() == [10, 20, 30, 40, 50, 60]
    assert net.bus["name"].tolist() == ["10", "20", "30", "40", "50", "60"]
    assert net.ext_grid[["bus", "va_degree"]].to_numpy().tolist() == [[10, 3]]
    holding = net.gen[net.gen["in_service"]]
    assert holding[["bus", "vm_pu"]].to_numpy().tolist() == [[30, 1.03]]
    assert net.sgen[net.sgen["in_service"]]["p_mw"].tolist() == [3, 3, 1.5]
    assert net.trafo["in_service"].tolist() == [True] * 5 + [False]
    dear = net.poly_cost.set_index(["et", "element"])["cp1_eur_per_mw"]
    assert dear["ext_grid", 0] == 23


def test_matlab_data_give_the_same_net(tmp_path: Path) -> None:
    case, _ = read_case(write(tmp_path, ODD))
    savemat(tmp_path / "odd.mat", {"mpc": {**case, "genfuel": np.array(case["genfuel"], object)}})
    found = read_power_net(tmp_path / "odd.mat")
    expected = read_power_net(tmp_path / "case.m")
    assert nets_equal(found.net, expected.net)
    assert found.notes == expected.notes


def test_what_pandapower_writes_is_read_as_it_was(tmp_path: Path) -> None:
    net = pandapower.networks.case9()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        to_mpc(net, str(tmp_path / "case9.mat"), init="flat")
        again = read_power_net(tmp_path / "case9.mat").net
        for each in (net, again):
            pandapower.runpp(each, tolerance_mva=1e-10, numba=False)
    for column in ("vm_pu", "va_degree"):
        np.testing.assert_allclose(again.res_bus[column], net.res_bus[column], rtol=0, atol=1e-9)


def test_ohms_and_kilowatts_are_converted_as_the_file_says(tmp_path: Path) -> None:
    read = read_power_net(write(tmp_path, OHMS))
    line = read.net.line.iloc[0]
    assert line[["r_ohm_per_km", "x_ohm_per_km"]].tolist() == pytest.approx([0.0922, 0.047])
    assert read.net.load[["p_mw", "q_mvar"]].to_numpy().tolist() == [[0.1, 0.06]]
    assert read.notes[0].startswith("branches are given in ohm and were divided by 16.0276 ohm")


def test_a_power_factor_splits_the_load(tmp_path: Path) -> None:
    tail = (
        "pf = 0.8;\nmpc.bus(:, QD) = mpc.bus(:, PD) * sin(acos(pf));\n"
        "mpc.bus(:, PD) = mpc.bus(:, PD) * pf;\n"
    )
    net = read_power_net(write(tmp_path, OHMS + tail)).net
    assert net.load[["p_mw", "q_mvar"]].to_numpy().tolist() == [pytest.approx([0.08, 0.06])]


def test_unknown_base_voltages_are_assumed_all_or_none(tmp_path: Path) -> None:
    read = read_power_net(write(tmp_path, OHMS.split("%% convert")[0].replace("12.66", "0")))
    assert "baseKV is 0 at every bus; 1 kV is assumed, so currents in kA say nothing" in read.notes
    with pytest.raises(InputError, match="bus 2: baseKV is 0 kV, expected more than 0 kV"):
        read_power_net(write(tmp_path, OHMS.replace("1 1 0 12.66 1 1.1", "1 1 0 0 1 1.1")))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("/ 1e3;\n", "/ 1e3;\nmpc.bus(2, PD) = rand;\n", "line 19: `mpc.bus(2, PD) = rand` compu"),
        ("mpc.bus(:, [PD", "run('x');\nmpc.bus(:, [PD", "line 18: `run('x')` computes something"),
        ("1 2 0.0922", "1 3 0.0922", "branch row 1: bus 3 does not exist"),
        ("0.0922 0.0470", "0 0", "branch row 1 (1 to 2): r and x are both 0"),
        ("2 1 100 60", "2 9 100 60", "bus 2: type is 9, expected 1, 2, 3 or 4"),
        ("2 1 100 60", "1 1 100 60", "bus 1 stands 2 times"),
        ("2 1 100 60", "2 1 NaN 60", "bus row 2: Pd is nan, expected a finite number"),
        ("2 1 100 60", "2 1 100 60 7", "line 6: 14 numbers, the first row has 13"),
        ("2 1 100 60", "2 1 1OO 60", "line 6: '1OO' is not a number"),
        ("mpc.gen = [1", "mpc.gn = [1", "mpc.gen is missing"),
        ("1 3 0 0 0 0", "1 1 0 0 0 0", "no bus is of type 3 (reference), and no bus of type 2 has"),
        (
            "[1 0 0 10",
            "[2 0 0 10",
            "reference bus 1 has no generator in service, and no bus of type 2 has one",
        ),
        ("'2'", "'1'", "version is 1, expected 2"),
        ("baseMVA = 10", "baseMVA = -10", "baseMVA is -10.0, expected more than 0 MVA"),
        ("[1 0 0 10 -10 1 100 1 10 0]", "[1 0]", "gen has 2 columns, expected at least 10"),
        ("function mpc", "function [baseMVA, bus, gen]", "expected a MATPOWER case of version 2"),
    ],
)
def test_a_fault_of_a_case_is_told_with_its_place(
    old: str, new: str, expected: str, tmp_path: Path
) -> None:
    assert old in OHMS
    with pytest.raises(InputError) as caught:
        read_power_net(write(tmp_path, OHMS.replace(old, new, 1)))
    assert expected in str(caught.value)


def test_a_mat_file_without_a_case_is_told(tmp_path):
    savemat(tmp_path / "other.mat", {"mpc": {"bus": np.eye(3)}, "x": np.eye(2)})
    with pytest.raises(InputError, match="holds no struct with bus, gen and branch, such as mpc"):
        read_mat(tmp_path / "other.mat")
