"""Inputs that are right, from which hostile ones are made."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

NET = {
    "junctions.csv": "name,elevation_m\nJ0,10\nJ1,12\nJ2,11\nR0,10\nR1,12\nR2,11\n",
    "pipes.csv": "name,from_junction,to_junction,length_m,inner_diameter_m,loss_w_per_mk\n"
    "P1,J0,J1,100,0.1,0.3\nP2,J1,J2,80,0.08,0.25\nP3,J0,J2,150,0.08,0.25\n"
    "Q1,R1,R0,100,0.1,0.3\nQ2,R2,R1,80,0.08,0.25\n",
    "consumers.csv": "name,from_junction,to_junction,heat_w,return_degc\n"
    "A,J1,R1,50000,40\nB,J2,R2,80000,45\n",
    "sources.csv": "name,supply_junction,return_junction,supply_degc,supply_bar,lift_bar\n"
    "Plant,J0,R0,80,6,2\n",
}
CASE = """\
title: A small town
system: heat_network
network:
  source: net
  return_degc: 45
demand:
  kind: stock
  seed: 1
weather:
  source: synthetic
horizon:
  start: 2021-01-04T00:00
  hours: 24
  step_min: 60
controllers:
  constant:
    kind: hold
    supply_degc: 80
"""
PLANT = """\
title: A plant
system: heat_plant
plant:
  units:
    - {kind: electric_boiler, name: electric boiler, heat_mw: 8}
    - {kind: boiler, name: gas boiler, fuel: gas, heat_mw: 12, min_load: 0.1}
  tank: {volume_m3: 1300, height_m: 15, charge_kg_per_s: 70, discharge_kg_per_s: 70}
supply:
  forward: {kind: hold, supply_degc: 75}
load: {kind: file, path: meters.csv}
forecast: {model: ridge, history_days: 30}
plan: {moment: 2026-02-16T13:00, horizon_h: 48, limit_s: 20}
"""
METERS = "time_utc,load_mw,outdoor_degc,price_dkk_per_kwh\n" + "".join(
    f"2026-01-{1 + hour // 24:02d}T{hour % 24:02d}:00,{5 + hour % 7},{hour % 5},0.5\n"
    for hour in range(700)
)
READINGS = "x_m,time_s,water_degc\n400,150,71.4\n400,300,74.7\n900,300,77.4\n"
PROFILE = "time_utc,load_p_mw:0\n2026-01-01T00:00,10\n2026-01-01T01:00,12\n"
MFILE = """\
function mpc = tiny
mpc.version = '2';
mpc.baseMVA = 100;
mpc.bus = [
 1 3 0 0 0 0 1 1 0 110 1 1.1 0.9;
 2 1 50 10 0 0 1 1 0 110 1 1.1 0.9;
];
mpc.gen = [
 1 50 0 100 -100 1 100 1 200 0;
];
mpc.branch = [
 1 2 0.01 0.05 0.02 100 100 100 0 0 1 -360 360;
];
"""


def under(folder: str, files: Mapping[str, str]) -> dict[str, str]:
    """`files` below `folder`."""
    return {f"{folder}/{name}": text for name, text in files.items()}


def net_with(**changed: str) -> dict[str, str]:
    """The small heat network in `net`, with the text of some tables replaced."""
    return under("net", {**NET, **{f"{kind}.csv": text for kind, text in changed.items()}})


@cache
def grid_json() -> str:
    """A small pandapower grid as pandapower writes it."""
    import warnings

    with warnings.catch_warnings(), TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        import pandapower

        net = pandapower.create_empty_network()
        for name, kv in (("high", 110.0), ("low", 20.0), ("end", 20.0)):
            pandapower.create_bus(net, kv, name=name)
        pandapower.create_ext_grid(net, 0, vm_pu=1.0)
        pandapower.create_transformer(net, 0, 1, "25 MVA 110/20 kV", name="T1")
        pandapower.create_line(net, 1, 2, 3.0, "NA2XS2Y 1x240 RM/25 12/20 kV", name="cable")
        pandapower.create_load(net, 2, 4.0, 1.0, name="mill")
        pandapower.create_sgen(net, 2, 1.0, name="sun")
        path = Path(folder) / "net.json"
        pandapower.to_json(net, str(path))
        return path.read_text("utf-8")


@cache
def heat_json() -> str:
    """A small pandapipes network as pandapipes writes it."""
    import warnings

    with warnings.catch_warnings(), TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        import pandapipes

        net = pandapipes.create_empty_network(fluid="water")
        for name in ("J0", "J1", "R1", "R0"):
            pandapipes.create_junction(net, pn_bar=6, tfluid_k=350, name=name)
        pandapipes.create_circ_pump_const_pressure(net, 3, 0, 6.0, 2.0, t_flow_k=353)
        for start, end in ((0, 1), (2, 3)):
            pandapipes.create_pipe_from_parameters(net, start, end, 0.1, 0.1, k_mm=0.1)
        pandapipes.create_heat_consumer(net, 1, 2, qext_w=50_000.0, controlled_mdot_kg_per_s=0.5)
        path = Path(folder) / "net.json"
        pandapipes.to_json(net, str(path))
        return path.read_text("utf-8")
