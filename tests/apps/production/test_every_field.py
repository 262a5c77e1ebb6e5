"""A walk over every field of a plant's case: changing it changes something, or is told.

What a plan is compared by: every number it holds and every sentence of its summary and report, but
not its title, its hash and the time it took. A field without a line in `CHANGES` fails the walk.
"""

import copy
import dataclasses
import typing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from plant_files import meters, write_case
from pydantic import BaseModel

from tvilling.apps.plant import planning
from tvilling.apps.plant.backtest import backtest_warnings
from tvilling.apps.plant.case import PlantCase
from tvilling.apps.plant.check import Checked
from tvilling.apps.plant.inputs import supply_network as town
from tvilling.apps.plant.inputs.known import HOUR, conditions, gather, moment_of
from tvilling.apps.plant.inputs.unused import unused
from tvilling.apps.plant.plan import Task
from tvilling.apps.plant.plan_warnings import plan_warnings
from tvilling.apps.plant.planning import make_plan
from tvilling.apps.plant.replay import Stretch, replay
from tvilling.apps.plant.report.assumptions import backtest_assumptions, plan_assumptions
from tvilling.apps.plant.report.labelled import plan_data
from tvilling.apps.shared.case_file import read_case
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_plant.linearisation import linearise

MOMENT = "2026-02-16T13:00"
UNITS = [
    {"kind": "heat_pump", "name": "pump", "heat_mw": 2, "source": "lake", "min_load": 0.3,
     "rated_source_degc": 12},
    {"kind": "electric_boiler", "name": "electric", "heat_mw": 3},
    {"kind": "boiler", "name": "boiler", "fuel": "gas", "heat_mw": 9, "min_load": 0.1},
    {"kind": "back_pressure_chp", "name": "engine", "fuel": "gas", "heat_mw": 3,
     "power_ratio": 0.8, "efficiency": 0.9},
    {"kind": "extraction_chp", "name": "turbine", "fuel": "gas", "heat_mw": 2, "power_ratio": 0.6,
     "power_loss": 0.15, "condensing_efficiency": 0.45},
    {"kind": "solar", "name": "field", "heat_mw": 1},
]  # fmt: skip
AT = {unit["kind"]: number for number, unit in enumerate(UNITS)}
BASE: dict[str, Any] = {
    "title": "walk",
    "system": "heat_plant",
    "plant": {
        "units": UNITS,
        "tank": {"volume_m3": 300, "height_m": 9, "charge_kg_per_s": 20, "discharge_kg_per_s": 20},
    },
    "supply": {"forward": {"kind": "hold", "supply_degc": 75}},
    "load": {"kind": "file", "path": "meters.csv"},
    "sources_degc": {"lake": 8},
    "outages": [{"unit": "electric", "start": "2026-02-16T18:00", "end": "2026-02-16T21:00"}],
    "forecast": {"model": "naive_week", "history_days": 30},
    "plan": {"moment": MOMENT, "horizon_h": 14, "gap": 0.0, "limit_s": 20},
}
STOCK = {
    "load": {"kind": "stock", "annual_mwh": 30000},
    "weather": {"source": "synthetic"},
    "prices": {"source": "synthetic"},
}
CURVE = {"supply": {"forward": {"kind": "heating_curve", "cold_degc": -12, "warm_degc": 15,
                                "supply_cold_degc": 80, "supply_warm_degc": 65}}}  # fmt: skip
COMMON = {
    "name": "other", "heat_mw": 2.5, "min_load": 0.4, "ramp_per_h": 0.2, "start_cost_dkk": 900.0,
    "min_up_h": 2.5, "min_down_h": 3.5, "must_run": True, "upkeep_dkk_per_mwh": 40.0,
    "idle_share": 0.1,
}  # fmt: skip
OWN = {
    "heat_pump": {"source": "air", "lorentz_efficiency": 0.4, "source_cooling_k": 8.0,
                  "rated_source_degc": 9.0, "capacity_per_k": 0.05, "defrost_loss": 0.2,
                  "min_source_degc": 20.0, "max_forward_degc": 60.0},
    "electric_boiler": {"efficiency": 0.9},
    "boiler": {"fuel": "biomass", "efficiency": 0.8},
    "back_pressure_chp": {"fuel": "biomass", "power_ratio": 0.5, "efficiency": 0.8,
                          "piston_engine": False},
    "extraction_chp": {"fuel": "biomass", "power_ratio": 0.5, "power_loss": 0.2,
                       "condensing_efficiency": 0.4},
    "solar": {"eta0": 0.7, "a1_w_per_m2k": 3.5, "a2_w_per_m2k2": 0.02},
}  # fmt: skip
UNIT_CHANGES = {
    f"plant.units[{kind}].{name}": (("plant", "units", AT[kind], name), value, {})
    for kind, own in OWN.items()
    for name, value in {**COMMON, **own}.items()
}
TANK = {"volume_m3": 400.0, "height_m": 7.0, "layers": 12, "charge_kg_per_s": 5.0,
        "discharge_kg_per_s": 5.0, "loss_w_per_m2k": 1.0, "mixing": 50.0}  # fmt: skip
REAL_CHECK = ("plant.tank.layers", "plant.tank.mixing")  # what only the tank in layers knows
REPLAYED = {"plan_hour": 7, "every_h": 6, "load": "perfect", "refit_days": 1}
NETWORK = {"consumer_degc": 65.0, "low_degc": 58.0, "high_degc": 90.0, "ramp_k_per_h": 5.0,
           "max_lift_bar": 3.0, "run_out_h": 6}  # fmt: skip


def at(*where: Any) -> tuple[Any, ...]:
    return where


CHANGES: dict[str, tuple[tuple[Any, ...], Any, dict[str, Any]]] = {
    "plant.in_quota_system": (at("plant", "in_quota_system"), True, {}),
    **UNIT_CHANGES,
    **{
        f"plant.tank.{name}": (at("plant", "tank", name), value, {})
        for name, value in TANK.items()
    },
    "supply.return_degc": (at("supply", "return_degc"), 50.0, {}),
    "supply.forward[hold].supply_degc": (at("supply", "forward", "supply_degc"), 85.0, {}),
    **{
        f"supply.forward[heating_curve].{name}": (at("supply", "forward", name), value, CURVE)
        for name, value in {"cold_degc": -8.0, "warm_degc": 10.0, "supply_cold_degc": 85.0,
                            "supply_warm_degc": 60.0}.items()
    },
    "load[file].path": (at("load", "path"), "none.csv", {}),
    "load[stock].annual_mwh": (at("load", "annual_mwh"), 20000.0, STOCK),
    "load[stock].seed": (at("load", "seed"), 2, STOCK),
    "load[flensburg].annual_mwh": (
        at("load", "annual_mwh"), 20000.0,
        {"load": {"kind": "flensburg", "annual_mwh": 30000}, "prices": {"source": "synthetic"},
         "plan": {"moment": "2021-02-16T13:00", "horizon_h": 14, "gap": 0.0},
         "charges": {"rules_of": 2021}},
    ),
    "weather.source": (at("weather", "source"), "recorded", {}),
    "weather.ahead": (at("weather", "ahead"), "perfect", STOCK),
    "prices.source": (at("prices", "source"), "recorded", {}),
    "prices.seed": (at("prices", "seed"), 3, STOCK),
    "prices.beyond": (at("prices", "beyond"), "expected", {"plan": {"moment": "2026-02-16T12:00",
                                                                   "horizon_h": 24}}),
    "charges.rules_of": (at("charges", "rules_of"), 2021, {}),
    "charges.fuel_dkk_per_mwh": (at("charges", "fuel_dkk_per_mwh"), {"gas": 900.0}, {}),
    "sources_degc": (at("sources_degc", "lake"), 12.0, {}),
    "outages.unit": (at("outages", 0, "unit"), "boiler", {}),
    "outages.start": (at("outages", 0, "start"), "2026-02-16T16:40", {}),
    "outages.end": (at("outages", 0, "end"), "2026-02-16T23:20", {}),
    "outages.share": (at("outages", 0, "share"), 0.5, {}),
    "outages.reason": (at("outages", 0, "reason"), "fuse", {}),
    "forecast.model": (at("forecast", "model"), "naive_day", {}),
    "forecast.history_days": (at("forecast", "history_days"), 20, {}),
    "forecast.country": (
        at("forecast", "country"), "de",
        {"forecast": {"model": "ridge", "history_days": 38},
         "plan": {"moment": "2026-05-12T13:00", "horizon_h": 14, "gap": 0.0}},
    ),
    "plan.moment": (at("plan", "moment"), "2026-02-16T15:20", {}),
    "plan.horizon_h": (at("plan", "horizon_h"), 12, {}),
    "plan.commitment": (at("plan", "commitment"), False, {}),
    "plan.gap": (at("plan", "gap"), 0.2, {}),
    "plan.limit_s": (at("plan", "limit_s"), 0.001, {}),
    "plan.tank_mwh": (at("plan", "tank_mwh"), 1.0, {}),
    **{f"backtest.{name}": (at("backtest", name), value, {}) for name, value in REPLAYED.items()},
    "network.case": (at("network", "case"), "none.yaml", CURVE),
    **{f"network.{name}": (at("network", name), value, {}) for name, value in NETWORK.items()},
}  # fmt: skip
NOT_WALKED = {"title", "system"}  # a headline, and the one word that says what the case is of
REFUSED = {f"supply.forward[{kind}].sources" for kind in ("hold", "heating_curve")}


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The blocks within an annotation, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [one for part in typing.get_args(annotation) for one in models_in(part)]


def fields_of(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Every field that holds a value, by its way through the blocks."""
    found = []
    for name, field in model.model_fields.items():
        blocks, way = models_in(field.annotation), f"{prefix}{name}"
        if name == "kind":
            continue
        if not blocks:
            found.append(way)
        for block in blocks:
            kinds = len(blocks) > 1
            kind = f"[{block.model_fields['kind'].default}]" if kinds else ""
            if kind == "[PydanticUndefined]":
                kind = f"[{typing.get_args(block.model_fields['kind'].annotation)[0]}]"
            found += fields_of(block, f"{way}{kind}.")
    return found


def changed(base: dict[str, Any], where: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """A copy of a case with one value in another place."""
    case = copy.deepcopy(base)
    block = case
    for key in where[:-1]:
        block = block.setdefault(key, {}) if isinstance(block, dict) else block[key]
    block[where[-1]] = value
    return case


def read(folder: Path, case: dict[str, Any]) -> tuple[PlantCase, Path]:
    moment = str(case["plan"]["moment"])[:13] + ":00"
    table = meters(moment)
    if moment.endswith("12:00"):  # prices of one's own, beyond the published ones
        table["price_dkk_per_kwh"] = table["price_dkk_per_kwh"].fillna(0.9)
    path = write_case(folder, table, moment)
    path.write_text(yaml.safe_dump(case, sort_keys=False))
    return read_case(path, (), PlantCase), path


def told_plan(folder: Path, written: dict[str, Any]) -> tuple[Any, ...]:
    """Everything that a plan of a case says, or why there is none."""
    try:
        case, path = read(folder, written)
        moment = moment_of(case, None)
        facts = gather(case, path, moment, moment + case.plan.horizon_h * HOUR)
        plan = make_plan(case, facts, moment)
    except InputError as error:
        return ("refused", *error.faults)
    data = plan_data(plan, **Task(case, path, moment, folder).provenance, **facts.record.attrs)
    linear = [getattr(plan.plant, field.name) for field in dataclasses.fields(plan.plant)]
    return (
        *(np.asarray(values).tobytes() for values in linear if isinstance(values, np.ndarray)),
        *(data[name].values.tobytes() for name in data.variables if name != "unit"),
        repr(plan.plant.tank), repr(data["unit"].values), repr(plan.checked), plan.stood,
        repr(data.attrs["gap"]), *plan_warnings(plan), *plan_assumptions(case, data),
    )  # fmt: skip


def told_backtest(folder: Path, written: dict[str, Any]) -> tuple[Any, ...]:
    """Everything that two days of a backtest say."""
    case, path = read(folder, written)
    stretch = Stretch(np.datetime64("2026-02-13T23", "ns"), np.datetime64("2026-02-15T23", "ns"))
    data = replay(case, path, stretch)
    return (
        *(data[name].values.tobytes() for name in data.variables if name not in ("way", "unit")),
        *backtest_warnings(data), *backtest_assumptions(case, data), data.attrs["forecast"],
    )  # fmt: skip


@pytest.fixture
def unchecked(monkeypatch):
    """Plans without the run on the tank in layers, which is compiled for each plant."""
    nothing = Checked(0.0, 0.0, 0.0, "", True)
    monkeypatch.setattr(planning, "check_schedule", lambda *given: nothing)


def test_every_field_has_a_change():
    fields = fields_of(PlantCase)
    assert sorted(set(fields) - NOT_WALKED - REFUSED) == sorted(CHANGES)
    print(f"{len(fields)} fields of a plant's case, {len(CHANGES)} of them walked over")
    assert len(CHANGES) == 133


@pytest.mark.parametrize("base", [BASE, {**BASE, **CURVE}], ids=["hold", "heating_curve"])
def test_sources_of_a_forward_temperature_are_refused(base):
    written = changed(base, ("supply", "forward", "sources"), ["North"])
    with pytest.raises(ValueError, match="a plant has one forward temperature"):
        PlantCase.model_validate(written)


OF_PLANT = [  # but for those of the boiler and what only the tank in layers knows, by linearise
    name
    for name in CHANGES
    if name.startswith(("plant.units", "plant.tank"))
    and not name.startswith("plant.units[boiler]")
    and name not in REAL_CHECK
]
PLANNED = [
    name
    for name in CHANGES
    if not name.startswith(("backtest.", "network.", "load[flensburg]"))
    and name not in (*REAL_CHECK, *OF_PLANT)
]
_KNOWN: dict[str, tuple[Any, ...]] = {}


def as_it_was(folder: Path, base: dict[str, Any]) -> tuple[Any, ...]:
    """What the plan of a case says, planned once."""
    key = yaml.safe_dump(base)
    if key not in _KNOWN:
        _KNOWN[key] = told_plan(folder, base)
    return _KNOWN[key]


def told_plant(written: dict[str, Any]) -> tuple[Any, ...]:
    """Every number of a plant over a day in June, and which of its fields are not used."""
    case = PlantCase.model_validate({**written, "outages": []})
    hours = np.arange("2026-06-16T00", "2026-06-17T00", dtype="datetime64[h]").astype("M8[ns]")
    around = conditions(case, hours, np.full(24, 0.6), 18.0 + np.sin(np.arange(24) / 4.0))
    linear = linearise(case.plant, around)
    values = [getattr(linear, field.name) for field in dataclasses.fields(linear)]
    record = SimpleNamespace(attrs={"prices": ""})
    facts = SimpleNamespace(own_weather=True, own_prices=True, record=record)
    return (
        *(one.tobytes() if isinstance(one, np.ndarray) else repr(one) for one in values),
        *unused(case, facts),
    )


def test_changing_a_field_of_units_and_tank_changes_the_plant_or_is_told():
    """What programme, rule and check work with; that they keep each limit has tests of its own."""
    before = told_plant(BASE)
    idle = [name for name in OF_PLANT if told_plant(changed(BASE, *CHANGES[name][:2])) == before]
    assert idle == []


@pytest.mark.parametrize("name", PLANNED)
def test_changing_a_field_changes_the_plan_or_is_told(tmp_path, unchecked, name):
    where, value, other = CHANGES[name]
    base = {**copy.deepcopy(BASE), **copy.deepcopy(other)}
    before = as_it_was(tmp_path, base)
    assert before[0] != "refused", before
    assert told_plan(tmp_path, changed(base, where, value)) != before


@pytest.mark.data
def test_the_size_of_the_measured_city_changes_the_plan(tmp_path, unchecked):
    where, value, other = CHANGES["load[flensburg].annual_mwh"]
    base = {**copy.deepcopy(BASE), **copy.deepcopy(other)}
    before = as_it_was(tmp_path, base)
    assert before[0] != "refused", before
    assert told_plan(tmp_path, changed(base, where, value)) != before


def test_layers_and_mixing_of_the_tank_change_its_check(tmp_path):
    before = told_plan(tmp_path, BASE)
    for name in REAL_CHECK:
        where, value, _ = CHANGES[name]
        assert told_plan(tmp_path, changed(BASE, where, value)) != before


def test_every_field_of_a_backtest_changes_it(tmp_path):
    base = changed(BASE, ("forecast",), {"model": "ridge", "history_days": 26})
    base["plan"] |= {"commitment": False, "horizon_h": 30}
    before = told_backtest(tmp_path, base)
    for name in REPLAYED:
        where, value, _ = CHANGES[f"backtest.{name}"]
        assert told_backtest(tmp_path, changed(base, where, value)) != before, name


def test_a_backtest_tells_that_the_network_is_left_out(tmp_path):
    base = {**copy.deepcopy(BASE), **CURVE, "network": {"case": "town.yaml"}}
    base["plan"] |= {"commitment": False, "horizon_h": 30}
    base["backtest"] = {"load": "perfect"}
    assert "network is not used" in " ".join(map(str, told_backtest(tmp_path, base)))


def test_the_settings_of_a_network_reach_its_plan(monkeypatch):
    """Each limit of the supply temperature is handed on: what was asked is kept, none is run."""
    from tvilling.rl_control.supply_temperature import plan as supply_temperature
    from tvilling.rl_control.supply_temperature import window as supply_window

    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(
        supply_window.SupplyWindow, "settled", staticmethod(lambda *a, **k: k["run_out_h"])
    )
    monkeypatch.setattr(
        supply_temperature,
        "plan_supply",
        lambda window, limits, **k: asked.append((window, limits)),
    )
    monkeypatch.setattr(
        town, "heat_cost", lambda *given: SimpleNamespace(repeated=lambda count: None)
    )
    hours = np.arange("2026-02-16T12", "2026-02-17T12", dtype="datetime64[h]").astype("M8[ns]")
    outlook = SimpleNamespace(time=hours, outdoor_degc=np.zeros(24), load_mw=np.ones(24))
    curve = PlantCase.model_validate({**BASE, **CURVE}).supply.forward
    for name, value in [("consumer_degc", 60.0), *NETWORK.items()]:
        settings = town.SupplyNetworkCase.model_validate({"case": "a.yaml", name: value})
        one = town.SupplyNetwork(settings, curve, None, np.ones(2), None)
        town.plan_town(None, one, outlook, None, None, None)
    assert all(other != asked[0] for other in asked[1:])
    assert len(asked) == 1 + len(NETWORK)


def test_the_case_of_a_network_is_refused_by_name(tmp_path):
    case, path = read(tmp_path, {**BASE, **CURVE, "network": {"case": "none.yaml"}})
    with pytest.raises(InputError, match="none"):
        town.read_town(case, path)
