"""What a pandapipes net states and nothing here reads: one note a table."""

import pandas as pd

from tvilling.datasets.readers.heat.pandapipes_reading import Reading

LABELS = {"name", "type", "in_service", "std_type", "geo", "index"}
BRANCH = {"from_junction", "to_junction"}
PUMP = {"return_junction", "flow_junction", "p_flow_bar", "t_flow_k"}
READ: dict[str, set[str]] = {
    "junction": {"height_m", "tfluid_k", "pn_bar"},
    "pipe": {*BRANCH, "length_km", "inner_diameter_mm", "outer_diameter_mm", "k_mm", "text_k",
             "loss_coefficient", "u_w_per_m2k", "sections", "qext_w"},
    "valve": {"junction", "element", "et", "inner_diameter_mm", "opened", "loss_coefficient"},
    "pump": BRANCH,
    "heat_exchanger": {*BRANCH, "inner_diameter_mm", "qext_w", "loss_coefficient"},
    "heat_consumer": {*BRANCH, "qext_w", "controlled_mdot_kg_per_s", "deltat_k", "treturn_k"},
    "flow_control": {*BRANCH, "controlled_mdot_kg_per_s", "control_active"},
    "circ_pump_pressure": {*PUMP, "plift_bar"},
    "circ_pump_mass": {*PUMP, "mdot_flow_kg_per_s"},
    "ext_grid": {"junction", "p_bar", "t_k"},
    "sink": {"junction", "mdot_kg_per_s", "scaling"},
    "source": {"junction", "mdot_kg_per_s", "scaling"},
}  # fmt: skip
READ_OPTIONS = {"ambient_temperature"}


def note_unused(reading: Reading) -> None:
    """A note a table on columns with values that nothing reads, and one on the options."""
    for table, known in READ.items():
        rows = reading.net.get(table)
        if not isinstance(rows, pd.DataFrame) or not len(rows):
            continue
        unused = [
            str(column)
            for column in rows.columns
            if column not in known | LABELS and rows[column].notna().any()
        ]
        if unused:
            columns = "column" if len(unused) == 1 else "columns"
            reading.notes.append(f"{table}: not used: {columns} {', '.join(unused)}")
    options = reading.net.get("user_pf_options") or {}
    unused = [f"{name}={value!r}" for name, value in options.items() if name not in READ_OPTIONS]
    if unused:
        reading.notes.append(
            f"the net's own options are not used: {', '.join(unused)}; how a network is solved is "
            "set by the case or by the options of build"
        )
