"""The report of a training: one HTML file."""

from html import escape
from importlib.metadata import version
from statistics import median
from typing import TYPE_CHECKING, Any

from tvilling.apps.grid.report.tables import html_table
from tvilling.apps.pinn.figures import SHOWN, draw_course, draw_solution
from tvilling.apps.pinn.library import entry_of, in_unit
from tvilling.apps.shared.report_page import facts_section, figure_section, list_section, page

if TYPE_CHECKING:
    import xarray as xr

    from tvilling.apps.pinn.train import TrainRun

REASONS = {
    "steps": "all steps were taken",
    "target": "the loss that was aimed at is reached",
    "time": "the time that was given is over",
    "no descent": "no lower loss was found on several draws of points",
    "diverged": "a value was not finite; the weights are the best ones before",
}
CAUTION = (
    "A small loss does not bound the error. Where a reference is missing, compare with another "
    "seed, a finer network or a solver."
)


def write_train_report(run: "TrainRun", data: "xr.Dataset", wall_s: float) -> None:
    """Write `report.html` of a training to its folder."""
    import matplotlib

    from tvilling.apps.heat.report_figures import STYLE, to_svg

    sections = [_verdict_section(run), _errors_section(run), _seeds_section(run)]
    with matplotlib.rc_context(STYLE | {"savefig.dpi": 150}):
        sections.append(figure_section("Course", to_svg(draw_course(run.seeded)), _course(run)))
        unknowns = run.kept.solution.problem.unknowns
        for unknown in unknowns[:SHOWN]:
            svg = to_svg(draw_solution(data, unknown.name))
            sections.append(figure_section(f"Solution: {unknown.name}", svg, _caption(data)))
        if len(unknowns) > SHOWN:
            left = ", ".join(item.name for item in unknowns[SHOWN:])
            sections.append(list_section("Not drawn", [f"solution.nc holds {left} too."]))
    sections += [
        _load_section(run),
        facts_section("Settings", settings_facts(run)),
        facts_section("What it took", footprint_facts(run, wall_s)),
        facts_section("Provenance", {"Tvilling": version("tvilling"), "Problem": run.name}),
    ]
    lead = f"{entry_of(run.name).description}."
    text = page(run.name.replace("_", " "), lead, [item for item in sections if item])
    (run.folder / "report.html").write_text(text, encoding="utf-8")


def verdict_line(run: "TrainRun") -> str:
    """Whether the kept seed is a solution, and what to do next."""
    return run.kept.solution.verdict.describe()


def _verdict_section(run: "TrainRun") -> str:
    verdict = run.kept.solution.verdict
    head = escape(verdict.status.capitalize())
    text = escape(f"{verdict.reason}. {verdict.recommend}")
    return f"<section><h2>{head}</h2><p>{text[:1].upper()}{text[1:]}</p></section>"


def error_rows(run: "TrainRun") -> list[tuple[str, ...]]:
    """Errors of every unknown as text."""
    units = {item.name: item.unit for item in run.kept.solution.problem.told}
    return [
        (
            name,
            f"{item.relative_l2:.2e}",
            f"{item.relative_to_spread:.2e}",
            in_unit(f"{item.rms:.3g}", units[name]),
            in_unit(f"{item.greatest:.3g}", units[name]),
        )
        for name, item in run.kept.deviations.items()
    ]


ERROR_HEADS = ("unknown", "relative L2", "over the spread", "root mean square", "greatest")


def _errors_section(run: "TrainRun") -> str:
    solution: Any = run.kept.solution
    reference = solution.problem.reference
    free = {item.name: item for item in solution.problem.free}
    found = {
        name: in_unit(f"{solution.parameters[name]:.6g}", item.unit) for name, item in free.items()
    }
    parts = [f"<li>{escape(name)} = {escape(text)}</li>" for name, text in found.items()]
    listed = f"<ul>{''.join(parts)}</ul>" if parts else ""
    if reference is None:
        text = f"There is no reference to compare with. {CAUTION}"
        return f"<section><h2>Error</h2>{listed}<p>{escape(text)}</p></section>"
    table = html_table(ERROR_HEADS, error_rows(run), "lrrrr")
    note = (
        f"Over an even grid that reaches every edge. Reference: {reference.source} (its own "
        f"relative error: {reference.relative_error:.1g}). Relative L2 is the root mean square of "
        "the difference over that of the reference; over the spread, it is divided by the "
        "reference's standard deviation, so that an offset does not flatter."
    )
    return f"<section><h2>Error</h2>{table}{listed}<p class='caption'>{escape(note)}</p></section>"


def seed_rows(run: "TrainRun") -> list[tuple[str, ...]]:
    """One row a seed: loss, error and why it ended."""
    return [
        (
            str(one.solution.seed),
            f"{one.solution.held_out:.2e}",
            "-" if one.worst is None else f"{one.worst:.2e}",
            one.solution.stopped,
            one.solution.status,
        )
        for one in sorted(run.seeded, key=lambda item: item.solution.seed)
    ]


SEED_HEADS = ("seed", "held-out loss", "greatest relative L2", "ended by", "status")


def _seeds_section(run: "TrainRun") -> str:
    if len(run.seeded) == 1:
        return ""
    table = html_table(SEED_HEADS, seed_rows(run), "lrrll")
    note = (
        f"Seed {run.kept.solution.seed} has the lowest loss at held-out points and is the one in "
        "the folder solution and in the figures; the choice does not know the reference."
    )
    worst = [one.worst for one in run.seeded if one.worst is not None]
    if worst:
        note += (
            f" Greatest relative L2 of all seeds: median {median(worst):.2e}, from "
            f"{min(worst):.2e} to {max(worst):.2e}."
        )
    return f"<section><h2>Seeds</h2>{table}<p class='caption'>{escape(note)}</p></section>"


def _course(run: "TrainRun") -> str:
    reason = REASONS.get(run.kept.solution.stopped, run.kept.solution.stopped)
    return (
        f"Training ended because {reason}. The weights are those of the check with the lowest loss "
        f"at held-out points, {run.kept.solution.held_out:.2g}. {CAUTION}"
    )


def _caption(data: "xr.Dataset") -> str:
    beside = "" if "reference" in data.attrs else " There is no reference."
    further = list(data.dims)[2:]
    if not further:
        return f"On the grid of solution.nc.{beside}"
    rest = f", the middle of {', '.join(map(str, further[1:]))}" if further[1:] else ""
    return (
        f"On the grid of solution.nc, at the start, middle and end of {further[0]}{rest}.{beside}"
    )


def load_lines(run: "TrainRun") -> list[str]:
    """Python that evaluates the solution."""
    axes = run.kept.solution.problem.inputs.axes
    point = ", ".join(f"{axis.name}={(axis.low + axis.high) / 2:g}" for axis in axes)
    return [
        "from pathlib import Path",
        "from tvilling.pinns import PROBLEMS, load_solution",
        "",
        f'problem = PROBLEMS["{run.name}"].example()',
        'solution = load_solution(Path("solution"), problem)  # in the folder of this report',
        f"solution.evaluate({point})",
    ]


def _exact(value: float) -> str:
    """Short where that is the same number: a rounded end would lie outside."""
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


def _load_section(run: "TrainRun") -> str:
    axes = run.kept.solution.problem.inputs.axes
    spans = " ".join(f"{axis.name}={_exact(axis.low)}:{_exact(axis.high)}:11" for axis in axes)
    code = escape("\n".join(load_lines(run)))
    shell = escape(f"tvilling pinn evaluate RUN_FOLDER {spans} --csv values.csv")
    return (
        f"<section><h2>How to use it</h2><div class='scroll'><pre>{code}</pre></div>"
        f"<p>or</p><div class='scroll'><pre>{shell}</pre></div></section>"
    )


def settings_facts(run: "TrainRun") -> dict[str, str]:
    """Settings in words."""
    settings, network = run.settings, run.settings.network
    stages = ", then ".join(f"{item.steps:,} steps of {item.name}" for item in settings.stages)
    facts = {
        "Network": f"{network.kind}, {network.depth} × {network.width}, {network.activation}",
        "Optimisers": stages,
        "Points": f"{settings.points:,}, drawn anew every {settings.check_every:,} steps",
    }
    if any(item.face is not None for item in run.kept.solution.problem.equations):
        facts["Points on edges"] = f"{settings.edge_points:,} on each with an equation"
    if settings.focus > 0:
        facts["Focus"] = f"residual to the power {settings.focus:g}"
    if settings.causal is not None:
        facts["Earlier first"] = f"along {settings.causal.axis}, {settings.causal.strength:g}"
    if settings.windows is not None:
        facts["Windows"] = f"{settings.windows.count} of {settings.windows.axis}"
    if settings.balance:
        facts["Balance"] = "terms on edges and measurements by their gradients"
    if settings.time_s < float("inf"):
        facts["Time limit"] = f"{settings.time_s:g} s a seed"
    facts["Seeds"] = ", ".join(row[0] for row in seed_rows(run))
    return facts


def footprint_facts(run: "TrainRun", wall_s: float) -> dict[str, str]:
    """Time, memory and energy in words, and what was lost where it was resumed."""
    took = run.footprint
    energy = "not measured" if took.energy_j is None else f"about {took.energy_j:,.0f} J"
    mode = took.energy_mode.removeprefix("not measured").removeprefix(": ")
    facts = {
        "Training": f"{took.wall_s:,.1f} s on the clock, {took.cpu_s:,.1f} s of all cores",
        "Peak memory": f"{took.peak_memory_bytes / 2**20:,.0f} MiB",
        "Energy": f"{energy} ({mode})" if mode else energy,
        "With all files": f"{wall_s:,.1f} s",
    }
    lost = [run.note, *(one.solution.note for one in run.seeded)]
    if run.resumed:
        lost.insert(0, "the training was killed and resumed; this is what the last part took")
    if notes := "; ".join(dict.fromkeys(filter(None, lost))):
        facts["Note"] = notes
    return facts
