"""What every study of a grid leaves behind: results, broken limits, a summary."""

import json
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from tvilling.apps.grid.grid_input import GridInput

DEFAULT_OUT = Path("runs")
LIGHT = {"zlib": True, "complevel": 1, "shuffle": True}
SMALL_BYTES = 10_000_000  # below this, compressing takes no time


def run_name(file: str, study: str, digest: str, started: datetime) -> str:
    """Name of a run's folder: when, which grid, which study, of what."""
    stem = Path(file.partition("?")[0].rpartition(":")[2]).stem or "grid"
    return f"{started:%Y%m%dT%H%M%SZ}-{stem}-{study}-{digest}"


def write_data(data: "xr.Dataset", folder: Path) -> None:
    """`result.nc`; large ones as they are, since compressing them takes longer than the study."""
    packed = LIGHT if data.nbytes < SMALL_BYTES else {}
    names = [name for name, one in data.data_vars.items() if one.size]
    data.to_netcdf(folder / "result.nc", engine="h5netcdf", encoding=dict.fromkeys(names, packed))


def write_violations(table: "pd.DataFrame", folder: Path) -> None:
    """`violations.csv`."""
    table.to_csv(folder / "violations.csv", index=False)


def write_summary(summary: dict[str, Any], folder: Path) -> None:
    """`summary.json`."""
    text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / "summary.json").write_text(text + "\n", encoding="utf-8")


def plain(options: dict[str, Any]) -> dict[str, Any]:
    """Options as JSON has them: paths as text."""
    found: dict[str, Any] = json.loads(json.dumps(options, default=str))
    return found


def result_attrs(opened: "GridInput", asked: dict[str, Any]) -> dict[str, str]:
    """Attributes by which `result.nc` tells what it is of."""
    return {"grid_digest": opened.digest, "options": json.dumps(asked)}


def provenance(opened: "GridInput", asked: dict[str, Any]) -> dict[str, Any]:
    """Where a summary comes from."""
    dark = opened.without_supply
    return {
        **({"without_supply": dark} if dark else {}),
        "source": opened.power_net.source,
        "grid_digest": opened.digest,
        "tvilling_version": version("tvilling"),
        "options": asked,
        "buses": len(opened.grid.buses.bus),
        "assumptions": opened.assumptions,
    }
