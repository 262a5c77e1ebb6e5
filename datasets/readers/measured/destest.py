"""The DESTEST common exercise for networks: what several simulators found, part by part.

CE_0 is one steady state of the network of 16 buildings, CE_1 a week of it. The headers of the
tools differ in spelling, so columns are taken by position after each header has been checked to
mean what stands at its place.
"""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from tvilling.datasets.readers.measured.csv_file import count_missing, open_csv, read_csv, read_rows
from tvilling.datasets.readers.measured.destest_network import (
    Origin,
    read_heat_profile,
    read_network,
    read_workbook_nodes,
)
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.units import ZERO_DEGC_K
from tvilling.sciml.io.files import read_text
from tvilling.sciml.io.tables import Column

NODES = ("i", "h", "g", "f", "e", "SimpleDistrict_1")
CE0_TOOLS = (
    "Modelica_Buildings_AAU_Alessandro",
    "Modelica_Buildings_AAU_JL",
    "Modelica_Buildings_AAU_Martin",
    "SIM_VICUS",
    "TRNSYS_TUD_2021",
    "TRNSYS_TUD_2022",
)
CE1_TOOLS = (
    "AixLib_Plug_Flow",
    "Buildings_Library_Dynamic_Pipe",
    "DIMOSIM_Dynamic_Pipe",
    "IBPSA_Library_Plug_Flow",
)
FLOW, DROP, TEMPERATURE, HEAT, TIME = "kg/h", "Pa", "degC", "W", "s"

# Unit and pattern of each column, in order; the pattern is matched on the bare lower-case letters
# and digits of the header, without what stands in brackets.
CE0_COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("time_s", TIME, r"(elapsed)?time"),
    ("flow_kg_per_h", FLOW, r"massflow.*"),
    ("supply_drop_i_e_pa", DROP, r"pressuredropsupply(between)?i(and)?e"),
    ("return_drop_a_i_pa", DROP, r"pressuredropreturn(between)?a(and)?i"),
    ("return_drop_i_h_pa", DROP, r"pressuredropreturn(between)?i(and)?h"),
    *(
        (f"{side}_{node}_degc", TEMPERATURE, rf"fluidtemp\w*{side}{node.lower().replace('_', '')}")
        for side in ("supply", "return")
        for node in NODES
    ),
    ("supply_loss_i_h_w", HEAT, r"heatloss(es)?supply(between)?i(and)?[he]"),
    ("source_heat_w", HEAT, r"totalheat(load)?(supplied|loss).*"),
)
CE1_COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("time_s", TIME, r"datetime"),
    ("injected_w", HEAT, r"qheatinjectionw"),
    ("loss_w", HEAT, r"qheatlossesw"),
    ("critical_degc", "K", r"criticaltempk"),
    ("critical_drop_pa", DROP, r"criticalpressdroppa"),
)
SPELLINGS = {"kg_h": FLOW, "C": TEMPERATURE, "sec": TIME, "s": TIME}

ALESSANDRO = "Modelica_Buildings_AAU_Alessandro_Network_1.csv"
ALESSANDRO_PIPE = "Network_CE1_heatLoss[end].plugFlowPipe_ret24"
ALESSANDRO_COLUMNS = {
    "time_s": ("Time|s", "s", "time since the start"),
    "supply_degc": ("Simple_District_1.supTemp.T|degC", "degC", "supply at SimpleDistrict_1"),
    "return_degc": ("Simple_District_1.retTemp.T|degC", "degC", "return of SimpleDistrict_1"),
    "return_i_degc": ("senTem_ret_i.T|degC", "degC", "return at node i"),
    "flow_kg_per_s": (
        "Simple_District_1.plugFlowPipe1.port_a.m_flow|kg/s",
        "kg/s",
        "mass flow of SimpleDistrict_1",
    ),
    "heat_w": ("Simple_District_1.Q_flow_positive.y", "W", "heat demand of SimpleDistrict_1"),
    "return_pipe_loss_w": (f"{ALESSANDRO_PIPE}.heatPort.Q_flow*(-1)", "W", "loss of pipe ret24"),
    "ground_heat_w": ("fixedTemperature1.port.Q_flow|W", "W", "heat into the fixed temperature"),
    "exchanger_drop_pa": ("Simple_District_1.hea.dp|Pa", "Pa", "pressure drop of the exchanger"),
    "return_pipe_drop_pa": (f"{ALESSANDRO_PIPE}.cor.res.dp*(-1)", "Pa", "drop of pipe ret24"),
}

CE0_DOUBTS = (
    "TRNSYS_TUD_2021 gives the heat loss as 0.446, a thousandth of the others: probably kW, left "
    "as it is. Modelica_Buildings_AAU_Martin labels the heat loss i-e and the source's heat as a "
    "loss; its numbers agree with the others' i-h and heat supplied. The two files of "
    "Modelica_Buildings_AAU (Alessandro, JL) name no units; those of the exercise are taken."
)
CE1_DOUBTS = (
    "The first rows hold the tools' start states. The sign and meaning of the critical pressure "
    "drop differ between tools, and which node is critical is not said. DIMOSIM injects a fifth "
    "less heat than the others. The week of Modelica_Buildings_AAU_Alessandro has other columns "
    "(part ce1_alessandro)."
)
ALESSANDRO_DOUBTS = (
    "Of one building and one pipe, with a supply near 70 degC where the other tools run at 50. "
    "Heat injected by the source, critical temperature and critical pressure drop of the exercise "
    "are not in the file. ground_heat_w is probably the heat loss of the whole network; the file "
    "does not say so. heat_w, return_pipe_loss_w and return_pipe_drop_pa carry no unit in the "
    "header: heat_w equals the heat profile in W, the other two are taken in SI."
)


def read(
    folder: Path, part: str = "network", variant: str = "16", origin: Origin = "text"
) -> xr.Dataset:
    """One part of the exercise.

    Parameters
    ----------
    folder
        Folder with the files.
    part
        "network", "workbook_nodes", "heat_profile", "ce0_results", "ce1_results" or
        "ce1_alessandro".
    variant, origin
        Of part "network": see `read_network`.

    Raises
    ------
    InputError
        Where an argument is not known or a file is damaged.
    """
    if part == "network":
        return read_network(folder, variant, origin)
    if part not in PARTS:
        known = ", ".join(("network", *PARTS))
        raise InputError("destest", [f"part is {part!r}, expected one of {known}"])
    return PARTS[part](folder)


def read_ce0_results(folder: Path) -> xr.Dataset:
    """CE_0, the steady state, by six tools.

    Returns
    -------
    xr.Dataset
        Over (`tool`, `time_s`): `flow_kg_per_h`, `supply_drop_i_e_pa`, `return_drop_a_i_pa`,
        `return_drop_i_h_pa`, `supply_loss_i_h_w`, `source_heat_w`; over (`tool`, `time_s`,
        `node`): `supply_degc`, `return_degc`. What is uncertain stands in `doubts`.

    Raises
    ------
    InputError
        With the faults of all files: a header that means something else, a cell that is not a
        number, times that differ between tools.
    """
    data = _read_tools(folder, CE0_TOOLS, 0, CE0_COLUMNS)
    for side in ("supply", "return"):
        names = [f"{side}_{node}_degc" for node in NODES]
        stacked = xr.concat([data[name] for name in names], dim="node").drop_attrs()
        stacked = stacked.assign_coords(node=list(NODES)).transpose("tool", "time_s", "node")
        data = data.drop_vars(names)
        data[f"{side}_degc"] = stacked.assign_attrs(units=TEMPERATURE)
    data.attrs |= _read_parameters(folder, 0) | {"doubts": CE0_DOUBTS}
    return data


def read_ce1_results(folder: Path) -> xr.Dataset:
    """CE_1, a week at 15 minutes, by four tools.

    Returns
    -------
    xr.Dataset
        Over (`tool`, `time_s`): `injected_w`, `loss_w`, `critical_degc`, `critical_drop_pa`. What
        is uncertain stands in `doubts`.

    Raises
    ------
    InputError
        As `read_ce0_results`.
    """
    data = _read_tools(folder, CE1_TOOLS, 1, CE1_COLUMNS)
    data["critical_degc"] = (data["critical_degc"] - ZERO_DEGC_K).assign_attrs(units=TEMPERATURE)
    data.attrs |= _read_parameters(folder, 1) | {"doubts": CE1_DOUBTS}
    return data


def read_ce1_alessandro(folder: Path) -> xr.Dataset:
    """CE_1 by one tool whose file holds one building and one pipe instead of the whole network.

    Returns
    -------
    xr.Dataset
        Over `time_s` [s]: the variables of `ALESSANDRO_COLUMNS`. What is uncertain stands in
        `doubts`.

    Raises
    ------
    InputError
        Where the file is damaged.
    """
    columns = tuple(Column(head, unit, text) for head, unit, text in ALESSANDRO_COLUMNS.values())
    table = read_csv(folder / ALESSANDRO, columns, once="Time|s")
    missing = count_missing(table)
    table.columns = pd.Index(ALESSANDRO_COLUMNS)
    data = xr.Dataset(
        {
            name: ("time_s", table[name].to_numpy(), {"units": unit, "long_name": text})
            for name, (_, unit, text) in ALESSANDRO_COLUMNS.items()
        },
    ).set_coords("time_s")
    data.attrs = {"missing_values": missing, "doubts": ALESSANDRO_DOUBTS}
    return data


PARTS: dict[str, Callable[[Path], xr.Dataset]] = {
    "workbook_nodes": read_workbook_nodes,
    "heat_profile": read_heat_profile,
    "ce0_results": read_ce0_results,
    "ce1_results": read_ce1_results,
    "ce1_alessandro": read_ce1_alessandro,
}


def _read_tools(
    folder: Path, tools: tuple[str, ...], exercise: int, columns: tuple[tuple[str, str, str], ...]
) -> xr.Dataset:
    """The files of all tools over (`tool`, `time_s`), or the faults of all of them."""
    tables: dict[str, pd.DataFrame] = {}
    faults: list[str] = []
    for tool in tools:
        try:
            path = folder / f"{tool}_Network_{exercise}.csv"
            tables[tool] = _read_by_position(path, columns)
        except InputError as error:
            faults += error.faults
    faults += _check_times(tables)
    if faults:
        raise InputError(f"destest CE_{exercise}", faults)
    cells = np.stack([table.to_numpy(float) for table in tables.values()])
    variables = {
        name: (("tool", "time_s"), cells[..., at], {"units": unit})
        for at, (name, unit, _) in enumerate(columns)
        if at > 0
    }
    time = ("time_s", cells[0, :, 0], {"units": TIME, "long_name": "time since the start"})
    missing = int(np.isnan(cells).sum())
    coords = {"tool": list(tables), "time_s": time}
    return xr.Dataset(variables, coords=coords, attrs={"missing_values": missing})


def _read_by_position(path: Path, columns: tuple[tuple[str, str, str], ...]) -> pd.DataFrame:
    cells = open_csv(path, ())  # with commas between the cells, where a decimal sign is a point
    if len(cells.columns) != len(columns):
        fault = f"{path.name}: {len(cells.columns)} columns, expected {len(columns)}"
        raise InputError(path.name, [fault])
    faults = [
        f"{path.name}: column {at} is {header!r}, expected {name} [{unit}]"
        for at, (header, (name, unit, pattern)) in enumerate(
            zip(cells.columns, columns, strict=True), start=1
        )
        if not _means(header, unit, pattern)
    ]
    if faults:
        raise InputError(path.name, faults)
    cells.columns = pd.Index([name for name, _, _ in columns])
    typed = tuple(Column(name, unit, "") for name, unit, _ in columns)
    return read_rows(cells, typed, path.name)


def _means(header: str, unit: str, pattern: str) -> bool:
    """Whether a header says what its place demands: same words, and the same unit if it has one."""
    words, _, bracket = header.partition("[")
    found = bracket.rstrip(" ]")
    bare = re.sub(r"[^a-z0-9]", "", words.lower())
    return bool(re.fullmatch(pattern, bare)) and SPELLINGS.get(found, found) in ("", unit)


def _check_times(tables: dict[str, pd.DataFrame]) -> list[str]:
    times = {tool: table["time_s"].to_numpy() for tool, table in tables.items()}
    first = next(iter(times.values()), np.array([]))
    return [
        f"{tool}: {len(time)} times to {time[-1]:g} s, others have {len(first)} to {first[-1]:g} s"
        for tool, time in times.items()
        if not np.array_equal(time, first)
    ]


def _read_parameters(folder: Path, exercise: int) -> dict[str, str]:
    """Start and step that the exercise's parameter file states."""
    path = folder / f"parameters_DESTEST_Network_{exercise}.txt"
    wanted = {"start date time": "start_time", "sampling time interval [sec]": "step_s"}
    lines = read_text(path).splitlines()
    found = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    missing = [name for name in wanted if name not in found]
    if missing:
        raise InputError(path.name, [f"{path.name}: no line {name!r}" for name in missing])
    return {ours: found[name].strip() for name, ours in wanted.items()}
