"""The production plan as a job: the plan; where it fails, the rule; where that fails, the last."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

Tell = Callable[[str], None]


def check_case(path: Path) -> None:
    """Every fault of the case in `path`.

    Raises
    ------
    InputError
        With all of them.
    """
    from tvilling.apps.plant.case import PlantCase
    from tvilling.apps.shared.case_file import read_case

    read_case(path, (), PlantCase)


def plan_job(case: Path, scheduled: datetime, out: Path, tell: Tell) -> dict[str, Any]:
    """The plan of the case, for the hour that follows `scheduled` unless it names one.

    Raises
    ------
    LateInputError
        Prices, weather or meters are not in yet.
    """
    return _job(case, scheduled, out, tell, "", strict=True)


def plan_without_job(case: Path, scheduled: datetime, out: Path, tell: Tell) -> dict[str, Any]:
    """The plan that can be made without what is late: the rule, or the last plan held on."""
    return _job(case, scheduled, out, tell, "")


def rule_job(case: Path, scheduled: datetime, out: Path, tell: Tell) -> dict[str, Any]:
    """The operator's rule on the same outlook, after the plan failed."""
    return _job(case, scheduled, out, tell, "rule")


def hold_job(case: Path, scheduled: datetime, out: Path, tell: Tell) -> dict[str, Any]:
    """The last plan held on, after plan and rule failed."""
    return _job(case, scheduled, out, tell, "hold")


def _job(
    case: Path,
    scheduled: datetime,
    out: Path,
    tell: Tell,
    only: Literal["", "rule", "hold"],
    strict: bool = False,
) -> dict[str, Any]:
    from tvilling.apps.plant.case import PlantCase
    from tvilling.apps.plant.inputs.known import moment_made, moment_of
    from tvilling.apps.plant.plan import Task, write_plan
    from tvilling.apps.shared.case_file import read_case

    read = read_case(case, (), PlantCase)
    reason = {"": "", "rule": "the plan failed", "hold": "plan and rule failed"}[only]
    moment, made = moment_of(read, scheduled), moment_made(scheduled)
    task = Task(read, case, moment, out.parent, only, reason, made, strict)
    return write_plan(task, out, tell).summary


def backtest_job(case: Path, scheduled: datetime, out: Path, tell: Tell) -> dict[str, Any]:
    """The last whole year before `scheduled`, or of the record, planned day by day."""
    from datetime import timedelta

    from tvilling.apps.plant.backtest import write_backtest
    from tvilling.apps.plant.case import PlantCase
    from tvilling.apps.shared.case_file import read_case

    read = read_case(case, (), PlantCase)
    last = scheduled.date() - timedelta(days=1)
    first = last - timedelta(days=364)
    return write_backtest(read, case, (first, last), out, tell=tell).summary
