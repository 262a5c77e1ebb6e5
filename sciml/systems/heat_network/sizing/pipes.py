"""Dimension the pipes of a heat network from the loads they have to carry."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_network.sizing.catalogue import (
    SERIES,
    STEEL_ROUGHNESS_M,
    Burial,
    pipe_sizes,
)
from tvilling.sciml.systems.heat_network.sizing.design_flows import DesignFlows, design_flows
from tvilling.sciml.systems.heat_network.sizing.trenches import trenches
from tvilling.sciml.systems.heat_network.tables import HeatNetworkTables
from tvilling.sciml.systems.heat_network.topology.connectivity import (
    NAMES_SHOWN,
    branches,
    connectivity,
    loop_count,
)
from tvilling.sciml.systems.heat_network.topology.paths import Paths, shortest_paths

MAX_ROUNDS = 12
SIMULTANEITY = {
    "winter2001": "simultaneity of Winter et al. 2001",
    "none": "loads of all consumers at once",
}
WINTER = (0.449677646267461, 0.551234688, 53.84382392, 1.762743268)


@dataclass(frozen=True)
class SizingOptions:
    """At what a network is dimensioned.

    Attributes
    ----------
    supply_degc, return_degc
        Design temperatures [°C]. The return counts for consumers whose own settings leave it
        open, and for the properties of the water in the return.
    max_gradient_pa_per_m
        Greatest pressure gradient in a pipe at its design flow [Pa/m], without local losses.
    velocity_limits
        Greatest velocity [m/s] by inner diameter [m], linear in between and constant beyond.
        The default is planning practice against noise and water hammer, not a standard.
    series, burial
        Insulation series of the catalogue (1, 2, 3) and how the pipes lie.
    roughness_m
        Sand roughness that the sized pipes get [m].
    simultaneity
        "winter2001" or "none", see `simultaneity`.
    """

    supply_degc: float = 80.0
    return_degc: float = 45.0
    max_gradient_pa_per_m: float = 100.0
    velocity_limits: tuple[tuple[float, float], ...] = ((0.03, 1.0), (0.1, 1.5), (0.4, 3.0))
    series: int = 2
    burial: Burial = field(default_factory=Burial)
    roughness_m: float = STEEL_ROUGHNESS_M
    simultaneity: str = "winter2001"

    def faults(self) -> list[str]:
        """What cannot be: each with value, unit and allowed range."""
        ranges = (
            ("supply_degc", "°C", 20.0, 145.0),
            ("return_degc", "°C", 5.0, 140.0),
            ("max_gradient_pa_per_m", "Pa/m", 1.0, 2000.0),
            ("roughness_m", "m", 0.0, 0.01),
        )
        found = [
            f"{name} is {getattr(self, name):g} {unit}, expected {low:g} to {high:g} {unit}"
            for name, unit, low, high in ranges
            if not low <= getattr(self, name) <= high
        ]
        if self.supply_degc - self.return_degc < 1.0:
            found.append("supply_degc must be at least 1 K above return_degc")
        if self.series not in SERIES:
            found.append(f"series is {self.series}, expected 1, 2 or 3")
        if self.simultaneity not in SIMULTANEITY:
            found.append(f"simultaneity is {self.simultaneity}, expected winter2001 or none")
        return found


@dataclass(frozen=True)
class Sized:
    """A dimensioned network.

    Attributes
    ----------
    tables
        The network with new inner diameter, roughness, heat loss and wall capacity of its pipes.
    changes
        One row a pipe: `name`, `side` (supply, return, both, none), `consumers` it serves,
        `flow_kg_per_s` at design, `dn`, `old_inner_diameter_m`, `inner_diameter_m`,
        `gradient_pa_per_m`, `velocity_m_per_s`, `old_loss_w_per_mk`, `loss_w_per_mk`, and
        `within_limits` (False where even the greatest size exceeds them). Flow, gradient and
        velocity are those of the solved network where it was solved.
    """

    tables: HeatNetworkTables
    changes: pd.DataFrame


def simultaneity(consumers: Int[np.ndarray, "*pipe"]) -> Float[np.ndarray, "*pipe"]:
    """Greatest common load of `consumers` over the sum of their greatest loads [-].

    a + b / (1 + (n / c)^d), from measurements in small and middle networks, for up to 200
    consumers; beyond them its last value is kept.

    Winter, Haslauer, Obernberger, Untersuchungen der Gleichzeitigkeit in kleinen und mittleren
    Nahwärmenetzen, Euroheat & Power 9-10, 2001.
    """
    a, b, c, d = WINTER
    count = np.minimum(np.asarray(consumers, dtype=float), 200.0)
    return np.minimum(a + b / (1 + (count / c) ** d), 1.0)


def size(tables: HeatNetworkTables, options: SizingOptions | None = None) -> Sized:
    """Give each pipe the smallest size that carries its design flow within the limits.

    Each consumer is fed along the shortest way from the nearest source, and its water returns
    along the shortest way. The design flow of a pipe is the sum of the flows of the consumers
    whose ways use it, times `simultaneity` of their number. With loops, several sources or a
    source of a stated flow the sized network is solved with all consumers at once, without
    simultaneity, and pipes are enlarged until the solved flows keep the limits. The supply and
    the return pipe of a trench get the same size.

    Parameters
    ----------
    tables
        Checked tables. A consumer counts with its prescribed flow, or else its heat demand over
        its temperature drop; in both cases with its bypass. Sinks count with their flow.
    options
        Temperatures, limits, insulation; the defaults where None.

    Raises
    ------
    InputError
        Options out of range, consumers without a path to a source, or a return temperature that
        is not below the supply.
    """
    options = options or SizingOptions()
    flow, flow_faults = design_flow(tables, options)
    found = [*options.faults(), *connectivity(tables).faults, *flow_faults]
    if found:
        raise InputError(tables.source, found)
    supply, back = shortest_paths(tables)
    loads = _pipe_loads(tables, flow, supply, back)
    solve = _needs_solving(tables)
    winter = options.simultaneity != "none" and not solve
    share = simultaneity(loads["consumers"].to_numpy()) if winter else 1.0
    loads["flow_kg_per_s"] = loads["flow_kg_per_s"] * share
    trench = trenches(tables)
    choice = _choose(loads, options, trench, np.zeros(len(loads), int))
    solved = None
    if solve:
        loads, choice, solved = _enlarge(tables, options, flow, trench, choice)
    changes = pd.DataFrame(
        {
            "name": tables.pipes["name"],
            **{column: loads[column] for column in ("side", "consumers", "flow_kg_per_s")},
            "dn": choice["dn"],
            "old_inner_diameter_m": tables.pipes["inner_diameter_m"],
            **{
                column: choice[column]
                for column in ("inner_diameter_m", "gradient_pa_per_m", "velocity_m_per_s")
            },
            "old_loss_w_per_mk": tables.pipes["loss_w_per_mk"],
            **{column: choice[column] for column in ("loss_w_per_mk", "within_limits")},
        }
    )
    stated = replace(options, simultaneity="none") if solve else options
    notes = [*_notes(changes, stated), *_solved_notes(tables, solved, options)]
    sized = replace(_with_pipes(tables, choice, options), notes=(*tables.notes, *notes))
    return Sized(sized, changes)


def _needs_solving(tables: HeatNetworkTables) -> bool:
    """Whether the flows of the pipes do not follow from the consumers behind them alone."""
    return bool(
        loop_count(tables) > 0
        or len(tables.sources) > 1
        or tables.sources["flow_kg_per_s"].notna().any()
        or (tables.injections["flow_kg_per_s"] > 0).any()
    )


def _with_pipes(
    tables: HeatNetworkTables, choice: pd.DataFrame, options: SizingOptions
) -> HeatNetworkTables:
    """The network with the pipes of `choice`."""
    pipes = tables.pipes.assign(
        inner_diameter_m=choice["inner_diameter_m"],
        roughness_m=options.roughness_m,
        loss_w_per_mk=choice["loss_w_per_mk"],
        wall_j_per_mk=choice["wall_j_per_mk"],
    )
    return replace(tables, pipes=pipes)


def _enlarge(
    tables: HeatNetworkTables,
    options: SizingOptions,
    flow: Float[np.ndarray, " consumer"],
    trench: Int[np.ndarray, " pipe"],
    choice: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame, DesignFlows]:
    """Solve the sized network and enlarge what exceeds its limits, until nothing does.

    A pipe only grows, so that this ends; flows shift with every round.
    """
    supply, back = shortest_paths(tables)
    loads = _pipe_loads(tables, flow, supply, back)
    for _ in range(MAX_ROUNDS):
        least = choice["row"].to_numpy()
        sized = _with_pipes(tables, choice, options)
        solved = design_flows(sized, options.supply_degc, flow)
        loads = loads.assign(flow_kg_per_s=np.abs(solved.pipe_kg_per_s))
        choice = _choose(loads, options, trench, least)
        if (choice["row"].to_numpy() == least).all():
            break
    else:
        solved = design_flows(_with_pipes(tables, choice, options), options.supply_degc, flow)
        loads = loads.assign(flow_kg_per_s=np.abs(solved.pipe_kg_per_s))
        kept = choice["row"].to_numpy()
        choice = _choose(loads, options, trench, kept, fixed=True)
    return loads, choice, solved


def _solved_notes(
    tables: HeatNetworkTables, solved: DesignFlows | None, options: SizingOptions
) -> list[str]:
    """What the solved network lacks at its design load, apart from the limits of pipes."""
    if solved is None:
        return []
    notes = ["sized for the flows of the solved network"]
    if options.simultaneity != "none":
        notes = [
            f"{notes[0]}; where loops or several sources share the load no number of consumers "
            f"stands behind a pipe, and simultaneity ({options.simultaneity}) is left out"
        ]
    if not bool(solved.closed):
        notes.append("the flows of the sized network could not be solved at its design load")
    short = tables.consumers["min_dp_bar"].to_numpy(float) - solved.consumer_dp_bar
    weak = np.flatnonzero(short > 1e-5)
    named = [
        f"{tables.consumers['name'].iloc[at]} {solved.consumer_dp_bar[at]:.3g} bar of "
        f"{tables.consumers['min_dp_bar'].iloc[at]:.3g} bar"
        for at in weak[np.argsort(-short[weak])][:NAMES_SHOWN]
    ]
    if len(weak):
        notes.append(
            f"at design load {len(weak)} consumers lack differential pressure: {', '.join(named)}"
        )
    turned = np.flatnonzero(
        (solved.source_kg_per_s < -1e-6) & (tables.sources["return_junction"] != "")
    )
    notes += [
        f"at design load water runs backwards through source {tables.sources['name'].iloc[at]}"
        for at in turned
    ]
    return notes


def _notes(changes: pd.DataFrame, options: SizingOptions) -> list[str]:
    """At what the pipes were sized, and which of them no size satisfies."""
    notes = [
        f"pipes sized at {options.supply_degc:g}/{options.return_degc:g} °C and "
        f"{options.max_gradient_pa_per_m:g} Pa/m, steel pipes of EN 253, insulation series "
        f"{options.series}, {SIMULTANEITY[options.simultaneity]}; valves and exchangers keep their "
        "diameters"
    ]
    beyond = changes["name"][~changes["within_limits"]]
    if len(beyond):
        notes.append(
            f"{len(beyond)} pipes exceed the limits even in the greatest size: {', '.join(beyond)}"
        )
    return notes


def design_flow(
    tables: HeatNetworkTables, options: SizingOptions
) -> tuple[Float[np.ndarray, " consumer"], list[str]]:
    """Design flow of each consumer [kg/s], and a fault where its temperatures leave none."""
    import jax.numpy as jnp

    from tvilling.sciml.core.water import iapws_water

    rows = tables.consumers
    own_return = rows["return_degc"].fillna(options.return_degc)
    cooling_k = rows["cooling_k"].fillna(options.supply_degc - own_return).to_numpy()
    bad = (cooling_k < 1.0) & rows["flow_kg_per_s"].isna().to_numpy()
    faults = [
        f"consumer {name}: the water would cool by {drop:g} K, expected at least 1 K "
        f"below {options.supply_degc:g} °C"
        for name, drop in zip(rows["name"][bad], cooling_k[bad], strict=True)
    ]
    enthalpy = iapws_water().enthalpy_j_per_kg
    cooled = options.supply_degc - np.maximum(cooling_k, 1.0)
    drop = enthalpy(jnp.asarray(options.supply_degc)) - enthalpy(jnp.asarray(cooled))
    flow = rows["flow_kg_per_s"].fillna(rows["heat_w"] / np.asarray(drop)).to_numpy()
    flow = np.clip(flow, rows["min_flow_kg_per_s"], rows["max_flow_kg_per_s"])
    return np.asarray(flow + rows["bypass_kg_per_s"], dtype=float), faults


def _pipe_loads(
    tables: HeatNetworkTables, flow: Float[np.ndarray, " consumer"], supply: Paths, back: Paths
) -> pd.DataFrame:
    """Consumers and the sum of their flows [kg/s] on each pipe, and the side it lies on."""
    position = {name: at for at, name in enumerate(tables.junctions["name"])}
    rows = branches(tables)
    sinks = tables.injections[tables.injections["flow_kg_per_s"] < 0]
    starts = [*tables.consumers["from_junction"], *sinks["junction"]]
    drawn = np.append(flow, -sinks["flow_kg_per_s"].to_numpy(dtype=float))
    begin = np.array([position[name] for name in starts], dtype=int)
    finish = np.array([position[name] for name in tables.consumers["to_junction"]], dtype=int)
    out = supply.carried(begin, np.stack([np.ones(len(drawn)), drawn], axis=1), len(rows))
    home = back.carried(finish, np.stack([np.ones(len(flow)), flow], axis=1), len(rows))
    on_pipes = (rows["kind"] == "pipes").to_numpy()
    out, home = out[on_pipes], home[on_pipes]
    side = np.select(
        [(out[:, 0] > 0) & (home[:, 0] > 0), out[:, 0] > 0, home[:, 0] > 0],
        ["both", "supply", "return"],
        "none",
    )
    total = out + home
    return pd.DataFrame(
        {"side": side, "consumers": total[:, 0].astype(int), "flow_kg_per_s": total[:, 1]},
        index=tables.pipes.index,
    )


def _choose(
    loads: pd.DataFrame,
    options: SizingOptions,
    trench: Int[np.ndarray, " pipe"],
    least: Int[np.ndarray, " pipe"],
    fixed: bool = False,
) -> pd.DataFrame:
    """The smallest size within the limits for the pipes of each trench, with gradient and velocity.

    Sizes are counted as the rows of the catalogue; none is below `least`, or with `fixed` any
    other.
    """
    import jax.numpy as jnp

    from tvilling.sciml.core.water import iapws_water
    from tvilling.sciml.systems.heat_network.hydraulics.friction import friction_gradient_pa_per_m

    sizes, water = pipe_sizes(options.series, options.burial), iapws_water()
    inner_m = sizes["inner_diameter_m"].to_numpy()
    degc = jnp.where(
        (loads["side"] == "return").to_numpy(), options.return_degc, options.supply_degc
    )
    shape = (len(loads), len(inner_m))
    density, viscosity, flow = (
        jnp.broadcast_to(values[:, None], shape)
        for values in (
            water.density_kg_per_m3(degc),
            water.viscosity_pa_s(degc),
            jnp.asarray(loads["flow_kg_per_s"].to_numpy()),
        )
    )
    diameter = jnp.broadcast_to(jnp.asarray(inner_m), shape)
    rough = jnp.full(shape, options.roughness_m)
    velocity = np.asarray(flow / (density * np.pi / 4 * diameter**2))
    gradient = np.asarray(friction_gradient_pa_per_m(flow, diameter, rough, density, viscosity))
    limit = np.interp(inner_m, *np.array(options.velocity_limits).T)
    fits = (gradient <= options.max_gradient_pa_per_m) & (velocity <= limit)
    own = np.where(fits.any(axis=1), fits.argmax(axis=1), len(inner_m) - 1)
    greatest = np.zeros(len(loads), int)
    np.maximum.at(greatest, trench, np.maximum(own, least))
    pick = least if fixed else greatest[trench]
    row = np.arange(len(loads))
    return (
        sizes.iloc[pick]
        .assign(
            row=pick,
            gradient_pa_per_m=gradient[row, pick],
            velocity_m_per_s=velocity[row, pick],
            within_limits=fits[row, pick],
        )
        .set_index(loads.index)
    )
