"""What goes into a heat network and what comes out of it."""

from tvilling.sciml.core.system import Channel
from tvilling.sciml.systems.heat_network.topology.layout import Layout

Range = tuple[float, float]
POWER_W: Range = (-1e10, 1e10)
TEMPERATURE_DEGC: Range = (-30.0, 160.0)
PRESSURE_BAR: Range = (-500.0, 500.0)
FLOW_KG_PER_S: Range = (-1e5, 1e5)


def actions(layout: Layout) -> tuple[Channel, ...]:
    """What an operator sets."""
    source = ("source", layout.source_names)
    return (_channel("supply_degc", "°C", (20.0, 140.0), "Supply temperature", source),)


def drives(layout: Layout) -> tuple[Channel, ...]:
    """What a network cannot choose."""
    consumer = ("consumer", layout.consumer_names)
    return (
        _channel("heat_w", "W", (0.0, 1e8), "Heat demand", consumer),
        _channel("ground_degc", "°C", (-20.0, 40.0), "Temperature of the ground"),
    )


def outputs(layout: Layout) -> tuple[Channel, ...]:
    """What can be seen of a step: states at its end, flows and powers over it."""
    junction = ("junction", layout.junction_names)
    pipe = ("pipe", layout.pipe_names)
    consumer = ("consumer", layout.consumer_names)
    source = ("source", layout.source_names)
    degc, bar, flow, power = TEMPERATURE_DEGC, PRESSURE_BAR, FLOW_KG_PER_S, POWER_W
    return (
        _channel("junction_degc", "°C", degc, "Temperature", junction),
        _channel("junction_bar", "bar", bar, "Gauge pressure", junction),
        _channel("pipe_kg_per_s", "kg/s", flow, "Flow along the pipe", pipe),
        _channel("pipe_loss_w", "W", power, "Heat lost to the ground", pipe),
        _channel("loss_w", "W", power, "Heat lost to the ground by all pipes"),
        _channel("consumer_kg_per_s", "kg/s", flow, "Flow, with bypass", consumer),
        _channel("consumer_supply_degc", "°C", degc, "Inlet temperature", consumer),
        _channel("consumer_return_degc", "°C", degc, "Outlet temperature", consumer),
        _channel("consumer_dp_bar", "bar", bar, "Differential pressure", consumer),
        _channel("delivered_w", "W", power, "Heat delivered", consumer),
        _channel("source_kg_per_s", "kg/s", flow, "Flow sent out", source),
        _channel("source_return_degc", "°C", degc, "Return temperature", source),
        _channel("source_w", "W", power, "Heat put in", source),
        _channel("source_lift_bar", "bar", bar, "Lift of the pump", source),
        _channel("pump_w", "W", power, "Electric power of the pump", source),
        _channel("exchanger_w", "W", power, "Heat taken by exchangers in the line"),
        _channel("injection_w", "W", power, "Heat that injections bring in"),
        _channel("imbalance_w", "W", power, "Heat missing in the balance"),
    )


def _channel(
    name: str,
    unit: str,
    limits: Range,
    description: str,
    over: tuple[str, tuple[str, ...]] | None = None,
) -> Channel:
    """A channel over the elements `over` names, or a scalar."""
    dims, labels = ((over[0],), (over[1],)) if over else ((), ())
    return Channel(name, unit, *limits, dims=dims, labels=labels, description=description)
