"""Controllers side by side: between what is done today and what perfect foresight could do."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from tvilling.datasets.simulated.trials import DAY_S, PRICE
from tvilling.rl_control.control.affine import NotAffineError
from tvilling.rl_control.control.controllers import PriceRule
from tvilling.rl_control.control.dispatch import Dispatch, best_dispatch
from tvilling.rl_control.control.objective import check_priced, run_cost_dkk, with_outlook
from tvilling.rl_control.control.safety import SHARE, Guard, Shield, violates
from tvilling.rl_control.rl.policy import Policy
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.simulate import Controller, Trajectory, simulate
from tvilling.sciml.core.system import Values
from tvilling.sciml.core.units import J_PER_KWH
from tvilling.sciml.systems.example import Example

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

BOUND = "perfect foresight"
CONFIDENCE = 0.95
SHARES_TRIED = tuple(np.arange(0.05, 0.55, 0.05))  # of the look-ahead, for the price rule


def compare(
    example: Example,
    controllers: Mapping[str, Controller],
    scenarios: Scenario,
    ahead: int = 24,
    tell: Callable[[str], None] = lambda stage: None,
) -> "xr.Dataset":
    """Run every controller over `scenarios`, a batch, and the best plan of `dispatch.py` as well.

    Parameters
    ----------
    controllers
        By name. The first is the rule that the others are measured against.
    ahead
        Steps each controller is told of, this one included: by the forecast that the scenarios
        carry, which may be wrong, and of drives without one as they come.

    Returns
    -------
    xarray.Dataset
        Over `controller` (`perfect foresight` last) and `scenario`: `cost_dkk` a day, `bought_kwh`
        a day, the counts `violations` and `interventions` of steps in the whole run, and `status`,
        the flags of all its steps together. Attributes: `rule`, `system`, `days` a scenario lasts,
        `steps`, `ahead`, `forecasts` that were given (all other drives were foretold as they
        came), and `no_bound`: why the figures of perfect foresight are NaN, empty where they are
        there.

    Raises
    ------
    InputError
        The system buys nothing, there is no price or no controller, a shield or a policy is of
        other steps than the scenarios; a scenario cannot be run without a violation.
    """
    import xarray as xr

    check_priced(example, scenarios, ahead)
    _check_controllers(controllers, scenarios.dt_s, ahead)
    tell(BOUND)
    bound, no_bound = _bound(example, scenarios)
    seen = with_outlook(scenarios, ahead)
    run = jax.jit(jax.vmap(lambda c, s: _figures(example, c, s), in_axes=(None, 0)))
    figures = {}
    for name, controller in controllers.items():
        tell(name)
        figures[name] = run(controller, seen)
    if bound is None:
        figures[BOUND] = _no_figures(scenarios)
    else:
        planned = jax.jit(jax.vmap(lambda c, s: _figures(example, c, s)))
        figures[BOUND] = planned(bound.plan, scenarios)
    steps = scenarios.drive[PRICE].shape[1]
    days = steps * scenarios.dt_s / DAY_S
    units = {
        "cost_dkk": ("DKK/d", 1 / days, "cost of a day, what is left in store credited"),
        "bought_kwh": ("kWh/d", 1 / days, "energy bought in a day"),
        "violations": ("1", 1, "steps flagged or outside a limit, in the run"),
        "interventions": ("1", 1, "steps in which a shield moved the action, in the run"),
        "status": ("1", 1, "flags of all steps of the run together"),
    }
    variables = {
        name: (
            ("controller", "scenario"),
            np.stack([np.asarray(found[name]) * factor for found in figures.values()]),
            {"units": unit, "long_name": text},
        )
        for name, (unit, factor, text) in units.items()
    }
    attrs = {
        "rule": next(iter(controllers)),
        "system": type(example.system).__name__,
        "days": days,
        "steps": steps,
        "ahead": ahead,
        "gap": np.nan if bound is None else bound.gap,
        "forecasts": ", ".join(sorted(scenarios.forecast)),
        "no_bound": no_bound,
    }
    return xr.Dataset(variables, {"controller": list(figures)}, attrs)


def table(compared: "xr.Dataset") -> "pd.DataFrame":
    """One line a controller, in figures that can be read.

    Columns: `cost_dkk` a day; `saved_dkk` a day against the rule, with the half width
    `saved_pm_dkk` of its 95 % confidence interval from the paired differences of the scenarios
    (Student's t); `saved_percent` of the rule's cost; `share_percent` of the saving that perfect
    foresight would reach; `violations` and `interventions`, steps in all scenarios.
    """
    import pandas as pd

    rule, bound = (compared["cost_dkk"].sel(controller=name) for name in (compared.rule, BOUND))
    possible = float((rule - bound).mean(skipna=False))
    paid = abs(float(rule.mean(skipna=False)))
    lines = {}
    for name in compared["controller"].values:
        one = compared.sel(controller=name)
        saved = float((rule - one["cost_dkk"]).mean(skipna=False))
        lines[str(name)] = {
            "cost_dkk": float(one["cost_dkk"].mean(skipna=False)),
            "saved_dkk": saved,
            "saved_pm_dkk": half_width((rule - one["cost_dkk"]).to_numpy()),
            "saved_percent": 100 * saved / paid if paid > 0 else np.nan,
            "share_percent": 100 * saved / possible if possible > 0 else np.nan,
            "violations": _count(one["violations"]),
            "interventions": _count(one["interventions"]),
        }
    return pd.DataFrame.from_dict(lines, orient="index").rename_axis("controller")


def half_width(values: np.ndarray, confidence: float = CONFIDENCE) -> float:
    """Half width of the confidence interval of the mean of independent `values`.

    Student's t; NaN of a single value.
    """
    from scipy.stats import t

    if len(values) < 2:
        return float("nan")
    spread = values.std(ddof=1) / np.sqrt(len(values))
    return float(t.ppf((1 + confidence) / 2, len(values) - 1) * spread)


def tuned_price_rule(
    example: Example,
    actions: tuple[Values, Values, Values],
    scenarios: Scenario,
    guard: Guard,
    ahead: int = 24,
) -> PriceRule:
    """The price rule that costs least behind `guard` over `scenarios`, a batch to tune on.

    `actions` are those to buy, to be idle and to sell. The shares of the look-ahead are tried from
    5 to 50 % in steps of five, the same for both, so that learning has a fair opponent.
    """
    check_priced(example, scenarios, ahead)
    buy, idle, sell = actions
    seen = with_outlook(scenarios, ahead)

    def mean_cost(share: Array) -> Array:
        shield = Shield(PriceRule(buy, idle, sell, share, share), guard)
        run = jax.vmap(
            lambda one: run_cost_dkk(example, one, simulate(example.system, shield, one))
        )
        return run(seen).mean()

    costs = jax.jit(lambda shares: jax.lax.map(mean_cost, shares))(jnp.asarray(SHARES_TRIED))
    best = jnp.asarray(SHARES_TRIED[int(jnp.argmin(costs))])
    return PriceRule(buy, idle, sell, best, best)


def _figures(example: Example, controller: Controller, scenario: Scenario) -> dict[str, Any]:
    run: Trajectory = simulate(example.system, controller, scenario)
    share = run.action.get(SHARE, jnp.zeros(run.status.shape))
    bought_w = run.output[example.bought]
    return {
        "cost_dkk": run_cost_dkk(example, scenario, run),
        "bought_kwh": bought_w.sum() * scenario.dt_s / J_PER_KWH,
        "violations": violates(example.system, {**run.output, "status": run.status}).sum(),
        "interventions": (share > 0).sum(),
        "status": jax.lax.reduce(run.status, jnp.int32(0), jax.lax.bitwise_or, (0,)),
    }


def _count(steps: "xr.DataArray") -> float:
    """Steps in all scenarios, as a whole number; NaN where none were run."""
    total = float(steps.sum(skipna=False))
    return total if np.isnan(total) else int(total)


def _no_figures(scenarios: Scenario) -> dict[str, np.ndarray]:
    """The figures of a run that was not made, by scenario."""
    nothing = np.full(len(scenarios.drive[PRICE]), np.nan)
    names = ("cost_dkk", "bought_kwh", "violations", "interventions")
    return {name: nothing for name in names} | {"status": np.zeros(len(nothing), np.int32)}


def _check_controllers(controllers: Mapping[str, Controller], dt_s: float, ahead: int) -> None:
    """Refuse controllers that were made for other steps, or look further than they are told."""
    faults = [] if controllers else ["there are 0 controllers, expected the rule at least"]
    if BOUND in controllers:
        faults.append(f"controller {BOUND!r} has the name of the bound, expected another")
    for name, controller in controllers.items():
        inner = controller
        while isinstance(inner, Shield):
            faults += [f"{name}: {fault}" for fault in inner.guard.faults(dt_s, ahead)]
            inner = inner.inner
        if isinstance(inner, Policy):
            faults += [f"{name}: {fault}" for fault in inner.observer.faults(dt_s, ahead)]
    if faults:
        raise InputError("compare", faults)


def _bound(example: Example, scenarios: Scenario) -> tuple[Dispatch | None, str]:
    """The best plans, or none and why not."""
    try:
        bound = best_dispatch(example, scenarios)
    except NotAffineError as error:
        return None, "; ".join(error.faults)
    faults = [
        f"scenario {number}: {status}, expected a run without a violation to exist"
        for number, status in enumerate(bound.status)
        if status != "optimal"
    ]
    if faults:
        raise InputError("compare", faults)
    return bound, ""
