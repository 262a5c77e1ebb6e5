"""Draw the picture of the README: the town network of the shipped case at its greatest load."""

from pathlib import Path

from tvilling.apps.heat.network_case import prepare
from tvilling.apps.heat.report_figures import most_loaded, worst_served
from tvilling.apps.heat.report_map import draw_maps
from tvilling.apps.heat.run import simulate_case
from tvilling.apps.shared.case_file import read_case

HERE = Path(__file__).parent


def main() -> None:
    """Run the case with its synthetic week, so that anyone draws the same, and save the maps."""
    path = HERE.parent / "cases" / "schutterwald_week.yaml"
    case = read_case(path, ["weather.source=synthetic", "horizon.hours=120"])
    prepared = prepare(case, path, print)
    data, _ = simulate_case(prepared, print)
    run = data.isel(controller=0)
    figure = draw_maps(prepared, run, most_loaded(data), worst_served(run))
    figure.savefig(HERE / "schutterwald.png", dpi=90, facecolor="white")


if __name__ == "__main__":
    main()
