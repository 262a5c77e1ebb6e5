"""SimBench grids by their code, such as `1-MV-urban--0-sw`.

S. Meinecke et al., SimBench - A Benchmark Dataset of Electric Power Systems to Compare Innovative
Solutions Based on Power Flow Analysis, Energies 13, 2020, doi 10.3390/en13123290.

The tables are those of `simbench.get_simbench_net`. Of the profiles only those in use are parsed,
and of the elements of all SimBench only those that the grid can hold are compared by name, which
takes a third of the time.
"""

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tvilling.datasets.readers.power_grid.labels import listening
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.extras import needs_extra

if TYPE_CHECKING:
    from pandapower import pandapowerNet

SIMBENCH = "simbench:"
CODE = re.compile(r"1-(complete_data|(?:EHV|HV|MV|LV){1,4})-[a-z]+\d?-[\w.]*-[012]-(no_)?sw")
TABLES = ("elements", "types", "cases")


def is_simbench_code(text: str) -> bool:
    """Whether `text` has the form of a SimBench code."""
    return CODE.fullmatch(text.removeprefix(SIMBENCH)) is not None


def load_simbench(source: str) -> "pandapowerNet":
    """The grid of a SimBench code, with `net.profiles` and `net.loadcases`.

    Raises
    ------
    InputError
        There is no such grid.
    MissingExtraError
        SimBench is not installed.
    """
    code = source.removeprefix(SIMBENCH)
    with listening(), needs_extra("grids"):
        import simbench
    if not is_simbench_code(code):
        example = "expected a code such as 1-MV-urban--0-sw"
        raise InputError(source, [f"{code!r} is not a SimBench code, {example}"])
    known = simbench.collect_all_simbench_codes()
    if code not in known:  # SimBench itself passes over parts of a code that it does not know
        kind = code.split("-")[1:3]
        near = ", ".join(each for each in known if each.split("-")[1:3] == kind)
        hint = f"known of its kind: {near}" if near else "it has none of this kind"
        raise InputError(source, [f"SimBench has no grid {code}; {hint}"])
    with listening():
        if "complete_data" not in code and "EHVHVMVLV" not in code:
            with suppress(KeyError, ValueError, IndexError):  # another version of SimBench
                return read_quickly(code)
        return simbench.get_simbench_net(code)


def read_quickly(code: str) -> "pandapowerNet":
    """What `simbench.get_simbench_net` gives for a code of one or two levels, in less time."""
    from simbench import csv_data2pp, csv_tablenames
    from simbench.networks import extract_simbench_grids_from_csv as extract

    _, parameters = extract.get_simbench_code_and_parameters(code)
    folder = Path(extract.complete_data_path(parameters[5]))
    subnets = extract.get_relevant_subnets(parameters, str(folder))
    tables = _element_tables(extract, folder, subnets)
    for name in csv_tablenames("profiles"):
        tables[name] = _profiles(folder, name, tables[name.removesuffix("Profile")]["profile"])
    extract.filter_loadcases(tables)
    net = csv_data2pp(tables)
    if not parameters[6]:
        extract.generate_no_sw_variant(net)
    return net


def _element_tables(
    extract: Any, folder: Path, subnets: tuple[Any, Any]
) -> dict[str, pd.DataFrame]:
    """Tables of elements, types and study cases, cut down to the grid."""
    from simbench import csv_tablenames, read_csv_data

    upper, lower = subnets
    names = {*([upper] if isinstance(upper, str) else upper), *lower}
    tables = {name: read_csv_data(str(folder), ";", name) for name in csv_tablenames(list(TABLES))}
    near = {name: _near(table, names) for name, table in tables.items()}
    switch, node = tables["Switch"][near["Switch"]], tables["Node"]
    near["Node"] |= node["id"].isin({*switch["nodeA"], *switch["nodeB"]}).to_numpy()
    near_tables = {name: table[near[name]].reset_index(drop=True) for name, table in tables.items()}
    return extract._get_extracted_csv_data_from_dict(near_tables, subnets)


def _near(table: pd.DataFrame, names: set[str]) -> np.ndarray:
    """Which rows to keep: those with a part of their subnet in `names`.

    The first two rows stay, since SimBench refers to them by number, and the first of a subnet in
    two parts, without which its columns would be fewer.
    """
    if table.empty or "subnet" not in table:
        return np.ones(len(table), bool)
    codes, subnets = pd.factorize(table["subnet"])
    parts = [str(subnet).split("_") for subnet in subnets]
    wanted = np.array([not names.isdisjoint(each) for each in parts], bool)
    paired = np.array([len(each) > 1 for each in parts], bool)
    keep = np.append(wanted, False)[codes]
    keep[:2] = True
    keep[np.argmax(np.append(paired, False)[codes])] = True
    return keep


def _profiles(folder: Path, name: str, used: pd.Series) -> pd.DataFrame:
    """The column `time` of a table of profiles, and those columns that an element names."""
    from simbench import read_csv_data

    wanted = set(used.dropna())
    if name == "LoadProfile":
        wanted = {f"{profile}_{power}load" for profile in wanted for power in "pq"}
    path = folder / f"{name}.csv"
    if not path.exists():
        return read_csv_data(str(folder), ";", name)[["time"]]
    return pd.read_csv(path, sep=";", usecols=lambda column: column in {"time", *wanted})
