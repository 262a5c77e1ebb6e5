"""What goes into a heat network and what comes out of it."""

from tvilling.sciml.system import Channel
from tvilling.sciml.systems.heat_network.layout import Layout


def actions(layout: Layout) -> tuple[Channel, ...]:
    """What an operator sets."""
    source = {"dims": ("source",), "labels": (layout.source_names,)}
    return (Channel("supply_degc", "°C", 20.0, 140.0, **source, description="Supply temperature"),)


def drives(layout: Layout) -> tuple[Channel, ...]:
    """What a network cannot choose."""
    consumer = {"dims": ("consumer",), "labels": (layout.consumer_names,)}
    return (
        Channel("heat_w", "W", 0.0, 1e8, **consumer, description="Heat demand"),
        Channel("ground_degc", "°C", -20.0, 40.0, description="Temperature of the ground"),
    )


def outputs(layout: Layout) -> tuple[Channel, ...]:
    """What can be seen of a step: states at its end, flows and powers over it."""
    junction = {"dims": ("junction",), "labels": (layout.junction_names,)}
    pipe = {"dims": ("pipe",), "labels": (layout.pipe_names,)}
    consumer = {"dims": ("consumer",), "labels": (layout.consumer_names,)}
    source = {"dims": ("source",), "labels": (layout.source_names,)}
    power, degc, bar, flow = (-1e10, 1e10), (-30.0, 160.0), (-500.0, 500.0), (-1e5, 1e5)
    return (
        Channel("junction_degc", "°C", *degc, **junction, description="Temperature"),
        Channel("junction_bar", "bar", *bar, **junction, description="Gauge pressure"),
        Channel("pipe_kg_per_s", "kg/s", *flow, **pipe, description="Flow along the pipe"),
        Channel("pipe_loss_w", "W", *power, **pipe, description="Heat lost to the ground"),
        Channel("loss_w", "W", *power, description="Heat lost to the ground by all pipes"),
        Channel("consumer_kg_per_s", "kg/s", *flow, **consumer, description="Flow, with bypass"),
        Channel("consumer_supply_degc", "°C", *degc, **consumer, description="Inlet temperature"),
        Channel("consumer_return_degc", "°C", *degc, **consumer, description="Outlet temperature"),
        Channel("consumer_dp_bar", "bar", *bar, **consumer, description="Differential pressure"),
        Channel("delivered_w", "W", *power, **consumer, description="Heat delivered"),
        Channel("source_kg_per_s", "kg/s", *flow, **source, description="Flow sent out"),
        Channel("source_return_degc", "°C", *degc, **source, description="Return temperature"),
        Channel("source_w", "W", *power, **source, description="Heat put in"),
        Channel("source_lift_bar", "bar", *bar, **source, description="Lift of the pump"),
        Channel("pump_w", "W", *power, **source, description="Electric power of the pump"),
        Channel("exchanger_w", "W", *power, description="Heat taken by exchangers in the line"),
        Channel("injection_w", "W", *power, description="Heat that injections bring in"),
    )
