"""What matters most of a power flow or a year: extremes, energies, and where they stand."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.apps.grid.units import power_text

if TYPE_CHECKING:
    import xarray as xr

NAMED = 5  # elements in a sentence
KINDS = {"line": "line", "trafo": "transformer", "trafo3w": "three-winding transformer"}


@dataclass(frozen=True)
class Extreme:
    """The least or greatest value of a quantity, the element that has it, and when."""

    value: float
    element: str
    when: Any


def extreme(data: "xr.Dataset", name: str, greatest: bool) -> Extreme | None:
    """The greatest or least value of the variable `name`; None where it has none."""
    if name not in data or not data[name].size:
        return None
    values = data[name].values
    flat = np.where(np.isnan(values), -np.inf if greatest else np.inf, values)
    at = np.unravel_index(flat.argmax() if greatest else flat.argmin(), flat.shape)
    if not np.isfinite(flat[at]):
        return None
    first, second = data[name].dims
    return Extreme(float(values[at]), str(data[second].values[at[1]]), data[first].values[at[0]])


def solved(data: "xr.Dataset") -> np.ndarray:
    """Steps or scenarios that have a solution."""
    from tvilling.sciml.systems.power_grid.solver.flow import holds

    return np.asarray(holds(data["outcome"].values))


def not_known(data: "xr.Dataset") -> np.ndarray:
    """Steps or scenarios of which it is not known whether they have a solution."""
    from tvilling.sciml.systems.power_grid.solver.flow import Outcome

    return np.asarray(data["outcome"].values == Outcome.UNKNOWN)


def told(when: Any) -> str:
    """A moment in words; the number of a scenario as it is."""
    if isinstance(when, datetime):
        return f"{when:%Y-%m-%d %H:%M}"
    if isinstance(when, np.datetime64):
        return str(when.astype("datetime64[m]")).replace("T", " ")
    return str(when)


def extremes_summary(data: "xr.Dataset") -> dict[str, dict[str, Any]]:
    """Extremes of voltage and loading for `summary.json`."""
    wanted = [("vm_pu", "lowest_voltage_pu", False), ("vm_pu", "highest_voltage_pu", True)]
    wanted += [(f"{kind}_loading_percent", f"{kind}_loading_percent", True) for kind in KINDS]
    summary = {}
    for variable, name, greatest in wanted:
        found = extreme(data, variable, greatest)
        if found is not None:
            when = told(found.when)
            summary[name] = {"value": round(found.value, 6), "at": found.element, "when": when}
    return summary


def count_limits(table: Any) -> dict[str, int]:
    """Number of broken limits by quantity."""
    return {str(name): int(count) for name, count in table["quantity"].value_counts().items()}


def outcome_word(data: "xr.Dataset") -> str:
    """What came of the only scenario of `data`; unsupplied too where the file has it so."""
    from tvilling.sciml.systems.power_grid.solver.flow import Outcome

    if "unserved" in data.coords and data["outcome"].values[0] == Outcome.SOLVED:
        return Outcome.UNSUPPLIED.name.lower()
    return Outcome(int(data["outcome"].values[0])).name.lower()


def rounded(value: Any, digits: int = 6) -> float | None:
    """A number for JSON, which knows no NaN."""
    return round(float(value), digits) if np.isfinite(value) else None


def energies_mwh(data: "xr.Dataset") -> dict[str, float]:
    """Energies of a year by name [MWh], over steps that have a solution; none of a single step."""
    from tvilling.sciml.systems.power_grid.results.violations import step_hours

    step_h = step_hours(data)
    if step_h is None:
        return {}
    good = solved(data)
    drawn = data["slack_p_mw"].values[good]
    powers = {
        "load_mwh": data["load_mw"].values[good],
        "generation_mwh": data["generation_mw"].values[good],
        "drawn_mwh": np.maximum(drawn, 0.0),
        "fed_back_mwh": np.maximum(-drawn, 0.0),
        "losses_mwh": data["losses_mw"].values[good],
    }
    return {name: float(step_h[good] @ values) for name, values in powers.items()}


def without_supply(data: "xr.Dataset") -> dict[str, Any] | None:
    """Elements that no slack reaches, their buses and powers [MW]; None where there are none."""
    if "unserved" not in data.coords:
        return None
    return {
        "elements": [str(name) for name in data["unserved"].values],
        "buses": list(dict.fromkeys(str(name) for name in data["unserved_bus"].values)),
        "load_mw": rounded(data["unserved_load_mw"].values.sum()),
        "generation_mw": rounded(data["unserved_generation_mw"].values.sum()),
    }


def supply_rows(found: dict[str, Any] | None) -> list[tuple[str, str, str]]:
    """A row for what `without_supply` found."""
    if not found:
        return []
    where = f"{some(found['elements'])} at {some(found['buses'])}"
    return [("without supply in the file", f"{power_text(found['load_mw'], 3)} of load", where)]


def supply_note(found: dict[str, Any] | None) -> list[str]:
    """A sentence for what `without_supply` found."""
    if not found:
        return []
    return [
        f"No slack reaches {some(found['elements'])} at {some(found['buses'])}: "
        f"{power_text(found['load_mw'], 3)} of load and "
        f"{power_text(found['generation_mw'], 3)} of generation in the "
        "file are without supply and no part of any power flow."
    ]


def some(names: list[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
