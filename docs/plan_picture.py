"""Draw the picture of a production plan: the shipped case on synthetic weather and prices."""

from pathlib import Path

import matplotlib

from tvilling.apps.heat.report_figures import STYLE
from tvilling.apps.plant.case import PlantCase
from tvilling.apps.plant.inputs.known import HOUR, gather, moment_of
from tvilling.apps.plant.planning import make_plan
from tvilling.apps.plant.report.figures import draw_production
from tvilling.apps.plant.report.labelled import plan_data
from tvilling.apps.shared.case_file import read_case

HERE = Path(__file__).parent


def main() -> None:
    """Make the plan of the case on what anyone has at hand, and save its picture."""
    path = HERE.parent / "cases" / "plan_tomorrow.yaml"
    case = read_case(path, ["weather.source=synthetic", "prices.source=synthetic"], PlantCase)
    moment = moment_of(case, None)
    facts = gather(case, path, moment, moment + case.plan.horizon_h * HOUR)
    data = plan_data(make_plan(case, facts, moment, tell=print))
    with matplotlib.rc_context(STYLE):
        draw_production(data, "plan").savefig(HERE / "plan.png", dpi=90, facecolor="white")


if __name__ == "__main__":
    main()
