"""Run benchmarks by name, and tell what they found as a table, as JSON lines or in a page.

A benchmark is a module of this package with a function `measure() -> Measurement`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from tvilling.benchmarks.measurement import Measurement
from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

BENCHMARKS: dict[str, str] = {
    "heat_tree_ensemble": "100 consumers on a tree, 96 steps, 100 scenarios",
    "heat_schutterwald_ensemble": "A town network as sized, a day at 15 minutes, 100 scenarios",
    "heat_gradient_cost": "Value and gradient over the forward run",
    "heat_scaling": "Cost of a scenario as the network grows",
    "surrogate_tank": "A surrogate of the tank beside the tank itself",
    "surrogate_heat_network": "A surrogate of the looped heat network beside its solver",
    "gnn_heat_supply": "Supply temperatures of 50 consumers, learned by a graph network",
    "gnn_heat_supply_speed": "Cost of a learned supply temperature, beside solvers",
    "pinn_pipe": "Cooling in a pipe, solved by a network and by a classical solver",
    "pinn_pipe_inverse": "Speed and loss of a pipe found from four sensors",
    "pinn_poisson": "Poisson's equation, five seeds",
    "pinn_heat": "Conduction along a rod, five seeds",
    "pinn_swing_equation": "A generator's swing over a range of powers, five seeds",
    "pinn_burgers": "Burgers' equation with a steep front, five seeds",
    "pinn_allen_cahn": "Phases that part, five seeds",
    "pinn_kdv": "Solitons, five seeds",
    "pinn_advection": "A sine carried five times around a circle, five seeds",
    "pinn_wave": "A string plucked in two modes, five seeds",
    "pinn_lid_cavity": "Flow in a cavity driven by its lid, five seeds",
    "pinn_vs_deepxde": "Time to the error at which DeepXDE ends, three of its examples",
    "pinn_break_even": "Cases after which a family's training has paid",
    "pinn_operators": "Operators that solve families, beside ridge regression and solvers",
    "control_tank": "PPO on the tank, between the rule of today and perfect foresight",
    "supply_temperature_plan": "A winter week's supply temperature, planned on the town network",
    "twin_tank": "Loss of a small tank found from a week of readings, and time of an update",
    "load_forecast": "Loads of a city, a country and a house forecast a day ahead, a whole year",
    "plant_year_lp": "A plant's year of hours as a linear programme",
    "plant_year_milp": "The same year with starts and minimum loads, to a proven gap",
    "plan_backtest_year": "Every day of a year planned as it would have been",
    "power_mv_batch": "5 000 power flows of a medium-voltage grid",
    "power_case118_batch": "5 000 power flows of case118, whose generators hold voltages",
    "power_case118_gradient": "A value of case118's voltages and its gradient by every load",
    "power_n1_case118": "Every branch of case118 switched off, and every pair of them",
    "power_n1_1000bus": "Every branch of a grid of 1 354 buses switched off",
    "power_infeasible": "1 000 power flows beyond what grids can carry, each told how far it goes",
    "power_year": "A year of quarter-hours of a medium-voltage grid, from file to report",
    "power_scaling": "Power flows to a million scenarios, and to 9 241 buses",
    "app_latency": "Slider to changed figure on the town network's page, in Chromium",
}
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
HEADINGS = ("Benchmark", "Ours", "Peer", "Unit", "Ratio", "Peer is")


def run_benchmarks(
    names: Sequence[str] = (), tell: Callable[[str], None] = lambda stage: None
) -> Iterator[Measurement]:
    """Run the named benchmarks, all without a name, and give each result as it is found.

    `tell` is called with the name of each as it begins.

    Raises
    ------
    InputError
        Before anything runs, with every name that is not known.
    """
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        known = ", ".join(BENCHMARKS)
        raise InputError("bench", [f"{name} is not known; known are {known}" for name in unknown])
    return (_measure(name, tell) for name in names or BENCHMARKS)


def _measure(name: str, tell: Callable[[str], None]) -> Measurement:
    tell(f"{name}: {BENCHMARKS[name]}")
    found: Measurement = import_module(f"tvilling.benchmarks.{name}").measure()
    return found


def table(measurements: Iterable[Measurement]) -> "Table":
    """The results as a table for the terminal."""
    from rich.table import Table

    shown = Table(box=None, pad_edge=False)
    for heading in HEADINGS:
        shown.add_column(
            heading, justify="right" if heading in ("Ours", "Peer", "Ratio") else "left"
        )
    for measurement in measurements:
        shown.add_row(*_cells(measurement))
    return shown


def markdown(measurements: Iterable[Measurement]) -> str:
    """The results as a Markdown table."""
    rows: list[tuple[str, ...]] = [HEADINGS, ("---", "---:", "---:", "---", "---:", "---")]
    rows += [_cells(measurement) for measurement in measurements]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def write_table(page: Path, json_lines: str) -> None:
    """Replace what stands between the two markers of `page` by the table of `json_lines`.

    Raises
    ------
    InputError
        If the page does not hold `BEGIN` and then `END`, once each.
    """
    text = page.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise InputError(str(page), [f"expected the lines {BEGIN} and then {END}, once each"])
    found = [Measurement.from_json(line) for line in json_lines.splitlines() if line.strip()]
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    page.write_text(f"{before}{BEGIN}\n{markdown(found)}\n{END}{after}", encoding="utf-8")


def _cells(measurement: Measurement) -> tuple[str, ...]:
    peer = " ".join(part for part in (measurement.peer_name, measurement.peer_version) if part)
    return (
        measurement.name,
        _figure(measurement.ours),
        _figure(measurement.peer),
        measurement.unit,
        _figure(measurement.ratio),
        peer or "–",
    )


def _figure(value: float | None) -> str:
    """Three significant figures, and whole numbers with thousands apart."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
