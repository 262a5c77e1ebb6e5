"""A plant's own meters as a file, and a case that reads it."""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml

START, MOMENT = "2026-01-05T00:00", "2026-02-16T13:00"  # Danish clock; 12:00 UTC
PLANT = {
    "units": [
        {"kind": "heat_pump", "name": "heat pump", "heat_mw": 3, "min_load": 0.3,
         "start_cost_dkk": 200, "min_up_h": 2},
        {"kind": "electric_boiler", "name": "electric boiler", "heat_mw": 8},
        {"kind": "boiler", "name": "gas boiler", "fuel": "gas", "heat_mw": 12, "min_load": 0.1},
    ],
    "tank": {"volume_m3": 1300, "height_m": 15, "charge_kg_per_s": 70, "discharge_kg_per_s": 70},
}  # fmt: skip


def meters(moment: str = MOMENT, days_ahead: int = 4) -> pd.DataFrame:
    """Six weeks of load, weather and prices before `moment`; after it what is known by then."""
    at = pd.Timestamp(moment).tz_localize("Europe/Copenhagen").tz_convert("UTC").tz_localize(None)
    first = at - pd.Timedelta(days=42)
    time = pd.date_range(first, at + pd.Timedelta(days=days_ahead), freq="h", inclusive="left")
    hour = np.arange(len(time))
    random = np.random.default_rng(0)
    outdoor = 2 + 4 * np.sin(2 * np.pi * hour / 170) + 1.5 * np.sin(2 * np.pi * (hour - 9) / 24)
    load = 8 - 0.25 * outdoor + np.sin(2 * np.pi * hour / 12) + random.normal(0, 0.15, len(time))
    price = 0.6 + 0.35 * np.sin(2 * np.pi * hour / 24) + random.normal(0, 0.08, len(time))
    table = pd.DataFrame(
        {"load_mw": load, "outdoor_degc": outdoor, "price_dkk_per_kwh": price}, index=time
    )
    table.loc[at:, "load_mw"] = np.nan
    midnight = pd.Timestamp(moment).normalize() + pd.Timedelta(days=2)
    known = midnight.tz_localize("Europe/Copenhagen").tz_convert("UTC").tz_localize(None)
    table.loc[known:, "price_dkk_per_kwh"] = np.nan
    return table.round(4)


def write_case(
    folder: Path, table: pd.DataFrame | None = None, moment: str = MOMENT, **changes: object
) -> Path:
    """A case in `folder` that reads `table`; `changes` replace whole blocks of it."""
    table = meters(moment) if table is None else table
    table.rename_axis("time_utc").to_csv(folder / "meters.csv", date_format="%Y-%m-%dT%H:%M")
    case = {
        "title": "A plant of a test",
        "system": "heat_plant",
        "plant": PLANT,
        "supply": {"forward": {"kind": "hold", "supply_degc": 75}},
        "load": {"kind": "file", "path": "meters.csv"},
        "forecast": {"model": "ridge", "history_days": 40},
        "plan": {"moment": moment, "horizon_h": 48, "gap": 0.005, "limit_s": 20},
    }
    path = folder / "case.yaml"
    path.write_text(yaml.safe_dump({**case, **changes}, sort_keys=False), encoding="utf-8")
    return path
