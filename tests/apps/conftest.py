from dataclasses import replace
from pathlib import Path

import pytest
import yaml

CASE = {
    "title": "A ring main <&>",
    "system": "heat_network",
    "network": {"source": "ring", "min_dp_bar": 0.3},
    "demand": {"kind": "stock", "seed": 4, "total_mwh": 700},
    "weather": {"source": "synthetic"},
    "horizon": {"start": "2021-02-08T00:00", "hours": 3, "step_min": 15},
    "controllers": {
        "curve": {"kind": "heating_curve", "supply_cold_degc": 85, "supply_warm_degc": 65},
        "constant": {"kind": "hold", "supply_degc": 80},
    },
}


@pytest.fixture(scope="session")
def case_file(tmp_path_factory) -> Path:
    """A case of three hours beside the tables of a small looped network with coordinates."""
    from tvilling.datasets.readers.heat.tables import write_heat_tables
    from tvilling.sciml.systems.heat_network.example import looped_tables

    folder = tmp_path_factory.mktemp("case")
    tables = looped_tables().checked()
    spots = {"plant": (10.0, 55.0), "a": (10.003, 55.0), "b": (10.005, 55.001),
             "c": (10.005, 54.999), "d": (10.0064, 54.9985)}  # fmt: skip
    at = [spots[name.rsplit("_", 1)[0]] for name in tables.junctions["name"]]
    junctions = tables.junctions.assign(x=[x for x, _ in at], y=[y for _, y in at])
    write_heat_tables(replace(tables, junctions=junctions), folder / "ring")
    (folder / "ring.yaml").write_text(yaml.safe_dump(CASE, sort_keys=False), encoding="utf-8")
    return folder / "ring.yaml"
