"""One function a kind of element: rows of pandapipes tables become rows of ours."""

import numpy as np
import pandas as pd

from tvilling.datasets.readers.heat.pandapipes_reading import Reading, number, unique_names, whole
from tvilling.sciml.core.units import ZERO_DEGC_K


def _branches(reading: Reading, kind: str, ends: tuple[str, str]) -> tuple[pd.DataFrame, dict]:
    """Rows in service of a kind of branch, and its name and ends for our table."""
    rows = reading.rows(kind, ends)
    if not len(rows):
        return rows, {}
    columns = {
        "name": unique_names(rows, kind),
        "from_junction": [reading.end(index) for index in rows[ends[0]]],
        "to_junction": [reading.end(index) for index in rows[ends[1]]],
    }
    return rows, columns


def read_junctions(reading: Reading) -> pd.DataFrame:
    """Junctions in service, then one for each pipe end that has a valve of its own."""
    every = reading.net.get("junction")
    if not isinstance(every, pd.DataFrame) or not len(every):
        return pd.DataFrame()
    names = dict(zip(every.index, unique_names(every, "junction"), strict=True))
    rows = reading.rows("junction")
    reading.junctions = {index: names[index] for index in rows.index}
    reading.dead = {index: name for index, name in names.items() if index not in rows.index}
    height_m = number(rows, "height_m", 0.0)
    table = pd.DataFrame(
        {"name": list(reading.junctions.values()), "elevation_m": height_m.to_numpy()}
    )
    at_pipe = _valves_at_pipes(reading)
    for at, (junction, pipe) in enumerate(
        zip(at_pipe["junction"], at_pipe["element"], strict=True)
    ):
        key = whole(junction), whole(pipe)
        if key not in reading.valve_ends and junction in height_m.index:
            name = f"{reading.junctions[junction]} at {unique_names(at_pipe, 'valve')[at]}"
            reading.valve_ends[key] = name
            table.loc[len(table)] = [name, height_m[junction]]
    return table


def _valves_at_pipes(reading: Reading) -> pd.DataFrame:
    valves = reading.net.get("valve")
    if not isinstance(valves, pd.DataFrame) or not {"et", "junction", "element"} <= {*valves}:
        return pd.DataFrame(columns=["junction", "element"])
    return valves[valves["et"] == "pi"]


def read_valves(reading: Reading) -> pd.DataFrame:
    """Valves between two junctions, or between a junction and the end of a pipe there."""
    rows = reading.rows("valve", ("junction",))
    if not len(rows):
        return pd.DataFrame()
    names = unique_names(rows, "valve")
    ends: list[str | None] = []
    for name, kind, junction, element in zip(
        names, rows["et"], rows["junction"], rows["element"], strict=True
    ):
        if kind not in ("ju", "pi"):
            reading.faults.append(f"valve {name}: et is {kind!r}, expected ju or pi")
        if kind == "ju" and element in reading.dead:
            reading.notes.append(f"valve {name} leads to a junction out of service, left out")
            ends.append(None)
        elif kind == "pi":
            key = whole(junction), whole(element)
            ends.append(reading.valve_ends.get(key, f"pipe {element}"))
        else:
            ends.append(reading.end(element))
    table = pd.DataFrame(
        {
            "name": names,
            "from_junction": [reading.end(index) for index in rows["junction"]],
            "to_junction": ends,
            "inner_diameter_m": number(rows, "inner_diameter_mm").to_numpy() / 1000,
            "zeta": number(rows, "loss_coefficient", 0.0).to_numpy(),
            "is_open": rows["opened"].astype(bool).to_numpy(),
        }
    )
    table = table[table["to_junction"].notna()].reset_index(drop=True)
    reading.joined = list(zip(table["from_junction"], table["to_junction"], strict=True))
    return table


def read_pipes(reading: Reading) -> pd.DataFrame:
    """Pipes; the loss coefficient in W/(m2 K) of the outer surface becomes one per metre."""
    rows, columns = _branches(reading, "pipe", ("from_junction", "to_junction"))
    if not len(rows):
        return pd.DataFrame()
    reading.pipes = dict(zip(rows.index, columns["name"], strict=True))
    for end in ("from_junction", "to_junction"):
        columns[end] = [
            reading.valve_ends.get((whole(junction), pipe), name)
            for pipe, junction, name in zip(rows.index, rows[end], columns[end], strict=True)
        ]
    inner_m = number(rows, "inner_diameter_mm") / 1000
    outer_m = (number(rows, "outer_diameter_mm") / 1000).fillna(inner_m)
    _tell_pipe_columns(reading, rows)
    return pd.DataFrame(
        {
            **columns,
            "length_m": number(rows, "length_km").to_numpy() * 1000,
            "inner_diameter_m": inner_m.to_numpy(),
            "roughness_m": number(rows, "k_mm").to_numpy() / 1000,
            "zeta": number(rows, "loss_coefficient", 0.0).to_numpy(),
            "loss_w_per_mk": (number(rows, "u_w_per_m2k", 0.0) * np.pi * outer_m).to_numpy(),
            "ground_degc": _ground_degc(reading, rows).to_numpy(),
        }
    )


def _ground_degc(reading: Reading, rows: pd.DataFrame) -> pd.Series:
    """Ambient temperature of each pipe; blank ones take that of the net's own options, if any."""
    options = reading.net.get("user_pf_options") or {}
    default_k = options.get("ambient_temperature", np.nan)
    ambient_k = number(rows, "text_k", default_k)
    if ambient_k.isna().any():
        reading.notes.append(
            f"{int(ambient_k.isna().sum())} pipes have no text_k; they take the ground temperature "
            "of the case (pandapipes itself would take 20 °C)"
        )
    return ambient_k - ZERO_DEGC_K


def _tell_pipe_columns(reading: Reading, rows: pd.DataFrame) -> None:
    if (number(rows, "sections", 1) > 1).any():
        reading.notes.append("pipe.sections is not used; cells per pipe are an option of build")
        if (number(rows, "loss_coefficient", 0.0)[number(rows, "sections", 1) > 1] != 0).any():
            reading.notes.append(
                "pipe.loss_coefficient counts once a pipe (in pandapipes 0.16 once a section)"
            )
    if (number(rows, "qext_w", 0.0) != 0).any():
        reading.notes.append("pipe.qext_w is not used (nor by pandapipes 0.16)")


def read_consumers(reading: Reading) -> pd.DataFrame:
    """Heat consumers in all five modes, and flow controls as consumers that take no heat."""
    rows, columns = _branches(reading, "heat_consumer", ("from_junction", "to_junction"))
    parts = []
    if len(rows):
        parts.append(
            pd.DataFrame(
                {
                    **columns,
                    "heat_w": number(rows, "qext_w").to_numpy(),
                    "return_degc": number(rows, "treturn_k").to_numpy() - ZERO_DEGC_K,
                    "cooling_k": number(rows, "deltat_k").to_numpy(),
                    "flow_kg_per_s": number(rows, "controlled_mdot_kg_per_s").to_numpy(),
                }
            )
        )
    rows, columns = _branches(reading, "flow_control", ("from_junction", "to_junction"))
    if len(rows):
        if "control_active" in rows and not rows["control_active"].astype(bool).all():
            reading.faults.append("flow_control: one that is not active is not supported")
        flow = number(rows, "controlled_mdot_kg_per_s").to_numpy()
        parts.append(pd.DataFrame({**columns, "heat_w": 0.0, "flow_kg_per_s": flow}))
        reading.notes.append(
            f"flow_control is read as a consumer without heat: {', '.join(columns['name'])}"
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def read_exchangers(reading: Reading) -> pd.DataFrame:
    """Heat exchangers in the line; `qext_w` is taken out of the water."""
    rows, columns = _branches(reading, "heat_exchanger", ("from_junction", "to_junction"))
    if not len(rows):
        return pd.DataFrame()
    return pd.DataFrame(
        {
            **columns,
            "inner_diameter_m": number(rows, "inner_diameter_mm").to_numpy() / 1000,
            "zeta": number(rows, "loss_coefficient", 0.0).to_numpy(),
            "heat_w": number(rows, "qext_w", 0.0).to_numpy(),
        }
    )


def read_pumps(reading: Reading) -> pd.DataFrame:
    """Booster pumps: the regression polynomial of their standard type, in bar over m3/h.

    pandapipes takes the flow at the density of 0 °C and cuts a negative lift, and that of a
    reversed flow, off at zero.
    """
    rows, columns = _branches(reading, "pump", ("from_junction", "to_junction"))
    if not len(rows):
        return pd.DataFrame()
    types = (reading.net.get("std_types") or {}).get("pump", {})
    lifts = []
    for name, std_type in zip(columns["name"], rows["std_type"], strict=True):
        powers = getattr(types.get(std_type), "reg_par", None)
        rising = [] if powers is None else list(np.asarray(powers, dtype=float)[::-1])
        if powers is None or len(rising) > 3:
            what = "is not in the net" if std_type not in types else "has no polynomial"
            what = what if powers is None else "has a degree above 2"
            reading.faults.append(f"pump {name}: standard type {std_type} {what}")
            rising = [0.0]
        lifts.append([*rising, 0.0, 0.0][:3])
    fields = ("lift0_bar", "lift1_bar_h_per_m3", "lift2_bar_h2_per_m6")
    return pd.DataFrame({**columns, **dict(zip(fields, np.array(lifts).T, strict=True))})


def read_sources(reading: Reading) -> pd.DataFrame:
    """Circulation pumps, and external grids as sources of an open network."""
    parts = []
    for kind, drive in (
        ("circ_pump_pressure", {"lift_bar": "plift_bar"}),
        ("circ_pump_mass", {"flow_kg_per_s": "mdot_flow_kg_per_s"}),
    ):
        rows, columns = _branches(reading, kind, ("return_junction", "flow_junction"))
        if not len(rows):
            continue
        parts.append(
            pd.DataFrame(
                {
                    "name": columns["name"],
                    "supply_junction": columns["to_junction"],
                    "return_junction": columns["from_junction"],
                    **_set_points(reading, kind, rows, ("p_flow_bar", "t_flow_k")),
                    **{ours: number(rows, theirs).to_numpy() for ours, theirs in drive.items()},
                }
            )
        )
    rows = reading.rows("ext_grid", ("junction",))
    if len(rows):
        parts.append(
            pd.DataFrame(
                {
                    "name": unique_names(rows, "ext_grid"),
                    "supply_junction": [reading.end(index) for index in rows["junction"]],
                    "return_junction": "",
                    **_set_points(reading, "ext_grid", rows, ("p_bar", "t_k")),
                }
            )
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _set_points(
    reading: Reading, kind: str, rows: pd.DataFrame, columns: tuple[str, str]
) -> dict[str, np.ndarray]:
    """Pressure and temperature that each source holds, by its `type`; NaN where it holds none.

    One without a return has to hold a pressure. The water of one that holds no temperature has
    that at which its junction starts, as in pandapipes. `auto` holds what has a value.
    """
    bar, kelvin = (number(rows, column).to_numpy() for column in columns)
    types = rows["type"] if "type" in rows else pd.Series("auto", index=rows.index)
    start_k = number(reading.net["junction"], "tfluid_k")
    wanted = ("pt", "p") if kind == "ext_grid" else ("pt", "p", "t")
    feeds = rows["junction" if kind == "ext_grid" else "flow_junction"]
    for at, (name, given, junction) in enumerate(
        zip(unique_names(rows, kind), types, feeds, strict=True)
    ):
        held = "p" * bool(np.isfinite(bar[at])) + "t" * bool(np.isfinite(kelvin[at]))
        held = held if pd.isna(given) or given == "auto" else {"tp": "pt"}.get(given, given)
        if held not in wanted:
            expected = " or ".join(_HELD[one] for one in wanted)
            reading.faults.append(
                f"{kind} {name}: it holds {_HELD.get(held, f'type {given}')}, expected {expected}"
            )
        if "p" not in held:
            bar[at] = np.nan
        elif not np.isfinite(bar[at]):
            reading.faults.append(f"{kind} {name}: {columns[0]} has no value")
        if held == "p":
            kelvin[at] = start_k.get(junction, np.nan)
            reading.notes.append(
                f"{kind} {name} holds no temperature: water that it sends out has tfluid_k of its "
                f"junction, {kelvin[at] - ZERO_DEGC_K:g} °C"
            )
    return {"supply_degc": kelvin - ZERO_DEGC_K, "supply_bar": bar}


_HELD = {
    "": "nothing",
    "p": "a pressure (type p)",
    "t": "a temperature (type t)",
    "pt": "pressure and temperature (type pt)",
}


def read_injections(reading: Reading) -> pd.DataFrame:
    """Sinks (out of the network) and sources (into it), each times its scaling."""
    parts = []
    for kind, sign in (("sink", -1.0), ("source", 1.0)):
        rows = reading.rows(kind, ("junction",))
        if not len(rows):
            continue
        flow = sign * number(rows, "mdot_kg_per_s", 0.0) * number(rows, "scaling", 1.0)
        parts.append(
            pd.DataFrame(
                {
                    "name": unique_names(rows, kind),
                    "junction": [reading.end(index) for index in rows["junction"]],
                    "flow_kg_per_s": flow.to_numpy(),
                }
            )
        )
        if kind == "source":
            reading.notes.append(
                "a source has no temperature of its own: it enters as warm as its junction"
            )
    if not parts:
        return pd.DataFrame()
    table = pd.concat(parts, ignore_index=True)
    table["name"] = unique_names(table, "injection")
    return table


READERS = {
    "junctions": read_junctions,
    "valves": read_valves,
    "pipes": read_pipes,
    "consumers": read_consumers,
    "exchangers": read_exchangers,
    "pumps": read_pumps,
    "sources": read_sources,
    "injections": read_injections,
}
