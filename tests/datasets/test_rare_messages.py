"""Messages of readers and ensembles that few users meet."""

from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest

from tvilling.datasets import Range, sobol
from tvilling.datasets.plausible import judged_outdoor
from tvilling.datasets.readers import read_power_net
from tvilling.sciml import InputError


@pytest.mark.parametrize("count", [0, 3, 1000])
def test_a_sobol_sequence_takes_a_power_of_two(count: int) -> None:
    with pytest.raises(InputError, match=f"count is {count}, expected a power of two"):
        sobol((Range("x", "W", 0.0, 1.0),), count, 0)


def test_an_outdoor_temperature_in_kelvin_is_told_by_its_median() -> None:
    time = pd.date_range("2026-01-01", periods=24 * 40, freq="h").to_numpy()
    kelvin = 275.0 + np.sin(np.arange(len(time)) / 24.0)
    with pytest.raises(InputError, match=r"is 27\d °C in the median, expected \d °C within 18 K"):
        judged_outdoor(kelvin, time)


def test_two_versions_of_cgmes_do_not_mix(tmp_path: Path) -> None:
    mixed = tmp_path / "grid.zip"
    spaces = ("http://iec.ch/TC57/2013/CIM-schema-cim16#", "http://iec.ch/TC57/CIM100#")
    with ZipFile(mixed, "w") as archive:
        for number, space in enumerate(spaces):
            rdf = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
            archive.writestr(
                f"{number}.xml", f'<rdf:RDF {rdf} xmlns:cim="{space}"><cim:A/></rdf:RDF>'
            )
    with pytest.raises(InputError, match=r"mixes files of CGMES 2\.4\.15 and 3\.0"):
        read_power_net(mixed)


@pytest.mark.parametrize(("cell", "said"), [("x1", "40 more such rows"), ("99", "faults")])
def test_what_is_too_much_to_list_is_counted(tmp_path: Path, cell: str, said: str) -> None:
    buses = "1 3 0 0 0 0 1 1 0 110 1 1.1 0.9;\n2 1 1 0 0 0 1 1 0 110 1 1.1 0.9;"
    count = 60 if cell == "x1" else 150
    rows = "\n".join(f"1 {cell} 0.01 0.1 0 9 9 9 0 0 1 -360 360;" for _ in range(count))
    case = tmp_path / "case.m"
    case.write_text(
        "function mpc = case\nmpc.version = '2';\nmpc.baseMVA = 100;\n"
        f"mpc.bus = [\n{buses}\n];\nmpc.gen = [\n1 0 0 9 -9 1 100 1 9 0;\n];\n"
        f"mpc.branch = [\n{rows}\n];\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError) as refused:
        read_power_net(case)
    assert said in refused.value.faults[-1], refused.value.faults[-1]
