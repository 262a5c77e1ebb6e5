"""From a case to a heat network with its drives: read, set, size, draw, build."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tvilling.apps.heat.case import Case, CurveControl, HoldControl, NetworkDemand, StockDemand
from tvilling.apps.shared.case_hash import case_hash, network_digest
from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from tvilling.rl_control.control.controllers import HeatingCurve, Hold
    from tvilling.sciml.core.system import Values
    from tvilling.sciml.systems.heat_network.network import HeatNetwork
    from tvilling.sciml.systems.heat_network.sizing.pipes import Sized
    from tvilling.sciml.systems.heat_network.tables import HeatNetworkTables


@dataclass(frozen=True)
class Prepared:
    """A case ready to run.

    Attributes
    ----------
    case
        As it is run: its weather source is the one that was used, never `auto`.
    digest
        Of the network as it was read.
    tables
        The network as it is run, sized where the case says so.
    drive
        Drives by name, each led by time; `outdoor_degc` among them, which only controllers see.
    weather
        Outdoor temperature over the horizon, with its source.
    stock, sized
        The building stock and the sizing, where the case has them.
    """

    case: Case
    digest: str
    tables: "HeatNetworkTables"
    network: "HeatNetwork"
    drive: "Values"
    weather: "xr.Dataset"
    stock: "pd.DataFrame | None"
    sized: "Sized | None"

    @property
    def hash(self) -> str:
        """Eight digits that change with whatever decides the result."""
        return case_hash(self.case, self.digest)

    @property
    def notes(self) -> list[str]:
        """What the reader has to say, and what the case replaces of what the network states."""
        return [*self.tables.notes, *supply_notes(self.case, self.tables)]


@dataclass(frozen=True)
class BuiltNetwork:
    """The network of a case, without weather and demands; fields as those of `Prepared`."""

    digest: str
    tables: "HeatNetworkTables"
    network: "HeatNetwork"
    stock: "pd.DataFrame | None"
    sized: "Sized | None"


def prepare(case: Case, path: Path, tell: Callable[[str], None]) -> Prepared:
    """Read, set, size and build what `case` describes, which stands in the file `path`.

    Relative paths start at its folder.

    Raises
    ------
    InputError
        With every fault of the first stage that has one.
    """
    import jax.numpy as jnp

    from tvilling.datasets.weather import ground_degc

    built = build_network(case, path, tell)
    tables, network, stock = built.tables, built.network, built.stock
    _check_outputs(case, network, str(path))
    _check_controllers(case, tables, str(path))
    weather = _weather(case)
    ground = case.network.ground_degc
    drive = {
        "heat_w": jnp.asarray(_heat_w(case, tables, stock, weather)),
        "ground_degc": jnp.asarray(
            ground_degc(weather["time"].values)
            if ground is None
            else np.full(case.horizon.steps, ground)
        ),
        "outdoor_degc": jnp.asarray(weather["outdoor_degc"].values),
    }
    used = _with_source(case, weather)
    return Prepared(used, built.digest, tables, network, drive, weather, stock, built.sized)


def build_network(case: Case, path: Path, tell: Callable[[str], None]) -> BuiltNetwork:
    """Read, set, size and build the network of `case`, which stands in the file `path`.

    Raises
    ------
    InputError
        With every fault of the first stage that has one.
    """
    from tvilling.datasets.readers.heat.network import read_network
    from tvilling.sciml.systems.heat_network.builder import Options, build
    from tvilling.sciml.systems.heat_network.sizing.pipes import SizingOptions, size

    tell("reading the network")
    read = read_network(network_source(case, path.parent)).checked()
    stock = _stock(case, read)
    tables = _set_up(case, read, stock)
    sized = None
    if case.sizing:
        tell("sizing the pipes")
        sized = size(tables, SizingOptions(**case.sizing.model_dump()))
        tables = sized.tables
    tell("building the model")
    model = case.model
    network = build(
        tables,
        Options(
            cells=model.cells,
            rounds=model.rounds,
            friction=model.friction,
            pump_control=model.pump_control,
            pump_efficiency=model.pump_efficiency,
        ),
    )
    return BuiltNetwork(network_digest(read), tables, network, stock, sized)


def network_source(case: Case, folder: Path) -> str:
    """What the network reader is given: an absolute path, or the name of a shipped network."""
    from tvilling.datasets.readers.heat.network import SHIPPED

    source = case.network.source
    return source if source.startswith(SHIPPED) else str((folder / source).resolve())


def make_controller(
    settings: CurveControl | HoldControl, sources: int, stated: "pd.DataFrame | None" = None
) -> "HeatingCurve | Hold":
    """The controller that a case describes, for a network with `sources` sources.

    `stated` is the network's table of sources, which a control that sets only some needs.
    """
    import jax.numpy as jnp

    from tvilling.rl_control.control.controllers import Hold

    if isinstance(settings, HoldControl):
        sent = _sent(settings, settings.supply_degc, sources, stated)
        return Hold({"supply_degc": jnp.asarray(sent)})
    return make_curve(settings, sources, stated)


def make_curve(
    settings: CurveControl, sources: int, stated: "pd.DataFrame | None" = None
) -> "HeatingCurve":
    """The heating curve that a case describes, for a network with `sources` sources."""
    import jax.numpy as jnp

    from tvilling.rl_control.control.controllers import HeatingCurve

    return HeatingCurve(
        jnp.asarray(settings.cold_degc),
        jnp.asarray(settings.warm_degc),
        jnp.asarray(_sent(settings, settings.supply_cold_degc, sources, stated)),
        jnp.asarray(_sent(settings, settings.supply_warm_degc, sources, stated)),
    )


def _sent(
    settings: CurveControl | HoldControl,
    degc: float,
    sources: int,
    stated: "pd.DataFrame | None",
) -> np.ndarray:
    """Supply temperature of every source [°C]: `degc`, or its own where the control leaves it."""
    if stated is None:
        assert not settings.sources, "which sources it sets follows from their table"
        return np.full(sources, degc)
    return np.where(_is_set(settings, stated), degc, stated["supply_degc"].to_numpy(float))


def _is_set(settings: CurveControl | HoldControl, sources: "pd.DataFrame") -> np.ndarray:
    """Which sources a control sets."""
    if not settings.sources:
        return np.ones(len(sources), bool)
    return sources["name"].isin(settings.sources).to_numpy()


def _check_controllers(case: Case, tables: "HeatNetworkTables", source: str) -> None:
    """Refuse a control of a source that the network does not have."""
    known = list(tables.sources["name"])
    faults = [
        f"controllers.{name}.sources: {one} is not known; known are {', '.join(known)}"
        for name, control in case.controllers.items()
        for one in control.sources
        if one not in known
    ]
    if faults:
        raise InputError(source, faults)


def supply_notes(case: Case, tables: "HeatNetworkTables") -> list[str]:
    """One line a source whose stated supply temperature some control replaces.

    A heating curve always does; a constant temperature does where it is another one.
    """
    lines = []
    for at, row in enumerate(tables.sources.itertuples()):
        by = [
            name
            for name, control in case.controllers.items()
            if _is_set(control, tables.sources)[at]
            and not (isinstance(control, HoldControl) and control.supply_degc == row.supply_degc)
        ]
        if by:
            lines.append(
                f"source {row.name}: the {row.supply_degc:g} °C that the network states is not "
                f"used; the supply temperature is set by {', '.join(by)}"
            )
    return lines


def _stock(case: Case, tables: "HeatNetworkTables") -> "pd.DataFrame | None":
    if not isinstance(case.demand, StockDemand):
        return None
    from tvilling.datasets.simulated.building_stock import draw_stock

    names = list(tables.consumers["name"])
    return draw_stock(names, case.demand.seed, total_mwh=case.demand.total_mwh)


def _set_up(
    case: Case, tables: "HeatNetworkTables", stock: "pd.DataFrame | None"
) -> "HeatNetworkTables":
    """`tables` with the demands, return temperature, pressure and ground of the case."""
    consumers, pipes = tables.consumers, tables.pipes
    open_ = {"flow_kg_per_s": np.nan, "cooling_k": np.nan, "ua_w_per_k": np.nan}
    if stock is not None:
        consumers = consumers.assign(heat_w=stock["design_w"].to_numpy())
    if case.network.return_degc is not None:
        consumers = consumers.assign(return_degc=case.network.return_degc, **open_)
    elif stock is not None and consumers["flow_kg_per_s"].notna().any():
        named = consumers["name"][consumers["flow_kg_per_s"].notna()]
        raise InputError(
            tables.source,
            [
                f"{len(named)} consumers prescribe their flow ({', '.join(named[:5])} …); with "
                "demands from a stock, set network.return_degc [°C], expected 5 to 90 °C"
            ],
        )
    if case.network.min_dp_bar is not None:
        consumers = consumers.assign(min_dp_bar=case.network.min_dp_bar)
    if not case.network.keep_ground:
        pipes = pipes.assign(ground_degc=np.nan)
    return replace(tables, consumers=consumers, pipes=pipes).checked()


def _weather(case: Case) -> "xr.Dataset":
    """Outdoor temperature at the start of every step."""
    from tvilling.datasets.weather import winter_week

    horizon = case.horizon
    weather = winter_week(
        start=horizon.start.isoformat(),
        step_s=horizon.dt_s,
        days=int(np.ceil(horizon.hours / 24.0)),
        recorded={"auto": None, "recorded": True, "synthetic": False}[case.weather.source],
    )
    return weather.isel(time=slice(0, horizon.steps))


def _with_source(case: Case, weather: "xr.Dataset") -> Case:
    """`case` with the weather source that was used in place of `auto`."""
    used = case.weather.model_copy(update={"source": weather.attrs["kind"]})
    return case.model_copy(update={"weather": used})


def _heat_w(
    case: Case,
    tables: "HeatNetworkTables",
    stock: "pd.DataFrame | None",
    weather: "xr.Dataset",
) -> np.ndarray:
    """Heat demand `[time, consumer]` [W]."""
    if isinstance(case.demand, NetworkDemand):
        stated = tables.consumers["heat_w"].fillna(0.0).to_numpy(float)
        return np.tile(stated * case.demand.factor, (case.horizon.steps, 1))
    from tvilling.datasets.simulated.heat_load import heat_load

    load = heat_load(
        stock, weather["outdoor_degc"].values, weather["time"].values, case.demand.seed
    )
    return load.transpose("time", "consumer").values


def _check_outputs(case: Case, network: "HeatNetwork", source: str) -> None:
    channels = (*network.outputs, *network.actions, *network.drives)
    known = [*(channel.name for channel in channels), "outdoor_degc"]
    faults = [
        f"outputs.variables: {name} is not known; known are {', '.join(known)}"
        for name in case.outputs.variables
        if name not in known
    ]
    if faults:
        raise InputError(source, faults)
