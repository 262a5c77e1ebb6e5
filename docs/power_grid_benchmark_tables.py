"""Writes the tables of docs/power-grid-benchmarks.md from what the benchmarks found.

Run `tvilling bench power_mv_batch … --json > found.jsonl` and then
`.venv/bin/python docs/power_grid_benchmark_tables.py found.jsonl`; benchmarks that the file lacks
keep their table.
"""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("power-grid-benchmarks.md")
CORES = ", 2 threads"

Found = Mapping[str, Any]


def raced(found: Found) -> str:
    """One row for each program of a race."""
    extra = found["extra"]
    times, ways, away = extra["times"], extra["fastest_exact_way"], extra["away_pu"]
    mine = times["ours"]["us_cpu"]
    rows = [
        _cells(
            f"{name} {extra['versions'].get(name, '')}".strip(),
            ways.get(name, "–"),
            _figure(times[name]["us_cpu"]),
            _figure(times[name]["us_wall"]),
            _figure(times[name + CORES]["us_wall"]),
            _small(away.get(name, extra["pandapower_away_pu"])),
            _figure(times[name]["us_cpu"] / mine),
        )
        for name in ("ours", *ways)
    ]
    head = (
        "program",
        "its fastest exact way",
        "µs CPU",
        "µs wall",
        "µs wall, two threads",
        "greatest difference, p.u.",
        "times ours",
    )
    return _table(head, rows, left=2)


def outages(found: Found) -> str:
    """Single outages, those of the other grid, and pairs."""
    extra = found["extra"]
    parts = [_outages_line(extra), raced(found)]
    other = extra["without_holding"]
    parts += [_outages_line(other["extra"]), raced(other)]
    if "n2" in extra:
        pairs = extra["n2"]
        parts.append(
            f"{pairs['pairs']:,} pairs of them: {_figure(pairs['us_cpu, 1 threads'])} µs CPU each, "
            f"{_figure(pairs['us_wall' + CORES])} µs on the wall with two threads. "
            f"{_outcomes(pairs['outcomes'])}"
        )
    return "\n\n".join(parts)


def gradient(found: Found) -> str:
    """Value, and value with gradient."""
    extra, times = found["extra"], found["extra"]["times"]
    rows = [
        _cells(
            words,
            _figure(times[f"{name}, forward"]["us_cpu"]),
            _figure(extra["us_cpu_gradient_alone"][name]),
            _figure(times[name]["us_cpu"]),
            _figure(times[name]["us_wall"]),
            _figure(times[name + CORES]["us_wall"]),
        )
        for name, words in (
            ("ours", "ours, `jax.value_and_grad`"),
            ("lightsim2grid", f"lightsim2grid and torch, {extra['fastest_exact_way']}"),
        )
    ]
    head = (
        "program",
        "µs CPU, value",
        "µs CPU, gradient on top",
        "µs CPU, both",
        "µs wall, both",
        "µs wall, both, two threads",
    )
    away = (
        f"The gradients differ by {_small(extra['gradients_differ_by'])} of the greatest entry, "
        f"the voltages by {_small(extra['away_pu'])} p.u.; ours are "
        f"{_small(extra['pandapower_away_pu'])} p.u. from pandapower's."
    )
    return f"{_table(head, rows)}\n\n{away}"


def year(found: Found) -> str:
    """The solve beside others, and the parts of the command."""
    extra = found["extra"]
    parts = extra["command_s"]
    rows = [_cells(name, _figure(seconds)) for name, seconds in parts.items()]
    slow = extra["pandapower_timeseries_s_extrapolated"]
    return "\n\n".join(
        [
            raced(found),
            f"{extra['scenarios']:,} steps: {found['ours']:.2f} s CPU for ours, "
            f"{found['peer']:.2f} s for {found['peer_name']}. pandapower's `run_timeseries` would "
            f"take {slow:,.0f} s, by 100 of its steps.",
            _table(("part of `tvilling grid year`", "s"), rows),
        ]
    )


def scaling(found: Found) -> str:
    """Scenarios to a million, and grids to thousands of buses."""
    extra = found["extra"]
    compiled = (
        "Before the first power flow on a machine the kernels are compiled, once: "
        f"{extra['compile_once_s']:.0f} s."
    )
    return "\n\n".join([_counts(extra["counts"]), _grids(extra["grids"]), compiled])


def _counts(found: Sequence[Found]) -> str:
    rows = [
        _cells(
            f"{row['scenarios']:,}",
            _figure(row["wall_s"]),
            _figure(row["us_cpu_per_scenario"]),
            f"{row['peak_memory_mb']:,.0f}",
            f"{row['peak_memory_mb'] - row['memory_before_mb']:,.0f}",
            _figure(row["stored_mb"]),
        )
        for row in found
    ]
    head = ("scenarios", "s wall", "µs CPU each", "peak MB", "of it for the study", "MB on disk")
    return _table(head, rows, left=0)


def _grids(found: Sequence[Found]) -> str:
    rows = [
        _cells(
            row["grid"].removeprefix("pandapower:"),
            f"{row['buses']:,}",
            f"{row['branches']:,}",
            _figure(row["read_s"]),
            _figure(row["plan_s"] * 1e3),
            _figure(row["first_solution_s"] * 1e3),
            f"{row['scenarios']:,}",
            _figure(row["us_cpu_per_scenario"]),
            _figure(row["us_cpu_per_scenario"] / row["buses"] * 1e3),
            f"{row['peak_memory_mb'] - row['memory_before_mb']:,.0f}",
            _small(row["pandapower_away_pu"]),
        )
        for row in found
    ]
    head = (
        "grid",
        "buses",
        "branches",
        "s to read and convert",
        "ms to plan",
        "ms for the base case",
        "scenarios",
        "µs CPU each",
        "ns each and bus",
        "MB for the batch",
        "from pandapower, p.u.",
    )
    return _table(head, rows)


TABLES: dict[str, Callable[[Found], str]] = {
    "power_mv_batch": raced,
    "power_case118_batch": raced,
    "power_case118_gradient": gradient,
    "power_n1_case118": outages,
    "power_n1_1000bus": outages,
    "power_year": year,
    "power_scaling": scaling,
}


def filled(text: str, found: Mapping[str, Found]) -> str:
    """`text` of the page with the tables of `found` written anew."""
    for name, table in ((name, TABLES[name](one)) for name, one in found.items() if name in TABLES):
        pattern = rf"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)"
        text = re.sub(pattern, lambda m, t=table: f"{m[1]}\n{t}\n\n{m[2]}", text, flags=re.DOTALL)
    return text


def _outages_line(extra: Found) -> str:
    return (
        f"`{extra['grid'].removeprefix('pandapower:')}`, {extra['buses']:,} buses, "
        f"{extra['outages']:,} outages. {_outcomes(extra['outcomes'])}"
    )


def _outcomes(outcomes: Mapping[str, int]) -> str:
    return (
        f"{outcomes['solved']:,} leave every bus supplied, {outcomes['unsupplied']:,} part the "
        f"grid, {outcomes['infeasible']:,} have no solution."
    )


def _table(head: tuple[str, ...], rows: list[str], left: int = 1) -> str:
    rule = ["---" if at < left else "---:" for at in range(len(head))]
    return "\n".join([_cells(*head), _cells(*rule), *rows])


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _figure(value: float) -> str:
    """Three significant figures, and whole numbers with thousands apart."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _small(value: float) -> str:
    return f"{value:.0e}"


if __name__ == "__main__":
    import json

    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    measured = {one["name"]: one for one in map(json.loads, filter(None, lines))}
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), measured), encoding="utf-8")
