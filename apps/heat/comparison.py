"""What one control of a heat network cost and delivered, to be set beside another."""

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tvilling.sciml.core.system import Status
from tvilling.sciml.core.units import J_PER_KWH

if TYPE_CHECKING:
    import xarray as xr

J_PER_MWH = 3.6e9


@dataclass(frozen=True)
class Figures:
    """Totals and means over the run of one controller. Each unit is the ending of the name.

    Temperatures of return and supply are means weighted by flow; `share` figures are of the heat
    that the sources put in. None where there is nothing to tell: no flow, no heat, no pump, no
    consumer, or an energy balance that does not close.
    """

    heat_mwh: float | None
    delivered_mwh: float
    unserved_mwh: float
    loss_mwh: float | None
    loss_share: float | None
    pump_kwh: float
    supply_degc: float | None
    return_degc: float | None
    peak_mw: float | None
    flow_max_kg_per_s: float
    lift_max_bar: float | None
    coldest_inlet_degc: float | None
    flagged_steps: int

    def as_dict(self) -> dict[str, Any]:
        """The figures as plain values, for JSON."""
        return asdict(self)


# name, heading, unit, digits: the rows of the report's and the terminal's table
ROWS = (
    ("heat_mwh", "Heat put in", "MWh", 1),
    ("delivered_mwh", "Heat delivered", "MWh", 1),
    ("unserved_mwh", "Demand not met", "MWh", 3),
    ("loss_mwh", "Heat loss", "MWh", 2),
    ("loss_share", "Heat loss, share of heat put in", "%", 2),
    ("pump_kwh", "Pump electricity", "kWh", 1),
    ("supply_degc", "Supply temperature at the plant", "°C", 1),
    ("return_degc", "Return temperature at the plant", "°C", 1),
    ("coldest_inlet_degc", "Coldest consumer inlet", "°C", 1),
    ("peak_mw", "Greatest heat power", "MW", 3),
    ("flow_max_kg_per_s", "Greatest flow from the plant", "kg/s", 2),
    ("lift_max_bar", "Greatest pump lift", "bar", 2),
    ("flagged_steps", "Steps with a warning", "", 0),
)


SCALED, SIGNIFICANT = ("_mwh", "_kwh", "_mw"), 3  # of a small network: digits that tell something


def figures(data: "xr.Dataset") -> dict[str, Figures]:
    """Figures of every controller in the labelled run `data` of a heat network."""
    return {str(name): _one(data.sel(controller=name)) for name in data["controller"].values}


def differences(values: list[float | None]) -> list[str]:
    """Each value against the first one, in per cent; empty for the first and where it is zero."""
    first = values[0]
    changes = [
        round(100 * (value / first - 1), 1) if first and value is not None else None
        for value in values[1:]
    ]
    texts = ["" if c is None else f"{c:+.1f} %" if c else "0.0 %" for c in changes]
    return ["", *(text.replace("-", "\N{MINUS SIGN}") for text in texts)]


def shown(name: str, value: float | None) -> str:
    """A figure as a reader sees it, without its unit."""
    if value is None:
        return "–"
    digits = next(row[3] for row in ROWS if row[0] == name)
    value *= 100 if name == "loss_share" else 1
    if name.endswith(SCALED) and 0 < abs(value) < 100 * 10.0**-digits:
        digits = SIGNIFICANT - 1 - math.floor(math.log10(abs(value)))
        text = f"{value:.{digits}f}" if digits < 7 else f"{value:.{SIGNIFICANT - 1}e}"
    else:
        text = f"{value:,.{digits}f}"
    return text.replace(",", "\N{NO-BREAK SPACE}")


def _one(run: "xr.Dataset") -> Figures:
    dt_s = run.attrs["dt_s"]
    total = {name: float(run[name].sum()) * dt_s for name in ("source_w", "delivered_w", "loss_w")}
    short_w = (run["heat_w"] - run["delivered_w"]).clip(min=0.0)
    unserved = (run["status"] & int(Status.UNSERVED)) != 0
    balanced = not bool(((run["status"] & int(Status.UNBALANCED)) != 0).any())
    flow = run["source_kg_per_s"]
    through = float(flow.sum())
    return Figures(
        heat_mwh=total["source_w"] / J_PER_MWH if balanced else None,
        delivered_mwh=total["delivered_w"] / J_PER_MWH,
        unserved_mwh=float(short_w.where(unserved, 0.0).sum()) * dt_s / J_PER_MWH,
        loss_mwh=total["loss_w"] / J_PER_MWH if balanced else None,
        loss_share=_over(total["loss_w"], total["source_w"]) if balanced else None,
        pump_kwh=float(run["pump_w"].sum()) * dt_s / J_PER_KWH,
        supply_degc=_over(float((run["supply_degc"] * flow).sum()), through),
        return_degc=_over(float((run["source_return_degc"] * flow).sum()), through),
        peak_mw=float(run["source_w"].sum("source").max()) / 1e6 if balanced else None,
        flow_max_kg_per_s=float(flow.sum("source").max()),
        lift_max_bar=_known(float(run["source_lift_bar"].max())),
        coldest_inlet_degc=float(run["consumer_supply_degc"].min())
        if run.sizes["consumer"]
        else None,
        flagged_steps=int((run["status"] != 0).sum()),
    )


def _over(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
