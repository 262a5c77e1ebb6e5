"""One entry for every kind of power-grid file: each becomes a checked pandapower net."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tvilling.datasets.readers.power_grid.shipped import SHIPPED, load_shipped, shipped_networks
from tvilling.datasets.readers.power_grid.simbench import is_simbench_code, load_simbench
from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    from pandapower import pandapowerNet

__all__ = ["PowerNet", "read_power_net", "shipped_networks"]

SIMBENCH = "simbench:"
KINDS = (
    "expected a pandapower .json, a MATPOWER .m or .mat, CIM CGMES as .zip, .xml or a folder of "
    "them, pandapower:NAME or a SimBench code such as 1-MV-urban--0-sw"
)
PICKLES = {".p", ".pkl", ".pickle"}
MATPOWER = {".m", ".mat"}
CIM = {".zip", ".xml", ".rdf"}


@dataclass(frozen=True)
class PowerNet:
    """A power grid as pandapower has it, ready for a power flow.

    Attributes
    ----------
    net
        The pandapower net. Its tables are checked: a power flow finds a number wherever it needs
        one, and every bus that an element names.
    source
        What was read: a file, a name or a code.
    notes
        What was repaired, assumed or left out, a sentence each, naming the elements.
    """

    net: "pandapowerNet"
    source: str
    notes: tuple[str, ...] = ()


def read_power_net(source: str | Path, slack: str | None = None) -> PowerNet:
    """The power grid that `source` names.

    Parameters
    ----------
    source
        A pandapower JSON file; a MATPOWER case (`.m`, `.mat`); CIM CGMES (`.zip`, `.xml`, or a
        folder of them); `pandapower:NAME` for a network that ships inside pandapower, such as
        `pandapower:create_cigre_network_mv?with_der=all` (`shipped_networks` lists them); a
        SimBench code such as `1-MV-urban--0-sw`, with or without `simbench:` before it.
    slack
        Name or index of the bus that is the reference, of a grid whose file has none.

    Raises
    ------
    InputError
        With every fault found: table, index, name, column, value, unit and allowed range.
    MissingExtraError
        A library for this kind of source is not installed.
    """
    text = str(source).strip()
    if not text:
        raise InputError("power grid", ["no file is named"])
    net, notes = _load(text, with_reference=slack is None)
    if slack is not None:
        notes = [*notes, *_with_slack(net, slack)]
    return _checked(net, text, notes, simbench=_is_simbench(text))


def _with_slack(net: "pandapowerNet", slack: str) -> list[str]:
    from tvilling.datasets.readers.power_grid.slack import add_slack

    return add_slack(net, slack)


def _is_simbench(text: str) -> bool:
    return text.startswith(SIMBENCH) or (is_simbench_code(text) and not Path(text).exists())


def _load(text: str, with_reference: bool) -> tuple["pandapowerNet", list[str]]:
    if text.startswith(SHIPPED):
        return load_shipped(text)
    if _is_simbench(text):
        return load_simbench(text), []
    path = Path(text)
    suffix = path.suffix.lower()
    if not path.exists():
        raise InputError(text, [f"no such file; {KINDS}"])
    if path.is_dir() or suffix in CIM:
        from tvilling.datasets.readers.cim.cgmes import load_cim

        return load_cim(path)
    if suffix == ".json":
        from tvilling.datasets.readers.pandapower.json_file import load_json

        return load_json(path)
    if suffix in MATPOWER:
        from tvilling.datasets.readers.matpower.case import load_matpower

        return load_matpower(path, with_reference)
    if suffix in PICKLES:
        raise InputError(
            text,
            ["is a pickle, which could run any program when read; save the net as .json instead"],
        )
    raise InputError(text, [f"ends in {suffix or 'nothing'}; {KINDS}"])


def _checked(net: "pandapowerNet", source: str, notes: list[str], simbench: bool) -> PowerNet:
    from tvilling.datasets.readers.power_grid import repairs
    from tvilling.datasets.readers.power_grid.checks import net_faults, slack_faults
    from tvilling.datasets.readers.power_grid.setpoints import setpoint_faults
    from tvilling.datasets.readers.power_grid.unused import unused_notes
    from tvilling.datasets.readers.power_grid.warnings import oddities

    notes = [*notes, *repairs.fill_shares(net)]
    if simbench:
        notes += repairs.type_taps(net)
    faults = net_faults(net)
    if not faults:
        dead = repairs.out_with_their_buses(net)
        notes += dead
        faults = ["; ".join([fault, *dead]) for fault in slack_faults(net)] + setpoint_faults(net)
    if faults:
        raise InputError(source, faults)
    notes += [*repairs.taps_left_out(net), *repairs.controllers_idle(net), *oddities(net)]
    notes += unused_notes(net)
    return PowerNet(net, source, tuple(notes))
