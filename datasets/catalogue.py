"""The measured data sets: what each consists of, where it comes from, under which terms."""

import csv
import functools
import urllib.parse
from dataclasses import dataclass
from importlib import resources

RAW_GITHUB = "https://raw.githubusercontent.com"


@dataclass(frozen=True)
class DataFile:
    """One file: its name, size [bytes], SHA-256, and address where one is known."""

    name: str
    size: int
    sha256: str
    url: str = ""


@dataclass(frozen=True)
class DataSource:
    """One data set.

    Attributes
    ----------
    name, title
        Short name, and one line that says what it is.
    folder
        Folder of its files below the data folder; data sets may share one.
    files
        What it consists of.
    origin, licence, doi
        Where it comes from, under which terms, and the identifier of its publication, if any.
    reader
        `module:function` that reads the folder; imported when it is needed.
    by_hand
        Where the files lie that carry no address.
    """

    name: str
    title: str
    folder: str
    files: tuple[DataFile, ...]
    origin: str
    licence: str
    reader: str
    doi: str = ""
    by_hand: str = ""


@functools.cache
def _rows() -> tuple[dict[str, str], ...]:
    """The table `files.csv`: what every data set consists of."""
    table = resources.files("tvilling.datasets").joinpath("files.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(table.splitlines()))


def _files(name: str, repository: str) -> tuple[DataFile, ...]:
    """Files of a data set; those whose path in the repository is known carry an address."""
    return tuple(
        DataFile(
            row["file"],
            int(row["bytes"]),
            row["sha256"],
            _address(repository, row["path_at_origin"]),
        )
        for row in _rows()
        if row["name"] == name
    )


def _address(repository: str, path: str) -> str:
    return f"{RAW_GITHUB}/{repository}/HEAD/{urllib.parse.quote(path)}" if path else ""


DENMARK = "madsh0402/Forecasting-energy-consumption-in-Denmark"
IBPSA = "ibpsa/modelica-ibpsa"
DESTEST = "ibpsa/project1-destest"
RELIFE = "ReLIFE-Project-EU/relife-data-structure"
READERS = "tvilling.datasets.readers.measured"
AALBORG_DOI = "10.1038/s41597-022-01502-3"
PIPES_DOI = "10.1016/j.enconman.2017.08.072"
ATTRIBUTION = "attribution required"

DATASETS: dict[str, DataSource] = {
    source.name: source
    for source in (
        DataSource(
            name="dk_prices",
            title="Day-ahead spot prices of Denmark, hourly, 2018 to 2022",
            folder="dk_power",
            files=_files("dk_prices", DENMARK),
            origin=f"Energi Data Service, through GitHub {DENMARK}",
            licence="MIT (of the repository)",
            reader=f"{READERS}.dk_power:read_prices",
        ),
        DataSource(
            name="dk_consumption",
            title="Electricity consumption of Denmark with weather, hourly, 2020 to 2022",
            folder="dk_power",
            files=_files("dk_consumption", DENMARK),
            origin=f"Energi Data Service and weather, through GitHub {DENMARK}",
            licence="MIT (of the repository)",
            reader=f"{READERS}.dk_power:read_consumption",
        ),
        DataSource(
            name="flensburg",
            title="Heat load of the district heating of Flensburg, hourly, 2014 to 2016",
            folder="flensburg",
            files=_files("flensburg", ""),
            origin="Zenodo record 2562658, through GitHub JulianGeis/forecasting_heatload",
            licence=f"{ATTRIBUTION}; to be checked before it is passed on",
            reader=f"{READERS}.flensburg:read",
            by_hand="Zenodo record 2562658 (load and outdoor temperature, joined by hour)",
        ),
        DataSource(
            name="aalborg",
            title="One smart heat meter of a house in Aalborg, hourly, 2018 to 2020",
            folder="aalborg",
            files=_files("aalborg", RELIFE),
            origin=f"Schaffer et al., Scientific Data 2022, through GitHub {RELIFE}",
            licence=ATTRIBUTION,
            reader=f"{READERS}.aalborg:read_meter",
            doi=AALBORG_DOI,
        ),
        DataSource(
            name="aalborg_context",
            title="Kind, year and energy label of the buildings of 3127 heat meters in Aalborg",
            folder="aalborg",
            files=_files("aalborg_context", RELIFE),
            origin=f"Schaffer et al., Scientific Data 2022, through GitHub {RELIFE}",
            licence=ATTRIBUTION,
            reader=f"{READERS}.aalborg:read_context",
            doi=AALBORG_DOI,
            by_hand=f"the data of doi {AALBORG_DOI}",
        ),
        DataSource(
            name="liege",
            title="Pipe bench of Liège: hot steps through 39 m of insulated pipe, seven tests",
            folder="pipe_ulg_ait",
            files=_files("liege", IBPSA),
            origin=f"van der Heijde et al. 2017, through GitHub {IBPSA}",
            licence="BSD-3-Clause",
            reader=f"{READERS}.liege:read",
            doi=PIPES_DOI,
        ),
        DataSource(
            name="ait",
            title="One week of a small Austrian district-heating network, 15 minutes",
            folder="pipe_ulg_ait",
            files=_files("ait", IBPSA),
            origin=f"van der Heijde et al. 2017, through GitHub {IBPSA}",
            licence="BSD-3-Clause",
            reader=f"{READERS}.ait:read",
            doi=PIPES_DOI,
        ),
        DataSource(
            name="destest",
            title="DESTEST common exercise for networks: input, and results of several simulators",
            folder="destest",
            files=_files("destest", DESTEST),
            origin=f"IBPSA Project 1, GitHub {DESTEST}",
            licence="BSD-3-Clause",
            reader=f"{READERS}.destest:read",
            by_hand=f"the folder Networks of GitHub {DESTEST}",
        ),
    )
}
