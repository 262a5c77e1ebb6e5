"""Writes the table of figures in docs/heat-network.md from the measured and published data.

Run `TVILLING_DATA=FOLDER .venv/bin/python docs/heat_network_figures.py` after changing the physics.
"""

from pathlib import Path

import numpy as np

from tvilling.datasets.benches.bench import difference_k, rms, run, settle
from tvilling.datasets.benches.destest import destest_ce0, destest_ce1
from tvilling.datasets.benches.pipes import ait_network, liege_pipe
from tvilling.datasets.readers.measured.liege import TESTS
from tvilling.sciml.core.units import J_PER_KWH

PAGE = Path(__file__).with_name("heat-network.md")
START, END = "<!-- figures -->\n", "<!-- end of figures -->"
HEAD = "| data | quantity | found | to compare with |\n|---|---|---|---|"
FORGOTTEN_S = 40_000.0


def liege() -> list[str]:
    """Error of the outlet temperature in each test and in the mean."""
    found = []
    for test in TESTS:
        bench = liege_pipe(test)
        found.append(
            rms(difference_k(bench, run(bench), "outlet", bench.seen["water_outlet_degc"]))
        )
    each = ", ".join(f"{test} {error:.2f}" for test, error in zip(TESTS, found, strict=True))
    return [
        f"| Liège, 7 tests | outlet, RMSE | mean {np.mean(found):.2f} K | measured |",
        f"| | the same, each test | {each} K | measured |",
    ]


def ait() -> list[str]:
    """Error of the temperature at the three substations."""
    bench = ait_network()
    trajectory = run(bench)
    rows = []
    for point in (2, 3, 4):
        error = difference_k(
            bench, trajectory, f"point_{point}", bench.seen["water_degc"].sel(point=point)
        ).sel(time_s=slice(FORGOTTEN_S, None))
        rows.append(f"| AIT week | point {point}, RMSE | {rms(error):.2f} K | measured |")
    return rows


def ce0() -> list[str]:
    """The steady state of DESTEST."""
    bench = destest_ce0()
    found, tools = settle(bench), bench.seen.isel(time_s=0)
    names = list(bench.tables.junctions["name"])
    degc, pa = np.asarray(found["junction_degc"]), 1e5 * np.asarray(found["junction_bar"])

    def row(what: str, value: float, theirs: str, unit: str, digits: int) -> str:
        ends = tools[theirs].quantile([0.0, 1.0]).values
        span = " to ".join(f"{end:.{digits}f}" for end in ends)
        return f"| DESTEST CE_0 | {what} | {value:.{digits}f} {unit} | {span} |"

    def drop(high: str, low: str) -> float:
        return float(pa[names.index(high)] - pa[names.index(low)])

    median = tools["supply_degc"].median("tool")
    miss = max(
        abs(degc[names.index(f"{node} supply")] - float(median.sel(node=node)))
        for node in tools["node"].values
    )
    flow = 3600 * float(found["source_kg_per_s"][0])
    return [
        row("mass flow", flow, "flow_kg_per_h", "kg/h", 0),
        f"| | supply temperatures | within {miss:.3f} K | median of six tools |",
        row("pressure drop i to e", drop("i supply", "e supply"), "supply_drop_i_e_pa", "Pa", 0),
        row("pressure drop h to i", drop("h return", "i return"), "return_drop_i_h_pa", "Pa", 0),
        row("heat supplied", float(found["source_w"][0]), "source_heat_w", "W", 0),
    ]


def ce1() -> list[str]:
    """The week of DESTEST."""
    bench = destest_ce1()
    output = run(bench).output
    rows = []
    for what, ours, theirs, unit, scale, digits in (
        ("heat injected", "source_w", "injected_w", "MWh", 1e3, 2),
        ("heat lost", "loss_w", "loss_w", "kWh", 1.0, 0),
    ):
        kwh = float(np.sum(output[ours])) * bench.dt_s / J_PER_KWH / scale
        tools = bench.seen[theirs].isel(time_s=slice(1, None)).sum("time_s") * 900 / J_PER_KWH
        three = sorted(tools.drop_sel(tool="DIMOSIM_Dynamic_Pipe").values / scale)
        spread = f"{three[0]:.{digits}f} to {three[-1]:.{digits}f}"
        rows.append(f"| DESTEST CE_1 | {what} | {kwh:.{digits}f} {unit} | {spread} |")
    return rows


def figures() -> str:
    """The table of all figures."""
    return "\n".join([HEAD, *liege(), *ait(), *ce0(), *ce1()])


def page() -> str:
    """The page with the table written anew between its markers."""
    before, rest = PAGE.read_text(encoding="utf-8").split(START)
    after = rest.split(END)[1]
    return f"{before}{START}\n{figures()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
