"""Networks and heat profile of the DESTEST common exercise: tables as text and as a workbook."""

from pathlib import Path
from typing import Literal

import pandas as pd
import xarray as xr

from tvilling.datasets.labels import to_dataset
from tvilling.datasets.readers.measured.csv_file import count_missing, read_csv, read_rows
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.archives import check_archive
from tvilling.sciml.io.tables import Column

NODE_COLUMNS = (
    Column("Node", "", "name", kind="str", required=True),
    Column("X-Position [m]", "m", "position"),
    Column("Y-Position [m]", "m", "position"),
    Column("Peak power [kW]", "kW", "peak power that passes the node", low=0.0),
)
PIPE_COLUMNS = (
    Column("Beginning Node", "", "start, the end away from the source", kind="str", required=True),
    Column("Ending Node", "", "end", kind="str", required=True),
    Column("Length [m]", "m", "length", low=0.0),
    Column("Inner Diameter [m]", "m", "inner diameter", low=0.0),
    Column("Insulation Thickness [m]", "m", "insulation", low=0.0),
    Column("Peak Load [kW]", "kW", "peak load", low=0.0),
    Column("Total pressure loss [Pa/m]", "Pa/m", "pressure loss at peak load", low=0.0),
    Column("U-value [W/mK]", "W/(m K)", "as the source labels it", low=0.0),
)
PROFILE_COLUMNS = (
    Column("Elapsed time [sec]", "s", "time since the start", low=0.0),
    Column("Building heat demand [W]", "W", "heat demand of one building", low=0.0),
)
NODE_FIELDS = {
    "x_m": ("m", "position"),
    "y_m": ("m", "position"),
    "node_peak_w": ("W", "peak power that passes the node"),
}
PIPE_FIELDS = {
    "start": ("1", "node at the end away from the source"),
    "end": ("1", "node at the end towards the source"),
    "length_m": ("m", "length"),
    "inner_diameter_m": ("m", "inner diameter"),
    "insulation_thickness_m": ("m", "thickness of the insulation"),
    "peak_w": ("W", "peak load"),
    "pressure_loss_pa_per_m": ("Pa/m", "pressure loss at peak load"),
    "u_value_w_per_mk": ("W/(m K)", "number that the source labels U-value"),
}
TEXT_FILES = {
    "8": ("Node_data_8_buildings.csv", "Pipe_data_8_buildings.csv"),
    "16": ("Node data.csv", "Pipe_data.csv"),
    "32": ("Node_data_32_buildings.csv", "Pipe_data_32_buildings.csv"),
}
WORKBOOK = "Networks.xlsx"
SHEETS = {
    "8": ("8_Buildings_node_data", "Pipe_data_8_buildings"),
    "32": ("32_Buildings_node_data", "Pipe_data_32_buildings"),
}
NODE_SHEET_16 = "16_Buildings_node_data"
PROFILE_FILE = "heat_profile_1_building_SFH_Network_1.csv"
SOURCE_NODE = "i"

U_VALUE_DOUBT = (
    "The column is labelled U-value [W/mK] and holds 0.035 for every pipe, whatever its diameter "
    "and insulation. That is the size of a thermal conductivity of insulation foam in W/(m K), not "
    "of a loss per metre of pipe. The numbers stand here as the source has them."
)

Origin = Literal["text", "workbook"]


def read_network(folder: Path, variant: str = "16", origin: Origin = "text") -> xr.Dataset:
    """Nodes and pipes of one network of the exercise.

    Parameters
    ----------
    folder
        Folder with the files.
    variant
        Number of buildings: "8", "16" or "32".
    origin
        "text" reads the CSV files, "workbook" the sheets of `Networks.xlsx`, which hold no pipes
        of the network of 16 buildings.

    Returns
    -------
    xr.Dataset
        Over `node` (its name): `x_m`, `y_m`, `node_peak_w`. Over `pipe` (start and end joined by a
        hyphen): `start`, `end`, `length_m`, `inner_diameter_m`, `insulation_thickness_m`,
        `peak_w`, `pressure_loss_pa_per_m`, `u_value_w_per_mk` (see the attribute `doubts`). Blank
        cells are NaN, counted in `missing_values`. The source of heat is node `i`.

    Raises
    ------
    InputError
        Where the variant is not known, a file is damaged, or a pipe ends at no node.
    """
    faults = []
    if variant not in TEXT_FILES:
        faults += [f"variant is {variant!r}, expected one of {', '.join(TEXT_FILES)}"]
    if origin not in ("text", "workbook"):
        faults += [f"origin is {origin!r}, expected text or workbook"]
    if not faults and origin == "workbook" and variant not in SHEETS:
        faults += [f"{WORKBOOK} holds no pipes of variant {variant}; read it with origin text"]
    if faults:
        raise InputError("destest", faults)
    if origin == "text":
        node_file, pipe_file = TEXT_FILES[variant]
        nodes = read_csv(folder / node_file, NODE_COLUMNS, once="Node")
        pipes = read_csv(folder / pipe_file, PIPE_COLUMNS)
    else:
        node_file, pipe_file = SHEETS[variant]
        nodes = read_rows(_open_sheet(folder, node_file), NODE_COLUMNS, node_file)
        pipes = read_rows(_open_sheet(folder, pipe_file), PIPE_COLUMNS, pipe_file)
    _check_ends(nodes, pipes, pipe_file)
    return _label(nodes, pipes, variant)


def read_workbook_nodes(folder: Path) -> xr.Dataset:
    """Nodes of the network of 16 buildings in the workbook, which holds no pipes of it.

    Returns
    -------
    xr.Dataset
        Over `node`: `x_m`, `y_m`, `node_peak_w`, as in `read_network`.

    Raises
    ------
    InputError
        Where the workbook is damaged.
    """
    cells = _open_sheet(folder, NODE_SHEET_16)
    return _label_nodes(read_rows(cells, NODE_COLUMNS, NODE_SHEET_16))


def read_heat_profile(folder: Path) -> xr.Dataset:
    """Heat demand of one building every 10 minutes; every building of the exercise has the same.

    Returns
    -------
    xr.Dataset
        Over `time_s` [s]: `heat_w` [W].

    Raises
    ------
    InputError
        Where the file is damaged or its time does not rise.
    """
    table = read_csv(folder / PROFILE_FILE, PROFILE_COLUMNS, once="Elapsed time [sec]")
    missing_values = count_missing(table)
    if not table["Elapsed time [sec]"].is_monotonic_increasing:
        raise InputError(PROFILE_FILE, [f"{PROFILE_FILE}: the time falls, expected it to rise"])
    frame = table.set_index("Elapsed time [sec]").set_axis(["heat_w"], axis=1)
    data = to_dataset(frame, {"heat_w": ("W", "heat demand of one building")}, "time_s")
    data["time_s"].attrs = {"units": "s", "long_name": "time since the start"}
    data.attrs = {"missing_values": missing_values}
    return data


def _open_sheet(folder: Path, sheet: str) -> pd.DataFrame:
    """Cells of one sheet; formulas stand with the values that were saved with them."""
    path = folder / WORKBOOK
    try:
        check_archive(path)
        return pd.read_excel(path, sheet_name=sheet)
    except InputError as error:
        raise InputError(WORKBOOK, [f"{path}: {fault}" for fault in error.faults]) from error
    except Exception as error:  # a damaged archive raises whatever its parts raise
        raise InputError(WORKBOOK, [f"{path}: sheet {sheet} cannot be read ({error})"]) from error


def _check_ends(nodes: pd.DataFrame, pipes: pd.DataFrame, source: str) -> None:
    known = set(nodes["Node"])
    faults = [
        f"{source}, row {int(at) + 2}: {column} is {name!r}, which is no node"
        for column in ("Beginning Node", "Ending Node")
        for at, name in pipes[column].items()
        if name not in known
    ]
    if faults:
        raise InputError(source, faults)


def _label_nodes(nodes: pd.DataFrame) -> xr.Dataset:
    frame = nodes.set_index("Node").set_axis(list(NODE_FIELDS), axis=1)
    frame["node_peak_w"] *= 1e3
    data = to_dataset(frame, NODE_FIELDS, "node")
    data.attrs = {"missing_values": count_missing(nodes), "source_node": SOURCE_NODE}
    return data


def _label(nodes: pd.DataFrame, pipes: pd.DataFrame, variant: str) -> xr.Dataset:
    data = _label_nodes(nodes)
    frame = pipes.set_axis(list(PIPE_FIELDS), axis=1)
    frame["peak_w"] *= 1e3
    names = [f"{start}-{end}" for start, end in zip(frame["start"], frame["end"], strict=True)]
    frame.index = pd.Index(names)
    missing = data.attrs["missing_values"] + count_missing(pipes)
    data = data.merge(to_dataset(frame, PIPE_FIELDS, "pipe"))
    data.attrs |= {"missing_values": missing, "variant": variant, "doubts": U_VALUE_DOUBT}
    return data
