"""CIM CGMES through pandapower's converter: a zip, a folder or a file of XML.

A grid is spread over several files, one a profile: EQ (equipment), SSH (its state), TP (topology)
and, for the boundary and the voltages, EQBD, TPBD and SV. They are read together.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tvilling.datasets.readers.cim.files import version_of, xml_files
from tvilling.datasets.readers.cim.parts import (
    fill_base_voltages,
    fill_in_service,
    missing_parts,
)
from tvilling.datasets.readers.power_grid.labels import listening, told
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.extras import needs_extra

if TYPE_CHECKING:
    from pandapower import pandapowerNet


def load_cim(path: Path) -> tuple["pandapowerNet", list[str]]:
    """The grid in CGMES files of version 2.4.15 or 3.0, and what pandapower said about it.

    Raises
    ------
    InputError
        There is no CGMES in it, it is too large, declares entities, or pandapower cannot convert
        it.
    MissingExtraError
        lxml is not installed.
    """
    with listening(), needs_extra("grids"):
        from pandapower.converter.cim.cim2pp import from_cim
        from pandapower.converter.cim.cim_classes import CimParser
    with TemporaryDirectory(prefix="tvilling-cim-") as scratch:
        files = xml_files(path, Path(scratch))
        version = version_of(path, files)
        try:
            with listening() as heard:
                parser = CimParser(cgmes_version=version, ignore_errors=False)
                parser.parse_files([str(file) for file in files], prepare_cim_net=True)
                cim = parser.get_cim_dict()
                filled = fill_in_service(cim)
                parser.set_cim_data_types()
                faults = missing_parts(cim, set(parser.get_file_names()), version)
                if faults:
                    raise InputError(str(path), faults)
                filled += fill_base_voltages(cim)
                net = from_cim.from_cim_dict(
                    parser, create_tap_controller=False, ignore_errors=False
                )
        except InputError:
            raise
        except Exception as fault:  # the converter raises whatever its parts raise
            reason = f"{type(fault).__name__}: {' '.join(str(fault).split())}"
            advice = "expected the profiles EQ, SSH and TP together, in a zip or a folder"
            raise InputError(
                str(path), [f"pandapower cannot convert it ({reason}); {advice}"]
            ) from fault
    return net, [f"CIM CGMES {version}, converted by pandapower", *filled, *told(heard)]
